"""Whatever is sent without end is refused, and costs no memory.

Each flood goes on for 16 MiB, or until the gateway has had enough of it.
"""

import itertools
import time

import pytest

from exchange import SENTINEL
from origin import Answer, echo

FLOOD_BYTES = 16 * 1024 * 1024
PIECE_BYTES = 64 * 1024
GROWTH_MAX = 1024 * 1024
CHUNKED = b"POST /v HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"GET /v HTTP/1.1\r\nHost: a\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
OK_CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# What comes first, then what is repeated.
REQUESTS = {
    "empty lines": (b"", b"\r\n"),
    "a method": (b"", b"A"),
    "a target": (b"GET /", b"a"),
    "a name": (HEAD, b"X"),
    "a value": (HEAD + b"X: ", b"a"),
    "blanks before a value": (HEAD + b"X:", b" "),
    "fields": (HEAD, b"X: a\r\n"),
    "zeros of a size": (CHUNKED, b"0"),
    "one extension": (CHUNKED + b"1;", b"x"),
    "extensions": (CHUNKED, b"1;xxxxxxxx\r\na\r\n"),
    "one trailer": (CHUNKED + b"0\r\nX: ", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"X: a\r\n"),
}
ANSWERS = {
    "a reason": (b"HTTP/1.1 200 ", b"a"),
    "a name": (OK, b"X"),
    "a value": (OK + b"X: ", b"a"),
    "fields": (OK, b"X: a\r\n"),
    "interim answers": (b"", b"HTTP/1.1 102 Wait\r\n\r\n"),
    "zeros of a size": (OK_CHUNKED, b"0"),
    "one extension": (OK_CHUNKED + b"1;", b"x"),
    "extensions": (OK_CHUNKED, b"1;xxxxxxxx\r\na\r\n"),
    "one trailer": (OK_CHUNKED + b"0\r\nX: ", b"a"),
    "trailers": (OK_CHUNKED + b"0\r\n", b"X: a\r\n"),
}


def pieces(first, repeated, total=FLOOD_BYTES):
    """The flood in pieces, the last of which makes it whole."""
    piece = repeated * (PIECE_BYTES // len(repeated))
    return itertools.chain([first], itertools.repeat(piece, total // len(piece)))


def growth(gateway, act):
    """By how much the most memory that the gateway ever had became more."""
    before = gateway.peak_memory_bytes()
    act()
    assert gateway.ask(SENTINEL).body == b"GET /sentinel 0\n"
    return gateway.peak_memory_bytes() - before


@pytest.fixture(scope="module")
def warm(running_gateway, origin):
    """Every flood once, as short as it may be: what a first one of its kind costs is no growth."""
    for first, repeated in REQUESTS.values():
        flood_request(running_gateway, first, repeated, PIECE_BYTES)
    for first, repeated in ANSWERS.values():
        flood_answer(running_gateway, origin, first, repeated, PIECE_BYTES)
    pipeline(running_gateway, 2 * PIECE_BYTES)
    wait_until_settled(running_gateway)


def wait_until_settled(gateway, growth_a_second=384 * 1024, at_most=20):
    """The sanitizer's memory creeps up after the start, less and less, whatever is done."""
    give_up = time.monotonic() + at_most
    grown = growth_a_second + 1
    while grown > growth_a_second and time.monotonic() < give_up:
        before = gateway.peak_memory_bytes()
        time.sleep(1)
        grown = gateway.peak_memory_bytes() - before


def flood_request(gateway, first, repeated, total=FLOOD_BYTES):
    with gateway.connect() as client:
        sent = client.flood(pieces(first, repeated, total))
        return sent, client.read_answer()


def flood_answer(gateway, origin, first, repeated, total=FLOOD_BYTES):
    """(how much of it was said, the answer, all that the client got)"""
    origin.clear()
    said, asked = [], []

    def counted():
        for piece in pieces(first, repeated, total):
            yield piece
            said.append(len(piece))

    def script(request):
        if request.target != "/v":
            return echo(request)
        asked.append(request.connection)
        return Answer(counted(), close=True)

    origin.answer = script
    with gateway.connect() as client:
        answer = client.ask(HEAD + b"\r\n")
        assert origin.wait_until(lambda: all(each.ended for each in asked))
        return sum(said), answer, bytes(client.received)


def pipeline(gateway, total):
    """Requests without end from a client that never reads an answer."""
    with gateway.connect() as client:
        client.socket.setblocking(False)
        sent = 0
        piece = SENTINEL * (PIECE_BYTES // len(SENTINEL))
        try:
            while sent < total:
                sent += client.socket.send(piece)
        except BlockingIOError:
            pass  # it does not read on, which is the point
        return sent


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_without_end(warm, gateway, name):
    outcome = []
    assert growth(gateway, lambda: outcome.append(flood_request(gateway, *REQUESTS[name]))) <= GROWTH_MAX
    ((sent, answer),) = outcome
    assert sent < FLOOD_BYTES
    assert answer is not None and 400 <= answer.status < 500


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_without_end(warm, gateway, origin, name):
    outcome = []
    flood = ANSWERS[name]
    assert growth(gateway, lambda: outcome.append(flood_answer(gateway, origin, *flood))) <= GROWTH_MAX
    ((said, answer, received),) = outcome
    assert said < FLOOD_BYTES
    if answer is None:
        assert flood[0].startswith(OK_CHUNKED)
        assert received.startswith(b"HTTP/1.1 200 ")  # its head had gone on; cut
    else:
        assert answer.status == 502


def test_a_client_that_never_reads(warm, gateway):
    assert growth(gateway, lambda: pipeline(gateway, FLOOD_BYTES)) <= GROWTH_MAX


def test_many_small_chunks_are_only_many(warm, gateway, origin):
    """That is a proper body; it takes no more memory than a large chunk would."""
    count = 20_000
    sent = CHUNKED + b"1\r\na\r\n" * count + b"0\r\n\r\n"
    answers = []
    assert growth(gateway, lambda: answers.append(gateway.ask(sent))) <= GROWTH_MAX
    assert answers[0].body == b"POST /v %d\n" % count
