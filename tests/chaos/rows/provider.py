"""Providers down, slow, throttling, failing, answering nonsense, processing without an answer:
requests do not notice; each failure is retried by its class, within a budget; one mail a person."""

import concurrent.futures
import time

from arrivals import (
    expect_one_mail,
    expect_one_membership,
    expect_one_push,
    make_offer,
    pair,
    register,
    settled,
    validate,
)
from people import wait_until
from probes import metric_shows, recovered

TITLE = "providers down, slow, 429, 500, half JSON, reset after processing, partial success"
JSON_ERROR = {"ErrorIdentifier": "x", "StatusCode": 500, "ErrorMessage": "Internal error."}
FAULTS = {
    "429": {"fault": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "429 without Retry-After": {"fault": "status", "status": 429},
    "500": {"fault": "status", "status": 500},
    "500 of its own": {"fault": "status", "status": 500, "body": JSON_ERROR},
    "500 after processing": {"fault": "status", "status": 500, "process": True},
    "503 without a body": {"fault": "status", "status": 503, "headers": {"Retry-After": "1"}},
    "HTML page": {"fault": "html_error"},
    "reset before": {"fault": "reset_before"},
    "reset after processing": {"fault": "reset_after"},
    "closed after processing": {"fault": "reset_after", "close": "fin"},
    "half the JSON": {"fault": "truncated_json"},
    "half the body": {"fault": "truncated_body"},
    "slow": {"fault": "delay_ms", "delay_ms": 1500},
}
SLOW = {"fault": "delay_ms", "delay_ms": 30000}
LIST_FAULTS = {"425": {"fault": "status", "status": 425}}
MAIL, PUSH, LIST = "^POST /v3.1/send", "^POST", "^(POST|PUT) /v3/contacts"
# Answers to register() when nothing fails take some 100 ms (the password hash); a provider's
# fault must not show in them.
NOTICED_S = 1.0
# Mailjet has no idempotency key: what may have been processed is looked up, and that waits until
# the look-up can be trusted.
AMBIGUOUS_S = 120.0
WAITING = 8  # people who wait while a provider is away
LEFT_ALONE_S, LEFT_ALONE_SHORT_S = 30.0, 6.0
TRIES_MAX = 6  # of a provider that is left alone, in the longer form
RETRIES_RESERVE = 20  # of the budget, for each channel
RECOVERY_S = 45.0  # the breaker's longest pause and a message that waits for its turn


def run(chaos):
    faults = dict(FAULTS)
    if not chaos.short:
        faults["slow as 30 s"] = SLOW
    # Faults are a provider's own, so that three of them can be tried side by side.
    sides = (mail_faults, push_faults, list_faults)
    with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
        told = [side.result() for side in [pool.submit(each, chaos, faults) for each in sides]]
    for person, mails, pushes in sum(told, []):
        with chaos.checking(f"nothing more for {person.email}"):
            settled(chaos.suite, chaos.sandbox, person, mails=mails, pushes=pushes)
    partial(chaos)
    away(chaos)
    failing(chaos)
    webhook_twice(chaos)


def script(chaos, provider, route, fault, times=1):
    return chaos.sandbox.post(
        "/faults", {**fault, "provider": provider, "route": route, "times": times}
    )["id"]


def met(chaos, what, fault_id, times=1):
    applied = {item["id"]: item["applied"] for item in chaos.sandbox.find("faults")}
    chaos.check(f"{what}: the fault met {times} requests", applied[fault_id] == times, str(applied))


def noticed_nothing(chaos, what, took_s):
    chaos.check(f"{what}: the request did not notice", took_s < NOTICED_S, f"{took_s:.2f} s")


def mail_faults(chaos, faults):
    """Returns whom it told how often."""
    told = []
    for name, fault in faults.items():
        for times in (1, 2) if name.startswith("429") else (1,):
            what = f"mail provider, {name}" + (f", {times} times" if times > 1 else "")
            chaos.inject(what)
            fault_id = script(chaos, "mailjet", MAIL, fault, times)
            person, took_s = register(chaos.gateway)
            noticed_nothing(chaos, what, took_s)
            with chaos.checking(f"{what}: one mail"):
                expect_one_mail(chaos.sandbox, person, AMBIGUOUS_S)
            met(chaos, what, fault_id, times)
            told.append((person, 1, 0))
    return told


def push_faults(chaos, faults):
    told = []
    client, provider = pair(chaos.gateway, chaos.sandbox)
    for count, (name, fault) in enumerate(faults.items(), 1):
        what = f"push provider, {name}"
        chaos.inject(what)
        fault_id = script(chaos, "onesignal", PUSH, fault)
        since = time.time()
        make_offer(chaos.gateway, client, provider)
        with chaos.checking(f"{what}: one mail and one push"):
            expect_one_mail(chaos.sandbox, client, AMBIGUOUS_S, since=since)
            expect_one_push(chaos.sandbox, client, AMBIGUOUS_S, since=since)
        met(chaos, what, fault_id)
        told = [(client, 1 + count, count), (provider, 1, 0)]
    return told


def list_faults(chaos, faults):
    told = []
    for name, fault in {**faults, **LIST_FAULTS}.items():
        what = f"list provider, {name}"
        person, _ = register(chaos.gateway)
        expect_one_mail(chaos.sandbox, person, AMBIGUOUS_S)
        chaos.inject(what)
        fault_id = script(chaos, "brevo", LIST, fault)
        validate(chaos.gateway, chaos.sandbox, person)
        with chaos.checking(f"{what}: one membership"):
            expect_one_membership(chaos.sandbox, person, AMBIGUOUS_S)
        met(chaos, what, fault_id)
        told.append((person, 1, 0))
    return told


def partial(chaos):
    """Of several mails in one call one is refused for good: the others go out once, it never."""
    script(chaos, "mailjet", MAIL, FAULTS["429"])
    first, _ = register(chaos.gateway)  # the channel waits, so that the others gather
    people = [register(chaos.gateway)[0] for _ in range(3)]
    chaos.inject("mail provider, one of several mails is refused")
    refused = {"fault": "partial", "recipients": [people[1].email]}
    script(chaos, "mailjet", MAIL, refused, times=20)
    for person in (first, people[0], people[2]):
        with chaos.checking(f"partial success: one mail to {person.email}"):
            expect_one_mail(chaos.sandbox, person, AMBIGUOUS_S)
            settled(chaos.suite, chaos.sandbox, person, mails=1, pushes=0)
    with chaos.checking("partial success: no mail where it was refused"):
        settled(chaos.suite, chaos.sandbox, people[1], mails=0, pushes=0)
    chaos.calm_sandbox()


def away(chaos):
    """Nobody listens at the provider's address."""
    for service, provider in (("notification", "mailjet"), ("mailing-list-sync", "brevo")):
        with chaos.gate(provider) as gate, chaos.through(gate, service):
            chaos.inject(f"{provider} is down")
            gate.refuse()

            def calls(service=service, provider=provider):
                return chaos.suite.metric(service, "provider_no_answer_total", provider=provider)

            outage = Outage(chaos, f"{provider} down", service, provider, gate.open, calls)
            outage.wait_and_recover()


def failing(chaos):
    """Every call is answered 500: it is left alone instead of asked again and again."""
    chaos.inject("mailjet answers every call with 500")
    script(chaos, "mailjet", MAIL, FAULTS["500 of its own"], times=10000)
    since = time.time()

    def calls():
        seen = chaos.sandbox.find("journal", provider="mailjet", since=since)
        return sum(call["path"].startswith("/v3.1/send") for call in seen)

    name = "mailjet failing"
    Outage(chaos, name, "notification", "mailjet", chaos.calm_sandbox, calls).wait_and_recover()
    metric_shows(
        chaos,
        "that retries were paid for",
        "notification",
        "notification_retry_budget_left",
        lambda left: left < RETRIES_RESERVE,
        channel="mail",
    )


class Outage:
    """A provider that cannot be used: people do not notice, it is left alone, and when it is back
    everybody gets what they should, once."""

    def __init__(self, chaos, name, service, provider, mend, calls):
        self.chaos = chaos
        self.name = name
        self.service = service
        self.provider = provider
        self.mend = mend
        self.calls = calls

    def wait_and_recover(self):
        chaos, name = self.chaos, self.name
        people = [self._cause_a_call() for _ in range(WAITING)]
        self._breaker(1, "that it is left alone")
        before = self.calls()
        end = time.monotonic() + (LEFT_ALONE_SHORT_S if chaos.short else LEFT_ALONE_S)
        wait_until(lambda: time.monotonic() >= end, 600)
        # One try after a second, then after two, four …
        tried = self.calls() - before
        chaos.check(f"{name}: it is hardly called meanwhile", tried <= TRIES_MAX, f"{tried} calls")
        self.mend()
        arrived = "everybody gets what waited"
        recovered(chaos, name, lambda: all(map(self._arrived, people)), RECOVERY_S, arrived)
        for person in people:
            with chaos.checking(f"{name}: once for {person.email}"):
                settled(chaos.suite, chaos.sandbox, person, mails=1, pushes=0)
        self._breaker(0, "that it is used again")

    def _cause_a_call(self):
        """Registering needs the mail provider, validating the list provider."""
        person, took_s = register(self.chaos.gateway)
        noticed_nothing(self.chaos, self.name, took_s)
        if self.provider == "brevo":
            expect_one_mail(self.chaos.sandbox, person)
            validate(self.chaos.gateway, self.chaos.sandbox, person)
        return person

    def _arrived(self, person):
        if self.provider == "brevo":
            return self.chaos.sandbox.find("contacts", email=person.email, list="any")
        return self.chaos.sandbox.find("mails", to=person.email)

    def _breaker(self, wanted, what):
        metric_shows(
            self.chaos,
            what,
            self.service,
            "provider_breaker_open",
            lambda value: value == wanted,
            timeout_s=30.0,
            provider=self.provider,
        )


def webhook_twice(chaos):
    """A repeated opt-out changes nothing more, and both deliveries are accepted."""
    client, _ = pair(chaos.gateway, chaos.sandbox)
    with chaos.checking("one membership before the opt-out"):
        expect_one_membership(chaos.sandbox, client)
    chaos.inject("the list provider's webhook comes twice")
    chaos.sandbox.post("/faults", {"provider": "brevo", "fault": "webhook_duplicate", "times": 1})
    since = time.time()
    chaos.sandbox.post("/brevo/unsubscribe", {"email": client.email, "all": True})
    delivered, arrived = chaos.sandbox.wait(
        "webhooks", count=2, provider="brevo", state="delivered", event=client.email, since=since
    )
    chaos.check("both deliveries are accepted", arrived, str(delivered))
