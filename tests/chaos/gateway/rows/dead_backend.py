"""One of three instances dies, in each way that one can; then all of them fail.

Counted: idempotent requests that failed, and how many requests instances got for those of clients.
"""

import asyncio
import functools
import signal

import wire
from open_load import Load
from programs import wait_until

TITLE = "one of three instances dead, and all of them"
ROUTE = "hedge_after_ms: 100"
FAILED_MAX = 1
AMPLIFICATION_MAX = 1.2


async def kill(origin):
    await origin.kill()


async def stop(origin):
    origin.signal(signal.SIGSTOP)


async def silence(origin):
    await origin.set(mode="silent")


async def lose(origin):
    """What is sent to it gets lost: no answer, no connection; but its admin listener says yes."""
    await silence(origin)
    origin.signal(signal.SIGUSR1)
    for _ in range(4):  # its queue is full after that
        asyncio.ensure_future(swallow(origin.port))


async def swallow(port):
    try:
        await wire.Connection.open(port, wait_s=60)
    except wire.Failed:
        pass


async def break_off(origin):
    await origin.set(mode="break")


DEATHS = {
    "is killed": kill,
    "stands still": stop,
    "takes requests and never answers": silence,
    "loses all packets": lose,
    "closes whenever it is asked": break_off,
}
FAILURES = {"say 503": {"mode": "fail"}, "close": {"mode": "break"}, "never answer": {"mode": "silent"}}


async def counted(origins):
    return sum([await each.requests() for each in origins])


async def one_dies(ground, how, act):
    origins = await ground.origins(3)
    for each in origins:
        await each.set(delay_ms=10)
    gateway = await ground.gateway(origins, route=ROUTE)
    load = Load(gateway.port, ground.pick(400, 60), connections=16)
    async with load.running():
        await asyncio.sleep(1)
        dead_got = await origins[2].requests()
        ground.inject(f"one of three {how}")
        await act(origins[2])
        await asyncio.sleep(ground.seconds(10, 3))
    if act not in (kill, stop):
        dead_got = await origins[2].requests()
    got = await counted(origins[:2]) + dead_got
    ground.measured(f"{how}: slowest", max(load.times_s) * 1e3, "ms")
    ok = len(load.failures) <= FAILED_MAX
    failed = f"{len(load.failures)} of {load.sent}"
    ground.check(f"{how}: {failed} failed, at most {FAILED_MAX}", ok, load.some_failures())
    what = f"{how}: requests at instances for one of a client's"
    ground.check_most(what, got / load.sent, AMPLIFICATION_MAX)


async def all_fail(ground, how, given):
    origins = await ground.origins(3)
    gateway = await ground.gateway(origins, route=ROUTE.replace("100", "20"), deadline_ms=1000)
    before = await Load(gateway.port, ground.pick(400, 60), connections=16).run(1)
    ground.check_none(f"before all {how}: failures", before.failures)
    ground.inject(f"all {how}")
    for each in origins:
        await each.set(**given)
    already = await counted(origins)
    load = await Load(gateway.port, ground.pick(400, 60)).run(ground.seconds(5, 3))
    got = await counted(origins) - already
    ground.measured(f"all {how}: answered with 200", load.statuses[200])
    ground.check(f"all {how}: each is told so", load.statuses.total() == load.sent, load.some_failures())
    what = f"all {how}: requests at instances for one of a client's"
    ground.check_most(what, got / load.sent, AMPLIFICATION_MAX)
    for each in origins:
        await each.set(mode="answer")
    ground.inject("all are well again")

    async def recovered():
        return (await wire.once(gateway.port, wire.get()))[0] == 200

    begun = asyncio.get_running_loop().time()
    await wait_until(recovered, "an answer", 30)
    ground.measured(f"all {how}: answers again after", asyncio.get_running_loop().time() - begun, "s")


async def run(ground):
    await ground.all_of(functools.partial(one_dies, ground, *each) for each in DEATHS.items())
    await ground.all_of(functools.partial(all_fail, ground, *each) for each in FAILURES.items())
