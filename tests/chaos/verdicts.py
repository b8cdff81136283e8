"""One upload as a client does it, up to the verdict."""

import time

import uploads
from people import expect, wait_until

VERDICT_S = 60.0
DONE = ("ready", "rejected", "expired")


class Upload:
    """Granted, and nothing more yet."""

    def __init__(self, chaos, person, content, content_type="image/png"):
        self._chaos = chaos
        self._person = person
        self._content = content
        answer = uploads.ask_grant(chaos, person, content, content_type)
        self.grant = expect(answer, 201, "POST /v1/uploads")

    def send(self):
        stored = uploads.send(self.grant, self._content)
        assert stored.status in (200, 204), stored.describe()

    def complete(self):
        expect(uploads.complete(self._chaos, self._person, self.grant["id"]), 202, "completion")

    def seen(self):
        return uploads.state(self._chaos, self._person, self.grant["id"])

    def verdict(self, timeout_s=VERDICT_S):
        """What GET says once it is decided, or after that time."""
        wait_until(lambda: self.seen()["state"] in DONE, timeout_s)
        return self.seen()


def verdict_on(chaos, person, content, content_type="image/png"):
    """(the verdict, seconds from the completed upload to it)."""
    made = Upload(chaos, person, content, content_type)
    made.send()
    started = time.perf_counter()
    made.complete()
    return made.verdict(), time.perf_counter() - started
