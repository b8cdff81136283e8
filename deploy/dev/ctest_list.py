"""Writes the list of tests that `relais test` hands to ctest, and prints what they need.

The cases of the C++ programs (name, tags and file, as Catch2 lists them), the Python tests, and the
checks of tests/tidy and deploy/. A filter chooses by name, tag or file. Printed: one line per label
of the chosen tests (unit, functional, e2e, release …), by which the caller starts servers.

The order: first what shares the servers (functional); then, one at a time, what stops or breaks them
(e2e); beside that, at a low priority, what needs no server. A test that must have the machine for
itself is serial.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASE_TIMEOUT_S = 120
SLOW_TIMEOUT_S = 1200
PROOF_TIMEOUT_S = 3 * 3600  # the first time, a toolchain is installed and everything compiled
FUZZ_SHORT_S, FUZZ_LONG_S = 30, 120
# Folders of tests that look at files and programs only, or start all that they need themselves.
WITHOUT_SERVERS = {"images", "edge"}
# Folders whose tests need no plugin of pytest's: to load those takes as long as such tests do.
WITHOUT_PLUGINS = {"edge"}
# Rows of tests/chaos/gateway.
WITHOUT_SANITIZERS = {"idle-memory", "descriptors"}
# Tags of cases that script the faults of the one sandbox, or clear it; see also tests/CMakeLists.txt.
OF_THE_SANDBOX = {"serial", "notification", "mailing-list-sync"}
SHARING_SERVERS = "functional"
BREAKING_SERVERS = "e2e"
SKIPPED = 4  # what a Catch2 program returns when a case skips itself


def quoted(text):
    """A bracket argument of CMake: nothing in it is expanded."""
    return f"[=[{text}]=]"


class Test:
    """One test: its command, its label, and the words that a filter may match besides its name.

    Tests of one lock never run at the same time.
    """

    def __init__(self, name, label, command, words=(), lock=None, serial=False, timeout_s=SLOW_TIMEOUT_S):
        self.name = name
        self.label = label
        self.command = [str(part) for part in command]
        if label not in (SHARING_SERVERS, BREAKING_SERVERS):
            self.command = ["nice", "-n", "10", *self.command]
        self.words = words
        self.lock = lock
        self.serial = serial
        self.timeout_s = timeout_s

    def matches(self, pattern):
        return any(pattern.search(text) for text in (self.name, *self.words))

    def lines(self):
        yield f"add_test({' '.join(quoted(part) for part in [self.name, *self.command])})"
        properties = f"LABELS {self.label} TIMEOUT {self.timeout_s} SKIP_RETURN_CODE {SKIPPED}"
        if self.lock:
            properties += f" RESOURCE_LOCK {self.lock}"
        if self.serial:
            properties += " RUN_SERIAL TRUE"
        if self.label == SHARING_SERVERS:
            properties += " COST 1000"
        if self.label == BREAKING_SERVERS:
            properties += ' COST 1000 DEPENDS "${sharing_servers}"'
        yield f"set_tests_properties({quoted(self.name)} PROPERTIES {properties})"


def catch_cases(program, label, prefix):
    """The visible cases of a Catch2 program."""
    listed = subprocess.run(
        [program, "--list-tests", "--reporter", "json"], capture_output=True, text=True
    )
    if listed.returncode != 0:
        sys.exit(f"{program} --list-tests: {listed.stdout}{listed.stderr}")
    for case in json.loads(listed.stdout)["listings"]["tests"]:
        name = " ".join(case["name"].split())
        tags = case["tags"]
        file = pathlib.PurePath(case["source-location"]["filename"]).stem
        # Commas, brackets and backslashes have a meaning in Catch2's selections.
        selection = re.sub(r"([\\,\[\]*\"~])", r"\\\1", name)
        yield Test(
            f"{prefix}{label}: {name}",
            label,
            [program, selection],
            words=(*tags, file),
            lock="sandbox" if OF_THE_SANDBOX & set(tags) else None,
            timeout_s=CASE_TIMEOUT_S,
        )


def build_tests(directory, prefix=""):
    for label in ("unit", SHARING_SERVERS):
        program = directory / "tests" / f"relais_{label}_tests"
        if program.exists():
            yield from catch_cases(program, label, prefix)


def fuzz_tests(directory, seconds):
    """Each fuzz target for a while, from its kept corpus on."""
    for program in sorted((directory / "tests/fuzz").glob("*_fuzz")):
        command = [ROOT / "tests/fuzz/run", program, seconds]
        yield Test(f"fuzz: {program.stem.removesuffix('_fuzz')}", "unit", command, words=("fuzz",))


def pytest_test(name, label, python, path, **options):
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    if path.parent.name in WITHOUT_PLUGINS:
        command = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", *command]
    return Test(name, label, command, words=(path.stem,), **options)


def python_tests(python):
    yield pytest_test("sandbox: contracts", "sandbox", python, ROOT / "tests/sandbox/tests")
    for folder in sorted((ROOT / "tests").iterdir()):
        if folder.name in ("sandbox", "e2e") or not list(folder.glob("test_*.py")):
            continue
        label = folder.name if folder.name in WITHOUT_SERVERS else SHARING_SERVERS
        for file in sorted(folder.glob("test_*.py")):
            name = file.stem.removeprefix("test_").replace("_", " ")
            yield pytest_test(f"{folder.name}: {name}", label, python, file)
    # End-to-end tests stop servers and services.
    for file in sorted((ROOT / "tests/e2e").glob("test_*.py")):
        name = file.stem.removeprefix("test_").replace("_", " ")
        yield pytest_test(f"e2e: {name}", BREAKING_SERVERS, python, file, lock="suite")


def chaos_tests(python):
    """One a row of the fault table, in its short form."""
    chaos = ROOT / "tests/chaos"
    for file in sorted((chaos / "rows").glob("[a-z]*.py")):
        row = file.stem.replace("_", "-")
        command = [python, chaos / "chaos.py", row, "--short"]
        yield Test(f"chaos: {row}", BREAKING_SERVERS, command, words=("chaos", file.stem), lock="suite")


def gateway_chaos_tests(given):
    """What the gateway withstands, each row in its short form; those that count memory or descriptors
    without sanitizers, which need both for themselves."""
    folder = ROOT / "tests/chaos/gateway"
    for file in sorted((folder / "rows").glob("[a-z]*.py")):
        row = file.stem.replace("_", "-")
        label, build = ("release", given.release) if row in WITHOUT_SANITIZERS else ("gateway", given.dev)
        run = [given.python, folder / "gateway_chaos.py", row, "--short"]
        command = ["env", f"RELAIS_TEST_BUILD={build}", *run]
        words = ("chaos", file.stem)
        yield Test(f"chaos gateway: {row}", label, command, words, lock="gateway-chaos")


def tidy_tests(given):
    tidy = ROOT / "tests/tidy"
    lint = [given.python, tidy / "lint.py", given.dev]
    yield Test("tidy: rules", "tidy", [given.python, tidy / "rules.py"])
    yield Test("tidy: scripts", "tidy", ["bash", ROOT / "deploy/dev/check_scripts"])
    if given.all:
        yield Test("tidy: clang-tidy", "tidy", [*lint, "--all"], timeout_s=4 * 3600)
    else:
        yield Test("tidy: clang-tidy on changes", "tidy", lint, timeout_s=2 * 3600)
    hardening = [given.python, tidy / "hardening.py", given.release / "bin"]
    yield Test("tidy: hardening", "release", hardening)


def image_proof():
    """The images without an engine: deploy/docker/prove has servers of its own."""
    command = [ROOT / "deploy/docker/prove"]
    options = {"serial": True, "timeout_s": PROOF_TIMEOUT_S}
    return Test("images: build, run and test on Debian 13", "images", command, **options)


def all_tests(given):
    yield from build_tests(given.dev)
    if given.all:
        yield from build_tests(given.tsan, "tsan ")
    yield from fuzz_tests(given.dev, FUZZ_LONG_S if given.all else FUZZ_SHORT_S)
    yield from tidy_tests(given)
    yield from python_tests(given.python)
    yield from chaos_tests(given.python)
    yield from gateway_chaos_tests(given)
    if given.all:
        yield image_proof()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", type=pathlib.Path, required=True)
    parser.add_argument("--tsan", type=pathlib.Path, required=True)
    parser.add_argument("--release", type=pathlib.Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("output", type=pathlib.Path, help="folder for CTestTestfile.cmake")
    given = parser.parse_args()
    try:
        pattern = re.compile(given.filter, re.IGNORECASE)
    except re.error as problem:
        sys.exit(f"{given.filter} is not a regular expression: {problem}")
    chosen = [test for test in all_tests(given) if test.matches(pattern)]
    if not chosen:
        sys.exit(f"no test's name, tag or file matches {given.filter}")
    given.output.mkdir(parents=True, exist_ok=True)
    sharing = [quoted(test.name) for test in chosen if test.label == SHARING_SERVERS]
    lines = [f"set(sharing_servers {' '.join(sharing)})"]
    lines += [line for test in chosen for line in test.lines()]
    (given.output / "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
    print(*sorted({test.label for test in chosen}), sep="\n")


if __name__ == "__main__":
    main()
