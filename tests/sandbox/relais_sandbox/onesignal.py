"""OneSignal: notifications with idempotency keys, and the users they are aimed at."""

import json
import re
import time
import uuid

from aiohttp import web

from .exchange import failing_recipients, provider_application

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
KEY_TTL_S = 30 * 24 * 3600
TARGETS = {
    "include_subscription_ids": 20_000,
    "include_player_ids": 2000,
    "include_aliases": 20_000,
    "include_external_user_ids": 2000,
    "included_segments": 200,
    "filters": 200,
}
DISABLE_WINDOW_S = 15 * 60
TTL_MAX_S = 2_419_200


class OneSignal:
    def __init__(self, world):
        self._world = world
        self.application = provider_application(world, "onesignal", _not_found)
        for prefix in ("", "/api/v1"):
            self.application.add_routes(
                [
                    web.post(prefix + "/notifications", self._guarded(self.send)),
                    web.get(prefix + "/notifications/{id}", self._guarded(self.show)),
                    web.delete(prefix + "/notifications/{id}", self._guarded(self.cancel)),
                    web.post(prefix + "/apps/{app}/users", self._guarded(self.create_user)),
                    web.get(
                        prefix + "/apps/{app}/users/by/external_id/{id}",
                        self._guarded(self.show_user),
                    ),
                    web.delete(
                        prefix + "/apps/{app}/users/by/external_id/{id}",
                        self._guarded(self.delete_user),
                    ),
                ]
            )
        self.reset(everything=True)

    def reset(self, everything):
        self._notifications = {}
        self._keys = {}
        self._delivered_at = []
        self.disabled = False
        if everything:
            self.users = {}
            self.dead = set()

    def _guarded(self, handler):
        async def guarded(request):
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            if scheme not in ("Key", "Basic"):
                text = "Please include a case-sensitive header of Authorization: Key <YOUR-KEY>"
                return _errors(401, [text])
            if key.strip() != self._world.credentials.onesignal_key:
                return _errors(403, ["Access denied. Please include a valid API key."])
            return await handler(request)

        return guarded

    async def send(self, request):
        try:
            body = json.loads(await request.read())
        except ValueError:
            return _errors(400, ["Malformed JSON"])
        problem = self._check(body)
        if problem:
            return _errors(400, [problem])
        if self.disabled:
            return _errors(403, ["App is disabled: too many notifications per subscriber"])
        key = body.get("idempotency_key") or body.get("external_id")
        now = self._world.clock.now()
        if key and key in self._keys and now - self._keys[key][0] < KEY_TTL_S:
            replay = {"Idempotent-Replayed": "true"}
            return web.json_response(self._keys[key][1], headers=replay)
        failing = failing_recipients(request)
        answer = self._send(body, key, failing)
        if key and answer["id"]:
            self._keys[key] = (now, answer)
        return web.json_response(answer)

    def _check(self, body):
        """The text of the first rule the request breaks, or None."""
        if not isinstance(body, dict):
            return "Malformed JSON"
        if body.get("app_id") != self._world.credentials.onesignal_app_id:
            return "app_id not found. You may be missing a Content-Type: application/json header."
        key = body.get("idempotency_key") or body.get("external_id")
        if key and not UUID.match(str(key)):
            return "idempotency_key must be a valid UUID"
        targets = [name for name in TARGETS if body.get(name)]
        if not targets:
            return "You must include which players, segments, or tags you wish to send to."
        if len(targets) > 1:
            return "Only one targeting parameter may be used at a time"
        if body.get("include_aliases") and not body.get("target_channel"):
            return "target_channel is required with include_aliases"
        for name in ("include_subscription_ids", "include_player_ids"):
            for value in body.get(name) or []:
                if not UUID.match(str(value)):
                    return f"Incorrect subscription_id format in {name} (not a valid UUID): {value}"
        contents = body.get("contents")
        if not body.get("template_id") and not body.get("content_available"):
            if not isinstance(contents, dict) or not contents.get("en"):
                return "Message Notifications must have English language content"
        if len(str(body.get("name", ""))) > 128:
            return "name must be at most 128 characters"
        if not isinstance(body.get("ttl", 0), int) or not 0 <= body.get("ttl", 0) <= TTL_MAX_S:
            return "ttl must be between 0 and 2419200"
        return None

    def _send(self, body, key, failing):
        live, errors = self._targets(body, failing)
        if not live:
            return {"id": "", "errors": errors or ["All included players are not subscribed"]}
        notification_id = str(uuid.uuid4())
        for subscription_id, external_id in live:
            self._world.mailbox.add_push(
                {
                    "notification_id": notification_id,
                    "subscription_id": subscription_id,
                    "external_id": external_id,
                    "headings": body.get("headings") or {},
                    "contents": body.get("contents") or {},
                    "data": body.get("data"),
                    "url": body.get("url"),
                    "collapse_id": body.get("collapse_id"),
                    "ttl": body.get("ttl"),
                    "idempotency_key": key,
                }
            )
        self._count_delivered(len(live))
        self._notifications[notification_id] = {
            "id": notification_id,
            "successful": len(live),
            "failed": 0,
            "errored": 0,
            "received": 0,
            "remaining": 0,
            "queued_at": int(self._world.clock.now()),
            "completed_at": int(self._world.clock.now()),
            "canceled": False,
        }
        answer = {"id": notification_id, "external_id": key}
        if errors:
            answer["errors"] = errors
        return answer

    def _targets(self, body, failing):
        """[(subscription, external id)] that receive it, and the errors object for the rest."""
        dead = self.dead | failing
        if body.get("include_aliases"):
            return self._by_alias(body["include_aliases"].get("external_id", []), dead)
        name = "include_subscription_ids" if body.get("include_subscription_ids") else None
        name = name or "include_player_ids"
        wanted = list(dict.fromkeys(body.get(name) or []))
        live = [(item, None) for item in wanted if item not in dead]
        gone = [item for item in wanted if item in dead]
        return live, ({"invalid_player_ids": gone} if gone and live else {})

    def _by_alias(self, external_ids, dead):
        live, invalid = [], []
        for external_id in external_ids:
            subscriptions = self.users.get(external_id, {}).get("subscriptions", [])
            alive = [item for item in subscriptions if item["id"] not in dead]
            live.extend((item["id"], external_id) for item in alive)
            # The same id once per dead subscription, as the real answer has it.
            invalid.extend([external_id] * (len(subscriptions) - len(alive)))
            if not subscriptions:
                invalid.append(external_id)
        return live, ({"invalid_aliases": {"external_id": invalid}} if invalid else {})

    def _count_delivered(self, count):
        subscribers = self._world.settings.onesignal_subscribers
        if subscribers == 0:
            return
        now = self._world.clock.now()
        self._delivered_at = [t for t in self._delivered_at if t > now - DISABLE_WINDOW_S]
        self._delivered_at.extend([now] * count)
        self.disabled = len(self._delivered_at) > 10 * subscribers

    async def show(self, request):
        found = self._notifications.get(request.match_info["id"])
        if found is None:
            return _errors(404, ["Notification not found"])
        return web.json_response(found)

    async def cancel(self, request):
        found = self._notifications.get(request.match_info["id"])
        if found is None:
            return _errors(404, ["Notification not found"])
        found["canceled"] = True
        return web.json_response({"success": True})

    async def create_user(self, request):
        try:
            body = json.loads(await request.read())
            external_id = body["identity"]["external_id"]
        except (ValueError, KeyError, TypeError):
            return _errors(400, [{"code": "invalid", "title": "identity.external_id is missing"}])
        known = external_id in self.users
        user = self.users.setdefault(
            external_id,
            {
                "identity": {"external_id": external_id, "onesignal_id": str(uuid.uuid4())},
                "properties": {"first_active": int(time.time())},
                "subscriptions": [],
            },
        )
        user["properties"].update(body.get("properties") or {})
        for subscription in body.get("subscriptions") or []:
            tokens = {item.get("token") for item in user["subscriptions"]}
            if subscription.get("token") not in tokens:
                user["subscriptions"].append({"id": str(uuid.uuid4()), **subscription})
        return web.json_response(user, status=200 if known else 202)

    async def show_user(self, request):
        user = self.users.get(request.match_info["id"])
        if user is None:
            return _errors(404, [{"code": "user-not-found", "title": "User not found"}])
        return web.json_response(user)

    async def delete_user(self, request):
        user = self.users.pop(request.match_info["id"], None)
        if user is None:
            return _errors(404, [{"code": "user-not-found", "title": "User not found"}])
        return web.json_response({"identity": user["identity"]}, status=202)


def _errors(status, errors):
    return web.json_response({"errors": errors}, status=status)


def _not_found(request, status):
    return _errors(status, ["Not found" if status == 404 else "Method not allowed"])
