"""/smtp/email with idempotency keys, /smtp/blockedContacts, /smtp/emails and /events."""

import json
import re
import uuid

from aiohttp import web

from . import answers
from .account import EMAIL
from .placeholders import fill

IDEMPOTENCY_TTL_S = 30 * 60
VERSIONS_RECIPIENTS_MAX = 2000
VERSION_RECIPIENTS_MAX = 99
EVENT_NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
EVENT_PROPERTIES_BYTES_MAX = 50 * 1024
EVENT_IDENTIFIERS = {
    "email_id",
    "ext_id",
    "phone_id",
    "contact_id",
    "whatsapp_id",
    "landline_number_id",
}


class Mail:
    def __init__(self, world, account, hooks):
        self._world = world
        self._account = account
        self._hooks = hooks
        self.reset()

    def reset(self):
        self._keys = {}
        self._sent = []
        self._blocked = {}
        self.events = []

    def routes(self):
        return [
            web.post("/v3/smtp/email", self.send),
            web.get("/v3/smtp/emails", self.list),
            web.get("/v3/smtp/blockedContacts", self.list_blocked),
            web.delete("/v3/smtp/blockedContacts/{email}", self.unblock),
            web.post("/v3/events", self.track),
        ]

    async def send(self, request):
        body = await answers.read_object(request)
        versions = self._check(body)
        headers = body.get("headers") or {}
        self._check_key(headers)
        settings = self._world.settings
        recipients = [person for version in versions for person in version["to"]]
        if settings.brevo_credits < len(recipients):
            text = "Insufficient email credits"
            raise answers.Refusal(402, "not_enough_credits", text)
        settings.brevo_credits -= len(recipients)
        message_ids = [self._send_version(body, version, headers) for version in versions]
        if "messageVersions" in body:
            return web.json_response({"messageIds": message_ids}, status=201)
        return web.json_response({"messageId": message_ids[0]}, status=201)

    def _check(self, body):
        """The versions to send, each with its own `to`; raises what Brevo would refuse."""
        sender = body.get("sender")
        if not isinstance(sender, dict) or not (sender.get("email") or sender.get("id")):
            raise answers.missing("sender")
        if not body.get("htmlContent") and not body.get("templateId"):
            raise answers.missing("htmlContent")
        if body.get("templateId"):
            raise answers.invalid("templateId does not exist")
        if not body.get("subject") and "messageVersions" not in body:
            raise answers.missing("subject")
        versions = body.get("messageVersions") or [{"to": body.get("to")}]
        for version in versions:
            if not isinstance(version.get("to"), list) or not version["to"]:
                raise answers.missing("to")
            for person in version["to"]:
                if not EMAIL.match(str(person.get("email", ""))):
                    raise answers.invalid("email is not valid in to")
                if len(person.get("name", "")) > 70:
                    raise answers.Refusal(400, "out_of_range", "name exceeds 70 characters")
            if "messageVersions" in body and len(version["to"]) > VERSION_RECIPIENTS_MAX:
                raise answers.Refusal(400, "out_of_range", "too many recipients in a version")
        if sum(len(version["to"]) for version in versions) > VERSIONS_RECIPIENTS_MAX:
            raise answers.Refusal(400, "out_of_range", "too many recipients")
        return versions

    def _check_key(self, headers):
        key = headers.get("idempotencyKey") or headers.get("Idempotency-Key")
        if not key:
            return
        now = self._world.clock.now()
        if key in self._keys and now - self._keys[key] < IDEMPOTENCY_TTL_S:
            text = "A request with the same idempotencyKey was already processed"
            raise answers.Refusal(400, "duplicate_parameter", text)
        self._keys[key] = now

    def _send_version(self, body, version, headers):
        message_id = f"<{uuid.uuid4().hex}@smtp-relay.mailin.fr>"
        sender = body["sender"]
        params = version.get("params") or body.get("params") or {}
        subject = fill(version.get("subject") or body.get("subject"), params, {})
        html = version.get("htmlContent") or body["htmlContent"]
        message = {
            "from": _named(sender),
            "subject": subject,
            "html": fill(html, params, {}),
            "text": fill(body.get("textContent"), params, {}),
            "headers": headers,
            "custom_id": headers.get("X-Mailin-custom"),
            "provider_id": message_id,
        }
        for person in version["to"]:
            sent = {"messageId": message_id, "email": person["email"], "subject": subject}
            self._sent.append({**sent, "date": self._world.clock.now()})
            if headers.get("X-Sib-Sandbox") != "drop":
                self._deliver(person["email"], message, body)
        return message_id

    def _deliver(self, address, message, body):
        self._emit("request", address, message, body)
        outcome = self._world.outcomes.get(address.lower())
        if address.lower() in self._blocked:
            self._emit("blocked", address, message, body, reason="blocked : due to blacklist user")
        elif outcome == "hard_bounce":
            self._block(address, "hardBounce", "Hard bounce")
            self._emit("hardBounce", address, message, body, reason="550 5.1.1 no such user")
        elif outcome == "soft_bounce":
            self._emit("softBounce", address, message, body, reason="452 4.2.2 mailbox full")
        elif outcome == "greylisted":
            self._emit("deferred", address, message, body, reason="451 4.7.1 try again later")
        elif outcome == "blocked":
            self._emit("blocked", address, message, body, reason="blocked by the receiver")
        else:
            self._world.mailbox.add_mail("brevo", address, message)
            self._emit("delivered", address, message, body)
            if outcome == "spam":
                self._block(address, "contactFlaggedAsSpam", "Complaint")
                self._emit("spam", address, message, body)

    def _block(self, address, code, text):
        reason = {"code": code, "message": text}
        self._blocked[address.lower()] = {"at": self._world.clock.now(), "reason": reason}

    def _emit(self, subscribed_as, address, message, body, **extra):
        now = self._world.clock.now()
        contact = self._account.by_email(address)
        payload = {
            "email": address,
            "date": answers.date(now)[:19].replace("T", " "),
            "ts": int(now),
            "message-id": message["provider_id"],
            "ts_event": int(now),
            "ts_epoch": int(now * 1000),
            "subject": message["subject"],
            "X-Mailin-custom": message["custom_id"],
            "sending_ip": "127.0.0.1",
            "template_id": 0,
            "tags": body.get("tags", []),
            "tag": json.dumps(body["tags"]) if body.get("tags") else "",
            "contact_id": contact.id if contact else 0,
        }
        self._hooks.emit("transactional", subscribed_as, {**payload, **extra})

    async def list(self, request):
        if not any(request.query.get(name) for name in ("email", "templateId", "messageId")):
            raise answers.missing("email, templateId or messageId")
        found = [
            {**sent, "uuid": sent["messageId"], "date": answers.date(sent["date"])}
            for sent in self._sent
            if request.query.get("email") in (None, sent["email"])
            and request.query.get("messageId") in (None, sent["messageId"])
        ]
        return web.json_response({"count": len(found), "transactionalEmails": found})

    async def list_blocked(self, request):
        blocked = list(self._blocked.items())
        shown = answers.page(request, blocked, 50, 100, lambda item: item[1]["at"])
        contacts = [
            {
                "email": email,
                "senderEmail": "",
                "blockedAt": answers.date(entry["at"]),
                "reason": entry["reason"],
            }
            for email, entry in shown
        ]
        return web.json_response({"count": len(blocked), "contacts": contacts})

    async def unblock(self, request):
        if self._blocked.pop(request.match_info["email"].lower(), None) is None:
            raise answers.unknown("Contact is not blocked")
        return web.Response(status=204)

    async def track(self, request):
        body = await answers.read_object(request)
        if not EVENT_NAME.match(str(body.get("event_name", ""))):
            raise answers.invalid("event_name is missing or invalid")
        identifiers = body.get("identifiers")
        if not isinstance(identifiers, dict) or not identifiers.keys() & EVENT_IDENTIFIERS:
            raise answers.missing("identifiers")
        properties = json.dumps(body.get("event_properties") or {})
        if len(properties.encode()) > EVENT_PROPERTIES_BYTES_MAX:
            raise answers.Refusal(400, "out_of_range", "event_properties exceed 50 KB")
        self.events.append({**body, "received_at": self._world.clock.now()})
        self._world.changes.notify("brevo_event", self.events[-1])
        return web.Response(status=204)


def _named(person):
    email = person.get("email", "")
    return f"{person['name']} <{email}>" if person.get("name") else email
