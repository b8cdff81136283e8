"""What tests of failures assert over and over: one mail, one push, one membership."""

import uuid

from people import Person, expect, token_in, wait_until

ARRIVES_S = 60.0
WORK_LEFT = [
    *(
        (service, name)
        for service in ("web-api", "notification", "mailing-list-sync", "upload")
        for name in ("outbox_unsent_messages", "kafka_consumer_lag_messages", "inbox_parked_keys")
    ),
    ("notification", "notification_queue_deliveries"),
]


def register(gateway, locale="en"):
    """A new person, registered. Returns (person, seconds the answer took)."""
    person = Person(locale, uuid.uuid4().hex[:8])
    answer = gateway.post("/v1/accounts", person.registration(), key=True)
    expect(answer, 202, "POST /v1/accounts")
    return person, answer.took_ms / 1000


def validate(gateway, sandbox, person):
    mail = sandbox.find("mails", to=person.email)[0]
    answer = gateway.post("/v1/email-validations", {"token": token_in(mail)}, key=True)
    expect(answer, 204, "POST /v1/email-validations")


def log_in(gateway, person):
    """Logs in and registers the person's device."""
    credentials = {"email": person.email, "password": person.password}
    session = expect(gateway.post("/v1/sessions", credentials), 201, "POST /v1/sessions")
    person.token, person.account_id = session["token"], session["account_id"]
    device = {"provider": "onesignal", "subscription_id": person.subscription_id, "platform": "web"}
    expect(gateway.post("/v1/devices", device, person.token, key=True), 201, "POST /v1/devices")


def make_job(gateway, client):
    """Returns the job's id."""
    job = {
        "category": "plumbing",
        "locality": "Namur",
        "title": "Robinet qui fuit",
        "description": "Le robinet de la cuisine fuit.",
        "budget": {"amount_minor": 9000, "currency": "EUR"},
    }
    answer = gateway.post("/v1/jobs", job, client.token, key=True)
    return expect(answer, 201, "POST /v1/jobs")["id"]


def offer_for(gateway, provider, job_id):
    """Returns the offer's id."""
    offer = {"amount_minor": 8000, "currency": "EUR", "message": "Demain matin."}
    answer = gateway.post(f"/v1/jobs/{job_id}/offers", offer, provider.token, key=True)
    return expect(answer, 201, "POST offers")["id"]


def make_offer(gateway, client, provider):
    """A job of the client and an offer of the provider for it. Returns the offer's id."""
    return offer_for(gateway, provider, make_job(gateway, client))


def pair(gateway, sandbox):
    """Two people who are validated, logged in and have a device each."""
    people = [register(gateway, locale)[0] for locale in ("nl", "fr")]
    for person in people:
        expect_one_mail(sandbox, person)
        validate(gateway, sandbox, person)
        log_in(gateway, person)
    return people


def expect_one_mail(sandbox, person, timeout_s=ARRIVES_S, since=0.0):
    """Waits for the mail; what comes after it shows up in settled()."""
    wanted = {"to": person.email, "since": since, "kind": "transactional"}
    mails, arrived = sandbox.wait("mails", timeout_s, **wanted)
    assert arrived, f"no mail to {person.email}"
    assert len(mails) == 1, [mail["subject"] for mail in mails]
    return mails[0]


def expect_one_push(sandbox, person, timeout_s=ARRIVES_S, since=0.0):
    wanted = {"subscription_id": person.subscription_id, "since": since}
    pushes, arrived = sandbox.wait("pushes", timeout_s, **wanted)
    assert arrived, f"no push to {person.subscription_id}"
    assert len(pushes) == 1, pushes
    return pushes[0]


def expect_one_membership(sandbox, person, timeout_s=ARRIVES_S):
    """Exactly one contact with the address, on a list."""

    contacts, arrived = sandbox.wait("contacts", timeout_s, email=person.email, list="any")
    assert arrived, f"{person.email} is on no list"
    assert len(contacts) == 1, contacts


def settled(suite, sandbox, person, mails, pushes):
    """Once nothing is left to do anywhere: still exactly so many. Campaigns of other tests reach
    the same people; they do not count."""
    wait_until_idle(suite)
    seen = sandbox.find("mails", to=person.email, kind="transactional")
    assert len(seen) == mails, [mail["subject"] for mail in seen]
    seen = sandbox.find("pushes", subscription_id=person.subscription_id)
    assert len(seen) == pushes, seen


def wait_until_idle(suite, timeout_s=ARRIVES_S):
    """No outbox has anything unsent, no consumer is behind, no call to a provider is due: what was
    caused until now has happened."""
    last = {}

    def idle():
        last.clear()
        last.update({work: suite.metric(*work) for work in WORK_LEFT})
        return not any(last.values())

    assert wait_until(idle, timeout_s, 0.1), last
