from client import Api
from relais_sandbox.webhooks import BrevoRules

NEWSLETTER = 2
SENDER = {"email": "news@relais.example", "name": "Relais"}
TOKEN = {"type": "bearer", "token": "t0ken"}


def mail(**fields):
    return {
        "sender": SENDER,
        "to": [{"email": "an@x.be"}],
        "subject": "Dag {{ params.name }}",
        "htmlContent": "<p>{{ params.name }}</p>",
        "params": {"name": "An & co"},
        **fields,
    }


def register(world, receiver, kind, *events, **fields):
    body = {"url": receiver.url, "type": kind, "events": list(events), "auth": TOKEN, **fields}
    answer = world.brevo.post("/webhooks", body)
    assert answer.status == 201, answer.body
    return answer.json["id"]


def campaign(world, **fields):
    body = {
        "name": "spring",
        "sender": SENDER,
        "subject": "Lente",
        "htmlContent": '<p>Lente</p><a href="{{ unsubscribe }}">uit</a>',
        "recipients": {"listIds": [NEWSLETTER]},
        **fields,
    }
    return world.brevo.post("/emailCampaigns", body)


def subscribe(world, email, **attributes):
    body = {"email": email, "listIds": [NEWSLETTER], "attributes": attributes}
    assert world.brevo.post("/contacts", body).status == 201


def test_mail_is_rendered_and_reported(world, receiver):
    register(world, receiver, "transactional", "request", "delivered")
    answer = world.brevo.post("/smtp/email", mail())
    assert answer.status == 201
    arrived = world.sim.get("/mails", to="an@x.be").json[0]
    assert (arrived["subject"], arrived["html"]) == ("Dag An &amp; co", "<p>An &amp; co</p>")
    events = {event["event"]: event for event in receiver.wait(2)}  # in any order
    assert set(events) == {"request", "delivered"}
    assert events["delivered"]["message-id"] == answer.json["messageId"]
    assert receiver.requests[0][0]["Authorization"] == "Bearer t0ken"


def test_text_only_and_other_refusals(world):
    assert world.brevo.post("/smtp/email", mail(htmlContent=None)).status == 400
    assert world.brevo.post("/smtp/email", mail(to=[])).status == 400
    assert world.brevo.post("/smtp/email", mail(sender=None)).status == 400
    world.sim.post("/settings", {"brevo_credits": 0})
    answer = world.brevo.post("/smtp/email", mail())
    assert (answer.status, answer.json["code"]) == (402, "not_enough_credits")


def test_idempotency_key_lives_30_minutes(world):
    body = mail(headers={"idempotencyKey": "k-1"})
    assert world.brevo.post("/smtp/email", body).status == 201
    repeat = world.brevo.post("/smtp/email", body)
    assert (repeat.status, repeat.json["code"]) == (400, "duplicate_parameter")
    assert len(world.sim.get("/mails").json) == 1
    world.sim.post("/clock/advance", {"seconds": 1801})
    assert world.brevo.post("/smtp/email", body).status == 201


def test_events_are_checked(world):
    good = {"event_name": "job_posted", "identifiers": {"ext_id": "a-1"}}
    assert world.brevo.post("/events", good).status == 204
    assert world.brevo.post("/events", {**good, "event_name": "no spaces"}).status == 400
    assert world.brevo.post("/events", {"event_name": "x"}).status == 400


def test_webhook_registration(world, receiver):
    hook = register(world, receiver, "marketing", "unsubscribed", "listAddition")
    listed = world.brevo.get("/webhooks", type="marketing").json["webhooks"]
    assert [item["id"] for item in listed] == [hook]
    again = {"url": receiver.url, "type": "marketing", "events": ["opened"]}
    assert world.brevo.post("/webhooks", again).json["code"] == "duplicate_parameter"
    assert (
        world.brevo.post("/webhooks", {"url": "http://x/", "events": ["list_addition"]}).status
        == 400
    )
    assert world.brevo.delete(f"/webhooks/{hook}").status == 204
    assert world.brevo.delete(f"/webhooks/{hook}").status == 404


def test_list_addition_and_unsubscribe_reach_the_webhook(world, receiver):
    register(world, receiver, "marketing", "unsubscribed", "listAddition")
    subscribe(world, "an@x.be")
    assert receiver.wait(1)[0]["list_id"] == [NEWSLETTER]
    world.sim.post("/brevo/unsubscribe", {"email": "an@x.be", "list_ids": [NEWSLETTER]})
    event = receiver.wait(2)[1]
    assert (event["event"], event["list_id"]) == ("unsubscribed", [NEWSLETTER])
    contact = world.brevo.get("/contacts/an@x.be").json
    assert (contact["listIds"], contact["listUnsubscribed"]) == ([], [NEWSLETTER])
    assert contact["emailBlacklisted"] is False
    world.sim.post("/brevo/unsubscribe", {"email": "an@x.be", "all": True})
    assert world.brevo.get("/contacts/an@x.be").json["emailBlacklisted"] is True


def test_webhook_429_is_retried_and_500_is_dropped(world, receiver):
    register(world, receiver, "marketing", "listAddition")
    receiver.statuses = [429, 200, 503]
    subscribe(world, "a@x.be")
    receiver.wait(1)
    wait_for_retry(world)
    world.sim.post("/clock/advance", {"seconds": 600})
    receiver.wait(2)
    assert world.sim.get("/webhooks/wait", state="delivered").status == 200
    subscribe(world, "b@x.be")
    dropped = world.sim.get("/webhooks/wait", state="dropped").json
    assert [attempt["status"] for attempt in dropped[0]["attempts"]] == [503]


