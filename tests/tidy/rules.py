"""Rules of the code base that a machine can check. What is not checked is not a rule.

Usage: rules.py            all rules over the tracked and new files
       rules.py --format   only the formatting (clang-format)
Prints one line per violation, path:line: what, and exits 1 when there are any.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE_MAX = 100
FILE_LINES_MAX = 300
MAIN_LINES_MAX = 60
APP_LINES_MAX = 150
README_LINES = range(10, 81)
CPP = {".cpp", ".hpp"}

# Third-party headers may not be seen in public headers of a library (Asio and protobuf may).
FOREIGN = re.compile(
    r"#include\s*<(boost/(?!asio/)|pqxx|librdkafka|cpprest|prometheus|spdlog|openssl|sodium|vips|curl|"
    r"nghttp2|unicode|libpq)"
)
UNOWNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\([a-z][a-z0-9_-]*\))")
# Words of a workplace or a registry that have no business in the project's files.
FOREIGN_PLACES = re.compile(r"/root/|/home/[a-z]|registry\.npmjs|pypi\.org|repo1?\.maven|deb\.debian\.org/")


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def in_folders(path, *folders):
    return path.relative_to(ROOT).parts[0] in folders


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        # A raw string cannot be broken without changing what it says.
        if len(line) > LINE_MAX and 'R"' not in line:
            yield number, f"{len(line)} columns, at most {LINE_MAX}"
        if UNOWNED.search(line) and path.name != "rules.py":
            yield number, "a TODO without an owner: TODO(name)"
        if path.suffix == ".hpp" and re.match(r"\s*using namespace\b", line):
            yield number, "using namespace in a header"
        if in_folders(path, "tests") and re.search(r"this_thread::sleep|\b(?:u|nano)sleep\(", line):
            yield number, "a sleep in a test: wait for a condition"


def parity_gaps(files):
    """Rows of the parity tables without a test, or with one that does not exist."""
    cases = set()
    for path in files:
        if path.suffix == ".cpp" and in_folders(path, "tests"):
            text = re.sub(r'"\s*\n\s*"', "", path.read_text())
            cases.update(re.findall(r'TEST_CASE\(\s*"([^"]+)"', text))
    readme = ROOT / "libs/README.md"
    lines = readme.read_text().partition("\n### How fast")[0].splitlines()
    rows = [line for line in lines if re.match(r"\| .* \|.*\|", line)]
    for number, line in enumerate(lines, 1):
        if line not in rows or line.endswith("| shown by |"):
            continue
        named = re.findall(r'"([^"]+)"', line.rstrip(" |").rsplit("|", 1)[-1])
        if not named:
            yield readme, number, "a row without a test"
        for name in named:
            if name not in cases:
                yield readme, number, f'there is no test "{name}"'


def public_headers(files):
    """Headers of libraries that a file of another folder includes."""
    out = set()
    for path in files:
        if path.suffix in CPP and in_folders(path, "libs", "services"):
            for name in re.findall(r'#include "([a-z_]+/[^"]+)"', path.read_text()):
                header = ROOT / "libs" / name
                if header.parent != path.parent:
                    out.add(header)
    return out


def check_cpp(path, lines, public):
    relative = path.relative_to(ROOT)
    limit = FILE_LINES_MAX
    if path.name == "main.cpp" and len(relative.parts) == 3 and relative.parts[0] == "services":
        limit = MAIN_LINES_MAX
    elif path.stem == "app":
        limit = APP_LINES_MAX
    if len(lines) > limit:
        yield 1, f"{len(lines)} lines, at most {limit}"
    if path.suffix == ".hpp" and lines and lines[0] != "#pragma once":
        yield 1, "a header begins with #pragma once"
    if path in public:
        for number, line in enumerate(lines, 1):
            if FOREIGN.search(line):
                yield number, "a third-party header in a library's public header"
    if relative.parts[0] in ("libs", "services") and "reader.cpp" != path.name:
        for number, line in enumerate(lines, 1):
            if re.search(r"\bgetenv\(", line):
                yield number, "getenv outside libs/config"
    yield from check_lines(path, lines)


def check_readmes():
    folders = [p for top in ("libs", "services") for p in sorted((ROOT / top).iterdir()) if p.is_dir()]
    for folder in folders:
        readme = folder / "README.md"
        if not readme.is_file():
            yield readme, 1, "missing: every library and service has one"
            continue
        count = len(readme.read_text().splitlines())
        if count not in README_LINES:
            yield readme, 1, f"{count} lines, {README_LINES.start} to {README_LINES.stop - 1} wanted"


def check_places(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if FOREIGN_PLACES.search(line) and path.name != "rules.py":
            yield number, "names a machine path or a package registry"


def check_format(files):
    names = [str(f) for f in files if f.suffix in CPP and in_folders(f, "libs", "services", "tests")]
    found = subprocess.run(
        ["clang-format-19", "--dry-run", "--ferror-limit=1", *names], cwd=ROOT,
        capture_output=True, text=True,
    ).stderr
    seen = set()
    for line in found.splitlines():
        match = re.match(r"(/[^:]+):(\d+):\d+: (?:warning|error): ", line)
        if match and match[1] not in seen:
            seen.add(match[1])
            yield pathlib.Path(match[1]), int(match[2]), "not formatted: clang-format-19 -i"


def violations(only_format):
    files = tracked_files()
    yield from check_format(files)
    if only_format:
        return
    yield from check_readmes()
    yield from parity_gaps(files)
    public = public_headers(files)
    for path in files:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, what in check_places(path, text):
            yield path, number, what
        if path.suffix in CPP:
            for number, what in check_cpp(path, text.splitlines(), public):
                yield path, number, what


def main():
    count = 0
    for path, number, what in violations("--format" in sys.argv[1:]):
        print(f"{path.relative_to(ROOT)}:{number}: {what}")
        count += 1
    print(f"{count} violation(s)")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
