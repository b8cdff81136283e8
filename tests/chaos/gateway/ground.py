"""What a row gets: origins and gateways of its own, checks, and figures."""

import asyncio
import contextlib
import os
import random
import resource
import socket

from programs import Gateway, Origin
from report import Report

# Below what the kernel gives to clients: a port that is free for a moment stays so.
PORTS = os.environ.get("RELAIS_CHAOS_PORTS", "20000-31999")


def free_pair(taken):
    """Two ports, one after the other."""
    first, last = map(int, PORTS.split("-"))
    while True:
        port = random.randrange(first, last, 2)
        if port in taken:
            continue
        try:
            for each in (port, port + 1):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", each))
        except OSError:
            continue
        taken.add(port)
        return port


class Ground(Report):
    """One run of one row."""

    def __init__(self, row, folder, given, quiet):
        super().__init__(row, quiet)
        self.folder = folder
        self.short = given.short
        self._seconds = given.seconds
        self._taken = set()
        self._ending = contextlib.AsyncExitStack()
        self.gateways = []

    def seconds(self, long, short):
        """How long what is measured takes: as asked for, or the row's own."""
        return self._seconds or (short if self.short else long)

    def pick(self, long, short):
        return short if self.short else long

    def check_most(self, what, value, most, unit=""):
        """A bar: the value may be at most this."""
        told = f"{value:.4g} {unit}".strip()
        return self.check(f"{what}: {told}, at most {most:.4g}", value <= most)

    def check_none(self, what, failures):
        shown = "; ".join(dict.fromkeys(map(str, failures[:200])))
        return self.check(f"{what}: none", not failures, f"{len(failures)}: {shown[:600]}")

    async def all_of(self, works):
        """Each in turn, with a ground of its own; at once when it has to be short."""
        works = list(works)
        if self.short:
            await asyncio.gather(*[work() for work in works])
            return
        for work in works:
            await work()
            await self.end_all()

    async def origins(self, count):
        made = [Origin(f"origin-{i}", free_pair(self._taken)) for i in range(count)]
        for each in made:
            self._ending.push_async_callback(each.end)
            await each.start()
        return made

    async def gateway(self, origins, **what):
        made = Gateway(self.folder, free_pair(self._taken), origins, **what)
        self.gateways.append(made)
        await made.start()
        self._ending.push_async_callback(made.end)
        await made.wait_ready()
        return made

    def free_port(self):
        return free_pair(self._taken)

    async def end_all(self):
        """What runs ends; a row may go on with others."""
        await self._ending.aclose()
        self._taken.clear()
        complaints = [line for each in self.gateways for line in each.complaints()]
        if complaints:
            self.check_none("complaints of sanitizers", complaints)


def most_connections(wanted):
    """So many as the machine allows a process to have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - 200)
