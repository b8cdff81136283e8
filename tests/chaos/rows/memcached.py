"""memcached down or black-holed: slower, not wrong; no request waits more than 20 ms for it."""

import statistics
import time

import uploads
from people import expect, wait_until
from probes import alive, metric_shows, recovered
from suite import timed

TITLE = "memcached down, silent, slow, back with what is old"
WAIT_S = 0.020
# What a busy machine may add to a request; a wait without a limit is longer by far.
NOISE_S = 0.080
# After a failure memcached is left alone for a second: at least one request of a window meets it.
WINDOW_S = 1.2
WINDOWS, WINDOWS_SHORT = 9, 3
KEPT_S, KEPT_SHORT_S = 65.0, 2.0  # profiles are kept for a minute


def run(chaos):
    person = uploads.owner(chaos)
    with chaos.gate("memcached") as gate, chaos.through(gate, "web-api"):
        usual_s = slowest(chaos, person, "works")
        never_waits(chaos, person, usual_s, "refuses connections", gate.refuse, gate)
        never_waits(chaos, person, usual_s, "accepts and says nothing", gate.black_hole, gate)
        never_waits(chaos, person, usual_s, "answers after a second", lambda: gate.delay(1.0), gate)
        killed(chaos, person)
        stays_right(chaos, person, gate)


def read_profile(chaos, person):
    return chaos.gateway.get(f"/v1/profiles/{person.account_id}", person.token)


def slowest(chaos, person, how):
    """How long the slowest read of a window takes, as a rule. All of them are right."""
    worst, wrong, count = [], [], 0
    for _ in range(WINDOWS_SHORT if chaos.short else WINDOWS):
        took = []
        end = time.monotonic() + WINDOW_S
        while time.monotonic() < end:
            answer, took_s = timed(lambda: read_profile(chaos, person))
            took.append(took_s)
            if answer.status != 200 or answer.json["id"] != person.account_id:
                wrong.append(answer.describe())
        worst.append(max(took))
        count += len(took)
    chaos.check(f"{count} profiles are right while memcached {how}", not wrong, str(wrong[:3]))
    return statistics.median(worst)


def never_waits(chaos, person, usual_s, how, begin, gate):
    chaos.inject(f"memcached {how}")
    failed = chaos.suite.metric("web-api", "cache_requests_total", result="error")
    begin()
    slowest_s = slowest(chaos, person, how)
    fine = slowest_s <= usual_s + WAIT_S + NOISE_S
    chaos.check(
        f"no request waits for it while it {how}",
        fine,
        f"the slowest took {slowest_s:.3f} s, usually {usual_s:.3f} s",
    )
    metric_shows(
        chaos,
        "failures",
        "web-api",
        "cache_requests_total",
        lambda count: count > failed,
        result="error",
    )
    alive(chaos, ["web-api"])
    gate.open()


def hits(chaos):
    return chaos.suite.metric("web-api", "cache_requests_total", result="hit")


def is_cached(chaos, person):
    before = hits(chaos)
    read_profile(chaos, person)
    return hits(chaos) > before


def killed(chaos, person):
    """It comes back empty, and is used again."""
    chaos.inject("kill -9 of memcached; its supervisor starts it again")
    chaos.suite.kill("memcached")
    answer = read_profile(chaos, person)
    chaos.check("a profile while it is away", answer.status == 200, answer.describe())
    recovered(
        chaos, "memcached restarted", lambda: is_cached(chaos, person), 10.0, "it is used again"
    )


def stays_right(chaos, person, gate):
    """A profile that changes while memcached cannot be told is shown as it is, also when memcached
    is back with the old one."""
    chaos.check("the profile is in memcached", wait_until(lambda: is_cached(chaos, person), 15.0))
    chaos.inject("memcached is away while a profile changes, then back with the old one")
    gate.refuse()
    content = uploads.new_picture(chaos)
    upload_id = uploads.upload(chaos, person, content)
    changed = wait_until(lambda: has_avatar(chaos, person), 30.0)
    chaos.check("the new profile is shown while memcached is away", changed)
    gate.open()
    wrong, count = 0, 0
    end = time.monotonic() + (KEPT_SHORT_S if chaos.short else KEPT_S)
    while time.monotonic() < end:
        count += 1
        wrong += not has_avatar(chaos, person)
    chaos.check("the old profile is not shown afterwards", not wrong, f"{wrong} of {count} times")
    uploads.check_done_once(chaos, "memcached away", person, upload_id, content)


def has_avatar(chaos, person):
    profile = expect(read_profile(chaos, person), 200, "GET /v1/profiles/{id}")
    return bool(profile.get("avatar"))
