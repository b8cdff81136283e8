"""What an intermediary has to do (RFC 9110, RFC 9112), as seen from both of its sides.

What one message shows by itself is a row of vectors/; here is what takes more than that.
"""

import itertools

import pytest

import vectors
from client import read_answers
from exchange import SENTINEL
from heads import check_answer, check_request
from origin import Answer, echo

GET = b"GET /v HTTP/1.1\r\nHost: a\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def says(*pieces, close=False):
    return lambda request: Answer(pieces, close) if request.target == "/v" else echo(request)


def test_the_head_is_written_anew(gateway, origin):
    gateway.ask(
        b"POST /v?q HTTP/1.1\r\nhOST: a\r\nX-A: 1\r\nCONNECTION: X-Secret ,,keep-alive\r\nx-b:2\r\n"
        b"X-A:\t3 \r\nX-Secret: 1\r\nConnection: x-more\r\nX-More: 1\r\nKeep-Alive: 5\r\n"
        b"TE: gzip\r\nTrailer: X\r\nProxy-Authorization: x\r\nProxy-Connection: close\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nCookie: a=b\r\nUnknown: c\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX: y\r\n\r\n"
    )
    (request,) = origin.requests
    check_request(request)
    assert request.start == b"POST /v?q HTTP/1.1"
    assert request.body == b"abc"
    received = [pair for pair in request.fields if pair[0] in {"x-a", "x-b", "cookie", "unknown"}]
    in_order = [("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("cookie", "a=b"), ("unknown", "c")]
    assert received == in_order
    names = {name for name, _ in request.fields}
    assert not names & {"x-secret", "x-more", "x"}


def test_connection_takes_nothing_from_the_message(gateway, origin):
    """Naming what frames a message or what only we say of the client removes nothing."""
    for nominated in (b"Host", b"Content-Length", b"Via, X-Forwarded-For, X-Request-Id"):
        origin.clear()
        fields = b"Connection: close, " + nominated + b"\r\nContent-Length: 3\r\n\r\nabc"
        assert gateway.ask(b"POST /v HTTP/1.1\r\nHost: a\r\n" + fields).status == 200
        (request,) = origin.requests
        check_request(request)
        assert request.body == b"abc"
        assert request.values("x-request-id")


def test_what_is_for_the_ends_is_not_touched(gateway, origin):
    sent = {
        "Authorization": "Basic Zm9v",
        "If-None-Match": '"a", W/"b"',
        "If-Modified-Since": "Sat, 29 Oct 1994 19:43:31 GMT",
        "Range": "bytes=0-1",
        "Accept-Encoding": "gzip;q=0.5, *",
    }
    answered = {
        "Date": "Sat, 29 Oct 1994 19:43:31 GMT",
        "WWW-Authenticate": 'Basic realm="a"',
        "Allow": "GET, FROB",
        "ETag": 'W/"b"',
        "Vary": "Accept",
        "Content-Type": "text/plain;charset=utf-8",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in answered.items())
    cookies = "Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n"
    head = f"HTTP/1.1 401 No\r\n{lines}{cookies}Content-Length: 2\r\n\r\nhi"
    origin.answer = says(head.encode())
    asked = GET + "".join(f"{name}: {value}\r\n" for name, value in sent.items()).encode()
    answer = gateway.ask(asked + b"\r\n")
    check_answer(answer)
    assert (answer.status, answer.body) == (401, b"hi")
    for name, value in sent.items():
        assert origin.requests[0].values(name.lower()) == [value]
    for name, value in answered.items():
        assert answer.values(name.lower()) == [value]
    assert answer.values("set-cookie") == ["a=1", "b=2; Path=/"]


def test_pipelined_requests_of_every_framing_are_answered_in_order(gateway, origin):
    sent = (
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nHost: evil\r\n\r\n"
        b"POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n\r\n"
        b"HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"GET /5 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        b"GET /6 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    methods = ["POST", "POST", "POST", "HEAD", "GET", "GET"]
    with gateway.connect() as client:
        client.send(sent)
        answers = read_answers(client.read_all(), methods)
    bodies = [b"POST /1 3\n", b"POST /2 4\n", b"POST /3 0\n", b"", b"GET /5 2\n", b"GET /6 0\n"]
    assert [answer.body for answer in answers] == bodies
    assert [request.target for request in origin.requests] == [f"/{n}" for n in range(1, 7)]


def test_what_is_wrong_behind_a_request_does_not_take_its_answer(gateway, origin):
    with gateway.connect() as client:
        client.send(GET + b"\r\nInvalid\r\n\r\n" + SENTINEL)
        first, second = read_answers(client.read_all(), ["GET", "GET"])
    assert (first.body, second.status) == (b"GET /v 0\n", 400)
    assert [request.target for request in origin.requests] == ["/v"]


@pytest.mark.parametrize(
    "body", [b"Content-Length: 10\r\n\r\nxyz", b"Transfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n"]
)
def test_a_request_that_breaks_off_never_becomes_whole(gateway, origin, body):
    with gateway.connect() as client:
        client.send(b"POST /v HTTP/1.1\r\nHost: a\r\n" + body)
        assert origin.wait_until(lambda: b"xyz" in origin.raw)
    assert origin.wait_until(lambda: all(each.ended for each in origin.connections))
    assert origin.requests == []


EARLY_POST = b"POST /v HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


def test_an_early_answer_that_says_close_ends_the_upload(gateway, origin):
    """The body that nobody read would be the next request (0.CL)."""
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    origin.early = lambda request: Answer([closing]) if request.target == "/v" else None
    with gateway.connect() as client:
        client.send(EARLY_POST % 100000)
        answer = client.read_answer("POST")
        client.send(vectors.SMUGGLED * 10)
        client.read_all()
    assert client.rest == b""
    assert answer.status == 200
    assert answer.values("connection") == ["close"]
    assert "/smuggled" not in [request.target for request in origin.requests]
    assert origin.wait_until(lambda: all(each.ended for each in origin.connections))


def test_behind_an_early_answer_the_body_stays_a_body(gateway, origin):
    origin.early = lambda request: Answer([OK]) if request.target == "/v" else None
    body = vectors.SMUGGLED * 10
    with gateway.connect() as client:
        client.send(EARLY_POST % len(body))
        answer = client.read_answer("POST")
        client.send(body + vectors.SMUGGLED)
        client.read_all()
    assert client.rest == b""
    assert answer.status == 200
    assert answer.values("connection") == ["close"]
    assert origin.wait_until(lambda: origin.requests)
    (request,) = origin.requests
    assert (request.target, request.body) == ("/v", body)


def test_an_old_client_gets_no_chunks(gateway, origin):
    origin.answer = says(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n"
    )
    with gateway.connect() as client:
        client.send(b"GET /v HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" + SENTINEL)
        (answer,) = read_answers(client.read_all(), ["GET"])
    check_answer(answer)
    assert answer.body == b"hi"
    assert not answer.values("transfer-encoding")
    assert answer.values("connection") == ["close"]
    check_request(origin.requests[0], minor="0")


@pytest.mark.parametrize("interim", [b"103 Early Hints", b"104 Upload Resumption Supported"])
def test_interim_answers_that_nobody_here_asked_for_go_on(gateway, origin, interim):
    hints = b"HTTP/1.1 " + interim + b"\r\nLink: </a.css>; rel=preload\r\nKeep-Alive: 5\r\n\r\n"
    origin.answer = says(hints, OK)
    answer = gateway.ask(GET + b"\r\n")
    assert (answer.status, answer.body) == (200, b"hi")
    (hint,) = answer.interim
    assert hint.status == int(interim[:3])
    assert hint.values("link") == ["</a.css>; rel=preload"]
    assert not hint.values("keep-alive")
    # HTTP/1.0 knows none.
    old = gateway.ask(b"GET /v HTTP/1.0\r\nHost: a\r\n\r\n")
    assert (old.status, old.body, old.interim) == (200, b"hi", [])


def test_a_tunnel_delivers_what_came_before_either_side_closed(gateway, origin):
    told = b"GET /smuggled HTTP/1.1\r\n\r\n" * 40_000
    heard = bytearray()

    def talk(request):
        yield b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        if request.target == "/speak":
            yield told
        while data := request.connection.socket.recv(65536):
            heard.extend(data)

    origin.answer = lambda request: Answer(talk(request), close=True)
    asks = b" HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    asks += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    with gateway.connect() as client:
        assert client.ask(b"GET /listen" + asks).status == 101
        assert client.send(told)
    assert origin.wait_until(lambda: all(each.ended for each in origin.connections))
    assert heard == told
    origin.answer = lambda request: Answer(itertools.islice(talk(request), 2), close=True)
    with gateway.connect() as client:
        assert client.ask(b"GET /speak" + asks).status == 101
        client.read_all()
        assert client.rest == told
    assert [request.target for request in origin.requests] == ["/listen", "/speak"]


def test_an_expectation_is_met_here(gateway, origin):
    with gateway.connect() as client:
        client.send(b"PUT /v HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        while b"\r\n\r\n" not in client.received:
            assert client.receive()
        assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hi")
        assert client.read_answer("PUT").body == b"PUT /v 2\n"
    check_request(origin.requests[0])
    old = b"PUT /v HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi"
    assert gateway.ask(old, "PUT").interim == []


def test_options_goes_as_far_as_it_may(gateway, origin):
    options = b"OPTIONS /v HTTP/1.1\r\nHost: a\r\nMax-Forwards: "
    assert gateway.ask(options + b"5\r\n\r\n").status == 200
    (request,) = origin.requests
    assert request.values("max-forwards") == ["4"]
    origin.clear()
    assert gateway.ask(options + b"0\r\n\r\n") is not None
    assert origin.requests == []


def test_a_loop_ends(gateway, origin):
    """The origin is the gateway once more."""

    def again(request):
        if len(origin.requests) > 20:
            return echo(request)
        answer = gateway.ask(request.head)
        return Answer([answer.head + b"\r\n" + answer.body] if answer else [], close=True)

    origin.answer = again
    answer = gateway.ask(GET + b"Connection: close\r\n\r\n")
    assert answer.status >= 400
    assert len(origin.requests) <= 2


@pytest.mark.parametrize("given", ["a b", "a\\b", "x" * 200, '"><script>', "é"])
def test_a_request_id_that_is_none_is_replaced(gateway, origin, given):
    answer = gateway.ask(GET + b"X-Request-Id: " + given.encode() + b"\r\n\r\n")
    (shown,) = answer.values("x-request-id")
    assert shown.replace("-", "").isalnum()
    assert origin.requests[0].values("x-request-id") == [shown]
