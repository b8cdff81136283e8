"""One sandbox for the whole run, on free ports, forgotten between tests."""

import asyncio
import json
import pathlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from client import Api  # noqa: E402
from relais_sandbox.app import Sandbox  # noqa: E402
from relais_sandbox.settings import PORT_OFFSETS, Credentials  # noqa: E402

KEYS = Credentials()


class Running:
    """The sandbox in its own thread, and a client for each of its APIs."""

    def __init__(self, folder):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.sandbox = Sandbox("127.0.0.1", dict.fromkeys(PORT_OFFSETS, 0), folder)
        self.run(self.sandbox.start())
        ports = self.sandbox.world.ports
        self.ports = ports
        self.sim = Api(ports["web"], "/__sim")
        self.mailjet = Api(ports["mailjet"], basic=(KEYS.mailjet_key, KEYS.mailjet_secret))
        self.brevo = Api(ports["brevo"], "/v3", headers={"api-key": KEYS.brevo_key})
        self.onesignal = Api(
            ports["onesignal"], headers={"Authorization": f"Key {KEYS.onesignal_key}"}
        )
        self.slack = Api(ports["slack"], headers={"Authorization": f"Bearer {KEYS.slack_token}"})

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def stop(self):
        self.run(self.sandbox.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    started = Running(tmp_path_factory.mktemp("sandbox"))
    yield started
    started.stop()


@pytest.fixture
def world(running):
    running.sim.post("/reset", {"everything": True})
    running.sim.post(
        "/settings",
        {"mailjet_event_window_ms": 20, "mailjet_sent_after_ms": 0, "brevo_process_ms": 20},
    )
    return running


class Receiver:
    """What a provider's webhooks are sent to; answers with the scripted statuses, then 200."""

    def __init__(self):
        self.requests = []
        self.statuses = []
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length))
                self.send_response(receiver._take(dict(self.headers), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def _take(self, headers, body):
        with self._arrived:
            self.requests.append((headers, body))
            self._arrived.notify_all()
            return self.statuses.pop(0) if self.statuses else 200

    def wait(self, count):
        """The bodies of the first `count` requests."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, 5), self.requests
            return [body for _, body in self.requests]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()