def test_what_waits_for_its_next_attempt_makes_it_when_told_so(world, receiver):
    register(world, receiver, "marketing", "listAddition")
    receiver.statuses = [429, 200]
    before = world.sandbox.world.clock.now()
    subscribe(world, "a@x.be")
    receiver.wait(1)
    wait_for_retry(world)
    world.sim.post("/webhooks/retry", {})
    receiver.wait(2)
    assert world.sim.get("/webhooks/wait", state="delivered").status == 200
    assert world.sandbox.world.clock.now() - before < 60  # the clock did not jump to it


def wait_for_retry(world):
    deliveries = world.sandbox.world.webhooks.deliveries
    changes = world.sandbox.world.changes
    assert world.run(changes.wait_for(lambda: bool(deliveries[0]["attempts"]), 5))


def test_webhook_gives_up_after_four_retries(world):
    rules = BrevoRules()
    assert [rules.delay_after(429, n) for n in range(1, 6)] == [600, 3600, 7200, 28800, None]
    assert rules.delay_after(None, 1) == 600
    assert [rules.delay_after(status, 1) for status in (200, 400, 500)] == [None, None, None]


def test_scripted_webhook_faults(world, receiver):
    register(world, receiver, "marketing", "listAddition")
    for kind in ("webhook_lose", "webhook_duplicate"):
        world.sim.post("/faults", {"provider": "brevo", "fault": kind, "times": 1})
    subscribe(world, "lost@x.be")
    subscribe(world, "double@x.be")
    assert [event["email"] for event in receiver.wait(2)] == ["double@x.be", "double@x.be"]


def test_batched_webhooks_come_as_arrays(world, receiver):
    register(world, receiver, "marketing", "listAddition", batched=True)
    subscribe(world, "a@x.be")
    subscribe(world, "b@x.be")
    world.sim.post("/clock/advance", {"seconds": 300})
    assert [event["email"] for event in receiver.wait(1)[0]] == ["a@x.be", "b@x.be"]


def test_campaign_goes_to_mailable_members_with_statistics_and_webhooks(world, receiver):
    register(world, receiver, "marketing", "delivered", "opened", "unsubscribed")
    for email in ("a@x.be", "b@x.be", "gone@x.be"):
        subscribe(world, email)
    world.sim.post("/brevo/unsubscribe", {"email": "gone@x.be", "all": True})
    created = campaign(world)
    assert created.status == 201
    path = f"/emailCampaigns/{created.json['id']}"
    assert world.brevo.get(path).json["status"] == "draft"
    assert world.brevo.post(path + "/sendNow", {}).status == 204
    mails = world.sim.get("/mails/wait", count=2).json
    assert {mail["to"] for mail in mails} == {"a@x.be", "b@x.be"}
    assert len(world.sim.get("/mails", kind="campaign").json) == 2
    assert world.sim.get("/mails", kind="transactional").json == []
    assert "{{" not in mails[0]["html"]
    shown = world.brevo.get(path, statistics="globalStats").json
    assert shown["status"] == "sent"
    assert shown["statistics"]["globalStats"]["delivered"] == 2
    events = receiver.wait(5)
    delivered = next(event for event in events if event["event"] == "delivered")
    assert delivered["campaign name"] == "spring"
    assert world.brevo.post(path + "/sendNow", {}).status == 400


def test_campaign_by_segment(world):
    subscribe(world, "nl@x.be", LOCALE="nl")
    subscribe(world, "fr@x.be", LOCALE="fr")
    script = {"name": "nl", "attribute": "LOCALE", "value": "nl", "list_id": NEWSLETTER}
    segment = world.sim.post("/brevo/segments", script).json["id"]
    created = campaign(world, recipients={"segmentIds": [segment]}).json["id"]
    world.brevo.post(f"/emailCampaigns/{created}/sendNow", {})
    assert [mail["to"] for mail in world.sim.get("/mails/wait").json] == ["nl@x.be"]


def test_campaign_refusals(world):
    assert campaign(world, name="").status == 400
    assert campaign(world, sender={}).status == 400
    assert campaign(world, recipients={"listIds": [99]}).status == 400
    created = campaign(world).json["id"]
    subscribe(world, "a@x.be")
    world.sim.post("/settings", {"brevo_credits": 0})
    answer = world.brevo.post(f"/emailCampaigns/{created}/sendNow", {})
    assert (answer.status, answer.json["code"]) == (402, "not_enough_credits")
    assert world.brevo.post("/emailCampaigns/99/sendNow", {}).status == 404


def test_the_link_in_a_campaign_unsubscribes_only_on_post(world):
    subscribe(world, "a@x.be")
    created = campaign(world).json["id"]
    world.brevo.post(f"/emailCampaigns/{created}/sendNow", {})
    link = world.sim.get("/mails/wait").json[0]["headers"]["List-Unsubscribe"].strip("<>")
    page = Api(world.ports["web"])
    path = "/" + link.split("/", 3)[3]
    assert page.get(path).status == 200
    assert world.sim.get("/contacts", list=NEWSLETTER).json != []
    assert page.post(path, b"List-Unsubscribe=One-Click").status == 200
    assert world.sim.get("/contacts/wait", list=NEWSLETTER, count=0).json == []
