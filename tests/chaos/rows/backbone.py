"""The event backbone under fire: its nodes are killed at any moment and at each failpoint, frozen for
longer than their sessions last, cut off one way, put into another hour; servers restart, crash, freeze
and have no room; slots are dropped, modes change, old records come again. Whatever happens: every
committed event takes effect exactly once, in order, or lies in the dead letters.

Nodes are those of tests/backbone on databases and a topic of their own; the verdict is
backbone_checker's, over the histories that the databases hold at the end."""

import random
import time

from backbone_checker import PROPERTIES, check, describe
from backbone_faults import Faults
from backbone_fleet import FAILPOINTS, MODES, OF_MODE, REPAIR_POINTS, ROLES, Fleet, wait_until
from backbone_ground import Ground, now_us
from backbone_history import Reader, save
from node_network import FROM_SERVER, TO_SERVER

TITLE = "everything that can happen to the event backbone"
KILLS_MIN = 100  # all of `each_once` in both modes
HEALED_S = 60  # everything committed must have taken effect by then
PROGRESS_EVERY = 25


def run(chaos):
    """In the short form one mode and each class of fault; else each fault in each mode."""
    modes = [chaos.mode] if chaos.mode else MODES[:1] if chaos.short else MODES
    kills = max(chaos.kills, 0 if chaos.short else KILLS_MIN)
    with Ground(chaos.suite, ROLES, chaos.say, chaos.short) as ground:
        for mode in modes:
            chaos.random = random.Random(f"{chaos.seed} {mode}")
            log_file = chaos.suite.state / "log" / f"backbone-nodes-{mode}.log"
            with open(log_file, "w") as log, Fleet(chaos.seed, log, mode, ground) as fleet:
                faults = Faults(chaos, fleet, ground)
                chaos.say(f"  relays     {mode}")
                fire(chaos, faults, plan_of(chaos, faults, ground, mode, kills // len(modes)))
                judge(chaos, fleet, faults, ground, mode)


def plan_of(chaos, faults, ground, mode, kills):
    """Each kind of fault at least once, the rest at random, in a random order."""
    plan = (one_of_each_class if chaos.short else each_once)(faults, ground, mode)
    often = [faults.kill] * 12 + [faults.failpoint] * 8 + [faults.freeze] * 2 + [faults.duplicate]
    seldom = [faults.lose_slot, faults.restart_server, faults.crash_server, faults.freeze_server,
              faults.change_mode]
    if ground.has_networks:
        often += [faults.lose_packets] * 4
    if ground.has_clocks:
        often += [faults.jump] * 3
    if ground.disc:
        seldom.append(faults.fill_disc)
    while len(plan) < kills:
        rare = chaos.random.random() < 0.06
        plan.append(chaos.random.choice(seldom if rare else often))
    chaos.random.shuffle(plan)
    return plan


def each_once(faults, ground, mode):
    points = [(kind, point) for kind, points in FAILPOINTS.items() for point in points]
    points += [("relay", point) for point in OF_MODE[mode]]
    plan = [lambda point=point: faults.failpoint(*point) for point in points]
    plan += [lambda kind=kind: faults.freeze(kind) for kind in ("relay", "consumer", "timers")]
    plan += [lambda point=point: faults.change_mode(point) for point in (None, *REPAIR_POINTS[1:])]
    if mode == "logical":
        plan += [lambda point=point: faults.lose_slot(point) for point in (None, *REPAIR_POINTS)]
    for server in ("postgres", "kafka"):
        for fault in (faults.restart_server, faults.crash_server, faults.freeze_server):
            plan.append(lambda fault=fault, server=server: fault(server))
        for way in (TO_SERVER, FROM_SERVER) if ground.has_networks else ():
            plan.append(lambda server=server, way=way: faults.lose_packets(server, way))
    if ground.has_clocks:
        plan += [lambda: faults.jump(True), lambda: faults.jump(False)]
    if ground.disc:
        plan.append(faults.fill_disc)
    return plan + [faults.duplicate] * 2 + [faults.kill] * 4


def one_of_each_class(faults, ground, mode):
    """Which one of a class is up to chance."""
    plan = [lambda kind=kind: faults.failpoint(kind) for kind in FAILPOINTS]
    plan += [faults.kill] * 3 + [faults.freeze, faults.duplicate, faults.restart_server]
    plan += [faults.crash_server, faults.freeze_server, faults.change_mode]
    if mode == "logical":
        plan.append(faults.lose_slot_in_repair)
    if ground.has_networks:
        plan += [lambda way=way: faults.lose_packets(None, way) for way in (TO_SERVER, FROM_SERVER)]
    if ground.has_clocks:
        plan += [lambda: faults.jump(True), lambda: faults.jump(False)]
    if ground.disc:
        plan.append(faults.fill_disc)
    return plan


def fire(chaos, faults, plan):
    begun = time.monotonic()
    for done, fault in enumerate(plan, 1):
        fault()
        faults.pause()
        if done % PROGRESS_EVERY == 0 and done < len(plan):
            took = time.monotonic() - begun
            left = took / done * (len(plan) - done)
            chaos.say(f"  progress  {done} of {len(plan)} faults in {took:.0f} s, {left:.0f} s left")
    took = time.monotonic() - begun
    chaos.say(f"            {faults.count} faults in {took:.0f} s,"
              f" {faults.reached} failpoints reached")
    chaos.check(f"{len(plan)} faults", faults.count == len(plan), str(faults.count))


def judge(chaos, fleet, faults, ground, mode):
    """Everything is healed; then the histories must be good."""
    faults.heal()
    healed_at = now_us()
    reader = Reader(fleet.stage)
    begun = time.monotonic()

    def settled():
        fleet.tend()
        try:
            return reader.unsettled() <= 0 and reader.unfired() == 0
        except RuntimeError:  # the database is still starting
            return False

    try:
        wait_until(settled, HEALED_S, "the rest", 0.3)
        chaos.measured(f"{mode}: everything settled after healing", time.monotonic() - begun)
    except TimeoutError:
        chaos.say(f"            not everything is settled after {HEALED_S} s")
    history = reader.history(healed_at, HEALED_S, fleet.acknowledged, ground.jumps)
    violations = check(history)
    chaos.say(
        f"            {len(history.written)} events, {len(history.effects)} effects,"
        f" {len(history.dead)} dead letters, {len(history.moves)} moves of watermarks,"
        f" {len(history.fired)} firings"
    )
    chaos.check("no node ended by itself", not fleet.crashes, "; ".join(fleet.crashes[:5]))
    chaos.check("there was something to lose", len(history.written) > 500, str(len(history.written)))
    for name in PROPERTIES:
        found = violations.get(name, [])
        chaos.check(f"{mode}: nothing is wrong: {name}", not found, "; ".join(found[:3]))
    if violations:
        file = chaos.suite.state / "log" / f"backbone-history-{mode}-{chaos.seed}.json"
        save(history, file)
        chaos.say(f"            the history is kept in {file}; again:"
                  f" --mode {mode} --kills {faults.count} --seed {chaos.seed}")
        for line in describe(violations):
            chaos.say(f"            {line}")
