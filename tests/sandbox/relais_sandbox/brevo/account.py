"""The state of one Brevo account: contacts, lists, attributes, segments."""

import re

from .answers import duplicate, invalid

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
NEWSLETTER_LIST_ID = 2
STANDARD_ATTRIBUTES = {
    "FIRSTNAME": "text",
    "LASTNAME": "text",
    "SMS": "text",
    "EXT_ID": "text",
    "DOUBLE_OPT-IN": "category",
}
# What a person sets up by hand in a real account before Relais uses it.
RELAIS_ATTRIBUTES = {"DISPLAY_NAME": "text", "LOCALE": "text"}


class Contact:
    def __init__(self, contact_id, now):
        self.id = contact_id
        self.email = None
        self.ext_id = None
        self.attributes = {}
        self.list_ids = set()
        self.list_unsubscribed = set()
        self.email_blacklisted = False
        self.sms_blacklisted = False
        self.created_at = now
        self.modified_at = now

    def keys(self):
        """What another write of the same person would also touch."""
        return {key for key in (("id", self.id), ("email", self.email), ("ext", self.ext_id))}

    def mailable(self, list_id):
        return (
            self.email is not None
            and list_id in self.list_ids
            and not self.email_blacklisted
            and list_id not in self.list_unsubscribed
        )


class Account:
    def __init__(self, clock):
        self._clock = clock
        self.reset(everything=True)

    def reset(self, everything):
        self.contacts = {}
        self.busy = set()
        if not everything:
            return
        self.attributes = {**STANDARD_ATTRIBUTES, **RELAIS_ATTRIBUTES}
        self.folders = {1: {"id": 1, "name": "Relais"}}
        self.lists = {}
        self.segments = {}
        self._put_list(NEWSLETTER_LIST_ID, "newsletter", 1)

    def add_list(self, name, folder_id):
        list_id = max([self._clock.first_id(), *(known + 1 for known in self.lists)])
        self._put_list(list_id, name, folder_id)
        return list_id

    def _put_list(self, list_id, name, folder_id):
        self.lists[list_id] = {
            "id": list_id,
            "name": name,
            "folderId": folder_id,
            "created_at": self._clock.now(),
        }

    def add_segment(self, name, attribute, value, list_id=None):
        segment_id = max(self.segments, default=0) + 1
        self.segments[segment_id] = {
            "id": segment_id,
            "segmentName": name,
            "attribute": attribute,
            "value": value,
            "list_id": list_id,
            "updated_at": self._clock.now(),
        }
        return segment_id

    def by_email(self, email):
        wanted = email.lower()
        return next((c for c in self.contacts.values() if c.email == wanted), None)

    def by_ext_id(self, ext_id):
        return next((c for c in self.contacts.values() if c.ext_id == ext_id), None)

    def create(self):
        contact = Contact(max(self.contacts, default=0) + 1, self._clock.now())
        self.contacts[contact.id] = contact
        return contact

    def members(self, list_id):
        return [contact for contact in self.contacts.values() if list_id in contact.list_ids]

    def in_segment(self, contact, segment):
        if segment["list_id"] is not None and segment["list_id"] not in contact.list_ids:
            return False
        return contact.attributes.get(segment["attribute"]) == segment["value"]

    def checked_lists(self, list_ids):
        for list_id in list_ids:
            if list_id not in self.lists:
                raise invalid(f"List ID does not exist: {list_id}")
        return list_ids

    def check_free(self, contact, email=None, ext_id=None, sms=None):
        """Raises the duplicate answer when another contact has one of the identifiers."""
        taken = []
        for name, value, owner in (
            ("email", email, self.by_email(email) if email else None),
            ("ext_id", ext_id, self.by_ext_id(ext_id) if ext_id else None),
            ("SMS", sms, self._by_sms(sms) if sms else None),
        ):
            if value and owner is not None and owner is not contact:
                taken.append(name)
        if taken:
            raise duplicate(taken)

    def _by_sms(self, sms):
        return next((c for c in self.contacts.values() if c.attributes.get("SMS") == sms), None)

    def set_attributes(self, contact, attributes):
        """Unknown names and values of the wrong type are ignored without a word, as at Brevo."""
        if not isinstance(attributes, dict):
            raise invalid("attributes should be an object")
        for name, value in attributes.items():
            kind = self.attributes.get(name.upper())
            if kind is not None and name.upper() != "EXT_ID" and _fits(kind, value):
                contact.attributes[name.upper()] = value


def checked_email(value):
    if not isinstance(value, str) or not EMAIL.match(value):
        raise invalid("Invalid email address")
    return value.lower()


def _fits(kind, value):
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str)
