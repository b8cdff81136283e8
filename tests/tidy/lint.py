"""clang-tidy over the C++ files that changed, or over all of them.

Usage: lint.py BUILD_DIR [--all] [--jobs N]
Changed: differs from the merge base with origin/main where there is one, else from the commit before;
uncommitted changes count. BUILD_DIR holds compile_commands.json of a configured build.

What was found clean is remembered in the cache folder, by everything that decides the answer: the text
after the preprocessor, the configuration, the tool's version.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLEAN = pathlib.Path(os.environ.get("RELAIS_CACHE", "/var/cache/relais")) / "tidy"
TIDY = "clang-tidy-19"


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


def configuration():
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    return version + (ROOT / ".clang-tidy").read_bytes()


def preprocessed(command):
    """The text that clang-tidy reads, comments included: they hold NOLINT."""
    words = [word for word in shlex.split(command["command"]) if not word.endswith(".pch")]
    words = [word for word in words if word not in ("-Xclang", "-include-pch", "-fno-pch-timestamp")]
    words = words[: words.index("-o")] + ["-include", "cmake_pch.hxx"] * ("-Winvalid-pch" in words)
    folder = pathlib.Path(command["directory"]) / "CMakeFiles/relais_pch.dir"
    words += ["-I", str(folder), "-E", "-C", "-P", command["file"]]
    done = subprocess.run(words, cwd=command["directory"], capture_output=True)
    return done.stdout if done.returncode == 0 else None


def lint(command, build, configured):
    """Path, exit code, what was said."""
    path = command["file"]
    text = preprocessed(command)
    mark = CLEAN / hashlib.sha256(configured + (text or b"")).hexdigest()
    if text and mark.exists():
        mark.touch()
        return path, 0, ""
    done = subprocess.run([TIDY, "--quiet", "-p", build, path], cwd=ROOT, capture_output=True, text=True)
    if text and done.returncode == 0:
        mark.touch()
    return path, done.returncode, done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    commands = json.loads((pathlib.Path(given.build) / "compile_commands.json").read_text())
    own = {c["file"]: c for c in commands if c["file"].startswith((f"{ROOT}/libs/", f"{ROOT}/services/"))}
    chosen = sorted(own if given.all else own.keys() & changed_files())
    print(f"clang-tidy: {len(chosen)} of {len(own)} files", flush=True)
    CLEAN.mkdir(parents=True, exist_ok=True)
    configured = configuration()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for path, code, said in pool.map(lambda file: lint(own[file], given.build, configured), chosen):
            if code:
                failed += 1
                print(said)
                print(f"{pathlib.Path(path).relative_to(ROOT)}: clang-tidy found something", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
