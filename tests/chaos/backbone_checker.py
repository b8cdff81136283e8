"""Decides from histories whether the event backbone kept its word. Pure: rows in, violations out.

Each violation begins with the property it breaks:

forgotten       a COMMIT was answered with success, and its event is not there
lost            a committed event has neither an effect nor a dead letter
starved         it is still on its way long after everything was healed, or came too late
twice           it took effect more than once in a group, or took effect and lies in the dead letters
never committed an effect or a dead letter of an event that no committed transaction wrote
order           a key's effects are not in the order of its commits
watermark       a partition's watermark or offset went back
buried          a dead letter that neither its handler asked for nor three ends of the process
attempts        an event was tried more often than its policy allows
timer           early, late, twice, never, cancelled and fired all the same, or for another time
"""

import collections
import dataclasses

PROPERTIES = ("forgotten", "lost", "starved", "twice", "never committed", "order", "watermark",
              "buried", "attempts", "timer")
# What handlers of a run give up with; no server's trouble may be held against an event.
ASKED_FOR = {"never", "not-in-time"}
# An event that was being tried each time when a process ended is taken for the cause; here processes
# are killed on purpose.
CRASHED, CRASHES_MAX = "crashed", 3
EXAMPLES = 5  # of each property in a report


@dataclasses.dataclass
class History:
    """What the databases say at the end. Times are microseconds since 1970."""

    written: list = dataclasses.field(default_factory=list)  # (key, n, event)
    effects: list = dataclasses.field(default_factory=list)  # (seq, key, n, event, group, attempt, at)
    dead: list = dataclasses.field(default_factory=list)  # (event, group, attempts, reason)
    waiting: list = dataclasses.field(default_factory=list)  # (event, group): parked at the end
    moves: list = dataclasses.field(default_factory=list)  # (seq, place, position, offset or None)
    planned: list = dataclasses.field(default_factory=list)  # (timer, due, cancelled)
    # (seq, timer, due, by the node's clock, by the database's clock, node)
    fired: list = dataclasses.field(default_factory=list)
    acknowledged: list = dataclasses.field(default_factory=list)  # events whose COMMIT succeeded
    jumps: list = dataclasses.field(default_factory=list)  # (node, from, to): its clock was wrong
    groups: list = dataclasses.field(default_factory=list)
    healed_at: int = 0
    starved_after: int = 60_000_000
    attempts_max: int = 12


def check(history):
    """{property: [what broke it, …]}, empty when all properties hold."""
    found = collections.defaultdict(list)
    check_commits(history, found)
    for group in history.groups:
        check_group(history, group, found)
    check_watermarks(history, found)
    check_timers(history, found)
    return dict(found)


def describe(violations):
    """Lines for people: a few examples of each property and how many there are."""
    lines = []
    for name, found in sorted(violations.items()):
        lines += [f"{name}: {text}" for text in found[:EXAMPLES]]
        if len(found) > EXAMPLES:
            lines.append(f"{name}: {len(found) - EXAMPLES} more")
    return lines


def check_commits(history, found):
    there = {event for _, _, event in history.written}
    for event in sorted(set(history.acknowledged) - there):
        found["forgotten"].append(f"{event}: its COMMIT was answered with success")


def check_group(history, group, found):
    """A group sees every committed event exactly once, a key's in order."""
    written = {event: (key, n) for key, n, event in history.written}
    effects = sorted(row for row in history.effects if row[4] == group)
    dead = {event: attempts for event, of, attempts, _ in history.dead if of == group}
    waiting = {event for event, of in history.waiting if of == group}
    effective = collections.Counter(row[3] for row in effects)
    for event, (key, n) in written.items():
        if effective[event] + (event in dead) > 1:
            found["twice"].append(f"{key}/{n} {event}: {effective[event]} effects in {group}"
                                  + (" and a dead letter" if event in dead else ""))
        elif not effective[event] and event not in dead:
            late = "starved" if event in waiting else "lost"
            found[late].append(f"{key}/{n} {event}: no effect in {group}")
    for event in sorted({*effective, *dead} - written.keys()):
        found["never committed"].append(f"{event} took effect in {group}")
    for event, of, attempts, reason in history.dead:
        crashed = reason == CRASHED and attempts >= CRASHES_MAX
        if of == group and reason not in ASKED_FOR and not crashed:
            found["buried"].append(f"{event}: {reason} after {attempts} attempts in {group}")
    check_order(effects, found)
    check_lateness(history, effects, found)
    tries = [(row[3], row[5]) for row in effects] + list(dead.items())
    for event, attempts in tries:
        if attempts > history.attempts_max:
            found["attempts"].append(f"{event}: {attempts} of {history.attempts_max}")


def check_order(effects, found):
    """n of a key is drawn in commit order; dead letters leave gaps. `effects` in their order."""
    last = {}
    for _, key, n, event, group, _, _ in effects:
        before = last.get(key, 0)
        if n < before:
            found["order"].append(f"{key}/{n} {event}: after {key}/{before} in {group}")
        last[key] = max(before, n)


def check_lateness(history, effects, found):
    limit = history.healed_at + history.starved_after
    for _, key, n, event, _, _, at in effects:
        if history.healed_at and at > limit:
            late = (at - history.healed_at) / 1e6
            found["starved"].append(f"{key}/{n} {event}: {late:.0f} s after everything was healed")


def check_watermarks(history, found):
    """position: (epoch, LSN, index)."""
    positions, offsets = {}, {}
    for _, place, position, offset in sorted(history.moves):
        before = positions.get(place)
        if before is not None and position < before:
            found["watermark"].append(f"{place}: {position} after {before}")
        positions[place] = max(position, before or position)
        if offset is None:
            continue
        if offset < offsets.get(place, 0):
            found["watermark"].append(f"{place}: offset {offset} after {offsets[place]}")
        offsets[place] = max(offset, offsets.get(place, 0))


def check_timers(history, found):
    planned = {timer: (due, cancelled) for timer, due, cancelled in history.planned}
    times = collections.Counter(row[1] for row in history.fired)
    for row in sorted(history.fired):
        wrong = firing_problem(history, planned, row)
        if wrong:
            found["timer"].append(f"{row[1]} {wrong}")
    for timer, (_, cancelled) in planned.items():
        if times[timer] > 1:
            found["timer"].append(f"{timer} fired {times[timer]} times")
        elif not times[timer] and not cancelled:
            found["timer"].append(f"{timer} never fired")


def firing_problem(history, planned, row):
    """What is wrong with one firing, or None."""
    _, timer, due, now, at, node = row
    if timer not in planned:
        return "fired, but no committed transaction planned it"
    wanted, cancelled = planned[timer]
    if cancelled:
        return "was cancelled and fired"
    if due != wanted:
        return f"fired for {due}, but was moved to {wanted}"
    if now < due:
        return f"fired {(due - now) / 1000:.1f} ms early"
    if at < due and not any(who == node and begun <= at <= ended
                            for who, begun, ended in history.jumps):
        return f"fired {(due - at) / 1000:.1f} ms early, and the clock of {node} was right"
    late = at - max(due, history.healed_at)
    if history.healed_at and late > history.starved_after:
        return f"fired {late / 1e6:.0f} s late"
    return None
