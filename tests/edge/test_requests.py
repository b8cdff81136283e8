"""Every row of vectors/requests.json through the real gateway."""

import pytest

import vectors
from exchange import in_pieces, run_request, whole
from heads import check_answer, check_request

SERVER_CLASSES, PROXY_CLASSES = range(1, 49), range(1, 26)
RETIRED = {"p8"}  # a number that http-garden does not use any more


def test_every_class_of_http_garden_has_a_row():
    shown = {each for vector in vectors.requests() for each in vector.garden}
    classes = {f"s{n}" for n in SERVER_CLASSES} | {f"p{n}" for n in PROXY_CLASSES}
    assert shown == classes - RETIRED


def rows(belongs):
    chosen = [vector for vector in vectors.requests() if belongs(vector)]
    return pytest.mark.parametrize("vector", chosen, ids=lambda vector: vector.name)


either_way = pytest.mark.parametrize("cut", [whole, in_pieces], ids=lambda cut: cut.__name__)


@either_way
@rows(lambda vector: vector.refused)
def test_refused(gateway, origin, vector, cut):
    outcome = run_request(gateway, origin, vector, cut)
    (answer,) = outcome.answers
    assert answer.status in vector.statuses
    check_answer(answer)
    assert answer.values("connection") == ["close"]
    assert outcome.requests == []
    if vector.in_head:
        assert outcome.raw == b""
    # Of a body that turns out bad the beginning may have gone on; then that connection is over.
    assert all(each.ended for each in outcome.begun)
    assert not vectors.holds(outcome.raw, vector.doubts)
    assert outcome.in_step


@rows(lambda vector: vector.here)
def test_answered_here(gateway, origin, vector):
    outcome = run_request(gateway, origin, vector)
    assert [answer.from_origin for answer in outcome.answers] == [False, True]
    assert [request.target for request in outcome.requests] == ["/smuggled"]
    assert outcome.in_step


@either_way
@rows(lambda vector: not vector.refused and not vector.here)
def test_accepted(gateway, origin, vector, cut):
    outcome = run_request(gateway, origin, vector, cut)
    seen = outcome.requests[0]
    check_request(seen, minor="0" if b"HTTP/1.0" in vector.head else "1")
    assert (seen.method, seen.target) == (vector.method, vector.path)
    assert seen.values("host") == [vector.host]
    assert seen.body == vector.body_seen
    assert not vectors.holds(outcome.raw, vector.doubts)
    for line in vector.lines_seen:
        assert b"\r\n" + line + b"\r\n" in seen.head
    expected = [vector.path] if vector.ends else [vector.path, "/smuggled"]
    assert [each.target for each in outcome.requests] == expected
    assert len(outcome.answers) == len(expected)
    for answer, request in zip(outcome.answers, outcome.requests):
        assert answer.from_origin
        check_answer(answer)
        echoed = f"{request.method} {request.target} {len(request.body)}\n"
        assert answer.body.decode() == ("" if request.method == "HEAD" else echoed)
    assert outcome.answers[-1].values("connection") == ["close"]
    assert outcome.begun == []
    assert outcome.in_step
