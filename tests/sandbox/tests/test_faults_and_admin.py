import http.client
import json
import threading

import pytest

from client import Api
from conftest import Running


def contacts(world, connection=None):
    return world.brevo.call("GET", "/contacts", connection=connection)


def fault(world, kind, **script):
    made = world.sim.post("/faults", {"provider": "brevo", "fault": kind, **script})
    assert made.status == 200, made.body
    return made.json["id"]


def test_status_with_headers_and_body(world):
    fault(world, "status", status=429, headers={"Retry-After": "7"}, body={"code": "x"}, times=1)
    answer = contacts(world)
    assert (answer.status, answer.headers["Retry-After"], answer.json) == (429, "7", {"code": "x"})
    assert contacts(world).status == 200


def test_status_after_processing(world):
    fault(world, "status", status=500, process=True, times=1, route="POST /v3/contacts")
    assert world.brevo.post("/contacts", {"email": "a@x.be"}).status == 500
    assert len(world.sim.get("/contacts").json) == 1


def test_html_error_page(world):
    fault(world, "html_error", times=1)
    answer = contacts(world)
    assert (answer.status, answer.headers.get_content_type()) == (502, "text/html")


@pytest.mark.parametrize(("kind", "stored"), [("reset_before", 0), ("reset_after", 1)])
@pytest.mark.parametrize("close", ["rst", "fin"])
def test_resets(world, kind, stored, close):
    connection = world.brevo.connect()
    assert contacts(world, connection).status == 200
    fault(world, kind, times=1, close=close, route="^POST")
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)) as broken:
        world.brevo.call("POST", "/contacts", {"email": "a@x.be"}, connection=connection)
    assert isinstance(broken.value, http.client.RemoteDisconnected) == (close == "fin")
    assert len(world.sim.get("/contacts").json) == stored
    entry = world.sim.get("/journal", provider="brevo", method="POST").json[-1]
    assert (entry["fault"], entry["status"]) == (kind, None)


