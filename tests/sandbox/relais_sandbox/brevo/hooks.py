"""Brevo's webhooks: registration, subscription names against payload names, auth, batching."""

from aiohttp import web

from ..webhooks import BrevoRules
from . import answers

# The names one subscribes to differ from the `event` in the payload.
PAYLOAD_NAMES = {
    "transactional": {
        "sent": "request",
        "request": "request",
        "delivered": "delivered",
        "hardBounce": "hard_bounce",
        "softBounce": "soft_bounce",
        "blocked": "blocked",
        "invalid": "invalid_email",
        "deferred": "deferred",
        "error": "error",
        "spam": "complaint",
        "opened": "opened",
        "uniqueOpened": "unique_opened",
        "click": "click",
        "unsubscribed": "unsubscribed",
    },
    "marketing": {
        "delivered": "delivered",
        "hardBounce": "hard_bounce",
        "softBounce": "soft_bounce",
        "spam": "spam",
        "opened": "opened",
        "click": "click",
        "unsubscribed": "unsubscribed",
        "listAddition": "list_addition",
        "contactUpdated": "contact_updated",
        "contactDeleted": "contact_deleted",
    },
    "inbound": {"inboundEmailProcessed": "inboundEmailProcessed"},
}
BATCH_EVENTS_MAX = 500


class Hooks:
    def __init__(self, world):
        self._world = world
        self.reset(everything=True)

    def reset(self, everything):
        self._batches = {}
        if everything:
            self.webhooks = {}

    def routes(self):
        return [
            web.get("/v3/webhooks", self.list),
            web.post("/v3/webhooks", self.register),
            web.get("/v3/webhooks/{id}", self.show),
            web.put("/v3/webhooks/{id}", self.change),
            web.delete("/v3/webhooks/{id}", self.remove),
        ]

    async def list(self, request):
        kind = request.query.get("type", "transactional")
        shown = [_as_json(hook) for hook in self.webhooks.values() if hook["type"] == kind]
        return web.json_response({"webhooks": shown})

    async def register(self, request):
        body = await answers.read_object(request)
        kind = body.get("type", "transactional")
        if kind not in PAYLOAD_NAMES:
            raise answers.invalid("Invalid webhook type")
        hook = {
            "id": None,
            "type": kind,
            "url": None,
            "events": [],
            "description": body.get("description", ""),
            "channel": body.get("channel", "email"),
            "batched": bool(body.get("batched", False)),
            "auth": body.get("auth"),
            "headers": body.get("headers") or [],
            "created_at": self._world.clock.now(),
        }
        self._set(hook, body)
        hook["id"] = max(self.webhooks, default=0) + 1
        self.webhooks[hook["id"]] = hook
        self._world.save()
        return web.json_response({"id": hook["id"]}, status=201)

    def _set(self, hook, body):
        url = body.get("url", hook["url"])
        if not url:
            raise answers.missing("url")
        if not str(url).startswith(("http://", "https://")):
            raise answers.invalid("Invalid url")
        if any(other["url"] == url and other is not hook for other in self.webhooks.values()):
            raise answers.Refusal(400, "duplicate_parameter", "Webhook url already exists")
        events = body.get("events", hook["events"])
        if not events:
            raise answers.missing("events")
        unknown = [name for name in events if name not in PAYLOAD_NAMES[hook["type"]]]
        if unknown:
            raise answers.invalid(f"Invalid events: {', '.join(map(str, unknown))}")
        auth = body.get("auth", hook["auth"])
        if auth is not None and (auth.get("type") != "bearer" or not auth.get("token")):
            raise answers.invalid("auth should be of type bearer with a token")
        hook.update(url=url, events=list(events), auth=auth)

    async def show(self, request):
        return web.json_response(_as_json(self._find(request)))

    async def change(self, request):
        hook = self._find(request)
        body = await answers.read_object(request)
        self._set(hook, body)
        for name in ("description", "headers", "batched"):
            hook[name] = body.get(name, hook[name])
        self._world.save()
        return web.Response(status=204)

    async def remove(self, request):
        del self.webhooks[self._find(request)["id"]]
        self._world.save()
        return web.Response(status=204)

    def _find(self, request):
        hook_id = request.match_info["id"]
        hook = self.webhooks.get(int(hook_id)) if hook_id.isdigit() else None
        if hook is None:
            raise answers.unknown("Webhook id does not exist")
        return hook

    def emit(self, kind, subscribed_as, payload):
        """Sends the event to every webhook of the type that subscribed to it."""
        for hook in self.webhooks.values():
            if hook["type"] != kind or subscribed_as not in hook["events"]:
                continue
            event = {"id": hook["id"], "event": PAYLOAD_NAMES[kind][subscribed_as], **payload}
            if not hook["batched"]:
                self._post(hook, event)
                continue
            batch = self._batches.setdefault(hook["id"], [])
            batch.append(event)
            if len(batch) == 1:
                self._world.background(self._flush(hook))

    async def _flush(self, hook):
        await self._world.clock.sleep(self._world.settings.brevo_batched_window_s)
        batch = self._batches.pop(hook["id"], [])
        for start in range(0, len(batch), BATCH_EVENTS_MAX):
            self._post(hook, batch[start : start + BATCH_EVENTS_MAX])

    def _post(self, hook, payload):
        headers = {item["key"]: item["value"] for item in hook["headers"]}
        if hook["auth"]:
            headers["Authorization"] = f"Bearer {hook['auth']['token']}"
        self._world.webhooks.send("brevo", hook["url"], payload, BrevoRules(), headers)

    def contact_changed(self, contact):
        """For the web page and for tests that wait; Brevo itself sends nothing here."""
        self._world.changes.notify("contact", contact.id)

    def list_addition(self, contact, list_ids):
        self.emit("marketing", "listAddition", {**self._about(contact), "list_id": list_ids})

    def contact_updated(self, contact):
        content = [dict(contact.attributes)]
        self.emit("marketing", "contactUpdated", {**self._about(contact), "content": content})

    def contact_deleted(self, contact):
        payload = {**self._about(contact), "list_id": sorted(contact.list_ids)}
        self.emit("marketing", "contactDeleted", payload)
        self.contact_changed(contact)

    def unsubscribed(self, contact, list_ids, campaign=None):
        payload = {
            **self._about(contact),
            **(campaign or {}),
            "list_id": list_ids,
            "sending_ip": "127.0.0.1",
        }
        self.emit("marketing", "unsubscribed", payload)
        self.contact_changed(contact)

    def _about(self, contact):
        now = self._world.clock.now()
        date = answers.date(now)[:19].replace("T", " ")
        about = {"email": contact.email, "date": date, "date_event": date}
        return {**about, "ts": int(now), "ts_event": int(now)}


def _as_json(hook):
    shown = {k: v for k, v in hook.items() if k not in ("auth", "created_at")}
    shown["createdAt"] = shown["modifiedAt"] = answers.date(hook["created_at"])
    return shown
