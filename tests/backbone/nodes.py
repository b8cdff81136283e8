"""Starts nodes of the event backbone (backbone_node) on databases and a topic of their own.

For tests/bench and tests/chaos; found through RELAIS_TEST_POSTGRES, RELAIS_TEST_KAFKA and
RELAIS_BUILD, which ./relais sets.
"""

import contextlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
END = "-- end of answer"
BULK_PARTITIONS = 4  # of marketing.campaign.requests.v1, as the topics file says


def build_dir():
    return pathlib.Path(os.environ.get("RELAIS_BUILD", ROOT / ".relais/build/release"))


class Sql:
    """One session of psql that stays: starting one for each question costs 10 ms of a core."""

    def __init__(self, url):
        self.url = url
        self._psql = subprocess.Popen(
            ["psql", "-XqAt", "-F", "\t", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1,
        )

    def rows(self, text):
        """The rows as lists of strings. Raises RuntimeError when the server refuses or is gone."""
        try:
            self._psql.stdin.write(f"{text};\n\\echo '{END}' :ERROR\n")
            self._psql.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError("psql ended") from None
        lines = []
        for line in self._psql.stdout:
            if line.startswith(END):
                if line.split()[-1] == "true":
                    raise RuntimeError("\n".join(lines))
                return [line.split("\t") for line in lines]
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql ended: " + "\n".join(lines))

    def value(self, text):
        return self.rows(text)[0][0]

    def close(self):
        if self._psql.stdout.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._psql.stdin.close()
        self._psql.wait(10)
        self._psql.stdout.close()


class Node:
    """A running backbone_node. within: what its command begins with, as ("ip", "netns", …)."""

    def __init__(self, kind, arguments, environment=None, log=None, within=()):
        self.kind = kind
        command = [*within, build_dir() / "tests/backbone_node", kind, *arguments]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, **(environment or {})},
        )

    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process.poll() is None

    @property
    def returncode(self):
        return self._process.returncode

    def send(self, number):
        if self.running():
            self._process.send_signal(number)

    def kill(self):
        self.send(signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()

    def wait(self, timeout_s):
        """Its report, when it ends by itself. A failure is a RuntimeError."""
        said, _ = self._process.communicate(timeout=timeout_s)
        if self._process.returncode != 0:
            raise RuntimeError(f"{self.kind} ended with {self._process.returncode}: {said}")
        return json.loads(said) if said.strip() else {}

    def stop(self, timeout_s=20):
        """SIGTERM, and its report."""
        self.send(signal.SIGTERM)
        return self.wait(timeout_s)


class Stage:
    """A source and a sink database and a topic with a prefix of its own, with bulk=True also one for
    bulk work. A context: whatever runs at its end is killed, databases and topics are removed.
    disc: a folder of PostgreSQL's for both databases."""

    def __init__(self, partitions=12, history=False, log=None, disc=None, bulk=False):
        self.name = f"backbone_{secrets.token_hex(4)}"
        self.server = os.environ["RELAIS_TEST_POSTGRES"].rstrip("/")
        self.brokers = os.environ["RELAIS_TEST_KAFKA"]
        self.prefix = f"{self.name}."
        self.group = self.name
        self.source_url = f"{self.server}/{self.name}_source"
        self.sink_url = f"{self.server}/{self.name}_sink"
        self.partitions = partitions
        self._history = history
        self._disc = disc
        self._bulk = bulk
        self._log = log
        self._nodes = []
        self._sessions = []

    def __enter__(self):
        with_history = ("--history", "1") if self._history else ()
        folder = build_dir() / "share/relais/migrations"
        self._admin = self.session(f"{self.server}/postgres")
        where = ""
        if self._disc:
            self._admin.rows(f"create tablespace {self.name} location '{self._disc}'")
            where = f" tablespace {self.name}"
        for side, url in (("source", self.source_url), ("sink", self.sink_url)):
            self._admin.rows(f"create database {self.name}_{side}{where}")
            self.run("prepare", "--url", url, "--side", side, "--migrations", folder, *with_history)
        self.topics("--partitions", self.partitions)
        if self._bulk:
            self.topics("--partitions", BULK_PARTITIONS, "--bulk", 1)
        return self

    def __exit__(self, *raised):
        for node in self._nodes:
            if node.running():
                node.kill()
        for session in self._sessions:
            session.close()
        self.topics("--remove", "1")
        if self._bulk:
            self.topics("--remove", "1", "--bulk", 1)
        with_force = Sql(f"{self.server}/postgres")
        for side in ("source", "sink"):
            drop_slots(with_force, f"{self.name}_{side}")
            with_force.rows(f"drop database {self.name}_{side} with (force)")
        if self._disc:
            with_force.rows(f"drop tablespace {self.name}")
        with_force.close()

    def session(self, url):
        """Ends with the stage, if not before."""
        made = Sql(url)
        self._sessions.append(made)
        return made

    def topics(self, *arguments):
        self.run("topics", "--brokers", self.brokers, "--prefix", self.prefix, *arguments)

    def run(self, kind, *arguments, timeout_s=120):
        """A node that ends by itself. Returns its report."""
        return Node(kind, [str(each) for each in arguments], log=self._log).wait(timeout_s)

    def start(self, kind, *arguments, environment=None, within=()):
        made = Node(kind, [str(each) for each in arguments], environment, self._log, within)
        self._nodes.append(made)
        return made

    def forget_ended(self):
        """Closes their pipes; nobody may want their reports. A long run has thousands of nodes."""
        for ended in [node for node in self._nodes if not node.running()]:
            ended.kill()
            self._nodes.remove(ended)

    def writer(self, *arguments, **more):
        return self.start("writer", "--url", self.source_url, *arguments, **more)

    def relay(self, *arguments, **more):
        return self.start("relay", "--url", self.source_url, *self._broker(), *arguments, **more)

    def consumer(self, *arguments, **more):
        group = ("--group", self.group)
        broker = self._broker()
        return self.start("consumer", "--url", self.sink_url, *broker, *group, *arguments, **more)

    def timers(self, *arguments, **more):
        return self.start("timers", "--url", self.source_url, *arguments, **more)

    def produce(self, *arguments, timeout_s=300):
        return self.run("producer", *self._broker(), *arguments, timeout_s=timeout_s)

    def repeat(self, *arguments):
        """As produce, but does not wait."""
        return self.start("producer", *self._broker(), *arguments)

    def _broker(self):
        return ("--brokers", self.brokers, "--prefix", self.prefix)


def drop_slots(sql, database):
    """Ends the relays of a database and drops their slots; a walsender lets go a moment later."""
    find = f"from pg_replication_slots where database = '{database}'"
    for _ in range(100):
        sql.rows(f"select pg_terminate_backend(active_pid) {find} and active")
        sql.rows(f"select pg_drop_replication_slot(slot_name) {find} and not active")
        if sql.value(f"select count(*) {find}") == "0":
            return
        time.sleep(0.05)
    raise RuntimeError(f"the slots of {database} cannot be dropped")


def wait_until(holds, timeout_s, what, every_s=0.1):
    """Raises TimeoutError when it does not come to hold in time."""
    limit = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > limit:
            raise TimeoutError(f"waited {timeout_s} s in vain for {what}")
        time.sleep(every_s)
