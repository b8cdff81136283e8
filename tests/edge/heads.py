"""What a head may look like that the gateway writes, whatever it read."""

import re

_FIELDS = rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n)*"
REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP/1\.1\r\n" + _FIELDS + rb"\r\n")
ANSWER = re.compile(rb"HTTP/1\.1 [1-5]\d\d [\t -~\x80-\xff]*\r\n" + _FIELDS)
OF_ONE_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "http2-settings",
}


def check_request(request, minor="1"):
    """The head of a request as the origin got it: ours from the first byte to the last."""
    names = [name for name, _ in request.fields]
    assert REQUEST.fullmatch(request.head), request.head
    assert not OF_ONE_HOP & set(names), request.head
    assert not [name for name in names if "_" in name], request.head
    assert "expect" not in names, request.head
    framing = request.values("content-length") + request.values("transfer-encoding")
    assert len(framing) == (1 if request.body or request.method in ("POST", "PUT", "PATCH") else 0)
    assert request.values("host") and len(request.values("host")) == 1, request.head
    assert request.values("via")[-1].startswith(f"1.{minor} "), request.head
    assert request.values("x-forwarded-for") == ["127.0.0.1"], request.head


def check_answer(answer):
    """The head of an answer as a client got it."""
    names = [name for name, _ in answer.fields]
    assert ANSWER.fullmatch(answer.head), answer.head
    # Connection only ever says that it ends.
    assert set(answer.values("connection")) <= {"close"}, answer.head
    assert not (OF_ONE_HOP - {"connection"}) & set(names), answer.head
    framing = answer.values("content-length") + answer.values("transfer-encoding")
    assert len(framing) <= 1, answer.head
    assert set(answer.values("transfer-encoding")) <= {"chunked"}, answer.head
    assert len(answer.values("date")) == 1, answer.head
    if answer.status == 204:
        assert not framing, answer.head
