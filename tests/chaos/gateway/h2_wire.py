"""The first request of an HTTP/2 connection, by hand: all that an idle one needs to have done."""

import asyncio

import wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def request_fields(target=b"/v1/jobs", host=b"edge.example"):
    """HPACK: GET and http from the static table, the others literal and not indexed."""
    path = b"\x04" + bytes([len(target)]) + target
    authority = b"\x01" + bytes([len(host)]) + host
    return b"\x82\x86" + path + authority


class H2Connection(asyncio.Protocol):
    def __init__(self):
        self.transport = None
        self._got = bytearray()
        self._ended = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, port, secured=None):
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(cls, wire.HOST, port, ssl=secured)
        return (await asyncio.wait_for(opening, wire.WAIT_S))[1]

    def connection_made(self, transport):
        self.transport = transport
        transport.write(PREFACE + frame(SETTINGS, 0, 0))

    def connection_lost(self, problem):
        if not self._ended.done():
            self._ended.set_exception(wire.Failed(f"closed: {problem}"))

    def data_received(self, data):
        self._got += data
        while len(self._got) >= 9:
            length = int.from_bytes(self._got[:3], "big")
            if len(self._got) < 9 + length:
                return
            kind, flags = self._got[3], self._got[4]
            stream = int.from_bytes(self._got[5:9], "big")
            payload = bytes(self._got[9 : 9 + length])
            del self._got[: 9 + length]
            self._take(kind, flags, stream, payload)

    def _take(self, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK:
            self.transport.write(frame(SETTINGS, ACK, 0))
        elif kind == HEADERS and payload[:1] != b"\x88":  # :status 200 of the static table
            self._fail(f"not 200: {payload!r}")
        elif kind == GOAWAY:
            self._fail("GOAWAY")
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM and not self._ended.done():
            self._ended.set_result(200)

    def _fail(self, what):
        if not self._ended.done():
            self._ended.set_exception(wire.Failed(what))

    async def first_request(self):
        self.transport.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, request_fields()))
        return await asyncio.wait_for(self._ended, wire.WAIT_S)

    def close(self):
        self.transport.abort()
