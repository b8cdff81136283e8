"""The event backbone under fire: its nodes are killed at any moment and at each failpoint, frozen for
longer than their sessions last, servers restart, slots are dropped, old records come again. Whatever
happens: every committed event takes effect exactly once, in order, or lies in the dead letters.

Nodes are those of tests/backbone on databases and a topic of their own; the verdict is
backbone_checker's, over the histories that the databases hold at the end."""

import subprocess
import time

from backbone_checker import check, describe
from backbone_fleet import FAILPOINTS, ONCE, REPAIR_POINTS, ROLES, Fleet, wait_until
from backbone_history import Reader, now_us, save
from nodes import drop_slots

TITLE = "kill -9, freezes, restarts and lost slots of the event backbone"
KILLS_SHORT = 50
FREEZE_S = (7.0, 12.0)  # the sessions of consumers and relays last 6 and 10 s
FAILPOINT_S = 6.0
PAUSE_S = (0.02, 0.4)
HEALED_S = 60  # everything committed must have taken effect by then
EVERY_POINT = [(kind, point) for kind, points in FAILPOINTS.items() for point in points]


def run(chaos):
    kills = max(chaos.kills, KILLS_SHORT)
    log_file = chaos.suite.state / "log" / "backbone-nodes.log"
    with open(log_file, "w") as log, Fleet(chaos.seed, log) as fleet:
        fire(chaos, Faults(chaos, fleet), kills)
        judge(chaos, fleet)


def fire(chaos, faults, kills):
    """Each kind of fault at least once, the rest at random, in a random order."""
    must = [
        *(lambda point=point: faults.failpoint(*point) for point in EVERY_POINT),
        *(lambda point=point: faults.lose_slot(point) for point in (None, *REPAIR_POINTS)),
        *(lambda kind=kind: faults.freeze(kind) for kind in ("relay", "consumer", "timers")),
        faults.restart_postgres, faults.crash_postgres, faults.restart_kafka, faults.crash_kafka,
        faults.duplicate, faults.duplicate,
    ]
    often = [faults.kill] * 12 + [faults.any_failpoint] * 8 + [faults.freeze] * 2 + [faults.duplicate]
    seldom = [faults.lose_slot, faults.restart_postgres, faults.restart_kafka]
    plan = must + [faults.kill] * 15
    while len(plan) < kills:
        rare = chaos.random.random() < 0.05
        plan.append(chaos.random.choice(seldom if rare else often))
    chaos.random.shuffle(plan)
    for fault in plan:
        fault()
        faults.pause()
    chaos.say(f"            {faults.count} faults, {faults.reached} failpoints reached")
    chaos.check(f"{kills} faults or more", faults.count >= kills, str(faults.count))


class Faults:
    """What can be done to a fleet. Each is told, counted, and left to heal by itself."""

    def __init__(self, chaos, fleet):
        self._chaos = chaos
        self._random = chaos.random
        self._fleet = fleet
        self.count = 0
        self.reached = 0

    def pause(self):
        until = time.monotonic() + self._random.uniform(*PAUSE_S)
        while time.monotonic() < until:
            self._fleet.tend()
            time.sleep(0.02)

    def kill(self):
        role = self._pick()
        self._tell(f"kill -9 of {role}")
        self._fleet.kill(role)

    def any_failpoint(self):
        self.failpoint(*self._random.choice(EVERY_POINT))

    def failpoint(self, kind, point):
        role = self._pick(kind)
        count = 1 if point in ONCE else self._random.randint(1, 30)
        self._tell(f"{role} dies at {point}, the {count}. time")
        if kind == "relay":
            self._fleet.kill(other_of(role))  # else that one may have the slot
        self.reached += self._fleet.died_at(role, f"{point}:kill:{count}", FAILPOINT_S)

    def freeze(self, kind=None):
        role = self._pick(kind)
        seconds = self._random.uniform(*FREEZE_S)
        self._tell(f"SIGSTOP of {role} for {seconds:.0f} s")
        self._fleet.freeze(role, seconds)

    def lose_slot(self, point=None):
        """Drops the relay's slot; with a point the next relay dies there, in the middle of the
        repair."""
        self._tell("the slot is dropped" + (f", the relay dies at {point}" if point else ""))
        if point is None:
            self._drop_slots()
            return
        role = self._pick("relay")
        self._fleet.kill(other_of(role))  # else that one may repair it
        self._fleet.kill(role)
        self._drop_slots()
        self.reached += self._fleet.died_at(role, f"{point}:kill:1", FAILPOINT_S)

    def duplicate(self):
        """Up to 100 old records of each partition come once more, with their headers."""
        self._tell("old records come again")
        seed = self._random.randrange(1_000_000)
        try:
            self._fleet.stage.produce("--duplicates", 100, "--seed", seed, timeout_s=30)
        except (RuntimeError, subprocess.TimeoutExpired):
            self._chaos.say("            the broker was away")

    def restart_postgres(self):
        self._tell("PostgreSQL restarts")
        self._chaos.suite.supervise("restart", "servers:postgres")

    def crash_postgres(self):
        self._tell("kill -9 of PostgreSQL")
        self._chaos.suite.kill("postgres")

    def restart_kafka(self):
        self._tell("Kafka restarts")
        self._chaos.suite.supervise("restart", "servers:kafka")

    def crash_kafka(self):
        self._tell("kill -9 of Kafka")
        self._chaos.suite.kill("kafka")

    def _drop_slots(self):
        def dropped():
            session = self._fleet.stage.session(f"{self._fleet.stage.server}/postgres")
            try:
                drop_slots(session, f"{self._fleet.stage.name}_source")
            except RuntimeError:  # the server restarts, or a relay made a new one meanwhile
                return False
            finally:
                session.close()
            return True

        wait_until(dropped, 60, "the slot to be dropped")

    def _pick(self, kind=None):
        awake = self._fleet.awake()
        of_kind = [role for role in ROLES if kind is None or role.startswith(f"{kind}-")]
        return self._random.choice([role for role in of_kind if role in awake] or of_kind)

    def _tell(self, text):
        self.count += 1
        self._chaos.inject(text)


def other_of(role):
    return role[:-1] + ("2" if role.endswith("1") else "1")


def judge(chaos, fleet):
    """Everything is healed; then the histories must be good."""
    fleet.heal()
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
        chaos.measured("everything settled after healing", time.monotonic() - begun)
    except TimeoutError:
        chaos.say(f"            not everything is settled after {HEALED_S} s")
    history = reader.history(healed_at, HEALED_S)
    violations = check(history)
    chaos.say(
        f"            {len(history.written)} events, {len(history.effects)} effects,"
        f" {len(history.dead)} dead letters, {len(history.moves)} moves of watermarks,"
        f" {len(history.fired)} firings"
    )
    chaos.check("there was something to lose", len(history.written) > 500, str(len(history.written)))
    for name in ("lost", "starved", "twice", "never committed", "order", "watermark", "attempts",
                 "timer"):
        found = violations.get(name, [])
        chaos.check(f"nothing is wrong: {name}", not found, "; ".join(found[:3]))
    if violations:
        file = chaos.suite.state / "log" / f"backbone-history-{chaos.seed}.json"
        save(history, file)
        chaos.say(f"            the history is kept in {file}; again: --seed {chaos.seed}")
        for line in describe(violations):
            chaos.say(f"            {line}")
