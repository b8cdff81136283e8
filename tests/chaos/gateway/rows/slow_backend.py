"""One of three instances answers ten times slower: it gets what little it can do, nobody waits for it.

Two gateways take turns, one with the two healthy instances, one with all three; what counts is the median
of the ratios.
"""

import statistics

from open_load import Load

TITLE = "one of three instances ten times slower"
USUAL_MS, SLOW_MS = 10, 100
SLOWER_MAX = 1.5


async def run(ground):
    origins = await ground.origins(3)
    for each, delay in zip(origins, (USUAL_MS, USUAL_MS, SLOW_MS)):
        await each.set(delay_ms=delay)
    two = await ground.gateway(origins[:2])
    three = await ground.gateway(origins)
    rate, seconds = ground.pick(400, 150), ground.seconds(8, 2)
    ground.inject(f"{origins[2].name} takes {SLOW_MS} ms, the others {USUAL_MS}")
    for each in (two, three):  # it has to find out
        await Load(each.port, rate, connections=16).run(1)
    p99, failures, asked = {two: [], three: []}, [], 0
    slow_before = await origins[2].requests()
    for _ in range(ground.pick(7, 2)):
        for each, found in p99.items():
            load = await Load(each.port, rate, connections=16).run(seconds)
            found.append(load.p99_ms())
            failures += load.failures
            asked += load.sent if each is three else 0
    ground.measured("p99 with two", statistics.median(p99[two]), "ms")
    ground.measured("p99 with the slow one", statistics.median(p99[three]), "ms")
    share = (await origins[2].requests() - slow_before) / asked
    ground.measured("requests to the slow one", 100 * share, "%")
    ground.check_none("requests that failed", failures)
    most = ground.pick(SLOWER_MAX, 2 * SLOWER_MAX)
    ratio = statistics.median(b / a for a, b in zip(p99[two], p99[three]))
    ground.check_most("p99 beside that of two", ratio, most, "times")
