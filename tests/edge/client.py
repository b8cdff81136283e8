"""A client of bare bytes, for what well-behaved clients never send, and a strict reader of answers."""

import re
import select
import socket
from dataclasses import dataclass, field

LIMIT_S = 20.0  # nothing here takes that long unless it hangs
PIECE_BYTES = 65536
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")  # some leave the reason and its space out
NO_BODY = {204, 304}


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes = b""
    interim: list["Answer"] = field(default_factory=list)  # 1xx before it
    whole: bool = True
    until_end: bool = False  # its body ends with the connection

    @property
    def fields(self):
        """[(name in lower case, value)], in order."""
        pairs = [line.partition(b":") for line in self.head.split(b"\r\n")[1:] if line]
        return [(n.decode("latin-1").lower(), v.strip().decode("latin-1")) for n, _, v in pairs]

    def values(self, name):
        return [value for found, value in self.fields if found == name]

    @property
    def from_origin(self):
        return bool(self.values("x-origin"))


class Unreadable(ValueError):
    """Bytes that are no HTTP/1 answer."""


def _chunks(data):
    """(body, bytes used, whole)."""
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return body, len(data), False
        if not re.fullmatch(rb"[0-9a-fA-F]+(;[^\r\n]*)?", data[at:end]):
            raise Unreadable(f"a chunk of size {data[at:end]!r}")
        size = int(data[at:end].partition(b";")[0], 16)
        at = end + 2
        if size == 0:
            break
        body += data[at : at + size]
        if data[at + size : at + size + 2] != b"\r\n":
            if len(data) >= at + size + 2:
                raise Unreadable("a chunk longer than its size")
            return body, len(data), False
        at += size + 2
    while True:  # trailers
        end = data.find(b"\r\n", at)
        if end < 0:
            return body, len(data), False
        at, empty = end + 2, end == at
        if empty:
            return body, at, True


def _one(data, method):
    """(answer, bytes used) from the beginning of the bytes."""
    end = data.find(b"\r\n\r\n")
    line = STATUS_LINE.match(data)
    if end < 0 or line is None:
        raise Unreadable(data[:200])
    answer = Answer(int(line[1]), data[: end + 2])
    used = end + 4
    if answer.status < 200 or answer.status in NO_BODY or method == "HEAD":
        return answer, used
    lengths = answer.values("content-length")
    if answer.values("transfer-encoding"):
        answer.body, count, answer.whole = _chunks(data[used:])
    elif lengths:
        answer.body = data[used : used + int(lengths[0])]
        count, answer.whole = len(answer.body), len(answer.body) == int(lengths[0])
    else:
        answer.body, answer.until_end = data[used:], True
        count = len(answer.body)
    return answer, used + count


def read_answers(data, methods):
    """The answers in these bytes, to requests with these methods; more than there are methods when
    the other side says more than it was asked. Unreadable: these are no answers."""
    out, interim, at = [], [], 0
    while at < len(data):
        method = methods[len(out)] if len(out) < len(methods) else "GET"
        answer, used = _one(data[at:], method)
        at += used
        if answer.status < 200:
            interim.append(answer)
            continue
        answer.interim, interim = interim, []
        out.append(answer)
    return out


class Client:
    """A connection to ("127.0.0.1", port), or to a Unix socket's path."""

    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT_S)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.taken = 0  # bytes of it that belong to answers given out
        self.closed = False  # by the other side
        self.socket.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.socket.close()

    def send(self, data):
        """False when the other side does not take it all."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            return False
        return True

    def flood(self, pieces):
        """Sends until it ends, is answered, or the other side has gone; how many bytes that were."""
        sent = 0
        for piece in pieces:
            if select.select([self.socket], [], [], 0)[0] or not self.send(piece):
                break
            sent += len(piece)
        return sent

    def receive(self):
        """More bytes; false at the end of the connection. TimeoutError: it hangs."""
        try:
            data = self.socket.recv(PIECE_BYTES)
        except ConnectionError:
            data = b""
        self.received += data
        self.closed = not data
        return not self.closed

    def read_all(self):
        while self.receive():
            pass
        return bytes(self.received)

    @property
    def rest(self):
        """What came behind the answers given out."""
        return bytes(self.received[self.taken :])

    def read_answer(self, method="GET"):
        """The next whole answer, or nothing when the connection ends before it is whole."""
        interim = []
        while True:
            try:
                answer, used = _one(self.rest, method)
            except Unreadable:
                answer = None
            if answer and answer.whole and (self.closed or not answer.until_end):
                self.taken += used
                if answer.status >= 200 or answer.status == 101:
                    answer.interim = interim
                    return answer
                interim.append(answer)
            elif self.closed:
                return None
            else:
                self.receive()

    def ask(self, request, method="GET"):
        return self.read_answer(method) if self.send(request) else None


def ask(address, request, method="GET"):
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.ask(request, method)
