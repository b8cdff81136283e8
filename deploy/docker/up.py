"""docker compose up without an engine: starts the services of docker-compose.yml from the roots.

    python3 deploy/docker/up.py --state FOLDER --port-base N up
    python3 deploy/docker/up.py --state FOLDER --port-base N run SERVICE [WORD…]
    python3 deploy/docker/up.py --state FOLDER --port-base N tests WORD…
    python3 deploy/docker/up.py --state FOLDER --port-base N map FILE

Images of others are not here: local servers stand in for them, started by the caller at the ports
of an environment of ./relais (port base). Addresses in the environment are mapped to those; all
else is used as it is written: user, read-only root, tmpfs, volumes, dependencies, health checks,
memory limits. `run` is for a one-off container, `tests` for a command in the stage of that name,
with the caller's RELAIS_TEST_* variables; `map` prints a file with local addresses. `up` runs until
SIGTERM or SIGINT, then stops everything in reverse order, and exits with 1 when a service did not
stop cleanly in its time or took more memory than its limit.
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import composition
import dockerfile
from container import Container
from roots import Roots

# What stands in for the images of others, and the port that their clients use.
LOCAL = {"postgres": 5432, "kafka": 9092, "memcached": 11211}
LOCAL_OFFSETS = {5432: 60, 9092: 61, 11211: 63}
OTHERS = {*LOCAL, "prometheus", "alertmanager", "grafana"}
OWN_PORT = re.compile(r"\b84(\d\d)\b")
HEALTHY_S = 120


class Suite:
    def __init__(self, state, port_base):
        self.state = state
        self.port_base = port_base
        self.services = composition.load()
        self.roots = Roots()
        names = "|".join(sorted(self.services, key=len, reverse=True))
        self._host = re.compile(rf"(?:(?<=[/@\"])|^)(?:{names})(?=:\d)")
        self.running = {}  # name: Popen, in the order of their start
        self.memory_mb = {}

    def mapped(self, text):
        """An address of the compose network as one of this machine."""
        text = self._host.sub("127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")
        for port, offset in LOCAL_OFFSETS.items():
            text = re.sub(rf":{port}\b", f":{self.port_base + offset}", text)
        return OWN_PORT.sub(lambda found: str(self.port_base + int(found[1])), text)

    def container(self, name):
        service = self.services[name]
        target = composition.target_of(service)
        image = dockerfile.configuration(self.roots.stages, target)
        environment = {**image["environment"], **composition.environment_of(service)}
        made = Container(self.roots.layers(target), self.roots.scratch)
        made.environment = {key: self.mapped(value) for key, value in environment.items()}
        made.user, made.folder = image["user"], image["folder"]
        made.read_only = service["read_only"]
        made.drop_rights = service["cap_drop"] == ["ALL"]
        made.tmpfs = composition.tmpfs_of(service)
        made.volumes = [
            (self._volume(source), inside, only_read)
            for source, inside, only_read in composition.volumes_of(service)
        ]
        return made, image

    def _volume(self, name):
        """A new volume belongs to whom the image's folder belongs to."""
        folder = self.state / "volumes" / name
        if not folder.exists():
            folder.mkdir(parents=True)
            subprocess.run(["chown", "65532:65532", folder], check=True)
            folder.chmod(0o750)
        return folder

    def run(self, name, words=None, **options):
        """A one-off container. Returns its exit code."""
        container, image = self.container(name)
        command = self.services[name].get("command", []) if words is None else words
        return container.start([*image["entrypoint"], *command], **options).wait()

    def tests(self, words):
        image = dockerfile.configuration(self.roots.stages, "tests")
        given = {key: value for key, value in os.environ.items() if key.startswith("RELAIS_TEST_")}
        container = Container(self.roots.layers("tests"), self.roots.scratch)
        container.environment = {**image["environment"], **given}
        container.user, container.folder = image["user"], image["folder"]
        container.drop_rights, container.tmpfs = True, {"/tmp": "mode=1777"}
        return container.start(words).wait()

    def up(self):
        chosen = {
            name: service
            for name, service in self.services.items()
            if name not in OTHERS and not service.get("profiles")
        }
        for name in composition.in_order(self.services):
            if name not in chosen:
                continue
            begin = time.monotonic()
            if chosen[name]["restart"] == "no":
                if self.run(name) != 0:
                    raise SystemExit(f"up: {name} failed")
            else:
                self._start(name)
            print(f"  {name:<20} {time.monotonic() - begin:5.1f} s", flush=True)

    def _start(self, name):
        container, image = self.container(name)
        log = open(self.state / "log" / f"{name}.log", "ab")
        self.running[name] = container.start(image["entrypoint"], stdout=log, stderr=log)
        end = time.monotonic() + HEALTHY_S
        while time.monotonic() < end and self.running[name].poll() is None:
            asked, _ = self.container(name)
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            if asked.start(image["health"], **quiet).wait() == 0:
                return
            time.sleep(0.2)
        raise SystemExit(f"up: {name} is not healthy; see {log.name}")

    def look(self):
        """Remembers how much memory each service took at most."""
        for name, process in self.running.items():
            status = pathlib.Path(f"/proc/{process.pid}/status")
            if process.poll() is not None:
                continue
            if found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text()):
                self.memory_mb[name] = int(found[1]) // 1024

    def down(self):
        """SIGTERM in reverse order. Returns what went wrong."""
        self.look()
        wrong = []
        for name, process in reversed(self.running.items()):
            begin = time.monotonic()
            grace = composition.seconds(self.services[name]["stop_grace_period"])
            limit = composition.megabytes(self.services[name]["mem_limit"])
            process.terminate()
            try:
                code = process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
                code = f"killed after {grace} s"
            took = time.monotonic() - begin
            memory = self.memory_mb.get(name, 0)
            print(f"  {name:<20} stopped in {took:4.1f} s, {memory} of {limit} MB", flush=True)
            if code != 0 or memory > limit:
                wrong.append(f"{name}: exit code {code}, {memory} of {limit} MB")
        return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=pathlib.Path, required=True)
    parser.add_argument("--port-base", type=int, required=True)
    parser.add_argument("what", choices=("up", "run", "tests", "map"))
    parser.add_argument("words", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    suite = Suite(given.state.resolve(), given.port_base)
    if given.what == "run":
        name, *words = given.words
        sys.exit(suite.run(name, words or None))
    if given.what == "map":
        print(suite.mapped(pathlib.Path(given.words[0]).read_text(encoding="utf-8")))
        return
    if given.what == "tests":
        sys.exit(suite.tests(given.words))
    (given.state / "log").mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        suite.up()
        print("up", flush=True)
        signal.pause()
    finally:
        wrong = suite.down()
        print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
        if wrong:
            sys.exit(1)


if __name__ == "__main__":
    main()
