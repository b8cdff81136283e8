"""Checks that release programs carry the hardening flags of cmake/compile_options.cmake.

Usage: hardening.py BIN_DIR
Every program there must be position independent, with full RELRO, immediate binding, a non-executable
stack and stack protector; fortified calls must occur in at least one of them.
"""

import pathlib
import re
import subprocess
import sys


def readelf(*words):
    return subprocess.run(["readelf", *words], check=True, capture_output=True, text=True).stdout


def problems(program):
    header = readelf("-hW", program)
    if "DYN (" not in header:
        yield "not position independent (-pie)"
    segments = readelf("-lW", program)
    if "GNU_RELRO" not in segments:
        yield "no RELRO (-Wl,-z,relro)"
    stack = next((line for line in segments.splitlines() if "GNU_STACK" in line), "")
    if not stack or "RWE" in stack:
        yield "an executable stack"
    dynamic = readelf("-dW", program)
    if "BIND_NOW" not in dynamic and "NOW" not in dynamic:
        yield "no immediate binding (-Wl,-z,now)"
    symbols = readelf("-sW", program)
    if "__stack_chk_fail" not in symbols:
        yield "no stack protector (-fstack-protector-strong)"


def is_fortified(program):
    return re.search(r"_chk[@ ]", readelf("-sW", program).replace("__stack_chk", "")) is not None


def main():
    programs = sorted(p for p in pathlib.Path(sys.argv[1]).iterdir() if p.is_file())
    if not programs:
        print("no programs found")
        return 1
    count = 0
    for program in programs:
        for what in problems(program):
            print(f"{program.name}: {what}")
            count += 1
    # A small program may call nothing that can be fortified; that none does means a lost flag.
    if not any(is_fortified(program) for program in programs):
        print("no program has fortified calls (-D_FORTIFY_SOURCE=3)")
        count += 1
    print(f"{len(programs)} programs, {count} problem(s)")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
