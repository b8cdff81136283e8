"""Uploads that trickle for as long as they are told, and compare what arrived with what was sent."""

import asyncio
import hashlib
import json
import random
import time

import wire

PIECE_BYTES = 8192
PAUSE_S = 0.1
PIECES = [random.Random(7).randbytes(PIECE_BYTES + i) for i in range(8)]


class Uploads:
    """So many at a time, each some seconds long, the first ones spread over that time; each is
    followed by another until stop()."""

    def __init__(self, port, count, seconds):
        self._port = port
        self._count = count
        self._seconds = seconds
        self._stopped = False
        self._tasks = []
        self.whole = 0
        self.bytes = 0
        self.failures = []

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(self._follow(i)) for i in range(self._count)]
        return self

    async def __aexit__(self, *raised):
        """Those under way are finished first."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    async def _follow(self, number):
        random_ = random.Random(number)
        while True:
            try:
                await self._one(random_, number % 2 == 0)
                self.whole += 1
            except wire.Failed as problem:
                self.failures.append(str(problem))
            if self._stopped:
                return

    async def _one(self, random_, chunked):
        pieces = [random_.choice(PIECES) for _ in range(max(1, round(self._seconds / PAUSE_S)))]
        size = sum(map(len, pieces))
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        head = f"PUT /v1/uploads/one HTTP/1.1\r\nHost: edge.example\r\n{framing}\r\n\r\n"
        connection = await wire.Connection.open(self._port)
        try:
            connection.begin(head.encode())
            sent = await self._send(connection, pieces, chunked)
            status, _, body = await connection.answered()
        finally:
            connection.close()
        if status != 200:
            raise wire.Failed(f"upload: {status} {body[:160]!r}")
        told = json.loads(body)
        if (told["bytes"], told["sha256"]) != (size, sent):
            raise wire.Failed(f"upload: {told['bytes']} of {size} bytes arrived, or other ones")
        self.bytes += size

    async def _send(self, connection, pieces, chunked):
        found = hashlib.sha256()
        begun = time.monotonic()
        for number, piece in enumerate(pieces):
            found.update(piece)
            await connection.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            await asyncio.sleep(max(0, begun + (number + 1) * PAUSE_S - time.monotonic()))
        if chunked:
            await connection.write(b"0\r\n\r\n")
        return found.hexdigest()