def test_truncated_json_and_body(world):
    fault(world, "truncated_json", times=1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(contacts(world).body)
    fault(world, "truncated_body", times=1)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        contacts(world)


def test_delay_holds_the_answer_and_slow_body_drips(world):
    fault(world, "slow_body", delay_ms=40, times=1)
    assert contacts(world).json["count"] == 0
    fault(world, "delay_ms", delay_ms=60_000, times=1)
    statuses = []
    caller = threading.Thread(target=lambda: statuses.append(contacts(world).status))
    caller.start()
    while world.sim.get("/faults").json[-1]["applied"] == 0:
        pass
    assert statuses == []
    world.sim.post("/clock/advance", {"seconds": 60})
    caller.join(5)
    assert statuses == [200]


def test_route_skip_and_removal(world):
    made = fault(world, "status", status=503, route="GET /v3/contacts", skip=1)
    assert [contacts(world).status for _ in range(3)] == [200, 503, 503]
    assert world.brevo.get("/account").status == 200
    assert world.sim.delete(f"/faults/{made}").status == 200
    assert contacts(world).status == 200
    assert world.sim.delete(f"/faults/{made}").status == 404


def test_probability_is_seeded(world):
    world.sim.post("/rate-limits", {"on": False})

    def pattern():
        world.sim.delete("/faults")
        world.sandbox.world.faults.reset()
        fault(world, "status", status=503, probability=0.5)
        return [contacts(world).status for _ in range(30)]

    first = pattern()
    assert set(first) == {200, 503}
    assert pattern() == first


@pytest.mark.parametrize(
    "script",
    [{"fault": "explode"}, {"fault": "status", "route": "("}, {"fault": "status", "times": "1"}],
)
def test_scripts_are_checked(world, script):
    assert world.sim.post("/faults", script).status == 400


def test_journal_has_request_and_answer_without_secrets(world):
    world.brevo.post("/contacts", {"email": "a@x.be"})
    (entry,) = world.sim.get("/journal", provider="brevo", path="/contacts").json
    assert (entry["method"], entry["status"], entry["body"]) == ("POST", 201, {"email": "a@x.be"})
    assert entry["answer"] == {"id": 1}
    assert entry["headers"]["api-key"] == "***"


def test_wait_tells_when_the_time_is_up(world):
    answer = world.sim.get("/mails/wait", to="nobody@x.be", timeout=0.01)
    assert (answer.status, answer.json) == (408, [])
    assert world.sim.get("/mails/wait", to="nobody@x.be", count=0).json == []


def test_settings_are_checked(world):
    assert world.sim.post("/settings", {"unheard": 1}).status == 400
    assert world.sim.post("/settings", {"rate_limits": 1}).status == 400
    assert world.sim.post("/settings", {"brevo_open_rate": 1}).status == 200


def test_ports(world):
    ports = world.sim.get("/ports").json
    assert ports["brevo"] == world.ports["brevo"]
    assert ports["urls"]["brevo"].endswith(f":{ports['brevo']}")
    assert ports["credentials"]["mailjet_key"] == "sandbox-mailjet-key"


def test_reset_keeps_the_account_set_up_unless_told(world, receiver):
    world.brevo.post("/contacts", {"email": "a@x.be"})
    world.brevo.post("/webhooks", {"url": receiver.url, "events": ["delivered"]})
    world.sim.post("/reset", {})
    assert world.sim.get("/contacts").json == []
    assert len(world.brevo.get("/webhooks").json["webhooks"]) == 1
    world.sim.post("/reset", {"everything": True})
    assert world.brevo.get("/webhooks").json["webhooks"] == []


def test_the_page_and_its_parts(world):
    page = Api(world.ports["web"])
    assert b"Sandbox" in page.get("/").body
    for name in (
        "style.css",
        "parts.css",
        "app.js",
        "dom.js",
        "arrivals.js",
        "lists.js",
        "traffic.js",
    ):
        assert page.get(f"/{name}").status == 200


def test_live_stream_starts_with_everything_and_follows(world):
    connection = Api(world.ports["web"]).connect()
    connection.request("GET", "/live")
    stream = connection.getresponse()
    assert stream.readline() == b"event: all\n"
    assert "mails" in json.loads(stream.readline().removeprefix(b"data: "))
    stream.readline()
    world.slack.post("/services/T0/B0/x", {"text": "hi"})
    assert stream.readline() == b"event: chat\n"
    assert json.loads(stream.readline().removeprefix(b"data: "))["text"] == "hi"
    connection.close()


def test_every_unknown_path_answers_in_the_provider_s_shape(world):
    assert "ErrorMessage" in world.mailjet.get("/v3/REST/unheard").json
    assert world.brevo.get("/unheard").json["code"] == "document_not_found"
    assert world.brevo.call("PATCH", "/contacts").json["code"] == "method_not_allowed"
    assert world.onesignal.get("/unheard").json["errors"] == ["Not found"]


def test_accounts_survive_a_restart(tmp_path):
    first = Running(tmp_path)
    try:
        made = first.brevo.post("/contacts/lists", {"name": "newsletter nl", "folderId": 1})
        hook = {"url": "http://127.0.0.1:9/", "type": "marketing", "events": ["opened"]}
        first.brevo.post("/webhooks", hook)
        first.brevo.post("/contacts", {"email": "a@x.be", "listIds": [made.json["id"]]})
    finally:
        first.stop()
    second = Running(tmp_path)
    try:
        names = [item["name"] for item in second.brevo.get("/contacts/lists").json["lists"]]
        assert sorted(names) == ["newsletter", "newsletter nl"]
        assert second.brevo.get("/contacts/a@x.be").json["listIds"] == [made.json["id"]]
        assert len(second.brevo.get("/webhooks", type="marketing").json["webhooks"]) == 1
    finally:
        second.stop()


def test_ids_of_campaigns_and_mails_are_never_given_out_twice(world):
    def make():
        body = {"name": "x", "sender": {"email": "a@x.be"}, "htmlContent": "<p>long enough</p>"}
        campaign = world.brevo.post("/emailCampaigns", body).json["id"]
        listed = world.brevo.post("/contacts/lists", {"name": "x", "folderId": 1}).json["id"]
        return campaign, listed

    first = make()
    world.sandbox.world.clock.first_id = lambda: max(first) + 1  # a second or more later
    try:
        world.sim.post("/reset", {"everything": True})
        assert not set(first) & set(make())
    finally:
        del world.sandbox.world.clock.first_id
