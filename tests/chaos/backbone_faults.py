"""What can be done to a fleet of nodes of the event backbone. Each fault is told, counted, and left to
heal by itself."""

import time

from backbone_fleet import FAILPOINTS, MODES, OF_MODE, ONCE, REPAIR_POINTS, ROLES, wait_until
from node_network import FROM_SERVER, TO_SERVER
from nodes import drop_slots
from server_freeze import ServerFreezes

# The sessions of consumers and relays last 6 and 10 s.
FREEZE_S = (7.0, 12.0)
LOSS_S = (1.0, 14.0)
JUMP_S = (3.0, 10.0)
JUMP_HOURS = (1.2, 9.0)
FULL_S = (2.0, 8.0)
OTHER_MODE_S = (5.0, 15.0)
FAILPOINT_S = 3.0  # then the next fault comes; the node still dies when it gets there
FAILPOINT_TIMES = 10
REPAIR_S = 15.0  # a repair begins by waiting for 5 s
FAILPOINT_SHORT_S = 2.0
REPAIR_SHORT_S = 9.0
PAUSE_S = (0.02, 0.4)
PAUSE_SHORT_S = (0.1, 0.5)  # the few faults of a short run shall meet a fleet at work
SERVER_NAMES = {"kafka": "Kafka", "postgres": "PostgreSQL"}


class Faults:
    def __init__(self, chaos, fleet, ground):
        self._chaos = chaos
        self._random = chaos.random
        self._fleet = fleet
        self._ground = ground
        self._servers = ServerFreezes(chaos.suite)
        self._failpoint_s = FAILPOINT_SHORT_S if chaos.short else FAILPOINT_S
        self._repair_s = REPAIR_SHORT_S if chaos.short else REPAIR_S
        self.count = 0
        self.reached = 0

    def pause(self):
        pause_s = self._random.uniform(*(PAUSE_SHORT_S if self._chaos.short else PAUSE_S))
        until = time.monotonic() + pause_s
        while time.monotonic() < until:
            self._fleet.tend()
            time.sleep(0.02)

    def heal(self):
        self._servers.thaw_all()
        self._fleet.heal()

    def kill(self):
        role = self._pick()
        self._tell(f"kill -9 of {role}")
        self._fleet.kill(role)

    def failpoint(self, kind=None, point=None):
        kind = kind or self._random.choice(list(FAILPOINTS))
        of_mode = OF_MODE[self._fleet.mode] if kind == "relay" else []
        point = point or self._random.choice(FAILPOINTS[kind] + of_mode)
        role = self._pick(kind)
        count = 1 if point in ONCE else self._random.randint(1, FAILPOINT_TIMES)
        self._tell(f"{role} dies at {point}, the {count}. time")
        if kind == "relay":
            self._fleet.kill(other_of(role))  # else that one may have the slot
        self.reached += self._fleet.died_at(role, f"{point}:kill:{count}", self._failpoint_s)

    def freeze(self, kind=None):
        role = self._pick(kind)
        seconds = self._random.uniform(*FREEZE_S)
        self._tell(f"SIGSTOP of {role} for {seconds:.0f} s")
        self._fleet.freeze(role, seconds)

    def lose_packets(self, server=None, direction=None):
        """One way only: the other side still hears, or is still heard."""
        server = server or self._random.choice(list(SERVER_NAMES))
        direction = direction or self._random.choice((TO_SERVER, FROM_SERVER))
        role = self._random.choice(self._ground.roles_before(server))
        seconds = self._random.uniform(*LOSS_S)
        self._tell(f"what {role} {'gets from' if direction == FROM_SERVER else 'sends to'}"
                   f" {SERVER_NAMES[server]} is lost for {seconds:.0f} s")
        self._ground.lose(role, server, direction)
        self._fleet.last((role, server), seconds, lambda: self._ground.mend(role, server))

    def jump(self, forward=None):
        """A node's wall clock is set, and set right again."""
        role = self._random.choice(ROLES)
        hours = self._random.uniform(*JUMP_HOURS)
        if not (self._random.random() < 0.5 if forward is None else forward):
            hours = -hours
        seconds = self._random.uniform(*JUMP_S)
        self._tell(f"the clock of {role} is {hours:+.1f} h wrong for {seconds:.0f} s")
        self._ground.set_clock(role, int(hours * 3600))
        self._fleet.last(("clock", role), seconds, lambda: self._ground.set_clock(role, 0))

    def fill_disc(self):
        seconds = self._random.uniform(*FULL_S)
        self._tell(f"the databases' disc is full for {seconds:.0f} s")
        self._ground.disc.fill()
        self._fleet.last("disc", seconds, self._ground.disc.free)

    def change_mode(self, point=None):
        """The relays publish the other way for a while. With a point one of them dies there, in the
        middle of the repair that the change begins with."""
        if self._fleet.lasts("mode"):
            self._fleet.end("mode")
        other = MODES[1 - MODES.index(self._fleet.mode)]
        seconds = self._random.uniform(*OTHER_MODE_S)
        self._tell(f"the relays change to the {other} mode for {seconds:.0f} s"
                   + (f", one dies at {point}" if point else ""))
        self._fleet.change_mode()
        if point:
            role = self._pick("relay")
            self.reached += self._fleet.died_at(role, f"{point}:kill:1", self._repair_s)
        self._fleet.last("mode", seconds, self._fleet.change_mode)

    def lose_slot(self, point=None):
        """Drops the relay's slot, if there is one; with a point the next relay dies there, in the
        middle of the repair."""
        self._tell("the slot is dropped" + (f", the relay dies at {point}" if point else ""))
        if point is None:
            self._drop_slots()
            return
        role = self._pick("relay")
        self._fleet.kill(other_of(role))  # else that one may repair it
        self._fleet.kill(role)
        self._drop_slots()
        self.reached += self._fleet.died_at(role, f"{point}:kill:1", self._repair_s)

    def lose_slot_in_repair(self):
        self.lose_slot(self._random.choice(REPAIR_POINTS))

    def duplicate(self):
        """Up to 100 old records of each partition come once more, with their headers; nobody waits
        for that."""
        self._tell("old records come again")
        self._fleet.stage.repeat("--duplicates", 100, "--seed", self._random.randrange(1_000_000))

    def freeze_server(self, server=None):
        server = server or self._random.choice(list(SERVER_NAMES))
        seconds = self._random.uniform(*FREEZE_S)
        self._tell(f"SIGSTOP of {SERVER_NAMES[server]} for {seconds:.0f} s")
        self._servers.freeze(server, seconds)

    def restart_server(self, server=None):
        server = server or self._random.choice(list(SERVER_NAMES))
        self._tell(f"{SERVER_NAMES[server]} restarts")
        self._let_it_start(server)
        self._chaos.suite.supervise("restart", f"servers:{server}")

    def crash_server(self, server=None):
        server = server or self._random.choice(list(SERVER_NAMES))
        self._tell(f"kill -9 of {SERVER_NAMES[server]}")
        self._let_it_start(server)
        if self._chaos.suite.pid(server):  # else it is just starting, after a full disc
            self._chaos.suite.kill(server)

    def _let_it_start(self, server):
        """A PostgreSQL whose disc is full cannot even recover: whoever starts it makes room before."""
        self._servers.thaw(server)
        if server == "postgres" and self._fleet.lasts("disc"):
            self._fleet.end("disc")

    def _drop_slots(self):
        self._servers.thaw("postgres")

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
