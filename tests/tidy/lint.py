"""clang-tidy over the C++ files that changed, or over all of them.

Usage: lint.py BUILD_DIR [--all] [--jobs N]
Changed: differs from the merge base with origin/main where there is one, else from the commit before;
uncommitted changes count. BUILD_DIR holds compile_commands.json of a configured build.
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def changed_files():
    head = git("rev-parse", "HEAD")
    base = git("merge-base", "HEAD", "origin/main")
    if not base or base == head:
        base = git("rev-parse", "--verify", "HEAD~1")
    names = set(git("diff", "--name-only", base[0])) if base else set(git("ls-files"))
    names |= set(git("ls-files", "--others", "--exclude-standard"))
    return {str(ROOT / name) for name in names}


def lint(path, build):
    done = subprocess.run(
        ["clang-tidy-19", "--quiet", "-p", build, path], cwd=ROOT, capture_output=True, text=True
    )
    return path, done.returncode, done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    commands = json.loads((pathlib.Path(given.build) / "compile_commands.json").read_text())
    own = {c["file"] for c in commands if c["file"].startswith((f"{ROOT}/libs/", f"{ROOT}/services/"))}
    chosen = sorted(own if given.all else own & changed_files())
    print(f"clang-tidy: {len(chosen)} of {len(own)} files")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for path, code, said in pool.map(lambda file: lint(file, given.build), chosen):
            if code:
                failed += 1
                print(said)
                print(f"{pathlib.Path(path).relative_to(ROOT)}: clang-tidy found something")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
