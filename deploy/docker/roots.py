"""Builds the stages of the Dockerfile as folders, layer over layer, the way an engine would.

    python3 deploy/docker/roots.py [TARGET…]

A stage is a layer over its base's. It is made once and kept under RELAIS_CACHE/images, named after
its instructions and what they copy, so a change builds what it touches. Base images are made by
debootstrap. Needs root.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

import dockerfile
from container import Container, in_namespace

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
SUITES = {"debian:13-slim": "trixie"}
# What makes a base of debootstrap like Debian's slim images: nothing is started while packages are
# installed, documents are left out, apt keeps no files.
LEFT_OUT = [f"/usr/share/{name}/*" for name in ("doc", "info", "locale", "man")]
SLIM = {
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
    "etc/dpkg/dpkg.cfg.d/slim": "".join(f"path-exclude={paths}\n" for paths in LEFT_OUT),
    "etc/apt/apt.conf.d/clean": (
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
}
UPDATE = (
    "apt-get -q update && apt-get -qy dist-upgrade && apt-get clean"
    f" && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin {' '.join(LEFT_OUT)}"
)
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


def cache_folder():
    return pathlib.Path(os.environ.get("RELAIS_CACHE", "/var/cache/relais")) / "images"


def apt_sources(suite):
    """This machine's Debian mirrors, with the suite in the place of its own release."""
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(CODENAME)",
         "Identifier: Packages", "Origin: Debian"],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    lines = []
    for line in known:
        mirror, release, codename = line.split()
        release = release.replace(codename.split("-")[0], suite)
        lines.append(f"deb {mirror} {release} main")
    if not lines:
        sys.exit("roots: no Debian mirror in apt's configuration")
    return sorted(set(lines), key=lambda line: (len(line.split()[2]), line))


def tree_hash(digest, path):
    """Adds a file's or a folder's names, modes and contents."""
    for each in [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]:
        if "__pycache__" in each.parts:
            continue
        digest.update(f"{each.relative_to(ROOT)} {each.lstat().st_mode:o}\n".encode())
        if each.is_file():
            digest.update(each.read_bytes())


