"""One more instance of a service, whose standard output is a file of the caller's choice."""

import os
import signal
import subprocess

import http_client
from people import wait_until
from suite import READY_S


class LoggedInstance:
    """Configured as the service's variables say, but for its ports and its name."""

    def __init__(self, chaos, service, offset, log):
        self.port = chaos.suite.port_base + offset
        self.admin = f"http://127.0.0.1:{self.port + 1}"
        own = {
            "RELAIS_LISTEN": f"127.0.0.1:{self.port}",
            "RELAIS_ADMIN_LISTEN": f"127.0.0.1:{self.port + 1}",
            "RELAIS_INSTANCE": f"logged-{service}-{os.getpid()}",
        }
        environment = {**os.environ, **chaos.variables(service), **own}
        program = str(chaos.suite.binaries / f"relais-{service}")
        self._process = subprocess.Popen([program], env=environment, stdout=log)
        ready = wait_until(lambda: self.answers("readyz"), READY_S, 0.1)
        assert ready, f"the second {service} did not get ready"

    def answers(self, page):
        return http_client.send("GET", f"{self.admin}/{page}", timeout_s=5).status == 200

    def terminate(self):
        """SIGTERM; returns the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def end(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
