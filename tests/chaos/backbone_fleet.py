"""The nodes of the event backbone under fire: what runs, what is frozen, what is started again."""

import collections
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "backbone"))

from nodes import Stage, wait_until  # noqa: E402

KEYS = 40
PARTITIONS = 12  # as the topics file says; a relay refuses any other number
SESSION_MS = 6_000
KEYS_AT_ONCE = 3
ROLES = [f"{kind}-{number}" for kind in ("writer", "relay", "consumer", "timers") for number in (1, 2)]
MODES = ("logical", "polling")

# Where each kind may die; notes say why each of them matters.
FAILPOINTS = {
    "writer": ["writer.before_commit", "writer.after_commit"],
    "relay": [
        *("relay.after_produce", "relay.before_delivery", "relay.after_delivery"),
        "relay.before_confirm",
    ],
    "consumer": [
        *("consumer.before_transaction", "consumer.after_effects", "consumer.after_commit"),
        *("consumer.slices_done", "consumer.in_rebalance"),
    ],
    "timers": ["timers.before_effects", "timers.before_commit", "timers.after_commit"],
}
OF_MODE = {"logical": ["relay.after_decode"], "polling": ["relay.round_assigned"]}
# Only with a lost slot or a change of the mode.
REPAIR_POINTS = ["relay.repair_slot_made", "relay.repair_published"]
ONCE = {"consumer.in_rebalance", *REPAIR_POINTS}  # reached only a few times in a life


class Fleet:
    """Two nodes of each kind. tend() starts again what died and ends faults that lasted long enough.
    mode: of the relays."""

    def __init__(self, seed, log, mode, ground):
        disc = ground.disc.folder if ground.disc else None
        self.stage = Stage(PARTITIONS, history=True, log=log, disc=disc)
        self.mode = mode
        self.acknowledged = pathlib.Path(log.name).with_suffix(f".{mode}.acknowledged")
        self.nodes = {}
        self._ground = ground
        self._seed = seed
        self.crashes = []  # of nodes that nobody ended: "consumer-1 ended with -11"
        self._lives = 0
        self._lives_of = collections.Counter()
        self._lasting = {}  # what: (when it ends, how)
        self._writing = True

    def __enter__(self):
        self.acknowledged.unlink(missing_ok=True)
        self.stage.__enter__()
        for role in ROLES:
            self.start(role)
        return self

    def __exit__(self, *raised):
        for role in ROLES:
            self.kill(role)
        self.stage.__exit__(*raised)

    def start(self, role, failpoint=None):
        """failpoint: "relay.after_produce:kill:3"."""
        kind, number = role.split("-")
        self._lives += 1
        self._lives_of[role] += 1
        if role in self.nodes:
            self._note_crash(role)
            self._ground.forget(self.nodes[role].pid)
            self.stage.forget_ended()
        options = {
            "writer": (
                *("--history", 1, "--timers", 1, "--keys", KEYS, "--batch", 8),
                *("--rollback-percent", 15, "--clients", 2, "--rate", 30),
                *("--transactions", 10**9, "--seed", self._seed * 10_000 + self._lives),
                *("--acknowledged", self.acknowledged),
            ),
            "relay": ("--mode", self.mode),
            # One of them takes events as batches, the other one by one; keys of a partition are
            # handled side by side in every other life, so that each finds what the other way left.
            "consumer": (
                *("--retriable-percent", 2, "--forever-percent", 1, "--batch-max", 50),
                *("--parallel-keys", KEYS_AT_ONCE if self._lives_of[role] % 2 else 1),
                *("--session-ms", SESSION_MS, "--handler", "one" if number == "1" else "batch"),
            ),
            "timers": (),
        }[kind]
        start = getattr(self.stage, kind)
        self.nodes[role] = start(
            "--instance", role, "--log", "info", *options, within=self._ground.within(role),
            environment={"RELAIS_FAILPOINT": failpoint or "", **self._ground.variables(role)},
        )

    def _note_crash(self, role):
        """Killed is what failpoints and we do to it; everything else is a bug of the node."""
        code = self.nodes[role].returncode
        if code not in (None, -signal.SIGKILL):
            self.crashes.append(f"{role} ended with {code}")

    def kill(self, role):
        self._lasting.pop(role, None)
        if role in self.nodes and self.nodes[role].running():
            self.nodes[role].kill()
            self._ground.forget(self.nodes[role].pid)

    def last(self, what, seconds, end):
        """A fault of that name ends after so many seconds, or when the fleet heals."""
        self._lasting[what] = (time.monotonic() + seconds, end)

    def lasts(self, what):
        return what in self._lasting

    def end(self, what):
        _, end = self._lasting.pop(what)
        end()

    def freeze(self, role, seconds):
        self.nodes[role].send(signal.SIGSTOP)
        self.last(role, seconds, lambda: self.nodes[role].send(signal.SIGCONT))

    def awake(self):
        return [role for role in ROLES if not self.lasts(role)]

    def change_mode(self):
        """The relays begin anew in the other mode."""
        self.mode = MODES[1 - MODES.index(self.mode)]
        for role in ROLES:
            if role.startswith("relay"):
                self.kill(role)

    def tend(self):
        for what, (until, _) in list(self._lasting.items()):
            if time.monotonic() >= until and self.lasts(what):
                self.end(what)
        for role in ROLES:
            wanted = self._writing or not role.startswith("writer")
            if wanted and not self.nodes[role].running():
                self.start(role)

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
        for what in list(self._lasting):
            if self.lasts(what):
                self.end(what)
        self._writing = False
        for role in ROLES:
            if role.startswith("writer"):
                if not self.nodes[role].running():
                    self._note_crash(role)  # nobody starts it again
                self.kill(role)
        self.tend()


class _Standing:
    """Stands for a node that tend() shall leave alone."""

    pid = 0

    @staticmethod
    def running():
        return True

    @staticmethod
    def send(number):
        pass

    @staticmethod
    def kill():
        pass


__all__ = ["FAILPOINTS", "Fleet", "MODES", "OF_MODE", "ONCE", "REPAIR_POINTS", "ROLES", "wait_until"]
