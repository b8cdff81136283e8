"""A network of its own for one node, in which packets to or from a server can be lost, one way only.

The node lives in a network namespace. For each server there is a pair of virtual devices, and inside
127.0.0.1:PORT leads through it to the server outside, which listens on 127.0.0.1 as ever. What leaves
a device is lost while it has the queue "blackhole": one way is lost and the other is not, and nobody
is told: no reset, no refusal.

Needs root and Linux; `why_not()` says what is missing.
"""

import contextlib
import ipaddress
import os
import subprocess

NETWORK = ipaddress.ip_network("198.18.0.0/15")  # for tests of networks (RFC 2544)
NODES_MAX = 16  # of a process; the last one is for trying
SERVERS_MAX = 2  # of a node
TO_SERVER, FROM_SERVER = "to", "from"


class NodeNetwork:
    """servers: {name: port}. `number` tells the networks of one process apart."""

    def __init__(self, number, servers):
        self.name = f"relais-{os.getpid()}-{number}"
        self._outside = {}  # server: the device that its answers leave through
        self._inside = {}
        self._lost = {}  # server: direction
        run("ip", "netns", "add", self.name)
        try:
            for place, (server, port) in enumerate(servers.items()):
                self._connect(server, port, number * SERVERS_MAX + place)
        except RuntimeError:
            self.close()
            raise

    @property
    def within(self):
        """What a command begins with that runs inside. It keeps the process id."""
        return ("ip", "netns", "exec", self.name)

    def lose(self, server, direction):
        self.mend(server)
        self._lost[server] = direction
        run(*self._queue(server, direction, "add"), "blackhole")

    def mend(self, server):
        direction = self._lost.pop(server, None)
        if direction:
            run(*self._queue(server, direction, "del"))

    def close(self):
        """The devices go with the namespace, and that with its last process."""
        run("ip", "netns", "del", self.name)

    def _connect(self, server, port, pair):
        outside, inside = f"rl{os.getpid() % 10**6}x{pair}", f"server{pair}"
        first = (os.getpid() * NODES_MAX * SERVERS_MAX + pair) * 4 % NETWORK.num_addresses
        here, there = NETWORK[first + 1], NETWORK[first + 2]
        table = str(100 + pair)
        run("ip", "link", "add", outside, "type", "veth", "peer", inside, "netns", self.name)
        run("ip", "address", "add", f"{here}/30", "dev", outside)
        run("ip", "link", "set", outside, "up")
        allow_loopback_addresses(outside)
        ip = ("ip", "-netns", self.name)
        run(*ip, "address", "add", f"{there}/30", "dev", inside)
        run(*ip, "link", "set", inside, "up")
        allow_loopback_addresses(inside, *self.within)
        run(*ip, "route", "add", "127.0.0.1", "via", str(here), "dev", inside,
            "src", str(there), "table", table)
        run(*ip, "rule", "add", "ipproto", "tcp", "dport", str(port), "lookup", table)
        self._outside[server], self._inside[server] = outside, inside

    def _queue(self, server, direction, change):
        if direction == FROM_SERVER:
            return ("tc", "qdisc", change, "dev", self._outside[server], "root")
        return ("tc", "-netns", self.name, "qdisc", change, "dev", self._inside[server], "root")


def allow_loopback_addresses(device, *within):
    """Packets with 127.0.0.1 in them may pass the device."""
    settings = f"net.ipv4.conf.{device}."
    run(*within, "sysctl", "-q", "-w", f"{settings}route_localnet=1", f"{settings}rp_filter=0")


def why_not(servers):
    """Why this machine does not allow networks, or None. Tries one."""
    if os.geteuid() != 0:
        return "needs root"
    try:
        network = NodeNetwork(NODES_MAX - 1, servers)
    except (RuntimeError, OSError) as problem:
        return str(problem)
    try:
        for server, port in servers.items():
            if not reaches(network, port, "5"):
                return f"{server} is not reached from inside"
            for direction in (TO_SERVER, FROM_SERVER):
                network.lose(server, direction)
                if reaches(network, port, "0.2"):
                    return f"nothing is lost {direction} {server}"
            network.mend(server)
    except RuntimeError as problem:
        return str(problem)
    finally:
        with contextlib.suppress(RuntimeError):
            network.close()
    return None


def reaches(network, port, within_s):
    """Whether a connection is made from inside."""
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}"
    command = [*network.within, "timeout", within_s, "bash", "-c", script]
    return subprocess.run(command, capture_output=True).returncode == 0


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
