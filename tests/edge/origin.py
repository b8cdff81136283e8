"""A service that keeps every byte it gets, connection by connection, and answers as it is told.

It reads leniently, as a careless service would: whatever a proxy lets through arrives here. Runs on
threads of its own; the tests read what it keeps. What asks for /readyz leaves no trace.
"""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

WAIT_S = 10.0
PIECE_BYTES = 65536
HEAD_END = re.compile(rb"\r?\n\r?\n")
LINE_END = re.compile(rb"\r?\n")
MARK = b"X-Origin: 1\r\n"  # tells its answers from the proxies' own


@dataclass
class Request:
    """One whole request: its head as it came, its body decoded."""

    connection: "Connection"
    head: bytes
    body: bytes = b""

    @property
    def start(self):
        return LINE_END.split(self.head, maxsplit=1)[0]

    @property
    def method(self):
        return self.start.split(b" ")[0].decode("latin-1")

    @property
    def target(self):
        return b" ".join(self.start.split(b" ")[1:-1]).decode("latin-1")

    @property
    def fields(self):
        """[(name in lower case, value)], in order."""
        lines = LINE_END.split(self.head.strip(b"\r\n"))[1:]
        pairs = [line.partition(b":") for line in lines]
        return [(n.decode("latin-1").lower(), v.strip().decode("latin-1")) for n, _, v in pairs]

    def values(self, name):
        return [value for found, value in self.fields if found == name]


@dataclass
class Answer:
    """What goes back: bytes in pieces, then perhaps the end of the connection."""

    pieces: Iterable[bytes]
    close: bool = False


@dataclass(eq=False)
class Connection:
    socket: socket.socket
    raw: bytearray = field(default_factory=bytearray)  # all but requests for /readyz
    read: int = 0  # bytes of raw that belong to whole requests
    reported: int = 0  # bytes of raw before the last clear()
    ended: bool = False

    @property
    def partial(self):
        return len(self.raw) > self.read

    def send(self, data):
        """False when nobody takes it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True


def echo(request):
    """A proper answer that says which request it is for."""
    text = f"{request.method} {request.target} {len(request.body)}\n".encode("latin-1")
    length = b"Content-Length: %d\r\n" % len(text)
    body = b"" if request.method == "HEAD" else text
    return Answer([b"HTTP/1.1 200 OK\r\n" + MARK + length + b"\r\n" + body])


def _body_end(data, start, head):
    """(body, where it ends), or nothing: more bytes are needed. ValueError: it never ends."""
    fields = head.lower()
    if re.search(rb"\ntransfer-encoding:[^\n]*chunked", fields):
        return _chunks_end(data, start)
    lengths = re.findall(rb"\ncontent-length:\s*\+?(?:0x)?(\d+)", fields)
    end = start + (int(lengths[-1]) if lengths else 0)
    return (bytes(data[start:end]), end) if len(data) >= end else None


def _chunks_end(data, at):
    body = b""
    while True:
        line = LINE_END.search(data, at)
        if line is None:
            return None
        size = re.match(rb"\s*(?:0x)?([0-9a-fA-F]+)", data[at : line.start()])
        if size is None:
            raise ValueError(bytes(data[at : line.start()]))
        at, count = line.end(), int(size[1], 16)
        if count == 0:
            break
        if len(data) < at + count + 2:
            return None
        body += data[at : at + count]
        at += count
        at += 2 if data[at : at + 2] == b"\r\n" else 1
    while True:  # trailers
        line = LINE_END.search(data, at)
        if line is None:
            return None
        at, empty = line.end(), line.start() == at
        if empty:
            return body, at


class Origin:
    """`answer` maps a request to its answer. `early` does so for a request whose body has not come
    yet, or says nothing. Both run on the connection's thread."""

    def __init__(self):
        self.answer: Callable[[Request], Answer] = echo
        self.early: Callable[[Request], Answer | None] = lambda _: None
        self._changed = threading.Condition()
        self._connections: list[Connection] = []
        self._requests: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        for each in (self._listener, *(one.socket for one in self._connections)):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def clear(self):
        """Forgets what it got so far. Answers are echoes again."""
        with self._changed:
            self._requests.clear()
            self._connections = [each for each in self._connections if not each.ended]
            for each in self._connections:
                each.reported = len(each.raw)
            self.answer, self.early = echo, lambda _: None

    @property
    def requests(self):
        """The whole requests since the last clear(), in the order in which they were whole."""
        with self._changed:
            return list(self._requests)

    @property
    def connections(self):
        """Those that got bytes since the last clear()."""
        with self._changed:
            return [each for each in self._connections if len(each.raw) > each.reported]

    @property
    def raw(self):
        """All bytes since the last clear()."""
        return b"".join(bytes(each.raw[each.reported :]) for each in self.connections)

    def wait_until(self, holds, at_most_s=WAIT_S):
        """Whether the condition came to hold; looked at whenever something arrives or ends."""
        until = time.monotonic() + at_most_s
        with self._changed:
            while not holds():
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return bool(holds())
            return True

    def _accept(self):
        while True:
            try:
                made, _ = self._listener.accept()
            except OSError:
                return
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(made)
            with self._changed:
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while self._serve_one(connection):
                pass
        except (OSError, ValueError):
            pass  # reset, or bytes that are no request: the connection is over either way
        connection.socket.close()
        with self._changed:
            connection.ended = True
            self._changed.notify_all()

    def _serve_one(self, connection):
        request, early = None, None
        while request is None:
            with self._changed:
                request = self._take(connection)
                begun = None if request else self._begun(connection)
            if begun and early is None:
                early = self.early(begun)
                if early and not self._say(connection, early):
                    return False
            if request is None and not self._receive(connection):
                return False
        if early:
            return True
        answer = echo if request.target == "/readyz" else self.answer
        return self._say(connection, answer(request))

    def _receive(self, connection):
        data = connection.socket.recv(PIECE_BYTES)
        with self._changed:
            connection.raw += data
            self._changed.notify_all()
        return bool(data)

    def _begun(self, connection):
        """The request whose head is there and whose body is not."""
        end = HEAD_END.search(connection.raw, connection.read)
        return Request(connection, bytes(connection.raw[connection.read : end.end()])) if end else None

    def _take(self, connection):
        """The next whole request, if there is one; then it counts as read."""
        raw, begin = connection.raw, connection.read
        begun = self._begun(connection)
        found = begun and _body_end(raw, begin + len(begun.head), begun.head)
        if not found:
            return None
        begun.body, end = found
        if begun.target == "/readyz":
            del raw[begin:end]
            return begun
        connection.read = end
        self._requests.append(begun)
        self._changed.notify_all()
        return begun

    @staticmethod
    def _say(connection, answer):
        """False: the connection is over."""
        return all(connection.send(piece) for piece in answer.pieces) and not answer.close
