"""The object store down, silent, slow, or answering 503 SlowDown: grants work, completion waits,
GET /v1/uploads/{id} says what for, and it is finished when the store is back."""

import uploads
from people import expect, wait_until
from probes import alive, metric_shows, recovered
from slow_down import SlowDown
from suite import timed

TITLE = "object store down, silent, slow, 503 SlowDown"
SLOW_S = 1.5  # each piece of an answer
STATE_S = 20.0  # an operation with all its tries takes half of it
RECOVERY_S = 10.0
ANSWER_S = 1.0  # requests do not wait for the store


def run(chaos):
    person = uploads.owner(chaos)
    with chaos.gate("s3") as gate, chaos.through(gate, "upload"):
        outage(chaos, person, "refuses connections", gate.refuse, gate.open)
        with SlowDown() as busy:
            real = gate.target_port

            def too_much():
                gate.target_port = busy.port
                gate.cut()

            def enough():
                gate.target_port = real
                gate.cut()

            outage(chaos, person, "answers 503 SlowDown", too_much, enough)
            chaos.check("SlowDown was met", busy.refused > 0)
        slow(chaos, person, gate)
        if not chaos.short:
            outage(chaos, person, "accepts and says nothing", gate.black_hole, gate.open)
    if not chaos.short:
        stopped(chaos, person)


def outage(chaos, person, how, begin, end):
    """The upload service cannot use the store; the client has sent its file before."""
    content = uploads.new_picture(chaos)
    grant = expect(uploads.ask_grant(chaos, person, content), 201, "POST /v1/uploads")
    chaos.inject(f"the object store {how}")
    begin()
    try:
        answer, took_s = timed(lambda: uploads.ask_grant(chaos, person, content))
        fine = answer.status == 201 and took_s < ANSWER_S
        chaos.check(f"a grant while it {how}", fine, f"{answer.describe()} in {took_s:.2f} s")
        uploads.send(grant, content)
        answer, took_s = timed(lambda: uploads.complete(chaos, person, grant["id"]))
        fine = answer.status == 202 and took_s < ANSWER_S
        chaos.check(f"completion while it {how}", fine, f"{answer.describe()} in {took_s:.2f} s")
        waits_visibly(chaos, person, grant["id"], how)
        alive(chaos, ["upload", "web-api"])
        metric_shows(chaos, "the failures", "upload", "upload_work_failures_total",
                     lambda count: count > 0)
    finally:
        end()
    recovered(
        chaos,
        f"store that {how}",
        lambda: uploads.is_ready(chaos, person, grant["id"]),
        RECOVERY_S,
        "the upload is ready",
    )
    uploads.check_done_once(chaos, f"store that {how}", person, grant["id"], content)


def waits_visibly(chaos, person, upload_id, how):
    """Its owner sees that it waits, and for what."""
    seen = []

    def waits():
        seen.append(uploads.state(chaos, person, upload_id))
        return seen[-1].get("waiting_for") == "object-store"

    wait_until(waits, STATE_S, 0.1)
    fine = waits() and seen[-1]["state"] in ("granted", "uploaded", "verifying")
    chaos.check(f"the upload shows what it waits for while the store {how}", fine, str(seen[-1]))


def slow(chaos, person, gate):
    """Slower, and nothing else."""
    content = uploads.new_picture(chaos)
    chaos.inject(f"every answer of the store comes {SLOW_S:g} s later")
    gate.delay(SLOW_S)
    try:
        upload_id = uploads.upload(chaos, person, content)
        answer, took_s = timed(lambda: uploads.ask_grant(chaos, person, content))
        fine = answer.status == 201 and took_s < ANSWER_S
        chaos.check("a grant while it is slow", fine, f"{answer.describe()} in {took_s:.2f} s")
        uploads.check_done_once(chaos, "slow store", person, upload_id, content)
    finally:
        gate.open()


def stopped(chaos, person):
    """The store itself ends: clients cannot send either, and send when it is back."""
    content = uploads.new_picture(chaos)
    chaos.inject("the object store is stopped")
    chaos.suite.supervise("stop", "store:ceph-rgw")
    try:
        answer = uploads.ask_grant(chaos, person, content)
        chaos.check("a grant while the store is stopped", answer.status == 201, answer.describe())
        grant = answer.json
        chaos.check("a client sees that it is away", uploads.send(grant, content).status == 0)
        seen = uploads.state(chaos, person, grant["id"])
        chaos.check("the upload waits for its file", seen.get("waiting_for") == "file", str(seen))
    finally:
        chaos.suite.supervise("start", "store:ceph-rgw")
    sent = wait_until(lambda: uploads.send(grant, content).status in (200, 204, 412), 60.0, 0.2)
    chaos.check("the client sends it when the store is back", sent)
    expect(uploads.complete(chaos, person, grant["id"]), 202, "POST completion")
    uploads.check_done_once(chaos, "stopped store", person, grant["id"], content)
