"""Requests that come when they are due, whether or not earlier ones have been answered."""

import asyncio
import collections
import contextlib
import time

import wire

TURN_S = 0.002  # what is due is sent this often
SHOWN = 5


def percentile(values, share):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Load:
    """So many requests a second to a port, over as many kept connections as it takes.

    A request's time runs from when it was due: a client that was held up holds nothing back.
    `failures` says what clients saw that was no 200.
    """

    def __init__(self, port, per_second, make=lambda number: wire.get(), wait_s=wire.WAIT_S,
                 connections=0, more=True):
        """`make(number)` gives a request. connections: opened at the start; `more`: and as many more
        as it takes, else whoever finds none free waits for one."""
        self._port = port
        self._per_second = per_second
        self._make = make
        self._wait_s = wait_s
        self._open_first = connections
        self._more = more
        self._freed = asyncio.Condition()
        self._idle = collections.deque()
        self._under_way = set()
        self._stopped = False
        self.opened = 0
        self.sent = 0
        self.times_s = []
        self.statuses = collections.Counter()
        self.failures = []
        self.failed_at = []

    @contextlib.asynccontextmanager
    async def running(self):
        for _ in range(self._open_first):
            self._idle.append(await self._open())
        running = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._stopped = True
            await running
            if self._under_way:
                await asyncio.wait(self._under_way)
            for each in self._idle:
                each.close()

    async def run(self, seconds):
        async with self.running():
            await asyncio.sleep(seconds)
        return self

    def p99_ms(self):
        return percentile(self.times_s, 0.99) * 1e3

    def some_failures(self):
        kinds = collections.Counter(self.failures)
        return "; ".join(f"{count}x {what}" for what, count in kinds.most_common(SHOWN))

    async def _run(self):
        begun = time.perf_counter()
        while not self._stopped:
            passed = time.perf_counter() - begun
            while self.sent < passed * self._per_second:
                due = begun + self.sent / self._per_second
                self.sent += 1
                work = asyncio.create_task(self._one(due))
                self._under_way.add(work)
                work.add_done_callback(self._under_way.discard)
            await asyncio.sleep(TURN_S)

    async def _open(self):
        self.opened += 1
        return await wire.Connection.open(self._port, wait_s=self._wait_s)

    async def _take(self):
        """The connection that waits longest: each one is used in turn, and hears that it ends."""
        while True:
            while self._idle:
                found = self._idle.popleft()
                if found.usable:
                    return found
            if self._more:
                return await self._open()
            async with self._freed:
                await self._freed.wait()

    async def _one(self, due):
        number = self.sent
        try:
            connection = await self._take()
            status, _, body = await connection.ask(self._make(number), self._wait_s)
        except wire.Failed as problem:
            self._fail(str(problem))
            return
        self.statuses[status] += 1
        if status == 200:
            self.times_s.append(time.perf_counter() - due)
        else:
            self._fail(f"{status} {body[:160]!r}")
        if connection.usable:
            self._idle.append(connection)
            async with self._freed:
                self._freed.notify()
        else:
            connection.transport.close()

    def _fail(self, what):
        self.failures.append(what)
        self.failed_at.append(time.monotonic())
