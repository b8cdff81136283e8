"""PostgreSQL down, restarted, frozen, out of connections: 503 with Retry-After within a second,
alive, back within five seconds; and a lost answer to a COMMIT is repeated without harm."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import socket
import struct
import uuid

from arrivals import (
    expect_one_mail,
    expect_one_membership,
    log_in,
    register,
    settled,
    validate,
)
from people import Person, expect, wait_until
from probes import alive, metric_shows, recovered, refused_well
from suite import SERVICES, timed

TITLE = "PostgreSQL down, restarted, frozen, out of connections; a lost answer to COMMIT"
RECOVERY_S = 5.0
AT_ONCE = 12  # requests: three times the threads of a pool
CONNECTIONS_MAX = 100  # as configured; the rest is refused
STORED = ("web-api", "upload", "notification", "mailing-list-sync")


def run(chaos):
    person = validated(chaos)
    pids = {service: chaos.suite.pid(service) for service in SERVICES}
    for outage in (down, killed, frozen, crowded):
        outage(chaos, person)
    same = {service: chaos.suite.pid(service) for service in SERVICES} == pids
    chaos.check("no service ended meanwhile", same)
    commit_answer_lost(chaos, person)


def validated(chaos):
    person, _ = register(chaos.gateway)
    expect_one_mail(chaos.sandbox, person)
    validate(chaos.gateway, chaos.sandbox, person)
    log_in(chaos.gateway, person)
    return person


def requests(chaos, person):
    """Reads and writes, with and without a token."""
    gateway = chaos.gateway
    new = Person("en", uuid.uuid4().hex[:8])
    return {
        "GET /v1/jobs": lambda: gateway.get("/v1/jobs"),
        "POST /v1/accounts": lambda: gateway.post("/v1/accounts", new.registration(), key=True),
        "GET /v1/accounts/current": lambda: gateway.get("/v1/accounts/current", person.token),
        "GET /v1/uploads/{id}": lambda: gateway.get(f"/v1/uploads/{uuid.uuid4()}", person.token),
    }


def refuses(chaos, person, how):
    for what, ask in requests(chaos, person).items():
        answer, took_s = timed(ask)
        refused_well(chaos, f"{what} while PostgreSQL {how}", answer, took_s)
    alive(chaos)
    for service in STORED:
        metric_shows(chaos, "the outage", service, "db_reachable", lambda value: value == 0)


def works_again(chaos, name):
    """The time counts from when the server itself takes sessions again."""
    crowd = Crowd(chaos.suite.port_base + 60)
    took = wait_until(crowd.take, 60.0, 0.02)
    crowd.leave()
    chaos.check(f"{name}: the server is back", took)

    def works():
        answers = [chaos.gateway.get("/v1/jobs").status == 200]
        return all(answers + [chaos.suite.ready(service) for service in STORED])

    recovered(chaos, name, works, RECOVERY_S)
    person, _ = register(chaos.gateway)
    with chaos.checking(f"{name}: one mail and one membership afterwards"):
        expect_one_mail(chaos.sandbox, person)
        validate(chaos.gateway, chaos.sandbox, person)
        expect_one_membership(chaos.sandbox, person)
        settled(chaos.suite, chaos.sandbox, person, mails=1, pushes=0)


def down(chaos, person):
    chaos.inject("PostgreSQL is stopped")
    chaos.suite.stop("postgres")
    try:
        refuses(chaos, person, "is down")
    finally:
        chaos.suite.start("postgres")
    works_again(chaos, "postgres down")


def killed(chaos, person):
    chaos.inject("kill -9 of PostgreSQL; its supervisor starts it again")
    registered, _ = register(chaos.gateway)
    chaos.suite.kill("postgres")
    works_again(chaos, "postgres restarted")
    with chaos.checking("who registered before the crash gets one mail"):
        expect_one_mail(chaos.sandbox, registered)


def frozen(chaos, person):
    """Its sockets stay open, new connections are accepted by the kernel, nothing answers."""
    main = chaos.suite.pid("postgres")
    frozen_pids = [main, *children(main)]
    chaos.inject(f"SIGSTOP to PostgreSQL's {len(frozen_pids)} processes")
    signal_all(frozen_pids, signal.SIGSTOP)
    try:
        asked = list(requests(chaos, person).items())
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [
                (asked[i % len(asked)][0], pool.submit(timed, asked[i % len(asked)][1]))
                for i in range(AT_ONCE)
            ]
            alive(chaos)
            for what, answer in waiting:
                refused_well(chaos, f"{what} among {AT_ONCE} at once", *answer.result())
        refuses(chaos, person, "is frozen")
    finally:
        signal_all(frozen_pids, signal.SIGCONT)
    works_again(chaos, "postgres frozen")


def signal_all(pids, which):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, which)


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in listed.split()]


def crowded(chaos, person):
    """Others take every connection. Sessions that are open go on; what has none is refused."""
    crowd = Crowd(chaos.suite.port_base + 60)
    main = chaos.suite.pid("postgres")
    try:
        chaos.inject("strangers take every connection of PostgreSQL, then ours are ended")

        def full():
            # Whoever comes first gets the place of a session that ended.
            signal_all(backends(main), signal.SIGTERM)
            return crowd.fill() == 0 and not usable(chaos)

        chaos.check("no service has a connection left", wait_until(full, 30.0, 0.1))
        refuses(chaos, person, "has no connection left")
    finally:
        crowd.leave()
    works_again(chaos, "postgres out of connections")


def usable(chaos):
    return any(chaos.suite.metric(service, "db_reachable") for service in STORED)


def backends(main):
    """The sessions of our services' pools, by what they call themselves."""
    found = []
    for pid in children(main):
        with contextlib.suppress(FileNotFoundError):
            title = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
            if any(f" {role} {role} 127.0.0.1" in title for role in map(role_of, STORED)):
                found.append(pid)
    return found


