import threading

import pytest

from client import Api

NEWSLETTER = 2


def create(world, email="an@x.be", **fields):
    return world.brevo.post("/contacts", {"email": email, **fields})


def show(world, email="an@x.be"):
    return world.brevo.get(f"/contacts/{email}").json


def test_key_is_checked(world):
    answer = Api(world.ports["brevo"], "/v3").get("/contacts")
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


def test_create_then_upsert_then_duplicate(world):
    answer = create(world, ext_id="a-1", attributes={"LOCALE": "nl"}, listIds=[NEWSLETTER])
    assert (answer.status, answer.json) == (201, {"id": 1})
    assert create(world, updateEnabled=True, attributes={"LOCALE": "fr"}).status == 204
    again = create(world)
    assert again.status == 400
    assert again.json["metadata"]["duplicate_identifiers"] == ["email"]
    contact = show(world)
    assert contact["attributes"] == {"LOCALE": "fr", "EXT_ID": "a-1"}
    assert contact["listIds"] == [NEWSLETTER]
    assert contact["listUnsubscribed"] is None


def test_ext_id_of_somebody_else_is_a_duplicate(world):
    create(world, ext_id="a-1")
    answer = create(world, "ben@x.be", ext_id="a-1", updateEnabled=True)
    assert answer.json["metadata"]["duplicate_identifiers"] == ["ext_id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_parameter"),
        ({"email": "nonsense"}, "invalid_parameter"),
        ({"email": "a@x.be", "listIds": [99]}, "invalid_parameter"),
        ({"email": "a@x.be", "listIds": "2"}, "invalid_parameter"),
        ({"email": "a@x.be", "emailBlacklisted": 1}, "invalid_parameter"),
        (b"{", "invalid_parameter"),
    ],
)
def test_refuses(world, body, code):
    answer = world.brevo.post("/contacts", body)
    assert (answer.status, answer.json["code"]) == (400, code)
    assert world.sim.get("/contacts").json == []


def test_unknown_attributes_and_wrong_types_are_ignored(world):
    create(world, attributes={"LOCALE": 7, "UNHEARD": "x", "DISPLAY_NAME": "An"})
    assert show(world)["attributes"] == {"DISPLAY_NAME": "An"}


def test_attribute_made_first_is_kept(world):
    assert world.brevo.post("/contacts/attributes/normal/CITY", {"type": "text"}).status == 201
    create(world, attributes={"CITY": "Gent"})
    assert show(world)["attributes"] == {"CITY": "Gent"}


def test_update_by_ext_id_adds_and_removes_lists(world):
    other = world.brevo.post("/contacts/lists", {"name": "tips", "folderId": 1}).json["id"]
    create(world, ext_id="a-1", listIds=[NEWSLETTER])
    body = {"listIds": [other], "unlinkListIds": [NEWSLETTER], "attributes": {"EMAIL": "an2@x.be"}}
    assert world.brevo.put("/contacts/a-1", body, identifierType="ext_id").status == 204
    assert show(world, "an2@x.be")["listIds"] == [other]
    assert world.brevo.put("/contacts/a-1", body).status == 400
    missing = world.brevo.put("/contacts/a-2", body, identifierType="ext_id")
    assert (missing.status, missing.json["code"]) == (404, "document_not_found")


def test_blocklist_is_sticky(world):
    create(world)
    world.brevo.put("/contacts/an@x.be", {"emailBlacklisted": True})
    create(world, updateEnabled=True, attributes={"LOCALE": "nl"})
    assert show(world)["emailBlacklisted"] is True
    world.brevo.put("/contacts/an@x.be", {"emailBlacklisted": False})
    assert show(world)["emailBlacklisted"] is False


def test_delete_forgets_the_blocklist(world):
    create(world, emailBlacklisted=True)
    assert world.brevo.delete("/contacts/an@x.be").status == 204
    assert world.brevo.delete("/contacts/an@x.be").status == 404
    create(world)
    assert show(world)["emailBlacklisted"] is False


def test_overlapping_writes_of_one_contact_get_425(world):
    create(world)
    create(world, "ben@x.be")
    world.sim.post("/settings", {"brevo_contact_write_ms": 60_000})
    first = []
    update = {"attributes": {"LOCALE": "nl"}}
    writer = threading.Thread(
        target=lambda: first.append(world.brevo.put("/contacts/an@x.be", update).status)
    )
    writer.start()
    busy = world.sandbox.brevo.account.busy
    while not busy:  # the first write is under way once it holds the contact
        pass
    world.sim.post("/settings", {"brevo_contact_write_ms": 0})
    assert world.brevo.put("/contacts/an@x.be", update).status == 425
    assert create(world, updateEnabled=True).status == 425
    assert world.brevo.put("/contacts/ben@x.be", update).status == 204
    world.sim.post("/clock/advance", {"seconds": 60})
    writer.join(5)
    assert first == [204]


