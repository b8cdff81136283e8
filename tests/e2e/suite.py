"""The running suite as end-to-end tests handle it: addresses, supervision, readiness.

RELAIS_PORT_BASE says where it listens, RELAIS_STATE is its state folder, RELAIS_BUILD the build
tree it runs from, as for deploy/dev/run. Waits are on conditions, never on time alone.
"""

import os
import pathlib
import signal
import subprocess
import time

import http_client
from people import wait_until

ADMIN_OFFSETS = {
    "gateway": 1,
    "web-api": 11,
    "upload": 21,
    "notification": 31,
    "mailing-list-sync": 41,
}
SERVICES = list(ADMIN_OFFSETS)
SERVERS = {"postgres", "kafka", "memcached"}
RUN = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "dev" / "run"
READY_S = 60.0


class Suite:
    def __init__(self, environment=os.environ):
        self.port_base = int(environment.get("RELAIS_PORT_BASE", "9400"))
        self.state = pathlib.Path(environment["RELAIS_STATE"])
        self.binaries = pathlib.Path(environment["RELAIS_BUILD"]) / "bin"
        self.base = f"http://127.0.0.1:{self.port_base}"
        self.sandbox_url = f"http://127.0.0.1:{self.port_base + 50}"
        self.prometheus = f"http://127.0.0.1:{self.port_base + 90}"
        self.ctl = f"{RUN} relaisctl"

    def supervise(self, *arguments, check=True):
        """supervisorctl; returns what it printed."""
        configuration = self.state / "conf" / "supervisord.conf"
        command = ["supervisorctl", "-c", str(configuration), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        said = (done.stdout + done.stderr).strip()
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {said}")
        return said

    def program(self, name):
        """What the supervisor calls it."""
        return f"servers:{name}" if name in SERVERS else f"services:{name}"

    def pid(self, name):
        """The process id, or None while it does not run."""
        said = self.supervise("pid", self.program(name), check=False)
        return int(said) if said.isdigit() and said != "0" else None

    def stop(self, name):
        self.supervise("stop", self.program(name))

    def start(self, name):
        said = self.supervise("start", self.program(name), check=False)
        assert "started" in said or "already started" in said, said

    def kill(self, name):
        """kill -9, and the proof that it died."""
        pid = self.pid(name)
        assert pid, f"{name} is not running"
        os.kill(pid, signal.SIGKILL)
        gone = wait_until(lambda: self.pid(name) != pid, READY_S)
        assert gone, f"{name} survived kill -9"

    def terminate(self, name):
        """SIGTERM, without waiting."""
        os.kill(self.pid(name), signal.SIGTERM)

    def ready(self, service):
        """Whether the service's admin listener says ready."""
        url = f"http://127.0.0.1:{self.port_base + ADMIN_OFFSETS[service]}/readyz"
        return http_client.send("GET", url, timeout_s=5).status == 200

    def ensure_running(self, service):
        """Starts it when the supervisor does not, and waits until it is ready."""

        def running():
            if self.ready(service):
                return True
            if self.pid(service) is None:
                self.supervise("start", self.program(service), check=False)
            return False

        assert wait_until(running, READY_S, 0.2), f"{service} did not get ready"

    def ensure_all(self):
        for service in SERVICES:
            self.ensure_running(service)

    def metric(self, service, name, **labels):
        """The sum of a metric's samples, those with the labels, or 0 when it has none yet."""
        url = f"http://127.0.0.1:{self.port_base + ADMIN_OFFSETS[service]}/metrics"
        text = http_client.send("GET", url).body.decode()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        samples = [
            line
            for line in text.splitlines()
            if line.split("{")[0].split(" ")[0] == name and all(label in line for label in wanted)
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in samples)


def timed(call):
    """(what it returned, seconds)."""
    started = time.perf_counter()
    value = call()
    return value, time.perf_counter() - started