def role_of(service):
    return service.replace("-", "_")


class Crowd:
    """Clients that say who they are and then nothing: each holds a place until it is thrown out
    after authentication_timeout (a minute)."""

    # Protocol 3.0, user, database.
    _hello = struct.pack(">I", 196608) + b"user\0stranger\0database\0postgres\0\0"

    def __init__(self, port):
        self._port = port
        self._sockets = []

    def fill(self):
        """Takes places until there are none; returns how many it got."""
        took = 0
        while len(self._sockets) < CONNECTIONS_MAX and self.take():
            took += 1
        return took

    def take(self):
        """One place; False when the server has none, or is not there."""
        made = None
        try:
            made = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            made.sendall(struct.pack(">I", len(self._hello) + 4) + self._hello)
            # 'R': go on and authenticate. Anything else is a refusal.
            if made.recv(1) == b"R":
                self._sockets.append(made)
                return True
        except OSError:
            pass
        if made:
            made.close()
        return False

    def leave(self):
        for each in self._sockets:
            each.close()
        self._sockets.clear()


def commit_answer_lost(chaos, person):
    """The gate ends the connection after the server has committed. The client repeats with its
    key, and what it wanted is there once."""
    with chaos.gate("postgres") as gate, chaos.through(gate, "web-api"):
        place = f"Place {uuid.uuid4().hex[:12]}"
        job = {
            "category": "plumbing",
            "locality": place,
            "title": "Lekkende kraan",
            "description": "De kraan in de keuken lekt.",
            "budget": {"amount_minor": 9000, "currency": "EUR"},
        }
        made = lose(chaos, gate, "publishing a job", "/v1/jobs", job, person.token, 201)
        listed = expect(chaos.gateway.call("GET", f"/v1/jobs?locality={place.replace(' ', '%20')}"),
                        200, "GET /v1/jobs")
        ids = [found["id"] for found in listed["items"]]
        chaos.check("the job is there once", ids == [made["id"]], str(ids))
        new = Person("en", uuid.uuid4().hex[:8])
        lose(chaos, gate, "registering", "/v1/accounts", new.registration(), None, 202)
        with chaos.checking("one mail to who registered"):
            expect_one_mail(chaos.sandbox, new)
            settled(chaos.suite, chaos.sandbox, new, mails=1, pushes=0)


def lose(chaos, gate, what, path, body, token, status):
    """Sends until the gate has lost an answer; returns what the repeat was told."""
    key = str(uuid.uuid4())
    before = gate.answers_lost
    chaos.inject(f"{what}: the answer to COMMIT is lost")
    gate.lose_answer(armed_by=key.encode(), to=b"commit\0")
    first = chaos.gateway.post(path, body, token, key=key)
    chaos.check(f"{what}: an answer was lost", gate.answers_lost == before + 1)
    unsure = first.status in (503, 504)
    chaos.check(f"{what}: the client is told to repeat", unsure, first.describe())
    again = chaos.gateway.post(path, body, token, key=key)
    chaos.check(f"{what}: the repeat gets the first answer",
                again.status == status and again.headers.get("Idempotent-Replayed") == "true",
                f"{again.describe()} {again.headers}")
    return again.json
