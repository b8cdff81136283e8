"""HTTP/1.1 as a client speaks it, with as little work a request as Python allows."""

import asyncio
import ssl

HOST = "127.0.0.1"
WAIT_S = 15.0


class Failed(Exception):
    """What a client sees go wrong."""


class Connection(asyncio.Protocol):
    """One exchange at a time."""

    def __init__(self):
        self.transport = None
        self.usable = False
        self.asked = 0
        self._got = bytearray()
        self._answer = None
        self._room = asyncio.Event()
        self._room.set()

    @classmethod
    async def open(cls, port, secured=None, wait_s=WAIT_S):
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(cls, HOST, port, ssl=secured)
        try:
            _, made = await asyncio.wait_for(opening, wait_s)
        except (OSError, asyncio.TimeoutError, ssl.SSLError) as problem:
            raise Failed(f"no connection: {type(problem).__name__} {problem}") from problem
        return made

    def connection_made(self, transport):
        self.transport = transport
        self.usable = True

    def connection_lost(self, problem):
        self.usable = False
        self._room.set()
        if self._answer and not self._answer.done():
            said = f"{len(self._got)} bytes of an answer" if self._got else "no answer"
            why = f"closed ({problem or 'EOF'}) with {said}, after {self.asked - 1} others on it"
            self._answer.set_exception(Failed(why))

    def pause_writing(self):
        self._room.clear()

    def resume_writing(self):
        self._room.set()

    def data_received(self, data):
        self._got += data
        if self._answer is None or self._answer.done():
            return
        found = parse(self._got)
        if found:
            self._got.clear()
            self.usable = self.usable and b"\r\nconnection: close" not in found[1].lower()
            self._answer.set_result(found)

    def begin(self, data):
        """Sends (a part of) a request. Returns the future of its answer; answered() waits for it."""
        if not self.usable:
            raise Failed("closed before the request")
        self._answer = asyncio.get_running_loop().create_future()
        self.asked += 1
        self.transport.write(data)
        return self._answer

    async def write(self, data):
        """More of the body. Nothing when the answer has come, or the connection is gone."""
        if not self._answer.done():
            self.transport.write(data)
            await self._room.wait()

    async def answered(self, wait_s=WAIT_S):
        """(status, head, body)"""
        try:
            return await asyncio.wait_for(self._answer, wait_s)
        except asyncio.TimeoutError as problem:
            self.close()
            raise Failed(f"no answer in {wait_s:.0f} s") from problem

    async def ask(self, data, wait_s=WAIT_S):
        self.begin(data)
        return await self.answered(wait_s)

    def fail(self, why):
        """Whoever waits for the answer is told so."""
        if not self._answer.done():
            self._answer.set_exception(Failed(why))
        self.close()

    def close(self):
        self.usable = False
        self.transport.abort()


def parse(got):
    """(status, head, body) of a whole answer that says its length; else nothing."""
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(got[: end + 2])
    fields = head.lower()
    at = fields.find(b"\r\ncontent-length:")
    length = int(fields[at + 17 : fields.find(b"\r\n", at + 2)]) if at >= 0 else 0
    if len(got) < end + 4 + length:
        return None
    return int(head[9:12]), head, bytes(got[end + 4 : end + 4 + length])


def get(target="/v1/jobs"):
    return f"GET {target} HTTP/1.1\r\nHost: edge.example\r\n\r\n".encode()


def post(body, target="/v1/jobs"):
    head = f"POST {target} HTTP/1.1\r\nHost: edge.example\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def once(port, data, wait_s=WAIT_S):
    """On a connection of its own."""
    connection = await Connection.open(port, wait_s=wait_s)
    try:
        return await connection.ask(data, wait_s)
    finally:
        connection.close()
