import base64
import http.client

import pytest

from client import Api

SENDER = {"Email": "noreply@relais.example", "Name": "Relais"}


def message(to="an@example.be", **fields):
    return {
        "From": SENDER,
        "To": [{"Email": to}],
        "Subject": "Hallo",
        "TextPart": "dag",
        "HTMLPart": '<html lang="nl"><p>dag</p></html>',
        **fields,
    }


def send(world, *messages, **root):
    body = {"Messages": list(messages), "AdvanceErrorHandling": True, **root}
    return world.mailjet.post("/v3.1/send", body)


def test_accepts_and_delivers_with_ids_above_2_53(world):
    answer = send(world, message(CustomID="n-1"))
    assert answer.status == 200
    item = answer.json["Messages"][0]
    assert (item["Status"], item["CustomID"]) == ("success", "n-1")
    assert item["To"][0]["MessageID"] > 2**53
    mail = world.sim.get("/mails/wait", to="an@example.be").json[0]
    assert (mail["provider"], mail["subject"], mail["language"]) == ("mailjet", "Hallo", "nl")
    assert mail["custom_id"] == "n-1"
    assert mail["from"] == "Relais <noreply@relais.example>"


def test_wrong_credentials_are_401(world):
    answer = Api(world.ports["mailjet"], basic=("a", "b")).post("/v3.1/send", {})
    assert (answer.status, answer.json["ErrorCode"]) == (401, "mj-0015")
    world.sim.post("/settings", {"mailjet_key_suspended": True})
    answer = send(world, message())
    assert (answer.status, answer.json["ErrorCode"]) == (401, "mj-0001")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "mj-0002"),
        ({}, "mj-0003"),
        ({"Messages": {}}, "mj-0004"),
        ({"Messages": []}, "mj-0007"),
        ({"Messages": [{}] * 51}, "mj-0008"),
    ],
)
def test_refuses_the_whole_call(world, body, code):
    answer = world.mailjet.post("/v3.1/send", body)
    assert (answer.status, answer.json["ErrorCode"]) == (400, code)
    assert "Messages" not in answer.json


@pytest.mark.parametrize(
    ("fields", "code", "related"),
    [
        ({"From": None}, "mj-0003", "From"),
        ({"To": []}, "mj-0007", "To"),
        ({"To": [{"Email": "x@123.4"}]}, "mj-0013", "To[0].Email"),
        ({"To": [{"Email": ""}]}, "mj-0012", "To[0].Email"),
        ({"To": [{"Name": "x"}]}, "mj-0003", "To[0].Email"),
        ({"To": [{"Email": "a@b.be"}] * 51}, "send-0015", "To"),
        ({"TextPart": "", "HTMLPart": ""}, "send-0003", "HTMLPart"),
        ({"TemplateID": "7"}, "mj-0004", "TemplateID"),
        ({"TemplateID": 7}, "send-0010", "TemplateID"),
        ({"Subject": "x" * 256}, "mj-0006", "Subject"),
        ({"Priority": 4}, "mj-0005", "Priority"),
        ({"TrackOpens": "yes"}, "mj-0005", "TrackOpens"),
        ({"DeduplicateCampaign": True}, "send-0012", "DeduplicateCampaign"),
        ({"TemplateErrorDeliver": True}, "send-0016", "TemplateErrorDeliver"),
        ({"MonitoringCategory": "x"}, "send-0013", "MonitoringCategory"),
        ({"Headers": {"Message-Id": "x"}}, "send-0011", 'Headers["Message-Id"]'),
        ({"Headers": {"X-Own": 1}}, "mj-0004", 'Headers["X-Own"]'),
        (
            {"Attachments": [{"ContentType": "a/b", "Filename": "", "Base64Content": "eA=="}]},
            "mj-0012",
            "Attachments[0].Filename",
        ),
        ({"Unheard": 1}, "mj-0004", "Unheard"),
    ],
)
def test_refuses_one_message(world, fields, code, related):
    answer = send(world, message(**fields))
    assert answer.status == 400
    error = answer.json["Messages"][0]["Errors"][0]
    assert (error["ErrorCode"], error["ErrorRelatedTo"]) == (code, [related])
    assert world.sim.get("/mails").json == []


def test_unsubscribe_headers_are_allowed(world):
    headers = {"List-Unsubscribe": "<https://x.be/u>", "List-Unsubscribe-Post": "One-Click"}
    assert send(world, message(Headers=headers)).status == 200


def test_unknown_sender_is_403_in_the_item(world):
    world.sim.post("/settings", {"mailjet_senders": "other@relais.example"})
    error = send(world, message()).json["Messages"][0]["Errors"][0]
    assert (error["ErrorCode"], error["StatusCode"]) == ("send-0008", 403)


def test_partial_failure_is_http_400_with_the_rest_accepted(world):
    answer = send(world, message("a@x.be"), message("bad"), message("c@x.be"))
    assert answer.status == 400
    assert [item["Status"] for item in answer.json["Messages"]] == ["success", "error", "success"]
    assert "To" not in answer.json["Messages"][1]
    assert {mail["to"] for mail in world.sim.get("/mails").json} == {"a@x.be", "c@x.be"}


def test_scripted_partial_failure(world):
    fault = {"provider": "mailjet", "fault": "partial", "recipients": ["b@x.be"], "times": 1}
    world.sim.post("/faults", fault)
    answer = send(world, message("a@x.be"), message("b@x.be"))
    assert [item["Status"] for item in answer.json["Messages"]] == ["success", "error"]


