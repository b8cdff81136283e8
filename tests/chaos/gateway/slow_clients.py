#!/usr/bin/env python3
"""Clients that take their time, as a program of its own: it must not slow down who measures.

    slow_clients.py PORT COUNT KIND     KIND: heads | bodies | readers | connections

Opens COUNT connections and keeps as many: whoever is shown out comes back. Says "open" when all have been
opened, then ends with its standard input; and says how many were shown out. As slowhttptest does,
each sends some bytes every ten seconds (reads some, a reader).
"""

import asyncio
import random
import resource
import socket
import sys

EVERY_S = 10.0
AT_A_TIME = 100
LARGE = 1_000_000
HEAD = b"GET /slow HTTP/1.1\r\nHost: edge.example\r\n"
BODY = b"POST /slow HTTP/1.1\r\nHost: edge.example\r\nContent-Length: 1000000\r\n\r\n"
READ = b"GET /slow/large/%d HTTP/1.1\r\nHost: edge.example\r\n\r\n" % LARGE
FIRST = {"heads": HEAD, "bodies": BODY, "readers": READ, "connections": b""}
NEXT = {"heads": b"X-A: b\r\n", "bodies": b"x" * 16}


class Crowd:
    def __init__(self, port, count, kind):
        self.port, self.count, self.kind = port, count, kind
        self.shown_out = 0
        self.opened = 0
        self.all_open = asyncio.Event()
        self.doors = asyncio.Semaphore(AT_A_TIME)

    async def one(self):
        loop = asyncio.get_running_loop()
        while True:
            made = socket.socket()
            made.setblocking(False)
            if self.kind == "readers":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                async with self.doors:
                    await loop.sock_connect(made, ("127.0.0.1", self.port))
                    await loop.sock_sendall(made, FIRST[self.kind])
                self.opened += 1
                if self.opened == self.count:
                    self.all_open.set()
                await self.dawdle(loop, made)
            except OSError:
                pass
            made.close()
            self.shown_out += 1
            await asyncio.sleep(random.random())

    async def dawdle(self, loop, made):
        """Until the server has had enough."""
        await asyncio.sleep(random.random() * EVERY_S)
        while True:
            if self.kind in NEXT:
                await loop.sock_sendall(made, NEXT[self.kind])
            if self.kind == "readers":
                if not await loop.sock_recv(made, 512):
                    return
            elif closed(made):
                return
            await asyncio.sleep(EVERY_S)


def closed(made):
    """Whether there is an end to read; what else comes is read, too."""
    try:
        while made.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False


async def main(port, count, kind):
    crowd = Crowd(port, count, kind)
    tasks = [asyncio.create_task(crowd.one()) for _ in range(count)]
    await crowd.all_open.wait()
    print("open", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()
    for each in tasks:
        each.cancel()
    print(crowd.shown_out, flush=True)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
