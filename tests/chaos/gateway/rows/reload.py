"""The configuration changes all the time, under load and with streaming uploads: nothing is dropped, and
the last one is in force.

Changed are a field of answers, a limit that nobody reaches and an upstream that comes and goes; now and
then a file comes that is refused.
"""

import asyncio
import statistics

import wire
from open_load import Load
from programs import wait_until
from streams import Uploads

TITLE = "the configuration changes ten times a second"
PER_SECOND = 10
P99_MAX = 2.0
EACH = """
response_headers {{ name: "mark" set {{ name: "X-Mark" value: "{mark}" }} }}
limit {{ name: "all" subject: LIMIT_SUBJECT_ADDRESS requests: {limit} window_s: 1 }}
{other}
"""
OTHER = 'upstream { name: "other" url_variable: "OTHER" default_url: "http://127.0.0.1:1" }'
ROUTE = 'response_headers: "mark" limit: "all"'


def configuration(number):
    if number % 7 == 3:
        return "this is none"
    other = OTHER if number % 2 else ""
    return EACH.format(mark=number, limit=100_000 + number, other=other)


async def mark_of(gateway):
    _, head, _ = await wire.once(gateway.port, wire.get())
    return head.lower().partition(b"\r\nx-mark: ")[2].partition(b"\r\n")[0].decode()


async def change(gateway, numbers, seconds):
    """Until the time is over; returns the last number, whose configuration is a good one."""
    loop = asyncio.get_running_loop()
    begun, number = loop.time(), 0
    while loop.time() < begun + seconds or number % 7 == 3:
        number = next(numbers)
        gateway.write_routes(more=configuration(number))
        gateway.reload()
        await asyncio.sleep(1 / PER_SECOND)
    return number


async def run(ground):
    seconds = ground.seconds(60, 5)
    origins = await ground.origins(2)
    for each in origins:
        await each.set(delay_ms=5)
    gateway = await ground.gateway(origins, more=configuration(0), route=ROUTE)
    rate, turns = ground.pick(500, 120), ground.pick(6, 2)
    numbers = iter(range(1, 1_000_000))
    uploads = Uploads(gateway.port, ground.pick(20, 6), seconds / 2)
    still, changing, failures = [], [], []

    async def turn(found, work):
        load = Load(gateway.port, rate, connections=16)
        async with load.running():
            done = await work
        found.append(load.p99_ms())
        failures.extend(load.failures)
        return done

    async with uploads:
        for _ in range(turns):  # one without and one with changes
            await turn(still, asyncio.sleep(seconds / turns / 2))
            number = await turn(changing, change(gateway, numbers, seconds / turns))
    ground.measured("changes", number)
    ground.measured("uploads", uploads.whole)
    ground.check_none("requests that failed", failures)
    ground.check_none("uploads that failed or changed", uploads.failures)

    async def in_force():
        return await mark_of(gateway) == str(number)

    await wait_until(in_force, "the last configuration is in force", 10)
    ground.check("the last configuration is in force", True)
    ground.measured("p99 without changes", statistics.median(still), "ms")
    ground.measured("p99 with changes", statistics.median(changing), "ms")
    if not ground.short:
        ratio = statistics.median(b / a for a, b in zip(still, changing))
        ground.check_most("p99 beside that without changes", ratio, P99_MAX, "times")
