"""Undecodable, unknown, oversized and empty events, a null value where none belongs: each is a dead
letter with its raw bytes, or skipped and counted; its partition and its key go on."""

import base64
import json
import shlex
import subprocess
import time

import confluent_kafka

import picture
from arrivals import (
    expect_one_mail,
    expect_one_push,
    make_job,
    offer_for,
    pair,
    settled,
    wait_until_idle,
)
from hostile_events import GARBAGE, TOO_LARGE, Producer, Record, hostile_records
from narrator import Narrator
from people import expect, wait_until
from samples import total
from story import play
from verdicts import verdict_on

TITLE = "events that nobody can read"
PROCESSED = "kafka_consumer_processed_total"
ARRIVES_S = 60.0
SNAPSHOTS = ("identity.contact.snapshots.v1",)
MAILS, LISTS = "notification", "mailing-list-sync"
# (topic, who consumes it, a type that it handles there, who produces it)
TOPICS = [
    ("identity.account.events.v1", MAILS, "identity.v1.EmailValidationRequested", "web-api"),
    ("identity.contact.snapshots.v1", LISTS, "identity.v1.ContactSnapshot", "web-api"),
    ("market.job.events.v1", MAILS, "market.v1.OfferMade", "web-api"),
    ("media.asset.events.v1", "web-api", "media.v1.AssetReady", "upload"),
    ("marketing.campaign.requests.v1", LISTS, "marketing.v1.CampaignRequested", "web-api"),
]


def run(chaos):
    brokers = chaos.variables("web-api")["RELAIS_KAFKA_BROKERS"]
    producer = Producer(brokers)
    client, provider = pair(chaos.gateway, chaos.sandbox)
    job = make_job(chaos.gateway, client)
    keys = {"market.job.events.v1": job, "identity.contact.snapshots.v1": "nobody"}
    for topic, service, type_name, writer in TOPICS:
        key = keys.get(topic, client.account_id)
        check_topic(chaos, producer, topic, service, f"relais.{type_name}", writer, key)
    check_refused(chaos, producer)
    check_life_goes_on(chaos, client, provider, job)


def check_topic(chaos, producer, topic, service, type_name, writer, key):
    records = hostile_records(type_name, writer, topic in SNAPSHOTS)
    before = counts(chaos, service, topic)
    chaos.inject(f"{len(records)} kinds of hostile events on {topic}, and one on each partition")
    for record in records:
        producer.send(topic, key, record)
    for partition in producer.partitions(topic):
        records.append(Record("garbage", GARBAGE, [], "dead_letter", "bad-envelope"))
        producer.send(topic, f"key-{partition}", records[-1], partition)
    wanted = {
        what: before[what] + sum(record.becomes == what for record in records) for what in before
    }

    def counted():
        seen = counts(chaos, service, topic)
        return all(seen[what] >= wanted[what] for what in wanted)

    arrived = wait_until(counted, ARRIVES_S, 0.1)
    seen = counts(chaos, service, topic)
    chaos.check(f"{service} counts each of {topic}", arrived, f"{seen}, wanted {wanted}")
    check_letters(chaos, topic, service, records)


def counts(chaos, service, topic):
    return {
        what: total(chaos.suite, service, PROCESSED, topic=topic, result=what)
        for what in ("dead_letter", "unknown_type")
    }


def ctl(chaos, *words):
    """What relaisctl says, or an AssertionError."""
    command = [*shlex.split(chaos.suite.ctl), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return done.stdout


def check_letters(chaos, topic, service, records):
    """relaisctl lists each dead letter with its reason and shows its bytes."""
    said = ctl(chaos, "dead-letters", "list", "--service", service, "--topic", topic, "--json")
    letters = {
        (letter["partition"], letter["offset"]): letter
        for letter in json.loads(said)["dead_letters"]
    }
    for record in records:
        letter = letters.get((record.partition, record.offset))
        if record.becomes != "dead_letter":
            chaos.check(f"{record.name} of {topic} is skipped", letter is None, str(letter))
            continue
        right = letter and record.reason in (None, letter["reason"])
        if chaos.check(f"{record.name} of {topic} is listed", right, str(letter)):
            said = ctl(chaos, "dead-letters", "show", "--service", service, str(letter["id"]))
            shown = json.loads(said)["record"]
            same = bytes_of(shown) == record.value
            chaos.check(f"{record.name} of {topic} is shown with its bytes", same, said[:300])
    first = min(record.offset for record in records)
    some = ["--from", str(first), "--count", "5", "--timeout", "20"]
    said = ctl(chaos, "events", "tail", topic, *some)
    chaos.check(f"events tail shows {topic}", len(said.splitlines()) == 5, said[:300])


def bytes_of(shown):
    """The value that `relaisctl` printed: null, decoded (an empty message), or its bytes."""
    if "data_base64url" in shown:
        text = shown["data_base64url"]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return None if shown["data"] is None else b""


def check_refused(chaos, producer):
    """What is larger than the broker takes never becomes an event."""
    chaos.inject(f"an event of {TOO_LARGE} bytes")
    try:
        producer.send("media.asset.events.v1", "x", Record("too large", b"x" * TOO_LARGE, [], ""))
        failed = "it was taken"
    except confluent_kafka.KafkaException as problem:
        failed = problem.args[0].name()
    chaos.check("the broker refuses it", failed == "MSG_SIZE_TOO_LARGE", failed)


def check_life_goes_on(chaos, client, provider, job):
    """The same people, whose keys the hostile events had, and then everybody else."""
    gateway, since, started = chaos.gateway, time.time(), time.perf_counter()
    with chaos.checking("mails of the same person go on"):
        again = {**client.registration(), "display_name": "Somebody Else"}
        expect(gateway.post("/v1/accounts", again, key=True), 202, "POST /v1/accounts")
        expect_one_mail(chaos.sandbox, client, since=since)
        took_s = time.perf_counter() - started
        chaos.measured("from the last hostile event to the next mail", took_s)
    with chaos.checking("mails and pushes about the same job go on"):
        since = time.time()
        offer_for(gateway, provider, job)
        expect_one_mail(chaos.sandbox, client, since=since)
        expect_one_push(chaos.sandbox, client, since=since)
    with chaos.checking("an avatar of the same person comes into the profile"):
        seen, _ = verdict_on(chaos, client, picture.make_png())
        assert seen["state"] == "ready", seen
        path = f"/v1/profiles/{client.account_id}"
        shown = wait_until(lambda: gateway.get(path, client.token).json.get("avatar"), ARRIVES_S)
        assert shown, gateway.get(path, client.token).describe()
    with chaos.checking("a revoked session ends at the gateway at once"):
        expect(gateway.call("DELETE", "/v1/sessions/current", token=provider.token), 204, "log out")
        ended = wait_until(
            lambda: gateway.get("/v1/accounts/current", provider.token).status == 401, 5.0
        )
        assert ended, gateway.get("/v1/accounts/current", provider.token).describe()
    with chaos.checking("nobody is told twice"):
        settled(chaos.suite, chaos.sandbox, client, mails=3, pushes=1)
    narrator = Narrator(quiet=True)
    chaos.options.mail_limit_s = chaos.options.patience_s = ARRIVES_S
    play(chaos.options, narrator)
    failed = [f"step {step.number}: {step.failure}" for step in narrator.steps if step.failure]
    chaos.check("the story", failed == [] and len(narrator.steps) == 6, str(failed))
    with chaos.checking("nothing waits"):
        wait_until_idle(chaos.suite)
