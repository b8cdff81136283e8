"""SIGTERM under load: no request fails, no event is lost."""

import os
import signal
import subprocess

import http_client
import pytest
from arrivals import expect_one_mail
from load import Load
from people import wait_until
from suite import READY_S

GATEWAY_OFFSET = 2
WEB_API_OFFSET = 12


class Instance:
    """One more instance of a service, configured as the supervised one but for its ports."""

    def __init__(self, suite, service, offset, **changes):
        environment = _environment_of(suite.pid(service))
        self.port = suite.port_base + offset
        self._admin = f"127.0.0.1:{self.port + 1}"
        environment.update(
            RELAIS_LISTEN=f"127.0.0.1:{self.port}",
            RELAIS_ADMIN_LISTEN=self._admin,
            RELAIS_INSTANCE=f"second-{service}-{os.getpid()}",
            **changes,
        )
        program = str(suite.binaries / f"relais-{service}")
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL)
        assert wait_until(self._ready, READY_S, 0.1), f"the second {service} did not get ready"

    def _ready(self):
        return http_client.send("GET", f"http://{self._admin}/readyz", timeout_s=5).status == 200

    def terminate(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def _environment_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as environment:
        pairs = environment.read().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


@pytest.fixture
def second(suite, gateway):
    """Starts further instances, and ends what is left of them."""
    started = []

    def start(service, offset, **changes):
        started.append(Instance(suite, service, offset, **changes))
        return started[-1]

    yield start
    for instance in started:
        instance.end()


def test_web_api_rolls_under_load(suite, sandbox, second):
    """Two instances behind a gateway; each in turn is told to stop while clients go on."""
    other = second("web-api", WEB_API_OFFSET)
    both = f"http://127.0.0.1:{suite.port_base + 10},http://127.0.0.1:{other.port}"
    front = second("gateway", GATEWAY_OFFSET, RELAIS_WEB_API_URL=both)
    with Load(front.port) as load:
        load.wait_answers(200)
        pid = suite.pid("web-api")
        suite.terminate("web-api")
        assert wait_until(lambda: suite.pid("web-api") not in (pid, None), READY_S, 0.1)
        suite.ensure_running("web-api")
        load.wait_answers(200)
        assert other.terminate() == 0
        load.wait_answers(200)
    assert load.failures == []
    assert load.registered
    for person in load.registered:
        expect_one_mail(sandbox, person)


def test_gateway_finishes_what_it_took(second):
    front = second("gateway", GATEWAY_OFFSET)
    load = Load(front.port)
    with load:
        load.wait_answers(200)
        assert front.terminate() == 0
        load.join()
    assert load.failures == []
    assert load.refused == 5, "every client was turned away in order"
