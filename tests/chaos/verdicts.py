"""One upload as a client does it: grant, straight to the object store, completion, the verdict."""

import hashlib
import time

import http_client
from people import expect, wait_until

VERDICT_S = 60.0
DONE = ("ready", "rejected", "expired")


class Upload:
    def __init__(self, gateway, person, content, content_type, purpose="avatar"):
        self._gateway = gateway
        self._person = person
        self._content = content
        wanted = {
            "purpose": purpose,
            "content_type": content_type,
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        answer = gateway.post("/v1/uploads", wanted, person.token, key=True)
        self.grant = expect(answer, 201, "POST /v1/uploads")
        self.path = f"/v1/uploads/{self.grant['id']}"

    def send(self):
        """The status that the object store answered with."""
        put = self.grant["put"]
        return http_client.send(put["method"], put["url"], self._content, put["headers"]).status

    def complete(self):
        answer = self._gateway.post(f"{self.path}/completion", {}, self._person.token, key=True)
        expect(answer, 202, "POST completion")

    def seen(self):
        """What GET /v1/uploads/{id} says."""
        return expect(self._gateway.get(self.path, self._person.token), 200, "GET /v1/uploads/{id}")

    def verdict(self, timeout_s=VERDICT_S):
        """What it says once it is decided, or after that time."""
        wait_until(lambda: self.seen()["state"] in DONE, timeout_s)
        return self.seen()


def upload(gateway, person, content, content_type, purpose="avatar"):
    """(the verdict, seconds from the completed upload to it)."""
    made = Upload(gateway, person, content, content_type, purpose)
    status = made.send()
    assert status in (200, 204), f"the store answered {status}"
    started = time.perf_counter()
    made.complete()
    return made.verdict(), time.perf_counter() - started
