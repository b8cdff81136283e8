import smtplib
import ssl
import uuid

import pytest

from client import Api
from relais_sandbox.settings import Credentials

KEYS = Credentials()
DEVICE = str(uuid.uuid4())


def push(**fields):
    return {
        "app_id": KEYS.onesignal_app_id,
        "include_subscription_ids": [DEVICE],
        "contents": {"en": "An offer", "nl": "Een offerte"},
        **fields,
    }


def test_push_and_replay(world):
    key = str(uuid.uuid4())
    first = world.onesignal.post("/notifications", push(idempotency_key=key))
    assert (first.status, first.json["external_id"]) == (200, key)
    again = world.onesignal.post("/notifications", push(idempotency_key=key))
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    arrived = world.sim.get("/pushes/wait", subscription_id=DEVICE).json
    assert [item["contents"]["nl"] for item in arrived] == ["Een offerte"]
    world.sim.post("/clock/advance", {"seconds": 31 * 24 * 3600})
    late = world.onesignal.post("/notifications", push(idempotency_key=key))
    assert late.json["id"] != first.json["id"]


def test_both_authentication_forms_and_paths(world):
    for scheme in ("Key", "Basic"):
        headers = {"Authorization": f"{scheme} {KEYS.onesignal_key}"}
        api = Api(world.ports["onesignal"], headers=headers)
        assert api.post("/api/v1/notifications", push()).status == 200
    assert Api(world.ports["onesignal"]).post("/notifications", push()).status == 401
    wrong = Api(world.ports["onesignal"], headers={"Authorization": "Key wrong"})
    assert wrong.post("/notifications", push()).status == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"contents": {"nl": "Een offerte"}},
        {"app_id": "x"},
        {"include_subscription_ids": []},
        {"include_subscription_ids": ["no-uuid"]},
        {"include_aliases": {"external_id": ["a"]}},
        {"idempotency_key": "no-uuid"},
        {"ttl": -1},
    ],
)
def test_push_refusals(world, fields):
    answer = world.onesignal.post("/notifications", push(**fields))
    assert answer.status == 400
    assert answer.json["errors"]


def test_200_with_an_empty_id_when_nobody_is_subscribed(world):
    world.sim.post("/onesignal/subscriptions", {"id": DEVICE, "state": "dead"})
    answer = world.onesignal.post("/notifications", push())
    assert (answer.status, answer.json["id"]) == (200, "")
    assert answer.json["errors"] == ["All included players are not subscribed"]
    other = str(uuid.uuid4())
    answer = world.onesignal.post("/notifications", push(include_subscription_ids=[DEVICE, other]))
    assert answer.json["errors"] == {"invalid_player_ids": [DEVICE]}


def test_aliases_repeat_an_id_per_dead_subscription(world):
    user = {"identity": {"external_id": "a-1"}, "subscriptions": [{"token": "1"}, {"token": "2"}]}
    path = f"/apps/{KEYS.onesignal_app_id}/users"
    made = world.onesignal.post(path, user)
    assert made.status == 202
    for subscription in made.json["subscriptions"]:
        world.sim.post("/onesignal/subscriptions", {"id": subscription["id"], "state": "dead"})
    body = push(include_aliases={"external_id": ["a-1"]}, target_channel="push")
    del body["include_subscription_ids"]
    answer = world.onesignal.post("/notifications", body).json
    assert answer["errors"]["invalid_aliases"] == {"external_id": ["a-1", "a-1"]}


def test_too_many_per_subscriber_disables_the_app(world):
    world.sim.post("/settings", {"onesignal_subscribers": 1})
    statuses = [world.onesignal.post("/notifications", push()).status for _ in range(12)]
    assert statuses == [200] * 11 + [403]


def test_slack_webhook(world):
    path = "/services/T0/B0/secret"
    answer = world.slack.post(path, {"text": "hi"})
    assert (answer.status, answer.body) == (200, b"ok")
    assert world.slack.post(path, b"{").body == b"invalid_payload"
    assert world.slack.post(path, {}).body == b"no_text"
    world.sim.post("/slack/endpoints", {"path": path, "error": "channel_is_archived"})
    answer = world.slack.post(path, {"text": "hi"})
    assert (answer.status, answer.body) == (410, b"channel_is_archived")
    assert [chat["text"] for chat in world.sim.get("/chats").json] == ["hi"]


def test_slack_api_answers_200_for_errors(world):
    path = "/api/chat.postMessage"
    good = world.slack.post(path, {"channel": "C0SANDBOX", "text": "hi"}).json
    assert good["ok"] is True
    missing = world.slack.post(path, {"channel": "C1", "text": "hi"})
    assert (missing.status, missing.json) == (200, {"ok": False, "error": "channel_not_found"})
    assert Api(world.ports["slack"]).post(path, {}).json["error"] == "not_authed"


def send(world, port="smtp", to="an@x.be", starttls=True, login=True):
    make = smtplib.SMTP_SSL if port == "smtps" else smtplib.SMTP
    tls = ssl._create_unverified_context()
    options = {"context": tls} if port == "smtps" else {}
    with make("127.0.0.1", world.ports[port], timeout=10, **options) as client:
        if starttls and port == "smtp":
            client.starttls(context=tls)
        if login:
            client.login(KEYS.smtp_user, KEYS.smtp_password)
        text = "From: r@x.be\r\nTo: an@x.be\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\n"
        text += "Content-Language: fr\r\nMessage-ID: <1@x>\r\n\r\nbonjour\r\n"
        client.sendmail("r@x.be", [to], text)


@pytest.mark.parametrize("port", ["smtp", "smtps"])
def test_smtp_with_tls(world, port):
    send(world, port)
    mail = world.sim.get("/mails/wait", to="an@x.be").json[0]
    assert (mail["provider"], mail["subject"], mail["language"]) == ("smtp", "Café", "fr")
    assert mail["text"].strip() == "bonjour"


def test_smtp_settings(world):
    world.sim.post("/settings", {"smtp_starttls": "required", "smtp_auth": "required"})
    with pytest.raises(smtplib.SMTPException):
        send(world, starttls=False, login=False)
    with pytest.raises(smtplib.SMTPException):
        send(world, login=False)
    send(world)
    world.sim.post("/settings", {"smtp_starttls": "absent"})
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(world)


def test_smtp_wrong_password(world):
    with smtplib.SMTP("127.0.0.1", world.ports["smtp"], timeout=10) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(KEYS.smtp_user, "wrong")


def test_smtp_greylists_the_first_try(world):
    world.sim.post("/settings", {"smtp_greylist": True})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(world)
    assert refused.value.recipients["an@x.be"][0] == 451
    send(world)
    assert len(world.sim.get("/mails").json) == 1


def test_smtp_scripted_refusal(world):
    fault = {"provider": "smtp", "route": "^RCPT", "fault": "status", "status": 550, "times": 1}
    world.sim.post("/faults", fault)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(world)
    send(world)


def test_smtp_answer_lost_after_the_final_dot(world):
    world.sim.post("/faults", {"provider": "smtp", "fault": "drop_final_dot", "times": 1})
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(world, starttls=False)
    assert len(world.sim.get("/mails", to="an@x.be").json) == 1