class Roots:
    def __init__(self, arguments=None):
        self.arguments = arguments or {}
        self.stages = dockerfile.read(DOCKERFILE, self.arguments)
        self.folder = cache_folder()
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._made = {}

    def layers(self, name):
        """The folders of a stage or base image, the top one first; builds what is missing."""
        if name not in self._made:
            self._made[name] = self._stage(name) if name in self.stages else self._base(name)
        return self._made[name]

    def prune(self):
        """Removes layers that nothing of this run used."""
        used = {layer.parent.name for layers in self._made.values() for layer in layers}
        for each in self.folder.iterdir():
            if each.name.startswith(("layer-", "base-")) and each.name not in used:
                shutil.rmtree(each)

    def _base(self, image):
        if image == "scratch":
            folder = self.folder / "base-scratch"
            (folder / "upper").mkdir(parents=True, exist_ok=True)
            return [folder / "upper"]
        suite = SUITES[image]
        made_of = hashlib.sha256(f"{suite} {SLIM} {UPDATE}".encode()).hexdigest()[:12]
        folder = self.folder / f"base-{suite}-{made_of}"
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            self._debootstrap(suite, folder / "upper")
            (folder / "done").touch()
        return [folder / "upper"]

    def _debootstrap(self, suite, target):
        begin = time.monotonic()
        sources = apt_sources(suite)
        mirror = sources[0].split()[1]
        subprocess.run(["debootstrap", "--variant=minbase", suite, str(target), mirror], check=True)
        (target / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
        for name, text in SLIM.items():
            (target / name).write_text(text)
        (target / "usr/sbin/policy-rc.d").chmod(0o755)
        changes = Container([target], self.scratch, upper=target.parent / "update")
        changes.run(["/bin/sh", "-c", UPDATE])
        self._fold(target.parent, target)
        print(f"base {suite}: {time.monotonic() - begin:.0f} s", flush=True)

    def _fold(self, folder, target):
        """The update of a base becomes part of it."""
        merged = folder / "merged"

        def copy():
            view = Container([target], self.scratch, upper=folder / "update").mount_root()
            subprocess.run(["cp", "-a", f"{view}/.", str(merged)], check=True)

        merged.mkdir()
        in_namespace(copy)
        shutil.rmtree(target)
        shutil.rmtree(folder / "update")
        merged.rename(target)

    def _stage(self, name):
        stage = self.stages[name]
        lower = self.layers(stage.base)
        folder = self.folder / f"layer-{name}-{self._key(stage, lower)}"
        if not (folder / "done").exists():
            begin = time.monotonic()
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            print(f"stage {name}", flush=True)
            Build(self, stage, lower, folder).run()
            shutil.rmtree(folder / "work")
            shutil.rmtree(folder / "root")
            (folder / "done").touch()
            print(f"stage {name}: {time.monotonic() - begin:.0f} s", flush=True)
        return [folder / "upper", *lower]

    def _key(self, stage, lower):
        digest = hashlib.sha256(" ".join(each.parent.name for each in lower).encode())
        for each in stage.instructions:
            digest.update(f"{each.word} {each.text}\n".encode())
            if each.word == "ARG":
                name, _, default = each.text.partition("=")
                digest.update(self.arguments.get(name, default).encode())
            if each.word == "COPY":
                source, paths, _ = dockerfile.copy_of(each)
                if source:
                    digest.update(self.layers(source)[0].parent.name.encode())
                for path in paths if not source else ():
                    tree_hash(digest, ROOT / path)
        return digest.hexdigest()[:12]


class Build:
    """One stage while its instructions run, each over what the ones before it left."""

    def __init__(self, roots, stage, lower, folder):
        self.roots, self.stage, self.lower, self.folder = roots, stage, lower, folder
        base = dockerfile.configuration(roots.stages, stage.base)
        self.user, self.workdir = base["user"], base["folder"]
        self.environment, self.arguments = dict(base["environment"]), {}

    def run(self):
        (self.folder / "upper").mkdir()
        for each in self.stage.instructions:
            print(f"  {each.word} {each.text[:90]}", flush=True)
            handle = getattr(self, f"_{each.word.lower()}", None)
            if handle:
                handle(each)

    def _container(self, **options):
        changes = {"upper": self.folder, "environment": {**self.environment, **self.arguments}}
        return Container(self.lower, self.roots.scratch, **changes, **options)

    def _arg(self, each):
        name, _, default = each.text.partition("=")
        self.arguments[name] = self.roots.arguments.get(name, default)

    def _env(self, each):
        self.environment.update(dockerfile.pairs(self._expanded(each.text)))

    def _user(self, each):
        self.user = each.text

    def _workdir(self, each):
        self.workdir = each.text
        in_namespace(lambda: self._inside(each.text).mkdir(parents=True, exist_ok=True))

    def _run(self, each):
        command, caches = dockerfile.run_of(each)
        kept = [(self._kept(path), path, False) for path in caches]
        container = self._container(user=self.user, folder=self.workdir, volumes=kept)
        container.run(["/bin/sh", "-c", command])

    def _copy(self, each):
        source, paths, destination = dockerfile.copy_of(each)
        origin = [ROOT] if source is None else self.roots.layers(source)

        def copy():
            start = ROOT
            if source is not None:
                view = Container(origin, self.roots.scratch)
                start = view.mount_root()
            target = self._inside(os.path.join(self.workdir, destination))
            for path in paths:
                self._copy_one(start / path.lstrip("/"), target, destination.endswith("/"))

        in_namespace(copy)

    @staticmethod
    def _copy_one(source, target, into):
        """A folder's content goes into the target; a file becomes it, or lands in it."""
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=IGNORED)
            return
        if into or target.is_dir():
            target = target / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)

    def _inside(self, path):
        """A path of the stage's root, mounted in this process's namespace."""
        return self._container().mount_root() / path.lstrip("/")

    def _kept(self, path):
        folder = self.roots.folder / "kept" / path.strip("/").replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _expanded(self, text):
        return dockerfile.expand(text, {**self.environment, **self.arguments})


def size_mb(layers):
    du = subprocess.run(
        ["du", "-smc", *map(str, layers)], check=True, capture_output=True, text=True
    )
    return int(du.stdout.splitlines()[-1].split()[0])


def main():
    roots = Roots({"REVISION": os.environ.get("REVISION", "unknown")})
    for name in sys.argv[1:] or list(roots.stages):
        print(f"{name:<20} {size_mb(roots.layers(name)):>6} MB", flush=True)
    if not sys.argv[1:]:
        roots.prune()


if __name__ == "__main__":
    main()
