"""What the nodes of the event backbone stand on and what can be taken from them: networks, clocks and
the disc of their databases. What a machine does not allow is absent, and that is said."""

import os
import pathlib
import shutil
import tempfile
import time

from nodes import Sql
from node_network import NETWORK, NodeNetwork, why_not
from small_disc import SmallDisc
from wall_clock import LIBRARIES, ClockFiles, forget_faked

DISC_BYTES = 2 * 1024**3  # of memory, as far as it is used
DISC_BYTES_SHORT = 256 * 1024**2
# Which servers each kind of node talks to.
SERVERS = {"relay": ("kafka", "postgres"), "consumer": ("kafka", "postgres"),
           "timers": ("postgres",), "writer": ("postgres",)}
SEEN_US = 3_000_000  # a node sees its clock jump within a second; a transaction ends a little later


class Ground:
    """A context. `say` gets a line about each thing that is absent."""

    def __init__(self, suite, roles, say, short):
        self._suite = suite
        self._roles = roles
        self._say = say
        self._disc_bytes = DISC_BYTES_SHORT if short else DISC_BYTES
        self._folder = None
        self._rules = suite.state / "conf" / "pg_hba.conf"
        self._rules_before = None
        self._networks = {}
        self._files = None
        self._offsets = {}  # role: (offset, since when) while its clock is wrong
        self.jumps = []  # (role, from, to): when its clock was wrong, in microseconds since 1970
        self.disc = None

    def __enter__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="relais-ground-"))
        try:
            self._make_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make_all(self):
        for what, make in (("one-way packet loss", self._make_networks),
                           ("jumps of wall clocks", self._make_clocks),
                           ("a full disc of the databases", self._make_disc)):
            missing = make()
            if missing:
                self._say(f"  left out  {what}: this machine does not allow it: {missing}")

    def __exit__(self, *raised):
        for network in self._networks.values():
            network.close()
        if self._rules_before is not None:
            self._let_in(self._rules_before)
        if self.disc:
            self.disc.unmount()
            self.disc.folder.rmdir()
        shutil.rmtree(self._folder)

    @property
    def has_networks(self):
        return bool(self._networks)

    def roles_before(self, server):
        """Those with a network that talk to the server."""
        return [role for role in sorted(self._networks) if server in SERVERS[role.split("-")[0]]]

    @property
    def has_clocks(self):
        return self._files is not None

    def within(self, role):
        return self._networks[role].within if role in self._networks else ()

    def variables(self, role):
        # The file is read once a second and not each time somebody asks.
        return {**self._files.variables(role), "FAKETIME_CACHE_DURATION": "1"} if self._files else {}

    def forget(self, pid):
        if self._files:
            forget_faked(pid)

    def lose(self, role, server, direction):
        self._networks[role].lose(server, direction)

    def mend(self, role, server):
        self._networks[role].mend(server)

    def set_clock(self, role, offset_s):
        """0: it is right again."""
        now = now_us()
        if role in self._offsets:
            self.jumps.append((role, self._offsets.pop(role), now + SEEN_US))
        if offset_s:
            self._offsets[role] = now
        self._files.set(role, offset_s)

    def _make_networks(self):
        servers = {"kafka": self._suite.port_base + 61, "postgres": self._suite.port_base + 60}
        missing = why_not(servers)
        if missing:
            return missing
        self._rules_before = self._rules.read_text()
        self._let_in(self._rules_before + f"host all,replication all {NETWORK} scram-sha-256\n")
        for number, role in enumerate(self._roles):
            ports = {name: servers[name] for name in SERVERS[role.split("-")[0]]}
            self._networks[role] = NodeNetwork(number, ports)
        return None

    def _let_in(self, rules):
        """PostgreSQL believes only what it knows; the nodes have addresses of their networks."""
        self._rules.write_text(rules)
        admin = Sql(f"{os.environ['RELAIS_TEST_POSTGRES'].rstrip('/')}/postgres")
        admin.rows("select pg_reload_conf()")
        admin.close()

    def _make_clocks(self):
        if not LIBRARIES:
            return "libfaketime is not installed"
        self._files = ClockFiles(self._folder)
        for role in self._roles:
            self._files.set(role, 0)
        return None

    def _make_disc(self):
        data = self._suite.state / "data" / "postgres"
        folder = self._suite.state / "data" / f"disc-{self._folder.name}"
        folder.mkdir()
        try:
            self.disc = SmallDisc(folder, self._disc_bytes, like=data)
        except AssertionError as problem:
            folder.rmdir()
            return str(problem)
        return None


def now_us():
    return int(time.time() * 1_000_000)
