"""Thousands of clients that take their time do not slow down the others, and cost little memory.

The others' p99 is measured in turn without and with them, when all are connected and have begun to be
slow; what counts is the median of the ratios.
"""

import asyncio
import contextlib
import functools
import pathlib
import statistics
import sys

from ground import most_connections
from open_load import Load
from programs import start

TITLE = "thousands of slow clients"
PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "slow_clients.py"
SLOWER_MAX = 2.0
SETTLED_SHARE, SETTLED_WITHIN = 0.1, 60  # of a core; looks of half a second
# A service of their own, so that nobody measures how an origin made of Python stands them.
OF_THE_CROWD = """
upstream {{
  name: "crowd" url_variable: "CROWD" default_url: "http://127.0.0.1:{port}" admin_port_offset: 1
  requests_max: 10000
}}
route {{
  prefix: "/slow" upstream: "crowd" credentials: CREDENTIALS_FORWARD
  deadline_ms: 60000 body_max_bytes: 1000000000
}}
"""
# Of the process, a slow client. A reader's answer and a body wait in buffers of 64 KiB at most, a head in
# one of 16.
BYTES_MAX = {"heads": 20_000, "bodies": 160_000, "readers": 160_000, "connections": 12_000}


@contextlib.asynccontextmanager
async def crowd(ground, port, count, kind):
    command = [sys.executable, str(PROGRAM), str(port), str(count), kind]
    process = await start(command, None, asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE)
    said = await asyncio.wait_for(process.stdout.readline(), 60)
    if said.strip() != b"open":
        raise RuntimeError(f"the slow clients said {said!r}")
    try:
        yield
    finally:
        process.stdin.close()
        shown_out = await asyncio.wait_for(process.stdout.readline(), 60)
        await process.wait()
        ground.say(f"            {int(shown_out or 0)} of them were shown out meanwhile")


async def has_settled(gateway):
    """Readers are given at first what buffers hold, as fast as anybody; what is slow comes then."""
    for _ in range(SETTLED_WITHIN):
        if await gateway.cpu_share(0.5) < SETTLED_SHARE:
            return


async def beside_each_other(ground, gateway, kind, count):
    """Turns without and with the crowd; gives the p99s of each, bytes a slow client, and failures."""
    rate, seconds = ground.pick(300, 50), ground.seconds(5, 2)
    alone, beside, failures, bytes_each = [], [], [], 0

    async def turn(found):
        load = await Load(gateway.port, rate, connections=16).run(seconds)
        found.append(load.p99_ms())
        failures.extend(load.failures)

    for _ in range(ground.pick(5, 1)):
        await turn(alone)
        before = gateway.memory_bytes()
        async with crowd(ground, gateway.port, count, kind):
            await has_settled(gateway)
            await turn(beside)
            bytes_each = max(bytes_each, (gateway.memory_bytes() - before) / count)
        await has_settled(gateway)
    return alone, beside, bytes_each, failures


async def measure(ground, kind, count):
    origins = await ground.origins(1)
    others = (await ground.origins(1))[0]
    more = OF_THE_CROWD.format(port=others.port)
    gateway = await ground.gateway(origins, more=more)
    await Load(gateway.port, 100, connections=16).run(1)
    ground.inject(f"{count} slow clients: {kind}")
    alone, beside, bytes_each, failures = await beside_each_other(ground, gateway, kind, count)
    ground.measured(f"{kind}: p99 alone", statistics.median(alone), "ms")
    ground.measured(f"{kind}: p99 beside them", statistics.median(beside), "ms")
    ground.measured(f"{kind}: bytes a slow client", bytes_each)
    ground.check_none(f"{kind}: requests of others that failed", failures)
    ratio = statistics.median(b / a for a, b in zip(alone, beside))
    most = ground.pick(SLOWER_MAX, 5 * SLOWER_MAX)
    ground.check_most(f"{kind}: p99 beside that alone", ratio, most, "times")
    ground.check_most(f"{kind}: bytes a slow client takes", bytes_each, ground.pick(1, 4) * BYTES_MAX[kind])


async def run(ground):
    count = most_connections(ground.pick(5_000, 300))
    await ground.all_of(functools.partial(measure, ground, kind, count) for kind in BYTES_MAX)
