"""What every run of a row has, here and in gateway/: its file, what it tells, and what came of it."""

import argparse
import importlib.util
import json
import sys
import traceback


class Report:
    """What one run of one row says, checks and measures."""

    def __init__(self, row, quiet=False):
        self.row = row
        self.checks = 0
        self.violations = []
        self.measurements = {}
        self._quiet = quiet

    def say(self, line):
        if not self._quiet:
            print(line, flush=True)

    def inject(self, text):
        """Tells what is broken now."""
        self.say(f"  inject    {text}")

    def check(self, what, ok, detail=""):
        """Records a check, and a violation when it does not hold. Returns whether it does."""
        self.checks += 1
        if ok:
            self.say(f"  check     {what}")
        else:
            self.violations.append(f"{what}: {detail}" if detail else what)
            self.say(f"  VIOLATION {self.violations[-1]}")
        return bool(ok)

    def measured(self, name, value, unit=""):
        """A figure that the operator wants to know. Returns it, rounded."""
        value = round(value, 3)
        self.measurements[name] = value
        self.say(f"  measured  {name}: {value:g} {unit}".rstrip())
        return value

    def cannot_go_on(self, problem):
        """Of the exception at hand: a row that does not end is a violation, not a crash."""
        what = f"{type(problem).__name__}: {problem}"
        self.check("the row runs to its end", False, what)
        print(traceback.format_exc(), file=sys.stderr, flush=True)

    def summary(self):
        return f"{self.row}: {self.checks} checks, {len(self.violations)} violations"


def row_files(folder):
    """{row: file}; a row is named as its file, with dashes."""
    return {file.stem.replace("_", "-"): file for file in sorted(folder.glob("[a-z]*.py"))}


def load(file):
    spec = importlib.util.spec_from_file_location(f"row_{file.stem.replace('-', '_')}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parser_for(program, text, rows):
    """What the command line always has; more is added by whoever asks."""
    parser = argparse.ArgumentParser(
        prog=program, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", nargs="?", choices=list(rows), metavar="ROW")
    parser.add_argument("--json", action="store_true", help="one object a row and nothing else")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    return parser


def run_rows(given, files, run):
    """run(row, module) tells what --json prints of the row asked for, or of each. The exit code."""
    failed = False
    for row in [given.row] if given.row else files:
        told = run(row, load(files[row]))
        failed = failed or bool(told["violations"])
        if given.json:
            print(json.dumps(told), flush=True)
    return 1 if failed else 0
