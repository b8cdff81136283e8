"""The wall clock jumps an hour forward and back: sessions, tokens, timers and retries are off by
the jump and no more; nobody is told twice."""

import time

import http_client
import picture
from arrivals import (
    expect_one_mail,
    expect_one_membership,
    expect_one_push,
    log_in,
    make_offer,
    pair,
    register,
    settled,
    validate,
    wait_until_idle,
)
from ledger import query
from people import expect, wait_until
from samples import fires
from verdicts import Upload
from wall_clock import settable_wall_clock, wait_for_times

TITLE = "the wall clock jumps"
HOUR_S = 3600
JUMPS = [HOUR_S, 0, -HOUR_S, 0]
FURTHER_JUMPS = [HOUR_S, -HOUR_S, HOUR_S, 0]
# Longer than one jump, shorter than two.
GRANT_S = 5400
SLOW_MAIL_MS = 4000
FAILURES = "upload_work_failures_total"
FIRED = "timers_fired_total"
FIRES_S = 10.0
ARRIVES_S = 90.0


def run(chaos):
    with settable_wall_clock(chaos) as clock:
        with chaos.changed("upload", RELAIS_UPLOAD_GRANT_SECONDS=GRANT_S):
            jump_all(chaos, clock)


def jump_all(chaos, clock):
    people = pair(chaos.gateway, chaos.sandbox)
    jumps = JUMPS if chaos.short else [*JUMPS, *FURTHER_JUMPS]
    waiting = [register(chaos.gateway)[0] for _ in jumps]
    for person in waiting:
        expect_one_mail(chaos.sandbox, person)
    upload = Upload(chaos, people[0], picture.make_png())
    for offset_s in jumps:
        late, retried = before_the_jump(chaos)
        clock.set(offset_s)
        check_clock(chaos, offset_s)
        check_sessions(chaos, people, offset_s)
        check_token(chaos, waiting.pop(), offset_s)
        check_timer(chaos, upload, offset_s)
        check_work(chaos, people, offset_s)
        check_mails(chaos, late, retried, offset_s)
    check_one_wrong(chaos, clock, people[0])
    check_upload(chaos, clock, people[0], upload)
    check_due_timer(chaos, clock, people[0])
    with chaos.checking("nothing waits when the clock is right again"):
        wait_until_idle(chaos.suite)
    for person in people:
        with chaos.checking(f"{person.email} was told everything once"):
            offers = len(jumps) if person is people[0] else 0
            settled(chaos.suite, chaos.sandbox, person, mails=1 + offers, pushes=offers)


def before_the_jump(chaos):
    """A mail that is on its way when the clock jumps, and one that is to be tried again after."""
    chaos.calm_sandbox()
    fault = {"provider": "mailjet", "route": "^POST /v3.1/send", "times": 1}
    chaos.sandbox.post("/faults", {**fault, "fault": "delay_ms", "delay_ms": SLOW_MAIL_MS})
    late, _ = register(chaos.gateway)
    taken = wait_until(lambda: applied(chaos) == 1, ARRIVES_S)
    assert taken, "the slow call did not begin"
    chaos.sandbox.post("/faults", {**fault, "fault": "status", "status": 500, "times": 2})
    retried, _ = register(chaos.gateway)
    return late, retried


def applied(chaos):
    return sum(fault["applied"] for fault in chaos.sandbox.find("faults"))


def check_clock(chaos, offset_s):
    started = time.perf_counter()
    seen = wait_for_times(chaos, lambda value: abs(value - time.time() - offset_s) < 60)
    chaos.check(f"{offset_s:+d} s: every service sees it", seen)
    chaos.measured(f"{offset_s:+d} s: seen by every service", time.perf_counter() - started)


def check_sessions(chaos, people, offset_s):
    """Not one request of somebody who is logged in may be turned away."""
    statuses = [
        chaos.gateway.get("/v1/accounts/current", person.token).status
        for _ in range(5)
        for person in people
    ]
    chaos.check(f"{offset_s:+d} s: sessions go on", set(statuses) == {200}, str(statuses))
    with chaos.checking(f"{offset_s:+d} s: a log-in"):
        credentials = {"email": people[0].email, "password": people[0].password}
        answer = chaos.gateway.post("/v1/sessions", credentials)
        fresh = expect(answer, 201, "POST /v1/sessions")["token"]
        expect(chaos.gateway.get("/v1/accounts/current", fresh), 200, "with the new session")


