"""Rolling restarts of everything under load: no client sees one.

The gateway by takeover, the origins with a drain. A request that gets anything but its 200 is an error,
also one on a kept connection that closes under it; an upload must arrive as it was sent.
"""

import asyncio

from open_load import Load
from streams import Uploads
import wire

TITLE = "rolling restarts of the gateway and of what is behind it"
BODY = b"{" + b" " * 200 + b"}"


def mixed(number):
    """Every fifth may not be sent twice."""
    return wire.post(BODY) if number % 5 == 0 else wire.get()


async def restart_gateway(ground, gateway, times, pause_s):
    for _ in range(times):
        await asyncio.sleep(pause_s)
        await gateway.takeover()
        ground.inject("the gateway is taken over")


async def restart_origins(ground, origins, times, pause_s):
    for _ in range(times):
        for each in origins:
            await asyncio.sleep(pause_s)
            await each.restart()
            ground.inject(f"{each.name} restarted")


async def run(ground):
    seconds = ground.seconds(60, 5)
    times = ground.pick(10, 2)
    origins = await ground.origins(3)
    gateway = await ground.gateway(origins)
    load = Load(gateway.port, ground.pick(1000, 150), mixed, connections=32)
    uploads = Uploads(gateway.port, ground.pick(50, 8), seconds)
    async with load.running(), uploads:
        await asyncio.gather(
            restart_gateway(ground, gateway, times, seconds / times * 0.8),
            restart_origins(ground, origins, 1 if ground.short else times, 0.5),
        )
        await asyncio.sleep(1)
    ground.measured("requests", load.sent)
    ground.measured("uploads", uploads.whole)
    ground.measured("uploaded MB", uploads.bytes / 1e6)
    ground.measured("p99 of requests", load.p99_ms(), "ms")
    ground.check_none("requests that failed", load.failures)
    ground.check_none("uploads that failed or changed", uploads.failures)
    ground.check("requests were sent", load.sent > 100)
    codes = await gateway.stop()
    ground.check("each gateway ended with 0", not any(codes), str(codes))
    held = [each for each in origins[0].leaving if each.returncode is None]
    ground.check("the origins that left are gone", not held, f"{len(held)} are held")
