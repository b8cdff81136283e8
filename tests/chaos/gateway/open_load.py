"""Requests that come when they are due, whether or not earlier ones have been answered."""

import asyncio
import collections
import contextlib
import functools
import time

import wire

TURN_S = 0.002  # what is due is sent this often
CONNECTIONS_MAX = 256
SHOWN = 5


def percentile(values, share):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Load:
    """So many requests a second to a port, over as many kept connections as it takes, each used in
    turn, so that it hears of its end.

    A request's time runs from when it was due: a client that was held up holds nothing back.
    `failures` says what clients saw that was no 200.
    """

    def __init__(self, port, per_second, make=lambda number: wire.get(), wait_s=wire.WAIT_S,
                 connections=0, most=CONNECTIONS_MAX):
        """`make(number)` gives a request. connections: opened at the start; most: at a time, whoever
        finds none free then waits for one."""
        self._port = port
        self._per_second = per_second
        self._make = make
        self._wait_s = wait_s
        self._open_first = connections
        self._most = most
        self._idle = collections.deque()
        self._waiting = collections.deque()  # when due, and number
        self._under_way = {}  # connection: since when
        self._opening = set()
        self._stopped = False
        self.sent = 0
        self.times_s = []
        self.statuses = collections.Counter()
        self.failures = []

    @contextlib.asynccontextmanager
    async def running(self):
        for _ in range(self._open_first):
            self._idle.append(await wire.Connection.open(self._port))
        running = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._stopped = True
            await running
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
        begun = looked = time.perf_counter()
        while not self._stopped or self._under_way or self._waiting or self._opening:
            now = time.perf_counter()
            while not self._stopped and self.sent < (now - begun) * self._per_second:
                due = begun + self.sent / self._per_second
                self.sent += 1
                self._waiting.append((due, self.sent))
            self._serve()
            if now - looked > 1:
                looked = now
                self._end_overdue(now)
            await asyncio.sleep(TURN_S)

    def _serve(self):
        """Whoever waits gets a connection that is free; new ones are opened for the rest."""
        while self._waiting and self._idle:
            connection = self._idle.popleft()
            if connection.usable:
                self._begin(connection, *self._waiting.popleft())
        wanted = len(self._waiting) - len(self._opening)
        free = self._most - len(self._under_way) - len(self._opening)
        for _ in range(min(wanted, free)):
            work = asyncio.create_task(self._open())
            self._opening.add(work)
            work.add_done_callback(self._opening.discard)

    async def _open(self):
        try:
            self._idle.append(await wire.Connection.open(self._port, wait_s=self._wait_s))
        except wire.Failed as problem:
            if self._waiting:
                self._waiting.popleft()
            self.failures.append(str(problem))
        self._serve()

    def _begin(self, connection, due, number):
        self._under_way[connection] = time.perf_counter()
        answer = connection.begin(self._make(number))
        answer.add_done_callback(functools.partial(self._ended, connection, due))

    def _ended(self, connection, due, answer):
        del self._under_way[connection]
        if problem := answer.exception():
            self.failures.append(str(problem))
            return
        status, _, body = answer.result()
        self.statuses[status] += 1
        if status == 200:
            self.times_s.append(time.perf_counter() - due)
        else:
            self.failures.append(f"{status} {body[:160]!r}")
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.transport.close()

    def _end_overdue(self, now):
        for connection, since in list(self._under_way.items()):
            if now - since > self._wait_s:
                connection.fail(f"no answer in {self._wait_s:.0f} s")
