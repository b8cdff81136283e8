#!/usr/bin/env python3
"""Breaks what the story depends on, and checks that the story holds.

    chaos.py [ROW] [--seed N] [--kills N] [--mode logical|polling] [--json] [--short]

Runs against the environment named by RELAIS_STATE, RELAIS_PORT_BASE and RELAIS_BUILD. Without ROW
all rows, one after the other. Exit code 1 when something that must hold did not, 2 on wrong usage.
`./relais chaos` calls it against an environment of its own.
"""

import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from context import Chaos  # noqa: E402
from report import parser_for, row_files, run_rows  # noqa: E402

ROWS = pathlib.Path(__file__).resolve().parent / "rows"
KILLS = 10


def run(row, module, given):
    """One row. Returns what --json prints of it."""
    chaos = Chaos(row, given.seed, given.kills, given.short, given.json, given.mode)
    chaos.say(f"{row}: {module.TITLE} (seed {given.seed})")
    started = time.perf_counter()
    for work in (lambda: ready(chaos), lambda: module.run(chaos), chaos.restore):
        try:
            work()
        except Exception as problem:
            chaos.cannot_go_on(problem)
    took_s = time.perf_counter() - started
    chaos.say(f"{chaos.summary()}, seed {given.seed}, {took_s:.0f} s")
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
    parser = parser_for("chaos.py", __doc__, row_files(ROWS))
    parser.add_argument("--seed", type=int, help="of every random choice (default: a new one)")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"random kills ({KILLS})")
    parser.add_argument("--mode", choices=["logical", "polling"],
                        help="of the relays of the row backbone (default: one after the other)")
    given = parser.parse_args(arguments)
    if given.seed is None:
        given.seed = random.randrange(1_000_000)
    return given


def main():
    given = parse()
    return run_rows(given, row_files(ROWS), lambda row, module: run(row, module, given))


if __name__ == "__main__":
    sys.exit(main())
