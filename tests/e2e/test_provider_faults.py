"""Providers that fail: the request path does not notice, and the person is told exactly once."""

import time

import pytest

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

FAULTS = {
    "429": {"fault": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "500": {"fault": "status", "status": 500},
    "500 after processing": {"fault": "status", "status": 500, "process": True},
    "503 without a body": {"fault": "status", "status": 503, "headers": {"Retry-After": "1"}},
    "HTML page": {"fault": "html_error"},
    "reset before": {"fault": "reset_before"},
    "reset after processing": {"fault": "reset_after"},
    "closed after processing": {"fault": "reset_after", "close": "fin"},
    "half the JSON": {"fault": "truncated_json"},
    "slow": {"fault": "delay_ms", "delay_ms": 1500},
}
# Answers to register() when nothing fails take some 100 ms (the password hash); a provider's
# fault must not show in them.
NOTICED_S = 1.0
# Mailjet has no idempotency key: what may have been processed is looked up, and that waits until
# the look-up can be trusted.
AMBIGUOUS_S = 120.0


@pytest.mark.parametrize("name", FAULTS)
def test_mail_provider(suite, gateway, sandbox, name):
    fault = {**FAULTS[name], "provider": "mailjet", "route": "^POST /v3.1/send", "times": 1}
    made = sandbox.post("/faults", fault)
    person, took_s = register(gateway)
    assert took_s < NOTICED_S
    expect_one_mail(sandbox, person, AMBIGUOUS_S)
    applied = {item["id"]: item["applied"] for item in sandbox.find("faults")}
    assert applied[made["id"]] == 1, "the fault met no request"
    settled(suite, sandbox, person, mails=1, pushes=0)


def test_mail_provider_sends_twice_429_in_a_row(suite, gateway, sandbox):
    fault = {"provider": "mailjet", "route": "^POST /v3.1/send", "times": 2}
    sandbox.post("/faults", {**FAULTS["429"], **fault})
    person, took_s = register(gateway)
    assert took_s < NOTICED_S
    expect_one_mail(sandbox, person)
    settled(suite, sandbox, person, mails=1, pushes=0)


@pytest.mark.parametrize("name", FAULTS)
def test_push_provider(suite, gateway, sandbox, name):
    client, provider = pair(gateway, sandbox)
    fault = {**FAULTS[name], "provider": "onesignal", "route": "^POST", "times": 1}
    sandbox.post("/faults", fault)
    since = time.time()
    make_offer(gateway, client, provider)
    expect_one_mail(sandbox, client, since=since)
    expect_one_push(sandbox, client)
    settled(suite, sandbox, client, mails=2, pushes=1)


LIST_FAULTS = {**FAULTS, "425": {"fault": "status", "status": 425}}


@pytest.mark.parametrize("name", LIST_FAULTS)
def test_list_provider(suite, gateway, sandbox, name):
    person, _ = register(gateway)
    expect_one_mail(sandbox, person)
    route = "^(POST|PUT) /v3/contacts"
    sandbox.post("/faults", {**LIST_FAULTS[name], "provider": "brevo", "route": route, "times": 1})
    validate(gateway, sandbox, person)
    expect_one_membership(sandbox, person)


def test_list_provider_s_webhook_comes_twice(gateway, sandbox):
    """A repeated opt-out changes nothing more, and both deliveries are accepted."""
    client, _ = pair(gateway, sandbox)
    expect_one_membership(sandbox, client)
    sandbox.post("/faults", {"provider": "brevo", "fault": "webhook_duplicate", "times": 1})
    since = time.time()
    sandbox.post("/brevo/unsubscribe", {"email": client.email, "all": True})
    delivered, arrived = sandbox.wait(
        "webhooks", count=2, provider="brevo", state="delivered", event=client.email, since=since
    )
    assert arrived, delivered
