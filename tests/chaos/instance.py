"""One more instance of a service beside the supervised one."""

import os
import signal
import subprocess
import time

import http_client
from people import wait_until
from suite import READY_S


class Instance:
    """Configured as the supervised one but for its ports, and what `changes` says. stdout: where
    its log goes."""

    def __init__(self, suite, service, offset, stdout=subprocess.DEVNULL, **changes):
        environment = _environment_of(suite.pid(service))
        # It is to run beside the supervised one, not to take its place.
        environment.pop("RELAIS_TAKEOVER_SOCKET", None)
        self.port = suite.port_base + offset
        self.admin = f"http://127.0.0.1:{self.port + 1}"
        environment.update(
            RELAIS_LISTEN=f"127.0.0.1:{self.port}",
            RELAIS_ADMIN_LISTEN=f"127.0.0.1:{self.port + 1}",
            RELAIS_INSTANCE=f"second-{service}-{os.getpid()}",
            **changes,
        )
        program = str(suite.binaries / f"relais-{service}")
        self._process = subprocess.Popen([program], env=environment, stdout=stdout)
        assert wait_until(self._ready, READY_S, 0.1), f"the second {service} did not get ready"

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def _ready(self):
        return http_client.send("GET", f"{self.admin}/readyz", timeout_s=5).status == 200

    def terminate(self):
        """SIGTERM; returns (exit code, seconds until the end)."""
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        return code, time.monotonic() - begun


def _environment_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as environment:
        pairs = environment.read().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)