def check_token(chaos, person, offset_s):
    with chaos.checking(f"{offset_s:+d} s: a token mailed before still validates, once"):
        validate(chaos.gateway, chaos.sandbox, person)
        expect_one_membership(chaos.sandbox, person)
        log_in(chaos.gateway, person)


def check_timer(chaos, upload, offset_s):
    """A grant of an hour and a half is not over after an hour."""
    seen = upload.seen()["state"]
    chaos.check(f"{offset_s:+d} s: an upload's grant goes on", seen == "granted", seen)


def check_work(chaos, people, offset_s):
    client, provider = people
    since = time.time()
    with chaos.checking(f"{offset_s:+d} s: an offer is told at once, once"):
        make_offer(chaos.gateway, client, provider)
        expect_one_mail(chaos.sandbox, client, ARRIVES_S, since)
        expect_one_push(chaos.sandbox, client, ARRIVES_S, since)


def check_mails(chaos, late, retried, offset_s):
    with chaos.checking(f"{offset_s:+d} s: the mail that was on its way arrives once"):
        expect_one_mail(chaos.sandbox, late, ARRIVES_S)
        settled(chaos.suite, chaos.sandbox, late, mails=1, pushes=0)
    with chaos.checking(f"{offset_s:+d} s: the mail that had to be repeated arrives once"):
        expect_one_mail(chaos.sandbox, retried, ARRIVES_S)
        settled(chaos.suite, chaos.sandbox, retried, mails=1, pushes=0)


def check_one_wrong(chaos, clock, person):
    """One service's clock alone is wrong: what it signs is not believed, and nobody is told that
    it is the session's fault."""
    clock.set(HOUR_S, ["gateway"])
    answer = chaos.gateway.get("/v1/accounts/current", person.token)
    chaos.check("a service alone in its time: 503", answer.status == 503, answer.describe())
    if not chaos.short:
        chaos.check("ClockWrong fires", fires(chaos, "ClockWrong"))
    clock.set(0, ["gateway"])
    again = wait_until(
        lambda: chaos.gateway.get("/v1/accounts/current", person.token).status == 200, FIRES_S
    )
    chaos.check("and the session goes on afterwards", again)


def check_upload(chaos, clock, person, upload):
    """The store refuses what is signed by a wrong clock; the upload goes on when it is right."""
    with chaos.checking("an upload that meets a wrong clock waits, and is done when it is right"):
        upload.send()
        failures = chaos.suite.metric("upload", FAILURES)
        clock.set(HOUR_S)
        upload.complete()
        waits = wait_until(lambda: chaos.suite.metric("upload", FAILURES) > failures, ARRIVES_S)
        assert waits and upload.seen()["state"] == "granted", upload.seen()
        clock.set(0)
        started = time.perf_counter()
        verdict = upload.verdict(ARRIVES_S)
        assert verdict["state"] == "ready", verdict
        chaos.measured("an upload after the clock is right again", time.perf_counter() - started)
        shown = http_client.send("GET", verdict["variants"][0]["url"]).status
        assert shown == 200, shown


def check_due_timer(chaos, clock, person):
    """A grant that is over by the clock: its timer fires at once, and the store then decides."""
    abandoned = Upload(chaos, person, picture.make_png())
    due = count_due(chaos, 2 * HOUR_S)
    before = chaos.suite.metric("upload", FIRED)
    clock.set(2 * HOUR_S)
    started = time.perf_counter()
    fired = wait_until(lambda: chaos.suite.metric("upload", FIRED) - before >= due, FIRES_S)
    chaos.check(f"each of {due} timers that became due fires", due > 0 and fired)
    chaos.measured("a timer after the jump that made it due", time.perf_counter() - started)
    clock.set(0)
    # Granted until the grant is over by the right clock.
    chaos.check("its upload is not judged by a wrong clock", abandoned.seen()["state"] == "granted")
    count = chaos.suite.metric("upload", FIRED) - before
    chaos.check("and fires once", count == due, f"{count} of {due}")


def count_due(chaos, ahead_s):
    sql = f"select count(*) from timer where due_at < now() + interval '{ahead_s} s'"
    return int(query(chaos.suite, "upload", sql)[0][0])
