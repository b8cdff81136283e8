"""/contacts: create, update, read, list, delete; blocklist rules; 425 on overlapping writes."""

import contextlib

from aiohttp import web

from . import answers
from .account import checked_email

FLAGS = {"emailBlacklisted": "email_blacklisted", "smsBlacklisted": "sms_blacklisted"}
IDENTIFIER_TYPES = {
    "email_id",
    "contact_id",
    "ext_id",
    "phone_id",
    "whatsapp_id",
    "landline_number_id",
}


class Contacts:
    def __init__(self, world, account, hooks):
        self._world = world
        self._account = account
        self._hooks = hooks

    def routes(self):
        return [
            web.get("/v3/contacts", self.list),
            web.post("/v3/contacts", self.create),
            web.get("/v3/contacts/{identifier}", self.show),
            web.put("/v3/contacts/{identifier}", self.update),
            web.delete("/v3/contacts/{identifier}", self.delete),
        ]

    @contextlib.asynccontextmanager
    async def _write(self, keys):
        """Holds the contact for the time a write takes; a second one meanwhile gets 425."""
        if keys & self._account.busy:
            text = "Another request is already processing this contact"
            raise answers.Refusal(425, "account_in_process", text)
        self._account.busy |= keys
        try:
            await self._world.clock.sleep(self._world.settings.brevo_contact_write_ms / 1000)
            yield
        finally:
            self._account.busy -= keys

    async def create(self, request):
        body = await answers.read_object(request)
        email, ext_id = body.get("email"), body.get("ext_id")
        attributes = body.get("attributes", {})
        sms = attributes.get("SMS") if isinstance(attributes, dict) else None
        if not email and not ext_id and not sms:
            raise answers.missing("email, ext_id or SMS")
        email = checked_email(email) if email else None
        keys = {key for key in (("email", email), ("ext", ext_id)) if key[1]}
        async with self._write(keys):
            return self._create(body, email, ext_id, sms)

    def _create(self, body, email, ext_id, sms):
        known = self._account.by_email(email) if email else None
        if known is None and not email and ext_id:
            known = self._account.by_ext_id(ext_id)
        if known is not None and not body.get("updateEnabled", False):
            raise answers.duplicate(["email" if email else "ext_id"])
        self._account.check_free(known, email=email, ext_id=ext_id, sms=sms)
        self._check(body)
        contact = known or self._account.create()
        contact.email = email or contact.email
        self._apply(contact, body)
        if known is None:
            return web.json_response({"id": contact.id}, status=201)
        self._hooks.contact_updated(contact)
        return web.Response(status=204)

    async def update(self, request):
        body = await answers.read_object(request)
        contact = self.find(request)
        new_email = body.get("attributes", {}).get("EMAIL")
        new_email = checked_email(new_email) if new_email else None
        async with self._write(_held_keys(contact)):
            if contact.id not in self._account.contacts:
                raise answers.unknown("Contact does not exist")
            self._account.check_free(contact, email=new_email, ext_id=body.get("ext_id"))
            self._check(body)
            contact.email = new_email or contact.email
            self._apply(contact, body)
        self._hooks.contact_updated(contact)
        return web.Response(status=204)

    def _check(self, body):
        """Everything that can be refused, before anything is written."""
        for name in ("listIds", "unlinkListIds"):
            self._account.checked_lists(answers.integers(body.get(name, []), name))
        for name in FLAGS:
            if name in body and not isinstance(body[name], bool):
                raise answers.invalid(f"{name} should be a boolean")

    def _apply(self, contact, body):
        self._account.set_attributes(contact, body.get("attributes", {}))
        contact.ext_id = body.get("ext_id") or contact.ext_id
        for name, member in FLAGS.items():
            if name in body:  # absent means unchanged; false resubscribes
                setattr(contact, member, body[name])
        added = set(body.get("listIds", [])) - contact.list_ids
        contact.list_ids |= added
        contact.list_unsubscribed -= added
        contact.list_ids -= set(body.get("unlinkListIds", []))
        contact.modified_at = self._world.clock.now()
        self._hooks.contact_changed(contact)
        if added:
            self._hooks.list_addition(contact, sorted(added))

    def find(self, request):
        """The contact that path and identifierType name, or the answer that refuses them."""
        identifier = request.match_info["identifier"]
        kind = request.query.get("identifierType")
        if kind is not None and kind not in IDENTIFIER_TYPES:
            raise answers.invalid("Invalid identifierType")
        if kind is None:
            kind = "email_id" if "@" in identifier else "contact_id"
        if kind == "contact_id" and not identifier.isdigit():
            raise answers.invalid("Invalid contact ID")
        contact = None
        if kind == "contact_id":
            contact = self._account.contacts.get(int(identifier))
        elif kind == "email_id":
            contact = self._account.by_email(identifier)
        elif kind == "ext_id":
            contact = self._account.by_ext_id(identifier)
        if contact is None:
            raise answers.unknown("Contact does not exist")
        return contact

    async def show(self, request):
        shown = as_json(self.find(request))
        shown["statistics"] = {}
        return web.json_response(shown)

    async def delete(self, request):
        contact = self.find(request)
        async with self._write(_held_keys(contact)):
            # The blocklist entry goes with the contact: a later import is mailable again.
            self._account.contacts.pop(contact.id, None)
        self._hooks.contact_deleted(contact)
        return web.Response(status=204)

    async def list(self, request):
        since = {
            name: answers.parse_date(request.query[name])
            for name in ("modifiedSince", "createdSince")
            if name in request.query
        }
        wanted_lists = {int(item) for item in request.query.get("listIds", "").split(",") if item}
        found = [
            contact
            for contact in self._account.contacts.values()
            if contact.modified_at >= since.get("modifiedSince", 0)
            and contact.created_at >= since.get("createdSince", 0)
            and (not wanted_lists or wanted_lists & contact.list_ids)
        ]
        shown = answers.page(request, found, 50, 1000, lambda contact: contact.id)
        return web.json_response(
            {"contacts": [as_json(contact) for contact in shown], "count": len(found)}
        )


def as_json(contact):
    attributes = dict(contact.attributes)
    if contact.ext_id:
        attributes["EXT_ID"] = contact.ext_id
    return {
        "id": contact.id,
        "email": contact.email,
        "emailBlacklisted": contact.email_blacklisted,
        "smsBlacklisted": contact.sms_blacklisted,
        "createdAt": answers.date(contact.created_at),
        "modifiedAt": answers.date(contact.modified_at),
        "listIds": sorted(contact.list_ids),
        "listUnsubscribed": sorted(contact.list_unsubscribed) or None,
        "attributes": attributes,
    }


def _held_keys(contact):
    return {key for key in contact.keys() if key[1]}