def test_sandbox_mode_validates_and_delivers_nothing(world):
    item = send(world, message(), SandboxMode=True).json["Messages"][0]
    assert (item["To"][0]["MessageID"], item["To"][0]["MessageUUID"]) == (0, "")
    assert world.sim.get("/mails").json == []


def test_globals_are_defaults(world):
    own = message()
    del own["From"]
    assert send(world, own, Globals={"From": SENDER}).status == 200


def test_custom_id_is_no_deduplication_key(world):
    send(world, message(CustomID="n-2"))
    send(world, message(CustomID="n-2"))
    assert len(world.sim.get("/mails").json) == 2


def test_deduplicate_campaign_blocks_the_second(world, receiver):
    register(world, receiver, "blocked")
    for _ in range(2):
        fields = {"CustomCampaign": "n-3", "DeduplicateCampaign": True}
        assert send(world, message(**fields)).status == 200
    assert len(world.sim.get("/mails").json) == 1
    assert receiver.wait(1)[0][0]["error"] == "duplicate in campaign"


def test_lookup_by_custom_id_becomes_visible_later(world):
    world.sim.post("/settings", {"mailjet_lookup_visibility_ms": 60_000})
    send(world, message(CustomID="n-4"))
    look_up = {"CustomID": "n-4", "ShowCustomID": "true"}
    assert world.mailjet.get("/v3/REST/message", **look_up).json["Count"] == 0
    world.sim.post("/clock/advance", {"seconds": 61})
    found = world.mailjet.get("/v3/REST/message", **look_up).json
    assert (found["Count"], found["Data"][0]["CustomID"]) == (1, "n-4")
    assert world.mailjet.get("/v3/REST/message", CustomID="n-5").json["Count"] == 0


def test_reset_after_processing_on_a_kept_alive_connection(world):
    connection = world.mailjet.connect()
    body = {"Messages": [message(CustomID="first")]}
    assert world.mailjet.call("POST", "/v3.1/send", body, connection=connection).status == 200
    world.sim.post("/faults", {"provider": "mailjet", "fault": "reset_after", "times": 1})
    body["Messages"][0]["CustomID"] = "second"
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        world.mailjet.call("POST", "/v3.1/send", body, connection=connection)
    assert [mail["custom_id"] for mail in world.sim.get("/mails").json] == ["first", "second"]


def register(world, receiver, kind, version=2, **fields):
    url = receiver.url.replace("http://", "http://hook:secret@")
    body = {"EventType": kind, "Url": url, "Version": version, **fields}
    answer = world.mailjet.post("/v3/REST/eventcallbackurl", body)
    assert answer.status == 201, answer.body


def test_sent_event_grouped_with_basic_auth(world, receiver):
    register(world, receiver, "sent")
    sent = send(world, message(CustomID="n-6", EventPayload="p")).json["Messages"][0]["To"][0]
    (events,) = receiver.wait(1)
    assert isinstance(events, list)
    event = events[0]
    assert (event["event"], event["CustomID"], event["Payload"]) == ("sent", "n-6", "p")
    assert event["MessageID"] == sent["MessageID"]
    assert event["Message_GUID"] == sent["MessageUUID"]
    credentials = base64.b64encode(b"hook:secret").decode()
    assert receiver.requests[0][0]["Authorization"] == f"Basic {credentials}"


def test_version_1_sends_a_single_object(world, receiver):
    register(world, receiver, "open", version=1)
    send(world, message(CustomID="n-7"))
    fired = world.sim.post("/mailjet/event", {"event": "open", "custom_id": "n-7"})
    assert fired.json == {"sent": True}
    assert receiver.wait(1)[0]["event"] == "open"


def test_bounce_as_the_receiving_server_decides(world, receiver):
    register(world, receiver, "bounce")
    world.sim.post("/recipients", {"email": "gone@x.be", "outcome": "hard_bounce"})
    send(world, message("gone@x.be"))
    event = receiver.wait(1)[0][0]
    assert (event["hard_bounce"], event["error"]) == (True, "user unknown")
    assert world.sim.get("/mails").json == []


def test_events_are_retried_every_30_seconds_until_200(world, receiver):
    receiver.statuses = [204, 500]
    register(world, receiver, "sent", version=1)
    send(world, message())
    for attempts in (1, 2):
        receiver.wait(attempts)
        wait_attempts(world, attempts)
        world.sim.post("/clock/advance", {"seconds": 31})
    receiver.wait(3)
    delivered = world.sim.get("/webhooks/wait", provider="mailjet", state="delivered").json
    assert [attempt["status"] for attempt in delivered[0]["attempts"]] == [204, 500, 200]


def wait_attempts(world, count):
    """Until the sandbox has seen the answer of attempt `count` and waits for the next."""
    changes = world.sandbox.world.changes
    deliveries = world.sandbox.world.webhooks.deliveries

    def seen():
        return any(len(delivery["attempts"]) >= count for delivery in deliveries)

    assert world.run(changes.wait_for(seen, 5))


def test_a_url_is_dead_after_a_day_of_failures(world):
    callback = {"EventType": "sent", "Url": "http://127.0.0.1:9/hook", "Version": 1}
    world.mailjet.post("/v3/REST/eventcallbackurl", callback)
    world.sim.post("/settings", {"webhook_timeout_s": 1.0})
    send(world, message())
    wait_attempts(world, 1)
    delivery = world.sandbox.world.webhooks.deliveries[0]
    delivery["attempts"] = delivery["attempts"] * 2880  # a day of tries, without making them
    world.sim.post("/clock/advance", {"seconds": 31})
    assert world.sim.get("/webhooks/wait", state="dropped").status == 200
    listed = world.mailjet.get("/v3/REST/eventcallbackurl").json["Data"]
    assert listed[0]["Status"] == "dead"
