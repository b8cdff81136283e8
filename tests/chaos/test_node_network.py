"""A node's network loses one way what it is told to, and nothing else."""

import contextlib
import pathlib
import select
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from node_network import FROM_SERVER, TO_SERVER, NodeNetwork, why_not  # noqa: E402

# Inside: connects, says a word for each line it gets and prints what comes back.
CLIENT = """
import socket, sys
to = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
for line in sys.stdin:
    to.sendall(line.encode())
    print(to.recv(100).decode().strip(), flush=True)
"""
SILENCE_S = 0.5
HEALS_S = 10.0  # TCP sends again at growing intervals


class Talk:
    """A connection from inside to a server outside."""

    def __init__(self, network, listener):
        port = str(listener.getsockname()[1])
        self.inside = subprocess.Popen(
            [*network.within, sys.executable, "-u", "-c", CLIENT, port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )
        listener.settimeout(HEALS_S)
        self.outside, _ = listener.accept()

    def say(self, word):
        self.inside.stdin.write(f"{word}\n")

    def hears(self, within_s):
        """What arrives outside, or None."""
        self.outside.settimeout(within_s)
        try:
            return self.outside.recv(100).decode().strip()
        except TimeoutError:
            return None

    def works(self, word):
        self.say(word)
        heard = self.hears(HEALS_S)
        self.outside.sendall(f"{heard}!\n".encode())
        return self.inside.stdout.readline() == f"{word}!\n"

    def end(self):
        self.inside.kill()
        self.inside.communicate()
        self.outside.close()


@contextlib.contextmanager
def two_servers():
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    try:
        yield made
    finally:
        for each in made:
            each.close()


def ports_of(listeners):
    return {name: each.getsockname()[1] for name, each in zip("ab", listeners, strict=True)}


@pytest.fixture
def listeners():
    with two_servers() as tried:
        missing = why_not(ports_of(tried))
    if missing:
        pytest.skip(missing)
    with two_servers() as made:
        yield made


@pytest.fixture
def talks(listeners):
    """With a server "a" and a server "b"."""
    network = NodeNetwork(0, ports_of(listeners))
    made = [Talk(network, each) for each in listeners]
    yield network, *made
    for each in made:
        each.end()
    network.close()


def test_nothing_is_lost_unasked(talks):
    _, a, b = talks
    assert a.works("one") and b.works("two")


def test_what_a_node_sends_is_lost(talks):
    network, a, b = talks
    assert a.works("one")
    network.lose("a", TO_SERVER)
    a.say("two")
    assert a.hears(SILENCE_S) is None
    assert b.works("other servers notice nothing")
    network.mend("a")
    assert a.hears(HEALS_S) == "two"


def test_what_a_node_gets_is_lost_and_not_what_it_sends(talks):
    network, a, b = talks
    assert a.works("one")
    network.lose("a", FROM_SERVER)
    a.say("two")
    assert a.hears(HEALS_S) == "two"
    a.outside.sendall(b"answer\n")
    assert b.works("other servers notice nothing")
    assert not select.select([a.inside.stdout], [], [], SILENCE_S)[0]
    network.mend("a")
    assert a.inside.stdout.readline() == "answer\n"


def test_a_new_loss_ends_the_one_before(talks):
    network, a, _ = talks
    network.lose("a", TO_SERVER)
    network.lose("a", FROM_SERVER)
    a.say("one")
    assert a.hears(HEALS_S) == "one"


def test_says_why_not():
    said = why_not({"nobody": 1})
    assert "nobody is not reached" in said or said == "needs root"
