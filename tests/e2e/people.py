"""Who plays in the story, and what everybody does the same way: register, validate, log in."""

import re
import secrets
import time
import uuid

from narrator import StepFailed

TOKEN = re.compile(r"token=([A-Za-z0-9_.~%-]+)")
NAMES = {"nl": "Anneke Peeters", "fr": "Luc Dubois", "de": "Greta Vogel", "en": "Emma Stone"}


class Person:
    """A new address each run, so that the story can be played any number of times."""

    def __init__(self, locale, run_id):
        self.locale = locale
        self.name = NAMES[locale]
        self.email = f"{self.name.split()[0].lower()}.{run_id}@people.example"
        self.password = "een lange zin " + secrets.token_hex(8)
        self.subscription_id = str(uuid.uuid4())
        self.token = None
        self.account_id = None

    def registration(self):
        return {
            "email": self.email,
            "display_name": self.name,
            "password": self.password,
            "locale": self.locale,
            "opt_ins": ["newsletter"],
        }


def expect(answer, status, what):
    """The parsed body of an answer that has the status; raises StepFailed otherwise."""
    if answer.status != status:
        raise StepFailed(f"{what} to answer {status}", answer.describe())
    return answer.json


def expect_that(condition, expected, saw):
    if not condition:
        raise StepFailed(expected, saw)


def language_of(mail):
    return (mail.get("language") or "").split("-")[0].lower()


def token_in(mail):
    """The token of the link in a mail, or None."""
    found = TOKEN.search(mail["text"]) or TOKEN.search(mail["html"])
    return found.group(1) if found else None


def wait_until(condition, timeout_s, pause_s=0.03):
    """The first truthy value of condition(), or its last value when the time ran out."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value or time.monotonic() >= deadline:
            return value
        time.sleep(pause_s)
