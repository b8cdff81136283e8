"""The TCP gate does what rows believe it does."""

import pathlib
import socket
import socketserver
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from tcp_gate import TcpGate  # noqa: E402


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            self.server.seen.append(line)
            self.wfile.write(line)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Echo) as made:
        made.seen = []
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def gate(server):
    with TcpGate(server.server_address[1]) as made:
        yield made


def connect(gate, timeout_s=5.0):
    return socket.create_connection(("127.0.0.1", gate.port), timeout=timeout_s)


def ask(client, line):
    """The echo, or nothing when the connection ended."""
    try:
        client.sendall(line)
        return client.makefile("rb").readline()
    except ConnectionError:
        return b""


def test_forwards(gate):
    with connect(gate) as client:
        assert ask(client, b"one\n") == b"one\n"
        assert ask(client, b"two\n") == b"two\n"
    assert gate.accepted == 1


def test_refuses_and_opens_again(gate):
    with connect(gate) as client:
        assert ask(client, b"one\n") == b"one\n"
        gate.refuse()
        assert ask(client, b"two\n") == b""
    with pytest.raises(ConnectionRefusedError):
        connect(gate)
    gate.open()
    with connect(gate) as client:
        assert ask(client, b"three\n") == b"three\n"


def test_black_hole_holds_what_is_said(gate, server):
    with connect(gate, 0.3) as client:
        assert ask(client, b"one\n") == b"one\n"
        gate.black_hole()
        with pytest.raises(TimeoutError):
            ask(client, b"two\n")
        with connect(gate, 0.3) as another, pytest.raises(TimeoutError):
            ask(another, b"three\n")
        assert server.seen == [b"one\n"]
        client.settimeout(5)
        gate.open()
        assert client.recv(100) == b"two\n"


def test_delays_answers(gate):
    gate.delay(0.2)
    with connect(gate) as client:
        begun = time.monotonic()
        assert ask(client, b"one\n") == b"one\n"
        assert time.monotonic() - begun >= 0.2


def test_cuts_what_is_open_only(gate):
    with connect(gate) as client:
        assert ask(client, b"one\n") == b"one\n"
        gate.cut()
        assert ask(client, b"two\n") == b""
    with connect(gate) as client:
        assert ask(client, b"three\n") == b"three\n"


def test_loses_one_answer_and_not_the_request(gate, server):
    gate.lose_answer(armed_by=b"key", to=b"commit")
    with connect(gate) as other, connect(gate) as client:
        assert ask(client, b"key\n") == b"key\n"
        assert ask(other, b"commit\n") == b"commit\n"  # not the one that is meant
        assert ask(client, b"commit\n") == b""
    assert gate.answers_lost == 1
    assert server.seen == [b"key\n", b"commit\n", b"commit\n"]
    with connect(gate) as client:
        assert ask(client, b"key commit\n") == b"key commit\n"
