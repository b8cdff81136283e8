"""The tables of vectors/: what is sent, and what has to come of it. Their form is in the README.

tests/unit reads the same files (tests/support/gate_rows.cpp).
"""

import functools
import json
import pathlib
import re
from dataclasses import dataclass, field

FOLDER = pathlib.Path(__file__).resolve().parent / "vectors"
# Behind every request vector, in the same piece: a request that nobody may run when the vector was
# refused.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
STATUSES = {
    "malformed-request": [400],
    "not-implemented": [400, 501],
    "unknown-method": [501],
    "version-not-supported": [400, 505],
    "expectation-failed": [417],
    "header-too-large": [431],
    "uri-too-long": [414],
}


def bytes_of(text):
    """A string whose characters are bytes, or a list of those and of [string, how many times]."""
    if isinstance(text, str):
        return text.encode("latin-1")
    return b"".join(bytes_of(p) if isinstance(p, str) else bytes_of(p[0]) * p[1] for p in text)


def _doubts(row, default):
    """The bytes that may not go on as they came."""
    given = row.get("doubt", default)
    return [bytes_of(each) for each in ([given] if isinstance(given, str) else given)]


def _lines(fields):
    lines = bytes_of(fields).split(b"\r\n")
    return [line.decode("latin-1") + "\r\n" for line in lines if line]


@dataclass(frozen=True)
class RequestVector:
    group: str
    name: str
    head: bytes
    body: bytes
    then: bytes
    refused: bool
    statuses: list[int]  # when it is refused
    doubts: list[bytes]
    path: str | None  # as the origin has to see it
    host: str | None
    body_seen: bytes
    lines_seen: list[bytes]  # in the head that the origin sees
    ends: bool  # nothing behind it is run, though it is not refused
    here: bool  # not refused, and the gateway's own to answer
    garden: list[str]
    varies: dict[str, str]  # what a proxy other than ours makes of it, one time or another

    @property
    def data(self):
        return self.head + self.body + self.then

    @property
    def method(self):
        word = self.head.lstrip(b"\r\n").split(b" ")[0]
        return word.decode("latin-1")

    @property
    def essence(self):
        """What of it is worth a look."""
        if self.group == "chunks":
            return self.body
        if self.group == "targets":
            return self.head.removesuffix(b" HTTP/1.1\r\nHost: a\r\n\r\n").split(b" ", 1)[1]
        fields = self.head.removeprefix(b"POST /v HTTP/1.1\r\nHost: a\r\n")
        return fields.removesuffix(b"\r\n") if fields != self.head else self.head

    @property
    def in_head(self):
        """Whether it can be judged before its body is seen."""
        return self.group != "chunks"


def _request_head(group, row):
    if "head" in row:
        return bytes_of(row["head"])
    if "target" in row:
        method = row.get("method", "GET").encode()
        return method + b" " + bytes_of(row["target"]) + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    fields = b"Transfer-Encoding: chunked\r\n" if group == "chunks" else bytes_of(row["fields"])
    return b"POST /v HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


def _request_doubts(group, row):
    refused = "refused" in row
    if group == "targets" and (refused or row["goes_as"] != row["target"]):
        return _doubts(row, [[" ", row["target"], " "]])
    if group == "chunks" and refused:
        return _doubts(row, [row["body"]])
    if "fields" in row and (refused or row.get("dropped")):
        return _doubts(row, _lines(row["fields"]))
    return _doubts(row, [])


def _request_path(row, head):
    if "goes_as" in row:
        return row["goes_as"]
    words = head.lstrip(b"\r\n").split(b" ")
    return words[1].decode("latin-1") if len(words) > 2 else None


def _lines_seen(row):
    kept = row.get("kept", [])
    if kept is True:
        return [bytes_of(line).removesuffix(b"\r\n") for line in _lines(row["fields"])]
    return [bytes_of(kept)] if kept else []


def _request_vector(group, row):
    head = _request_head(group, row)
    return RequestVector(
        group=group,
        name=row["name"],
        head=head,
        body=bytes_of(row.get("body", "")),
        then=bytes_of(row["then"]) if "then" in row else SMUGGLED,
        refused="refused" in row,
        statuses=row.get("status", STATUSES.get(row.get("refused"), [])),
        doubts=_request_doubts(group, row),
        path=_request_path(row, head),
        host=row.get("host_seen", "a"),
        body_seen=bytes_of(row.get("body_seen", "")),
        lines_seen=_lines_seen(row),
        ends=row.get("ends", False),
        here=row.get("here", False),
        garden=row.get("garden", []),
        varies=row.get("varies", {}),
    )


@dataclass(frozen=True)
class AnswerVector:
    group: str
    name: str
    request: bytes
    method: str
    data: bytes  # what the origin says
    closes: bool  # then it closes the connection
    refused: bool  # the client gets a 502
    cut: bool  # the client sees that it is not whole
    status: int
    body_seen: bytes
    length_seen: str | None
    upstream: list[str] = field(default_factory=list)  # "kept", "dropped": what may become of it
    doubts: list[bytes] = field(default_factory=list)

    @property
    def essence(self):
        return self.data.removeprefix(b"HTTP/1.1 200 OK\r\n")


def _answer_head(row):
    if "head" in row:
        return bytes_of(row["head"])
    return b"HTTP/1.1 200 OK\r\n" + bytes_of(row["fields"]) + b"\r\n"


def _answer_vector(group, row):
    method = row.get("method", "GET")
    refused, cut = "refused" in row, row.get("cut", False)
    upstream = row.get("upstream", "dropped")
    return AnswerVector(
        group=group,
        name=row["name"],
        request=f"{method} /v HTTP/1.1\r\nHost: a\r\n{row.get('request', '')}\r\n".encode(),
        method=method,
        data=_answer_head(row) + bytes_of(row.get("body", "")),
        closes=row.get("closes", False),
        refused=refused,
        cut=cut,
        status=502 if refused else row.get("status", 200),
        body_seen=bytes_of(row.get("body_seen", "")),
        length_seen=row.get("length_seen"),
        upstream=upstream if isinstance(upstream, list) else [upstream],
        doubts=_doubts(row, _lines(row["fields"]) if refused and "fields" in row else []),
    )


def _read(name, make):
    groups = json.loads((FOLDER / name).read_text())
    return tuple(make(group, row) for group, rows in groups.items() for row in rows)


@functools.cache
def requests():
    return _read("requests.json", _request_vector)


@functools.cache
def answers():
    return _read("answers.json", _answer_vector)


def holds(data, doubts):
    """Whether one of these goes on as it came. Names of fields may have changed their case."""
    lowered = data.lower()
    return any(doubt.lower() in lowered for doubt in doubts)


def shown(data, columns=70):
    """Bytes as text for people: x{300} is an x 300 times, (ab){40} forty times ab."""

    def counted(match):
        repeated = match[1] if len(match[1]) == 1 else f"({match[1]})"
        return f"{repeated}{{{len(match[0]) // len(match[1])}}}"

    text = re.sub(r"(.+?)\1{39,}", counted, data.decode("latin-1"), flags=re.DOTALL)
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= columns else text[: columns - 1] + "…"
