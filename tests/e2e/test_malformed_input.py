"""Malformed requests: a problem document with a pointer, and nothing written."""

import json
import uuid

import pytest

from arrivals import expect_one_mail
from people import Person


def text_of(person, **changes):
    return json.dumps({**person.registration(), **changes}).encode()


def bad_utf_8(person):
    return text_of(person, display_name="NAME").replace(b"NAME", b"\xff\xfe")


def duplicate_key(person):
    return text_of(person)[:-1] + b', "email": "other@people.example"}'


CASES = {
    "malformed JSON": (lambda person: text_of(person)[:-1], {400}, None),
    "not an object": (lambda person: b'["email"]', {400}, None),
    "empty": (lambda person: b"", {400}, None),
    "unknown field": (lambda person: text_of(person, nickname="x"), {400, 422}, "/nickname"),
    "wrong type": (lambda person: text_of(person, display_name=7), {400, 422}, "/display_name"),
    "missing field": (lambda person: text_of(person, email=None), {400, 422}, "/email"),
    "bad address": (lambda person: text_of(person, email="nonsense"), {400, 422}, "/email"),
    "unknown language": (lambda person: text_of(person, locale="xx"), {400, 422}, "/locale"),
    "short password": (lambda person: text_of(person, password="x"), {400, 422}, "/password"),
    "unknown opt-in": (lambda person: text_of(person, opt_ins=["x"]), {400, 422}, "/opt_ins"),
    "oversize field": (
        lambda person: text_of(person, display_name="x" * 5000),
        {400, 413, 422},
        "/display_name",
    ),
    "oversize body": (lambda person: text_of(person, display_name="x" * 9_000_000), {413}, None),
    "bad UTF-8": (bad_utf_8, {400}, None),
    "duplicate key": (duplicate_key, {400, 422}, "/email"),
    "deep nesting": (lambda person: b'{"email":' + b"[" * 5000 + b"]" * 5000 + b"}", {400}, None),
}


@pytest.mark.parametrize("name", CASES)
def test_malformed_registration(gateway, sandbox, name):
    make, statuses, pointer = CASES[name]
    person = Person("en", uuid.uuid4().hex[:8])
    headers = {"Content-Type": "application/json"}
    answer = gateway.call("POST", "/v1/accounts", make(person), key=True, headers=headers)
    assert answer.status in statuses, answer.describe()
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == answer.status
    assert problem["type"].startswith("https://relais.example/problems/")
    if pointer:
        pointers = [error["pointer"] for error in problem["errors"]]
        assert any(found.startswith(pointer) for found in pointers), problem
    # Nothing was written: the address is new when it registers properly, so the mail that comes is
    # the first one and holds a token.
    answer = gateway.post("/v1/accounts", person.registration(), key=True)
    assert answer.status == 202, answer.describe()
    assert "token=" in expect_one_mail(sandbox, person)["text"]


def test_several_faults_are_reported_together(gateway, sandbox):
    body = {"email": "nonsense", "display_name": 7, "password": "x", "locale": "xx", "more": 1}
    answer = gateway.post("/v1/accounts", body, key=True)
    assert answer.status in (400, 422), answer.describe()
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert {"/email", "/display_name", "/locale", "/more"} <= pointers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/unheard", 404), ("DELETE", "/v1/accounts", 405), ("GET", "/internal/v1/x", 404)],
)
def test_unknown_routes_are_problems_too(gateway, method, path, status):
    answer = gateway.call(method, path)
    assert answer.status == status, answer.describe()
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"


def test_other_content_types_are_refused(gateway):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = gateway.call("POST", "/v1/accounts", b"email=a@b.be", key=True, headers=form)
    assert answer.status == 415, answer.describe()
