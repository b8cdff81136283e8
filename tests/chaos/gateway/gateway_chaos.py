#!/usr/bin/env python3
"""Breaks what is around the gateway and below it, and checks that its clients do not notice.

    gateway_chaos.py [ROW] [--seconds N] [--json] [--short]

Needs the program only (RELAIS_TEST_BUILD: the build tree, release by default). Without ROW all rows, one
after the other. Exit code 1 when something that must hold did not, 2 on wrong usage. `./relais chaos gateway`
builds and calls it.
"""

import argparse
import asyncio
import gc
import importlib.util
import json
import pathlib
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from ground import Ground  # noqa: E402

ROWS = HERE / "rows"


def row_files():
    """{row: file}; a row is named as its file, with dashes."""
    return {file.stem.replace("_", "-"): file for file in sorted(ROWS.glob("[a-z]*.py"))}


def load(file):
    spec = importlib.util.spec_from_file_location(f"row_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def run(row, module, given):
    """One row. Returns what --json prints of it."""
    started = time.perf_counter()
    # In /tmp: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="relais-chaos-", dir="/tmp") as folder:
        ground = Ground(row, pathlib.Path(folder), given, given.json)
        ground.say(f"{row}: {module.TITLE}")
        try:
            try:
                await module.run(ground)
            except Exception as problem:  # a row that cannot go on is a violation, not a crash
                what = f"{type(problem).__name__}: {problem}"
                ground.check("the row runs to its end", False, what)
                print(traceback.format_exc(), file=sys.stderr, flush=True)
        finally:
            await ground.end_all()
        if ground.violations:
            for each in ground.gateways:
                for line in each.remarkable():
                    ground.say(f"  log       {line}")
    took_s = time.perf_counter() - started
    ground.say(f"{row}: {ground.checks} checks, {len(ground.violations)} violations, {took_s:.0f} s")
    return {
        "row": row,
        "checks": ground.checks,
        "measurements": ground.measurements,
        "violations": ground.violations,
    }


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="gateway_chaos.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("row", nargs="?", choices=list(row_files()), metavar="ROW")
    parser.add_argument("--seconds", type=int, help="how long each measurement takes")
    parser.add_argument("--json", action="store_true", help="one object a row and nothing else")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    return parser.parse_args(arguments)


def main():
    given = parse()
    files = row_files()
    gc.freeze()
    failed = False
    for row in [given.row] if given.row else files:
        told = asyncio.run(run(row, load(files[row]), given))
        failed = failed or bool(told["violations"])
        if given.json:
            print(json.dumps(told), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