def test_list_add_and_remove_report_per_item(world):
    create(world, "a@x.be")
    create(world, "b@x.be", listIds=[NEWSLETTER])
    path = f"/contacts/lists/{NEWSLETTER}/contacts"
    answer = world.brevo.post(path + "/add", {"emails": ["a@x.be", "b@x.be", "c@x.be"]})
    assert answer.status == 201
    assert answer.json["contacts"] == {"success": ["a@x.be"], "failure": ["b@x.be", "c@x.be"]}
    assert world.brevo.post(path + "/add", {"emails": ["c@x.be"]}).status == 400
    too_many = world.brevo.post(path + "/add", {"ids": list(range(151))})
    assert (too_many.status, too_many.json["code"]) == (400, "out_of_range")
    assert world.brevo.post(path + "/add", {"ids": [1], "emails": ["a@x.be"]}).status == 400
    answer = world.brevo.post(path + "/remove", {"emails": ["b@x.be"]})
    assert answer.json["contacts"]["success"] == ["b@x.be"]
    found = world.brevo.get(path).json
    assert [contact["email"] for contact in found["contacts"]] == ["a@x.be"]


def test_listing_is_paged_newest_first_and_capped(world):
    for name in "abc":
        create(world, f"{name}@x.be")
    page = world.brevo.get("/contacts", limit=2).json
    assert (page["count"], [c["email"] for c in page["contacts"]]) == (3, ["c@x.be", "b@x.be"])
    page = world.brevo.get("/contacts", limit=2, offset=2, sort="desc").json
    assert [c["email"] for c in page["contacts"]] == ["a@x.be"]
    assert world.brevo.get("/contacts", sort="asc").json["contacts"][0]["email"] == "a@x.be"
    assert world.brevo.get("/contacts", limit=1001).status == 400
    future = world.brevo.get("/contacts", modifiedSince="2999-01-01T00:00:00.000Z").json
    assert future["count"] == 0


def test_import_runs_as_a_process_and_always_adds_to_lists(world, receiver):
    create(world, "old@x.be", emailBlacklisted=True)
    body = {
        "jsonBody": [
            {"email": "new@x.be", "attributes": {"LOCALE": "nl", "EXT_ID": "a-9"}},
            {"email": "old@x.be"},
            {"email": "nonsense"},
        ],
        "listIds": [NEWSLETTER],
        "notifyUrl": receiver.url,
    }
    answer = world.brevo.post("/contacts/import", body)
    assert answer.status == 202
    assert receiver.wait(1)[0]["processId"] == answer.json["processId"]
    process = world.brevo.get(f"/processes/{answer.json['processId']}").json
    assert (process["status"], process["info"]["import"]["invalid_emails"]) == ("completed", 1)
    assert show(world, "new@x.be")["attributes"]["EXT_ID"] == "a-9"
    old = show(world, "old@x.be")
    assert (old["listIds"], old["emailBlacklisted"]) == ([NEWSLETTER], True)
    assert world.brevo.get("/processes/7").json["message"] == "processId is invalid"


def test_waiting_for_somebody_to_be_on_a_list(world):
    create(world)
    assert world.sim.get("/contacts", list="any").json == []
    world.brevo.put("/contacts/an@x.be", {"listIds": [NEWSLETTER]})
    found = world.sim.get("/contacts/wait", email="an@x.be", list="any").json
    assert [contact["email"] for contact in found] == ["an@x.be"]


def test_csv_import(world):
    body = {"fileBody": "EMAIL;LOCALE\na@x.be;fr\n", "listIds": [NEWSLETTER]}
    world.brevo.post("/contacts/import", body)
    found = world.sim.get("/contacts/wait", email="a@x.be").json
    assert found[0]["attributes"]["LOCALE"] == "fr"


def test_rate_limits_with_headers(world):
    answers = [world.brevo.get("/contacts") for _ in range(14)]
    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].headers["x-sib-ratelimit-limit"] == "10"
    assert int(answers[0].headers["x-sib-ratelimit-remaining"]) == 9
    assert refused, "10 requests a second, and 14 were let through"
    assert refused[0].headers["x-sib-ratelimit-reset"] == "1"
    assert refused[0].headers["x-sib-ratelimit-remaining"] == "0"
    world.sim.post("/clock/advance", {"seconds": 1})
    assert world.brevo.get("/contacts").status == 200
    world.sim.post("/rate-limits", {"on": False})
    assert {world.brevo.get("/contacts").status for _ in range(20)} == {200}


def test_everything_else_shares_100_an_hour(world):
    assert {world.brevo.get("/account").status for _ in range(100)} == {200}
    answer = world.brevo.get("/webhooks")
    assert answer.status == 429
    assert int(answer.headers["x-sib-ratelimit-reset"]) > 3500
    assert world.brevo.get("/contacts").status == 200
