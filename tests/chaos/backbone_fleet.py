"""The nodes of the event backbone under fire: what runs, what is frozen, what is started again."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "backbone"))

from nodes import Stage, wait_until  # noqa: E402

KEYS = 40
PARTITIONS = 12  # as the topics file says; a relay refuses any other number
SESSION_MS = 6_000
ROLES = [f"{kind}-{number}" for kind in ("writer", "relay", "consumer", "timers") for number in (1, 2)]

# Where each kind may die; notes say why each of them matters. The last two only with a lost slot.
FAILPOINTS = {
    "writer": ["writer.before_commit", "writer.after_commit"],
    "relay": [
        *("relay.after_decode", "relay.after_produce", "relay.before_delivery"),
        *("relay.after_delivery", "relay.before_confirm"),
    ],
    "consumer": [
        *("consumer.before_transaction", "consumer.after_effects", "consumer.after_commit"),
        "consumer.in_rebalance",
    ],
    "timers": ["timers.before_effects", "timers.before_commit", "timers.after_commit"],
}
REPAIR_POINTS = ["relay.repair_slot_made", "relay.repair_published"]
ONCE = {"consumer.in_rebalance", *REPAIR_POINTS}  # reached only a few times in a life


class Fleet:
    """Two nodes of each kind. tend() starts again what died and wakes what was frozen long enough."""

    def __init__(self, seed, log):
        self.stage = Stage(PARTITIONS, history=True, log=log)
        self._seed = seed
        self._lives = 0
        self.nodes = {}
        self._frozen = {}  # role: when it is woken
        self._writing = True

    def __enter__(self):
        self.stage.__enter__()
        for role in ROLES:
            self.start(role)
        return self

    def __exit__(self, *raised):
        for node in self.nodes.values():
            node.kill()
        self.stage.__exit__(*raised)

    def start(self, role, failpoint=None):
        """failpoint: "relay.after_produce:kill:3"."""
        kind, number = role.split("-")
        self._lives += 1
        environment = {"RELAIS_FAILPOINT": failpoint or ""}
        options = {
            "writer": (
                *("--history", 1, "--timers", 1, "--keys", KEYS, "--batch", 8),
                *("--rollback-percent", 15, "--clients", 2, "--rate", 30),
                *("--transactions", 10**9, "--seed", self._seed * 10_000 + self._lives),
            ),
            "relay": (),
            # One of them takes events as batches, the other one by one.
            "consumer": (
                *("--retriable-percent", 2, "--forever-percent", 1, "--batch-max", 50),
                *("--session-ms", SESSION_MS, "--handler", "one" if number == "1" else "batch"),
            ),
            "timers": (),
        }[kind]
        start = getattr(self.stage, kind)
        self.nodes[role] = start("--instance", role, "--log", "info", *options,
                                 environment=environment)

    def kill(self, role):
        self._frozen.pop(role, None)
        if self.nodes[role].running():
            self.nodes[role].kill()

    def freeze(self, role, seconds):
        self.nodes[role].send(signal.SIGSTOP)
        self._frozen[role] = time.monotonic() + seconds

    def frozen(self, role):
        return role in self._frozen

    def awake(self):
        return [role for role in ROLES if not self.frozen(role)]

    def tend(self):
        for role, until in list(self._frozen.items()):
            if time.monotonic() >= until:
                self.wake(role)
        for role in ROLES:
            wanted = self._writing or not role.startswith("writer")
            if wanted and not self.nodes[role].running():
                self.start(role)

    def wake(self, role):
        del self._frozen[role]
        self.nodes[role].send(signal.SIGCONT)

    def died_at(self, role, failpoint, timeout_s):
        """The node starts with a failpoint and dies there. False: it was never reached."""
        self.kill(role)
        self.start(role, failpoint)
        limit = time.monotonic() + timeout_s
        while self.nodes[role].running() and time.monotonic() < limit:
            self.tend_others(role)
            time.sleep(0.02)
        return not self.nodes[role].running()

    def tend_others(self, role):
        kept = self.nodes[role]
        self.nodes[role] = _Standing
        self.tend()
        self.nodes[role] = kept

    def heal(self):
        """No more faults and no more writing; everything else runs."""
        for role in list(self._frozen):
            self.wake(role)
        self._writing = False
        for role in ROLES:
            if role.startswith("writer"):
                self.kill(role)
        self.tend()


class _Standing:
    """Stands for a node that tend() shall leave alone."""

    @staticmethod
    def running():
        return True


__all__ = ["FAILPOINTS", "Fleet", "ONCE", "REPAIR_POINTS", "ROLES", "wait_until"]
