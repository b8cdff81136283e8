"""What a row works with: the running suite, what it breaks, what it checks, what it measured."""

import contextlib
import functools
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "chaos"), str(TESTS / "e2e")]

from http_client import Gateway, Sandbox  # noqa: E402
from narrator import StepFailed  # noqa: E402
from people import wait_until  # noqa: E402
from report import Report  # noqa: E402
from story import make_marketing_key, parse_arguments  # noqa: E402
from suite import READY_S, RUN, Suite  # noqa: E402
from tcp_gate import TcpGate  # noqa: E402

# Where each server listens, from the port base; and what tells a service its address.
GATES = {
    "web-api": (10, "RELAIS_WEB_API_URL"),
    "upload": (20, "RELAIS_UPLOAD_URL"),
    "notification": (30, "RELAIS_NOTIFICATION_URL"),
    "mailing-list-sync": (40, "RELAIS_MAILING_LIST_SYNC_URL"),
    "mailjet": (51, "RELAIS_MAILJET_URL"),
    "brevo": (52, "RELAIS_BREVO_URL"),
    "onesignal": (53, "RELAIS_ONESIGNAL_URL"),
    "postgres": (60, "RELAIS_DATABASE_URL"),
    "kafka": (61, "RELAIS_KAFKA_BROKERS"),
    "memcached": (63, "RELAIS_MEMCACHED"),
    "s3": (64, "RELAIS_S3_ENDPOINT"),
}
SERVERS = ("postgres", "kafka", "memcached")


class Chaos(Report):
    """One run of one row. What a row leaves broken is mended by restore()."""

    def __init__(self, row, seed, kills=0, short=False, quiet=False, mode=None):
        super().__init__(row, quiet)
        self.seed = seed
        self.kills = kills
        self.short = short
        self.mode = mode
        self.random = random.Random(seed)
        self.suite = Suite()
        self.gateway = Gateway(self.suite.base)
        self.sandbox = Sandbox(self.suite.sandbox_url)
        self._gates = []
        self._changed = {}

    @functools.cached_property
    def options(self):
        """As the demo would be called against this suite, with a key for marketing."""
        return parse_arguments(
            [
                f"--base={self.suite.base}",
                f"--sandbox={self.suite.sandbox_url}",
                f"--prometheus={self.suite.prometheus}",
                f"--marketing-key={make_marketing_key(self.suite.ctl)}",
            ]
        )

    @contextlib.contextmanager
    def checking(self, what):
        """A check by statements that raise when it does not hold, as those of arrivals.py do."""
        try:
            yield
        except (AssertionError, StepFailed, ConnectionError) as problem:
            self.check(what, False, str(problem))
        else:
            self.check(what, True)

    def measured(self, name, seconds):
        """A recovery time, or another one that the operator wants to know."""
        return super().measured(name, seconds, "s")

    def gate(self, name):
        """A TCP gate before a server of GATES; services reach it by through() or changed()."""
        made = TcpGate(self.suite.port_base + GATES[name][0])
        made.name = name
        self._gates.append(made)
        return made

    def through(self, gate, *services):
        """The services talk to the gate's server through it, as long as the context lasts."""
        variable = GATES[gate.name][1]
        return self.changed_all(
            {service: {variable: self._by_gate(gate, service, variable)} for service in services}
        )

    def changed(self, service, **environment):
        """The service runs with other environment variables (None: without it), as long as the
        context lasts."""
        return self.changed_all({service: environment})

    @contextlib.contextmanager
    def changed_all(self, changes):
        """{service: {variable: value}}, all restarted at once."""
        before = {service: self._changed.get(service, {}) for service in changes}
        self._apply({service: {**before[service], **changes[service]} for service in changes})
        try:
            yield
        finally:
            self._apply(before)

    def restart(self, *services):
        """SIGTERM to all of them at once; returns when the new ones are ready."""
        pids = {service: self.suite.pid(service) for service in services}
        for service, pid in pids.items():
            if pid:
                self.suite.terminate(service)
        for service, pid in pids.items():
            gone = wait_until(lambda s=service, p=pid: self.suite.pid(s) != p, READY_S, 0.1)
            assert gone or pid is None, f"{service} did not end after SIGTERM"
            self.suite.ensure_running(service)

    def calm_sandbox(self):
        """No faults, full rate limits."""
        self.sandbox.call("DELETE", "/faults")
        self.sandbox.post("/rate-limits", {"on": True})

    def restore(self):
        """Everything runs again as it was configured, whatever the row did."""
        for gate in self._gates:
            gate.close()
        for server in SERVERS:
            if self.suite.pid(server) is None:
                self.suite.start(server)
        if self._changed:
            self._apply({service: {} for service in list(self._changed)})
        self.suite.ensure_all()
        self.calm_sandbox()

    def variables(self, service):
        """What the service is configured with."""
        done = subprocess.run(
            [str(RUN), "environment", service], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        lines = [shlex.split(line)[1] for line in done.stdout.splitlines()]
        return dict(line.split("=", 1) for line in lines)

    def _by_gate(self, gate, service, variable):
        """The variable's value with the gate's port for the server's."""
        value = self.variables(service)[variable]
        changed, count = re.subn(rf":{gate.target_port}\b", f":{gate.port}", value)
        assert count == 1, f"{variable} of {service} does not name port {gate.target_port}"
        return changed

    def _apply(self, changes):
        """deploy/dev/run reads the file; a service that starts again gets what it says."""
        for service, variables in changes.items():
            file = self.suite.state / "conf" / f"{service}.changes"
            if variables:
                opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with open(opened, "w") as out:
                    out.writelines(_shell_line(*item) for item in variables.items())
                self._changed[service] = variables
            else:
                file.unlink(missing_ok=True)
                self._changed.pop(service, None)
        self.restart(*changes)


def _shell_line(name, value):
    return f"unset {name}\n" if value is None else f"export {name}={shlex.quote(str(value))}\n"
