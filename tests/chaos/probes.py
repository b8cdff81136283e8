"""What several rows look at: answers of a suite in trouble, life, recovery, the whole story."""

import copy
import statistics
import time

import http_client
from arrivals import expect_one_membership, register, settled
from http_client import Gateway
from narrator import Narrator
from people import wait_until
from story import play
from suite import ADMIN_OFFSETS, SERVICES, timed

PROBLEM = "application/problem+json"
REFUSED_S = 1.0  # so long may a request take to be told that something is away
PATIENCE_S = 60.0
STEPS = 6  # of the story


def header(answer, name):
    """A header's value whatever its case, or an empty string."""
    return next((v for k, v in answer.headers.items() if k.lower() == name.lower()), "")


def alive(chaos, services=SERVICES):
    """/livez looks at nothing, so it says yes and at once, whatever is away."""
    for service in services:
        url = f"http://127.0.0.1:{chaos.suite.port_base + ADMIN_OFFSETS[service]}/livez"
        answer, took_s = timed(lambda u=url: http_client.send("GET", u, timeout_s=5))
        fine = answer.status == 200 and took_s < REFUSED_S
        chaos.check(f"/livez of {service} stays up", fine, f"{answer.describe()} in {took_s:.2f} s")


def refused_well(chaos, what, answer, took_s):
    """503 with Retry-After within a second, as a problem document."""
    seen = f"{answer.describe()} {answer.headers} after {took_s:.2f} s"
    fine = (
        answer.status == 503
        and took_s < REFUSED_S
        and header(answer, "Retry-After").isdigit()
        and header(answer, "Content-Type").split(";")[0] == PROBLEM
    )
    return chaos.check(f"{what}: 503 with Retry-After within {REFUSED_S:g} s", fine, seen)


def median_s(gateway, count=5):
    """How long registering takes."""
    return statistics.median(register(gateway)[1] for _ in range(count))


def recovered(chaos, name, works, limit_s, what="it works again", begun=None):
    """Waits until works() and tells how long that took, since `begun` (monotonic) or now; a
    violation when it takes longer than limit_s. Returns whether it works."""
    begun = begun or time.monotonic()
    came = wait_until(works, PATIENCE_S, 0.05)
    took_s = time.monotonic() - begun
    chaos.measured(name, took_s)
    seen = f"took {took_s:.1f} s" if came else "it never did"
    return chaos.check(f"{name}: {what} within {limit_s:g} s", came and took_s < limit_s, seen)


def metric_shows(chaos, what, service, name, wanted, timeout_s=15.0, **labels):
    """A metric that an alert is made of: `wanted` is a function of its value."""
    seen = []

    def shown():
        seen.append(chaos.suite.metric(service, name, **labels))
        return wanted(seen[-1])

    came = wait_until(shown, timeout_s, 0.1)
    return chaos.check(f"{name} of {service} shows {what}", came, f"it says {seen[-1]}")


class StepNarrator(Narrator):
    """Tells nobody; the beginning of each numbered step is a point at which things may break."""

    def __init__(self, point):
        super().__init__(quiet=True)
        self._point = point

    def run(self, number, title, play):
        self._point(f"step {number}")
        return super().run(number, title, play)


def play_story(chaos, name, point=lambda name: None):
    """Plays the story with a client that repeats what got no answer, breaking things at its points
    ("step 1" … and those of steps.py). Returns the story, or None when it did not complete."""
    # Every story sends a campaign, and the list provider's plan allows few of them an hour.
    chaos.sandbox.post("/rate-limits", {"on": True})
    options = copy.copy(chaos.options)
    options.mail_limit_s = options.patience_s = PATIENCE_S
    narrator = StepNarrator(point)

    def point_and_repeat(name):
        point(name)
        if name == "unsubscribed":
            chaos.check("the opt-out reaches us", webhooks_arrive(chaos), "a webhook is pending")

    gateway = Gateway(chaos.suite.base, patience_s=PATIENCE_S)
    story = play(options, narrator, point_and_repeat, gateway)
    failed = [f"step {step.number}: {step.failure}" for step in narrator.steps if step.failure]
    whole = not failed and len(narrator.steps) == STEPS
    return story if chaos.check(f"{name}: the story completes", whole, "; ".join(failed)) else None


def webhooks_arrive(chaos):
    """Of what met a dying service the list provider tells us again, ten minutes later and then an
    hour: here at once, until everything has arrived."""

    def all_delivered():
        pending = chaos.sandbox.find("webhooks", provider="brevo", state="pending")
        if any(each["attempts"] for each in pending):
            chaos.sandbox.post("/webhooks/retry", {})
        return not pending

    return wait_until(all_delivered, PATIENCE_S, 0.5)


def told_once(chaos, name, story):
    """Everything the story does has happened once: one mail, one push, one membership, one set of
    variants. Waits until nothing is left to do."""
    # The client: validation, repeated registration, the offer. The provider: validation and the
    # acceptance.
    with chaos.checking(f"{name}: one mail and one push of each thing for each"):
        settled(chaos.suite, chaos.sandbox, story.client, mails=3, pushes=1)
        settled(chaos.suite, chaos.sandbox, story.provider, mails=2, pushes=1)
    sent = len(story.campaign_mails(story.client))
    chaos.check(f"{name}: one mail of the campaign", sent == 1, f"{sent}")
    with chaos.checking(f"{name}: one membership"):
        expect_one_membership(chaos.sandbox, story.provider)
    profile = chaos.gateway.get(f"/v1/profiles/{story.client.account_id}", story.client.token)
    variants = ((profile.json or {}).get("avatar") or {}).get("variants", [])
    sizes = [variant["width"] for variant in variants]
    once = len(sizes) > 0 and len(sizes) == len(set(sizes))
    chaos.check(f"{name}: one set of variants", once, profile.describe())
