"""The disc is full, for the logs and for PostgreSQL's write-ahead log: requests are answered or
refused clearly, an alarm shows it, and all goes on by itself when there is room again."""

import concurrent.futures
import json
import os
import pathlib
import signal
import statistics
import tempfile
import time

import http_client
from arrivals import (
    expect_one_mail,
    expect_one_membership,
    register,
    settled,
    validate,
    wait_until_idle,
)
from instance import Instance
from people import Person, wait_until
from samples import fires, samples, samples_at, total
from small_disc import SmallDisc
from suite import SERVICES
from wal_disc import WalOnSmallDisc

TITLE = "full discs"
LOG_DISC_BYTES = 256 * 1024
SECOND = 12  # the second web-api's port, from the port base
DROPPED = "log_dropped_total"
REQUESTS = 200
SHOWS_S = 60.0
# PostgreSQL starts again at growing intervals, some seconds after a minute.
COMES_BACK_S = 60.0
FULL_S = 30.0


def run(chaos):
    logs_on_a_full_disc(chaos)
    nobody_reads_the_logs(chaos)
    write_ahead_log_full(chaos)


def logs_on_a_full_disc(chaos):
    """A service whose standard output is a file on a full disc."""
    with tempfile.TemporaryDirectory() as folder:
        disc = SmallDisc(folder, LOG_DISC_BYTES)
        file = pathlib.Path(folder) / "web-api.log"
        try:
            with (
                open(file, "ab", buffering=0) as log,
                Instance(chaos.suite, "web-api", SECOND, stdout=log) as second,
            ):
                check_log_disc(chaos, disc, file, second)
        finally:
            disc.unmount()


def check_log_disc(chaos, disc, file, second):
    def dropped():
        return sum(value for _, value in samples_at(second.admin, DROPPED))

    usual_s = median_read_s(second)
    chaos.inject("the disc of a service's log is full")
    disc.fill()
    slow_s = ask_until(second, lambda: dropped() > 0)
    chaos.check("dropped lines are counted", dropped() > 0)
    chaos.check("requests are answered as fast", slow_s < 2 * usual_s + 0.1, f"{slow_s:.3f} s")
    alive = http_client.send("GET", f"{second.admin}/livez").status
    chaos.check("and it says that it lives", alive == 200, f"{alive}")
    lost, size = dropped(), file.stat().st_size
    disc.free()
    started = time.perf_counter()
    ask_until(second, lambda: file.stat().st_size > size)
    chaos.check("lines are written again", file.stat().st_size > size)
    chaos.measured("from room on the log's disc to the next line", time.perf_counter() - started)
    after = file.read_bytes()[size:].split(b"\n")
    # The first may be the end of the line that found no room.
    broken = [line for line in after[1:] if line and not is_json(line)]
    chaos.check("each is whole", not broken, str(broken[:2]))
    chaos.check("none of them is lost", dropped() == lost, f"{dropped() - lost}")
    chaos.check("it ends in order", second.terminate()[0] == 0)


def median_read_s(second):
    url = f"http://127.0.0.1:{second.port}/v1/jobs?limit=1"
    answers = [http_client.send("GET", url) for _ in range(20)]
    assert all(answer.status == 200 for answer in answers), answers[0].describe()
    return statistics.median(answer.took_ms for answer in answers) / 1000


def ask_until(second, condition):
    """The median of the answers' times; each must be a good one."""
    times = [median_read_s(second)]
    wait_until(lambda: times.append(median_read_s(second)) or condition(), SHOWS_S)
    return statistics.median(times)


