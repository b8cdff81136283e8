"""Mailjet's Event API: callback URLs, grouped (v2) and single (v1) bodies, retry, `dead`."""

import json
import zlib

from aiohttp import web

from .webhooks import MailjetRules

EVENT_TYPES = {"sent", "open", "click", "bounce", "blocked", "spam", "unsub"}
DEVICE = {"ip": "127.0.0.1", "geo": "BE", "agent": "Mozilla/5.0 (sandbox)"}
# What a receiving mail server may do, as POST /__sim/recipients names it.
OUTCOMES = {
    "hard_bounce": (
        "bounce",
        {
            "blocked": False,
            "hard_bounce": True,
            "error_related_to": "recipient",
            "error": "user unknown",
            "comment": "550 5.1.1 no such user",
        },
    ),
    "soft_bounce": (
        "bounce",
        {
            "blocked": False,
            "hard_bounce": False,
            "error_related_to": "recipient",
            "error": "quota exceeded",
            "comment": "452 4.2.2 mailbox full",
        },
    ),
    "greylisted": (
        "bounce",
        {
            "blocked": False,
            "hard_bounce": False,
            "error_related_to": "domain",
            "error": "greylisted",
            "comment": "451 4.7.1 try again later",
        },
    ),
    "blocked": ("blocked", {"error_related_to": "mailjet", "error": "preblocked"}),
    "spam": ("spam", {"source": "JMRPP"}),
}
STATUS_AFTER = {
    "hard_bounce": "hardbounced",
    "soft_bounce": "softbounced",
    "greylisted": "deferred",
}
REJECTED_BY_RECEIVER = {"hard_bounce", "soft_bounce", "greylisted", "blocked"}


class Events:
    def __init__(self, world, mailjet):
        self._world = world
        self._mailjet = mailjet
        self.reset()

    def reset(self):
        self.callbacks = {}
        self._waiting = {}

    def deliver(self, message, mail):
        """Hands the mail to the person's mailbox as the receiving server decides."""
        outcome = self._world.outcomes.get(message["email"].lower())
        if outcome not in REJECTED_BY_RECEIVER:
            self._world.mailbox.add_mail("mailjet", message["email"], mail)
        if outcome:
            kind, fields = OUTCOMES[outcome]
            message["status"] = STATUS_AFTER.get(outcome, outcome)
            self.emit(message, kind, fields)
            return
        reply = {"mj_message_id": str(message["id"]), "smtp_reply": "250 2.0.0 OK"}
        self._world.background(self._emit_later(message, "sent", reply))

    async def _emit_later(self, message, kind, fields):
        await self._world.clock.sleep(self._world.settings.mailjet_sent_after_ms / 1000)
        self.emit(message, kind, fields)

    def emit(self, message, kind, fields):
        """One event to the callback URL registered for its type, if there is one."""
        callback = self._receiver(kind)
        if callback is None:
            return False
        event = {
            "event": kind,
            "time": int(self._world.clock.now()),
            "MessageID": message["id"],
            "Message_GUID": message["uuid"],
            "email": message["email"],
            "mj_campaign_id": 0,
            "mj_contact_id": zlib.crc32(message["email"].encode()) % 1_000_000,
            "customcampaign": message["campaign"],
            "CustomID": message["custom_id"],
            "Payload": message["payload"],
        }
        if kind in ("open", "click", "unsub"):
            event.update(DEVICE)
        event.update(fields)
        if callback["Version"] == 1:
            self._send(callback, event)
            return True
        group = self._waiting.setdefault(callback["ID"], [])
        group.append(event)
        if len(group) == 1:
            self._world.background(self._flush(callback))
        return True

    async def _flush(self, callback):
        await self._world.clock.sleep(self._world.settings.mailjet_event_window_ms / 1000)
        self._send(callback, self._waiting.pop(callback["ID"], []))

    def _send(self, callback, payload):
        def suspend():
            callback["Status"] = "dead"

        self._world.webhooks.send(
            "mailjet", callback["Url"], payload, MailjetRules(), on_dead=suspend
        )

    def _receiver(self, kind):
        fitting = [item for item in self.callbacks.values() if item["EventType"] == kind]
        alive = [item for item in fitting if item["Status"] == "alive"]
        return min(alive, key=lambda item: item["IsBackup"], default=None)

    async def list(self, request):
        items = list(self.callbacks.values())
        return web.json_response({"Count": len(items), "Data": items, "Total": len(items)})

    async def register(self, request):
        try:
            document = json.loads(await request.read())
        except ValueError:
            document = None
        if not isinstance(document, dict) or not document.get("Url"):
            return _refuse(400, 'Invalid input: "Url" is mandatory')
        kind = document.get("EventType", "open")
        if kind not in EVENT_TYPES:
            return _refuse(400, f'Invalid EventType "{kind}"')
        backup = bool(document.get("IsBackup", False))
        for item in self.callbacks.values():
            if item["EventType"] == kind and item["IsBackup"] == backup:
                return _refuse(400, "A EventCallbackUrl already exists for this EventType")
        callback = {
            "ID": max(self.callbacks, default=0) + 1,
            "EventType": kind,
            "Url": document["Url"],
            "Version": int(document.get("Version", 1)),
            "IsBackup": backup,
            "Status": "alive",
            "APIKeyID": 1,
        }
        self.callbacks[callback["ID"]] = callback
        self._world.save()
        return web.json_response({"Count": 1, "Data": [callback], "Total": 1}, status=201)

    async def remove(self, request):
        callback_id = request.match_info["id"]
        if not callback_id.isdigit() or self.callbacks.pop(int(callback_id), None) is None:
            return _refuse(404, "Object not found")
        self._world.save()
        return web.Response(status=204)

    def fire(self, script):
        """A test's event: {event, message_id | custom_id | email, …fields}. Raises ValueError."""
        kind = script.get("event")
        if kind not in EVENT_TYPES:
            raise ValueError(f"event must be one of {', '.join(sorted(EVENT_TYPES))}")
        for message in reversed(self._mailjet.messages.values()):
            if (
                str(message["id"]) == str(script.get("message_id"))
                or message["custom_id"] == script.get("custom_id", object())
                or message["email"].lower() == str(script.get("email", "")).lower()
            ):
                reserved = {"event", "message_id", "custom_id", "email"}
                fields = {k: v for k, v in script.items() if k not in reserved}
                return self.emit(message, kind, fields)
        raise ValueError("no such message")


def _refuse(status, text):
    body = {"ErrorInfo": "", "ErrorMessage": text, "StatusCode": status}
    return web.json_response(body, status=status)
