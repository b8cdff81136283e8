"""./relais restart gateway: nobody is refused, whether on a new connection or on one that stays."""

import http.client
import pathlib
import subprocess
import threading
import urllib.parse

RELAIS = pathlib.Path(__file__).resolve().parents[2] / "relais"
RESTARTS = 5
PATH = "/v1/jobs"


class Load:
    """Clients that ask all the time, until stop() or a bounded number of requests each."""

    requests_max = 200_000

    def __init__(self, base):
        self.address = urllib.parse.urlsplit(base).netloc
        self.stopping = threading.Event()
        self.answers = []
        self.failures = []
        self.threads = [
            threading.Thread(target=self.ask_all_the_time, args=(kept,))
            for kept in (True, True, False, False)
        ]

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for each in self.threads:
            each.join()

    def ask_all_the_time(self, kept):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        for _ in range(self.requests_max):
            if self.stopping.is_set():
                break
            try:
                connection.request("GET", PATH)
                answer = connection.getresponse()
                answer.read()
                self.answers.append(answer.status)
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append(repr(problem))
                connection.close()
            if not kept:
                connection.close()
        connection.close()


def test_a_restart_of_the_gateway_refuses_nobody(suite, gateway):
    with Load(suite.base) as load:
        for _ in range(RESTARTS):
            before, asked = suite.pid("gateway"), len(load.answers)
            done = subprocess.run(
                [RELAIS, "restart", "gateway"], capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert suite.pid("gateway") not in (before, None)
            assert len(load.answers) > asked
    assert load.failures == []
    assert set(load.answers) == {200}
    assert suite.supervise("status", "gateway-between", check=False).split()[1] == "EXITED"


def test_a_gateway_that_cannot_start_replaces_nobody(suite, gateway):
    broken = suite.state / "secrets" / "overrides"
    kept = broken.read_text()
    before = suite.pid("gateway")
    try:
        broken.write_text(kept + "export RELAIS_CONNECTIONS_MAX=none\n")
        done = subprocess.run(
            [RELAIS, "restart", "gateway"], capture_output=True, text=True, timeout=300
        )
    finally:
        broken.write_text(kept)
    assert done.returncode != 0
    assert "the old one goes on" in done.stdout + done.stderr
    assert suite.pid("gateway") == before
    assert suite.ready("gateway")
