#!/usr/bin/env python3
"""A service behind the gateway: answers, hashes what is uploaded to it, and leaves politely.

    origin.py PORT NAME        (its admin listener: the port after it)

Any request is answered with its name, the number of body bytes and their SHA-256; .../large/N with so many
bytes. On the admin listener: /readyz, /counts, and /set/NAME/VALUE for

    delay_ms   before an answer
    mode       answer | silent (takes a request and never answers) | break (takes it and closes) |
               fail (503)
    ready      1 | 0

SIGTERM: not ready; a while after somebody has heard of that "closed" on the standard output and
nothing new is accepted; when the last exchange is over it ends. SIGUSR1: accepts nothing more, so that packets to its port are lost
once the queue of connections is full; /readyz goes on saying yes.
"""

import asyncio
import contextlib
import hashlib
import json
import resource
import signal
import socket
import sys

PIECE_BYTES = 65536
PIECE = b"x" * PIECE_BYTES
ACTED_ON_AFTER_S, HEARD_WITHIN_S = 1.0, 10.0
BACKLOG = 1024


class Origin:
    def __init__(self, name):
        self.name = name
        self.delay_s = 0.0
        self.mode = "answer"
        self.ready = True
        self.leaving = False
        self.heard_not_ready = asyncio.Event()
        self.requests = 0
        self.under_way = 0
        self.idle = set()

    def set(self, name, value):
        if name == "delay_ms":
            self.delay_s = float(value) / 1000
        elif name == "ready":
            self.ready = value == "1"
        else:
            self.mode = value

    async def serve(self, reader, writer):
        try:
            while True:
                self.idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self.idle.discard(writer)
                if not await self.exchange(head, reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it went
        finally:
            self.idle.discard(writer)
            writer.transport.abort() if self.mode == "break" else writer.close()

    async def exchange(self, head, reader, writer):
        """Whether the connection goes on."""
        self.requests += 1
        self.under_way += 1
        try:
            if self.mode == "break":
                return False
            digest, size = await read_body(head, reader)
            if self.mode == "silent":
                await reader.read(1)  # until it goes
                return False
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            target = head.split(b" ", 2)[1]
            if b"/large/" in target:
                await answer_large(writer, int(target.rpartition(b"/")[2]))
                return True
            told = {"origin": self.name, "bytes": size, "sha256": digest}
            body = json.dumps(told).encode()
            status = b"503 Service Unavailable" if self.mode == "fail" else b"200 OK"
            leaving = b"Connection: close\r\n" if self.leaving else b""
            writer.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
                % (status, len(body), leaving, body)
            )
            await writer.drain()
            return not leaving
        finally:
            self.under_way -= 1

    async def administer(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                status, told = (200 if self.ready else 503), {"ready": self.ready}
                if target.startswith("/set/"):
                    self.set(*target.removeprefix("/set/").split("/"))
                    status = 200
                elif target == "/counts":
                    status, told = 200, {"requests": self.requests}
                elif not self.ready:
                    self.heard_not_ready.set()
                body = json.dumps(told).encode()
                writer.write(
                    b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def answer_large(writer, size):
    """Piece by piece, as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    for at in range(0, size, PIECE_BYTES):
        writer.write(PIECE[: size - at])
        await writer.drain()


async def read_body(head, reader):
    """(SHA-256 of it, how many bytes)"""
    fields = head.lower()
    found, size = hashlib.sha256(), 0
    if b"\r\ntransfer-encoding:" in fields:
        while count := int(await reader.readuntil(b"\r\n"), 16):
            found.update(await reader.readexactly(count))
            size += count
            await reader.readexactly(2)
        await reader.readexactly(2)
    elif b"\r\ncontent-length:" in fields:
        left = int(fields.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        while left:
            piece = await reader.read(min(left, PIECE_BYTES))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            found.update(piece)
            size += len(piece)
            left -= len(piece)
    return found.hexdigest(), size


def listening(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(BACKLOG)
    return made


async def main(port, name):
    loop = asyncio.get_running_loop()
    origin, asked_to_leave = Origin(name), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked_to_leave.set)
    main_socket = listening(port)
    service = await asyncio.start_server(origin.serve, sock=main_socket)
    admin = await asyncio.start_server(origin.administer, sock=listening(port + 1))

    def fall_silent():
        loop.remove_reader(main_socket.fileno())
        main_socket.listen(0)

    loop.add_signal_handler(signal.SIGUSR1, fall_silent)
    print("listening", flush=True)
    await asked_to_leave.wait()
    origin.ready, origin.leaving = False, True
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(origin.heard_not_ready.wait(), HEARD_WITHIN_S)
    await asyncio.sleep(ACTED_ON_AFTER_S)
    service.close()
    admin.close()
    print("closed", flush=True)
    while origin.under_way or origin.idle:
        for each in list(origin.idle):
            each.close()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