def is_json(line):
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def nobody_reads_the_logs(chaos):
    """Whoever keeps the logs hangs, as on a full disc: services go on, and count what is lost."""
    supervisor = int((chaos.suite.state / "run" / "supervisord.pid").read_text())
    before = total(chaos.suite, "web-api", DROPPED)
    chaos.inject("whoever reads the services' logs hangs")
    os.kill(supervisor, signal.SIGSTOP)
    try:
        lost = read_until(chaos, lambda: total(chaos.suite, "web-api", DROPPED) > before)
        chaos.check("dropped lines are counted while nobody reads", lost)
        with chaos.checking("people register meanwhile"):
            person, took_s = register(chaos.gateway)
            assert took_s < 2.0, f"{took_s:.1f} s"
            expect_one_mail(chaos.sandbox, person)
        if not chaos.short:
            chaos.check("LogLinesDropped fires", fires(chaos, "LogLinesDropped"))
    finally:
        os.kill(supervisor, signal.SIGCONT)
    log = chaos.suite.state / "log" / "web-api.log"
    size = log.stat().st_size
    again = read_until(chaos, lambda: log.stat().st_size > size)
    chaos.check("the log goes on when it is read again", again)


def read_until(chaos, condition):
    """Readers ask the gateway, so that web-api has something to log."""
    deadline = time.monotonic() + SHOWS_S

    def read(_):
        while not condition() and time.monotonic() < deadline:
            answers = [chaos.gateway.get("/v1/jobs?limit=1") for _ in range(REQUESTS)]
            bad = [answer for answer in answers if answer.status != 200]
            assert not bad, bad[0].describe()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    return condition()


def write_ahead_log_full(chaos):
    pids = {service: chaos.suite.pid(service) for service in SERVICES}
    with WalOnSmallDisc(chaos.suite) as wal:
        chaos.suite.ensure_all()
        before, _ = register(chaos.gateway)
        chaos.inject("the disc of PostgreSQL's write-ahead log is full")
        wal.fill()
        down = wait_until(lambda: registration(chaos).status == 503, SHOWS_S)
        chaos.check("what would write is refused with 503", down, registration(chaos).describe())
        check_state_while_full(chaos)
        if not chaos.short:
            chaos.check("DatabaseUnreachable fires", fires(chaos, "DatabaseUnreachable"))
            wait_until(lambda: False, FULL_S, 1.0)
        wal.free()
        started = time.perf_counter()
        back = wait_until(lambda: registration(chaos).status == 202, COMES_BACK_S)
        chaos.check("it comes back by itself when there is room", back)
        took_s = time.perf_counter() - started
        chaos.measured("from room for the write-ahead log to the next write", took_s)
        with chaos.checking("what was accepted before is done, once"):
            expect_one_mail(chaos.sandbox, before)
            validate(chaos.gateway, chaos.sandbox, before)
            expect_one_membership(chaos.sandbox, before)
            settled(chaos.suite, chaos.sandbox, before, mails=1, pushes=0)
        with chaos.checking("nothing waits"):
            wait_until_idle(chaos.suite)
    now = {service: chaos.suite.pid(service) for service in SERVICES}
    chaos.check("no service ended", now == pids, f"{pids} became {now}")


def registration(chaos):
    body = Person("en", os.urandom(4).hex()).registration()
    return chaos.gateway.post("/v1/accounts", body, key=True)


def db_reachable(chaos):
    return [value for _, value in samples(chaos.suite, "web-api", "db_reachable")]


def check_state_while_full(chaos):
    answer = registration(chaos)
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    chaos.check("503 is a problem document", kind == "application/problem+json", kind)
    chaos.check("503 comes within a second", answer.took_ms < 1000, f"{answer.took_ms:.0f} ms")
    chaos.check("503 says when to come again", "Retry-After" in answer.headers)
    shown = wait_until(lambda: db_reachable(chaos) == [0.0], SHOWS_S)
    chaos.check("db_reachable shows it", shown, str(db_reachable(chaos)))
    url = f"http://127.0.0.1:{chaos.suite.port_base + 11}"
    ready, alive = (http_client.send("GET", f"{url}/{name}") for name in ("readyz", "livez"))
    chaos.check("readyz names the database", ready.status == 503 and b"database" in ready.body)
    chaos.check("livez does not mind", alive.status == 200)
