"""Who calls what when schemathesis tests the API. test_openapi.py sets the environment."""

import http.client
import itertools
import json
import os
import string
import urllib.parse
import uuid

import schemathesis

BASE = urllib.parse.urlsplit(os.environ["RELAIS_OPENAPI_BASE"])
PRINTABLE = set(string.printable[:94])
HOSTILE = bool(os.environ.get("RELAIS_OPENAPI_HOSTILE"))


def log_in(email, password):
    connection = http.client.HTTPConnection(BASE.netloc, timeout=15)
    body = json.dumps({"email": email, "password": password})
    connection.request("POST", "/v1/sessions", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    token = json.load(answer)
    connection.close()
    assert answer.status == 201, token
    return token["token"]


class Bearer:
    """Each operation is called by whoever has business there."""

    def __init__(self):
        self.people = json.loads(os.environ["RELAIS_OPENAPI_PEOPLE"])
        self.owner, self.provider = (log_in(**person) for person in self.people[:2])
        # An address has ten log-ins before the next has to wait.
        self.leaving = itertools.cycle(self.people[2:])
        self.marketing = os.environ["RELAIS_OPENAPI_MARKETING_KEY"]

    def token_for(self, operation):
        if operation.path.startswith("/v1/campaigns"):
            return self.marketing
        if operation.label == "POST /v1/jobs/{id}/offers":
            return self.provider
        if operation.label == "DELETE /v1/sessions/current":
            return log_in(**next(self.leaving))  # a session to throw away
        return self.owner


BEARER = Bearer()


@schemathesis.auth(refresh_interval=None)
class Auth:
    def get(self, case, context):
        return BEARER.token_for(context.operation)

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


def is_right(case):
    """Also when only wrong requests are asked for, some are right: where nothing can be wrong, and
    where the only thing wrong is a header field that nobody reads."""
    parts = case.meta.components.items()
    negative = [where for where, part in parts if part.mode.value == "negative"]
    wrong = {str(where).rpartition(".")[2] for where in negative}
    return wrong <= {"HEADER"}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Two different requests under one Idempotency-Key are refused, and "0" is a popular key: each
    key that is well-formed is made new."""
    headers = case.headers or {}
    if HOSTILE and is_right(case):
        headers.pop("Authorization", None)
        headers["Content-Type"] = "text/plain"
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) <= 255 and set(key) <= PRINTABLE:
        headers["Idempotency-Key"] = f"{key}-{uuid.uuid4()}"[-255:]
