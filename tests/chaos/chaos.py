#!/usr/bin/env python3
"""Breaks what the story depends on, and checks that the story holds.

    chaos.py [ROW] [--seed N] [--kills N] [--mode logical|polling] [--json] [--short]

Runs against the environment named by RELAIS_STATE, RELAIS_PORT_BASE and RELAIS_BUILD. Without ROW
all rows, one after the other. Exit code 1 when something that must hold did not, 2 on wrong usage.
`./relais chaos` calls it against an environment of its own.
"""

import argparse
import importlib.util
import json
import pathlib
import random
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from context import Chaos  # noqa: E402

ROWS = pathlib.Path(__file__).resolve().parent / "rows"
KILLS = 10


def row_files():
    """{row: file}; a row is named as its file, with dashes."""
    return {file.stem.replace("_", "-"): file for file in sorted(ROWS.glob("[a-z]*.py"))}


def load(file):
    spec = importlib.util.spec_from_file_location(f"row_{file.stem.replace('-', '_')}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(row, module, given):
    """One row. Returns what --json prints of it."""
    chaos = Chaos(row, given.seed, given.kills, given.short, given.json, given.mode)
    chaos.say(f"{row}: {module.TITLE} (seed {given.seed})")
    started = time.perf_counter()
    for work in (lambda: ready(chaos), lambda: module.run(chaos), chaos.restore):
        try:
            work()
        except Exception as problem:  # a row that cannot go on is a violation, not a crash
            chaos.check("the row runs to its end", False, f"{type(problem).__name__}: {problem}")
            print(traceback.format_exc(), file=sys.stderr, flush=True)
    took_s = time.perf_counter() - started
    chaos.say(
        f"{row}: {chaos.checks} checks, {len(chaos.violations)} violations, seed {given.seed},"
        f" {took_s:.0f} s"
    )
    return {
        "row": row,
        "seed": given.seed,
        "kills": given.kills,
        "checks": chaos.checks,
        "violations": chaos.violations,
    }


def ready(chaos):
    chaos.suite.ensure_all()
    chaos.calm_sandbox()


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="chaos.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", nargs="?", choices=list(row_files()), metavar="ROW")
    parser.add_argument("--seed", type=int, help="of every random choice (default: a new one)")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"random kills ({KILLS})")
    parser.add_argument("--mode", choices=["logical", "polling"],
                        help="of the relays of the row backbone (default: one after the other)")
    parser.add_argument("--json", action="store_true", help="one object a row and nothing else")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    given = parser.parse_args(arguments)
    if given.seed is None:
        given.seed = random.randrange(1_000_000)
    return given


def main():
    given = parse()
    files = row_files()
    failed = False
    for row in [given.row] if given.row else files:
        told = run(row, load(files[row]), given)
        failed = failed or bool(told["violations"])
        if given.json:
            print(json.dumps(told), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
