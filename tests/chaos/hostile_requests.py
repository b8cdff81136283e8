"""Requests as bytes, each wrong in one way that every route must refuse."""

import json
import socket

ANSWER_S = 10.0
LONG = 1 << 14
BODY_MAX = 64 * 1024

# What stands behind the path.
TARGETS = {
    "NUL in the path": "/%00",
    "escaped slash": "/%2e%2e%2finternal",
    "broken escape": "/%zz",
    "cut escape": "/%4",
    "escaped line end": "/%0d%0aX-A:%20b",
    "escaped backslash": "/..%5c..%5cx",
    "raw control character": "/\x01",
    "raw bytes": "/\xff\xfe",
    "blank": "/a b",
    "very long path": "/" + "a" * 9000,
    "very long query": "?q=" + "a" * 9000,
    "NUL in the query": "?q=%00",
    "broken escape in the query": "?q=%",
    "fragment": "#x",
}
# Lines of the head, without and instead of what usually stands there.
FIELDS = {
    "too many fields": [f"X-{number}: 1" for number in range(150)],
    "a very long field": ["X-Long: " + "a" * LONG * 2],
    "a very long name": ["X-" + "a" * 300 + ": 1"],
    "NUL in a value": ["X-A: a\0b"],
    "a bare line end": ["X-A: a\nX-B: b"],
    "a folded line": ["X-A: a", "  b"],
    "a blank before the colon": ["X-A : a"],
    "no name": [": a"],
    "no colon": ["X-A"],
    "two hosts": ["Host: other.example"],
    "two lengths": ["Content-Length: 3", "Content-Length: 4"],
    "a negative length": ["Content-Length: -1"],
    "an endless length": ["Content-Length: 99999999999999999999"],
    "length and chunks": ["Content-Length: 3", "Transfer-Encoding: chunked"],
    "an unknown coding": ["Transfer-Encoding: xchunked"],
    "an unknown expectation": ["Expect: 200-maybe"],
}
METHODS = ["TRACE", "CONNECT", "BREW", "get", "G\0T"]
VERSIONS = ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9", "http/1.1", "FTP/1.1"]
MANY_CHUNKS = (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 600
CHUNKS = {
    "a broken chunk": b"zz\r\nabc\r\n0\r\n\r\n",
    "an endless chunk": b"fffffffffffffffff\r\nabc",
    "a chunk without its end": b"3\r\nabcd\r\n0\r\n\r\n",
    "more than allowed in chunks": MANY_CHUNKS + b"0\r\n\r\n",
}
BODIES = {
    "no JSON": b"{",
    "empty": b"",
    "a list": b"[]",
    "a number": b"1",
    "bad UTF-8": b'{"a": "\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "half a surrogate": b'{"a": "\\ud800"}',
    "deep nesting": b'{"a":' * 20_000,
    "deep lists": b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "no number": b'{"a": NaN}',
    "two documents": b"{}{}",
    "a repeated member": b'{"a": 1, "a": 2}',
    "an unknown member": b'{"__proto__": {"roles": ["marketing"]}}',
    "too large": b'{"a": "' + b"x" * BODY_MAX + b'"}',
}
# Instead of the value of each member.
VALUES = [
    "\0",
    "a\0b",
    "x" * 60_000,
    {"$ne": None},
    ["x"],
    True,
    10**400,
    -(2**63) - 1,
    1.5,
    "\x1b[2J\r\n",
    "",
]


def head(method, target, fields, version="HTTP/1.1"):
    lines = [f"{method} {target} {version}", "Host: 127.0.0.1", *fields, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def usual_fields(route, body, content_type="application/json"):
    fields = [f"Authorization: Bearer {route.token}"] if route.token else []
    if body is not None:
        fields += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return fields


def requests_for(route):
    """(what is wrong, the request's bytes)."""
    body = json.dumps(route.fields).encode() if route.fields is not None else None
    usual, content = usual_fields(route, body), body or b""
    for name, behind in TARGETS.items():
        yield name, head(route.method, route.path + behind, usual) + content
    for name, lines in FIELDS.items():
        yield name, head(route.method, route.path, [*usual, *lines]) + content
    for method in METHODS:
        yield f"method {method!r}", head(method, route.path, usual) + content
    for version in VERSIONS:
        yield f"version {version}", head(route.method, route.path, usual, version) + content
    for name, chunks in CHUNKS.items():
        fields = [*usual_fields(route, None), "Content-Type: application/json"]
        yield name, head(route.method, route.path, [*fields, "Transfer-Encoding: chunked"]) + chunks
    if body is not None:
        yield from bodies_for(route)


def bodies_for(route):
    for name, content in BODIES.items():
        yield f"body: {name}", _with_body(route, content)
    form = head(route.method, route.path, usual_fields(route, b"a=b", "text/plain"))
    yield "body: another type", form + b"a=b"
    key = ["Idempotency-Key: " + "k" * 300]
    content = json.dumps(route.fields).encode()
    yield "a long key", head(route.method, route.path, usual_fields(route, content) + key) + content
    for member in route.fields:
        for value in VALUES:
            changed = {**route.fields, member: value}
            name = f"{member} is {repr(value)[:20]}"
            yield name, _with_body(route, json.dumps(changed).encode())


def _with_body(route, content):
    return head(route.method, route.path, usual_fields(route, content)) + content


def send(port, request):
    """The status of the first answer; 0 when the connection ended without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was read: its answer may be here all the same
        answer = b""
        try:
            while b"\r\n" not in answer:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        except OSError:
            pass
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
