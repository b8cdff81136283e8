"""Every row of vectors/answers.json: what an origin says, and what the gateway makes of it."""

import pytest

import vectors
from exchange import SENTINEL, in_pieces, run_answer, whole
from heads import check_answer
from origin import Answer, echo


def cases():
    for vector in vectors.answers():
        yield pytest.param(vector, whole, id=f"{vector.group}: {vector.name}")
        # A surplus byte that comes after the next request was sent is nobody's to see.
        if vector.group != "surplus bytes":
            yield pytest.param(vector, in_pieces, id=f"{vector.group}: {vector.name}, in pieces")


@pytest.mark.parametrize(("vector", "cut"), list(cases()))
def test_answer(gateway, origin, vector, cut):
    outcome = run_answer(gateway, origin, vector, cut)
    assert outcome.in_step
    assert not vectors.holds(outcome.received, vector.doubts)
    if outcome.kept:
        assert "kept" in vector.upstream
    else:
        assert "dropped" in vector.upstream
        assert origin.wait_until(lambda: outcome.dropped)
    if vector.cut and outcome.answer is None:
        # The client got its beginning, and no end that it could take for a proper one.
        assert outcome.received.startswith(b"HTTP/1.1 200 ")
        return
    check_answer(outcome.answer)
    assert outcome.rest == b""
    if vector.refused or vector.cut:
        assert outcome.answer.status == 502
        assert outcome.answer.values("content-type") == ["application/problem+json"]
        return
    assert outcome.answer.status == vector.status
    assert outcome.answer.body == vector.body_seen
    if vector.length_seen:
        assert outcome.answer.values("content-length") == [vector.length_seen]


def test_a_byte_that_comes_late_drops_the_connection_too(gateway, origin):
    with gateway.connect() as client:
        assert client.ask(SENTINEL).status == 200
        (kept,) = origin.connections
        assert kept.send(b"X")
        assert client.ask(SENTINEL).body == b"GET /sentinel 0\n"
        assert client.rest == b""
    first, second = origin.requests
    assert second.connection is not first.connection
    assert origin.wait_until(lambda: kept.ended)


def test_an_answer_to_nothing_is_nobodys(gateway, origin):
    """A whole answer on a connection that waits in the pool poisons no queue."""
    with gateway.connect() as client:
        assert client.ask(SENTINEL).status == 200
        (kept,) = origin.connections
        assert kept.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        assert client.ask(SENTINEL).body == b"GET /sentinel 0\n"
    assert origin.wait_until(lambda: kept.ended)


def test_the_rest_of_a_cut_answer_reaches_nobody(gateway, origin):
    """The client's connection goes with the answer: what comes next would be read as its body."""
    origin.answer = lambda request: (
        Answer([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], close=True)
        if request.target == "/half"
        else echo(request)
    )
    with gateway.connect() as client:
        client.send(b"GET /half HTTP/1.1\r\nHost: a\r\n\r\n" + SENTINEL)
        assert client.read_all().endswith(b"half")
