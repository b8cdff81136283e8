#!/usr/bin/env python3
"""Breaks what is around the gateway and below it, and checks that its clients do not notice.

    gateway_chaos.py [ROW] [--seconds N] [--json] [--short]

Needs the program only (RELAIS_TEST_BUILD: the build tree, release by default). Without ROW all rows, one
after the other. Exit code 1 when something that must hold did not, 2 on wrong usage. `./relais chaos gateway`
builds and calls it.
"""

import asyncio
import gc
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from ground import Ground  # noqa: E402
from report import parser_for, row_files, run_rows  # noqa: E402

ROWS = HERE / "rows"


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
            except Exception as problem:
                ground.cannot_go_on(problem)
        finally:
            await ground.end_all()
        if ground.violations:
            for each in ground.gateways:
                for line in each.remarkable():
                    ground.say(f"  log       {line}")
    took_s = time.perf_counter() - started
    ground.say(f"{ground.summary()}, {took_s:.0f} s")
    return {
        "row": row,
        "checks": ground.checks,
        "measurements": ground.measurements,
        "violations": ground.violations,
    }


def parse(arguments=None):
    parser = parser_for("gateway_chaos.py", __doc__, row_files(ROWS))
    parser.add_argument("--seconds", type=int, help="how long each measurement takes")
    return parser.parse_args(arguments)


def main():
    given = parse()
    gc.freeze()
    return run_rows(
        given, row_files(ROWS), lambda row, module: asyncio.run(run(row, module, given))
    )


if __name__ == "__main__":
    sys.exit(main())
