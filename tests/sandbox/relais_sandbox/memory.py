"""What a provider would remember over a restart of ours: its account, in one JSON file."""

import json
import os
import pathlib

from .brevo.account import Contact


class Memory:
    """Saved at each change of an account's set-up and at the end; what arrived is not kept."""

    def __init__(self, folder, brevo, mailjet):
        self._path = pathlib.Path(folder) / "accounts.json"
        self._brevo = brevo
        self._mailjet = mailjet

    def save(self):
        account = self._brevo.account
        document = {
            "lists": account.lists,
            "segments": account.segments,
            "attributes": account.attributes,
            "contacts": {key: _written(contact) for key, contact in account.contacts.items()},
            "webhooks": self._brevo.hooks.webhooks,
            "event_callbacks": self._mailjet.events.callbacks,
        }
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(document), "utf-8")
        os.replace(new, self._path)

    def load(self):
        """Nothing to load is fine: a new account."""
        if not self._path.exists():
            return
        document = json.loads(self._path.read_text("utf-8"))
        account = self._brevo.account
        account.lists = _by_number(document["lists"])
        account.segments = _by_number(document["segments"])
        account.attributes = document["attributes"]
        account.contacts = {
            key: _read(contact) for key, contact in _by_number(document["contacts"]).items()
        }
        self._brevo.hooks.webhooks = _by_number(document["webhooks"])
        self._mailjet.events.callbacks = _by_number(document["event_callbacks"])


def _by_number(items):
    """JSON makes keys texts; here they are ids."""
    return {int(key): value for key, value in items.items()}


def _written(contact):
    return {
        name: sorted(value) if isinstance(value, set) else value
        for name, value in vars(contact).items()
    }


def _read(fields):
    contact = Contact(fields["id"], fields["created_at"])
    for name, value in fields.items():
        as_set = isinstance(getattr(contact, name), set)
        setattr(contact, name, set(value) if as_set else value)
    return contact
