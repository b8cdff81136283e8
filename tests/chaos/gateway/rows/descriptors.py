"""No descriptor is left: those who are connected are served, the others wait or are told so; nothing spins;
and as soon as there is room, all is well.
"""

import asyncio

import wire
from ground import most_connections
from open_load import Load
from programs import wait_until

TITLE = "file descriptors run out"
NOFILE = 256
SERVED = 16
CPU_MAX = 0.1
RECOVERED_MAX_S = 2.0


async def newcomer(port, leave, outcomes):
    """Comes, asks, and stays connected until all may leave."""
    try:
        connection = await wire.Connection.open(port, wait_s=5)
        try:
            status, _, _ = await connection.ask(wire.get(), wait_s=60)
            outcomes.append(status)
            await leave.wait()
        finally:
            connection.close()
    except wire.Failed as problem:
        outcomes.append(str(problem))


async def run(ground):
    most_connections(2 * NOFILE)
    origins = await ground.origins(1)
    gateway = await ground.gateway(origins, nofile=NOFILE)
    load = Load(gateway.port, 100, connections=SERVED, most=SERVED)
    outcomes, leave = [], asyncio.Event()
    async with load.running():
        await asyncio.sleep(1)
        ground.inject(f"{2 * NOFILE} more connect, and {NOFILE} descriptors are all that it may have")
        crowd = [asyncio.create_task(newcomer(gateway.port, leave, outcomes)) for _ in range(2 * NOFILE)]

        async def exhausted():
            return gateway.descriptors() >= NOFILE - 2

        await wait_until(exhausted, "all descriptors are in use", 10)
        await asyncio.sleep(ground.seconds(10, 3))
    ground.check_none("requests of those who were connected that failed", load.failures)
    served = outcomes.count(200)
    told = [each for each in outcomes if each not in (200, 503) and "closed" not in str(each)]
    waiting = len(crowd) - len(outcomes)
    ground.measured("newcomers that were served", served)
    ground.measured("newcomers that wait", waiting)
    ground.measured("newcomers that were refused", len(outcomes) - served)
    ground.check_none("newcomers that got anything but an answer, 503 or an end", told)
    share = await gateway.cpu_share(ground.pick(3, 1))
    ground.measured("CPU of a core, while it is full and nobody asks", 100 * share, "%")
    ground.check_most("CPU of a core, while it is full and nobody asks", share, CPU_MAX)
    ground.inject("those who were served leave")
    begun = asyncio.get_running_loop().time()
    leave.set()
    await asyncio.wait(crowd)
    took = asyncio.get_running_loop().time() - begun
    late = outcomes[-waiting:] if waiting else []
    ground.check_none("who waited and is not served now", [each for each in late if each != 200])
    ground.measured("all who waited are served after", took, "s")
    ground.check_most("all who waited are served after", took, RECOVERED_MAX_S, "s")
    after = await Load(gateway.port, 100).run(1)
    ground.check_none("requests that failed afterwards", after.failures)
