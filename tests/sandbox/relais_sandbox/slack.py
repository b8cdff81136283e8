"""Slack: incoming webhooks with text answers, chat.postMessage with HTTP 200 for errors."""

import json

from aiohttp import web

from .exchange import provider_application

TEXT_CHARACTERS_MAX = 40_000
BLOCKS_MAX = 50
ATTACHMENTS_MAX = 100
DEAD_WEBHOOKS = {
    "no_service": 404,
    "no_team": 404,
    "team_disabled": 404,
    "channel_not_found": 404,
    "channel_is_archived": 410,
    "action_prohibited": 403,
    "invalid_token": 403,
}


class Slack:
    def __init__(self, world):
        self._world = world
        self.application = provider_application(world, "slack", _not_found)
        self.application.add_routes(
            [
                web.post("/services/{team}/{bot}/{secret}", self.incoming),
                web.post("/api/chat.postMessage", self.post_message),
                web.post("/api/users.lookupByEmail", self.lookup),
                web.get("/api/users.lookupByEmail", self.lookup),
            ]
        )
        self.reset(everything=True)

    def reset(self, everything):
        self._messages = 0
        if everything:
            self.dead_webhooks = {}  # path -> error name of DEAD_WEBHOOKS
            self.channels = {"C0SANDBOX": None}  # id -> error name or None
            self.people = {}  # e-mail -> user id

    async def incoming(self, request):
        error = self.dead_webhooks.get(request.path)
        if error:
            return _text(DEAD_WEBHOOKS[error], error)
        if not request.match_info["team"].startswith("T"):
            return _text(404, "no_team")
        try:
            body = json.loads(await request.read())
        except ValueError:
            return _text(400, "invalid_payload")
        if not isinstance(body, dict):
            return _text(400, "invalid_payload")
        error = _content_error(body)
        if error:
            return _text(400, "invalid_payload" if error == "invalid_blocks" else error)
        self._world.mailbox.add_chat({"via": "webhook", "channel": request.path, **_shown(body)})
        return _text(200, "ok")

    async def post_message(self, request):
        token = request.headers.get("Authorization", "")
        if not token:
            return _refused("not_authed")
        if token != f"Bearer {self._world.credentials.slack_token}":
            return _refused("invalid_auth")
        try:
            body = json.loads(await request.read())
        except ValueError:
            return _refused("invalid_json")
        channel = body.get("channel") if isinstance(body, dict) else None
        if channel not in self.channels:
            return _refused("channel_not_found")
        error = self.channels[channel] or _content_error(body)
        if error:
            return _refused(error)
        self._messages += 1
        ts = f"{int(self._world.clock.now())}.{self._messages:06d}"
        self._world.mailbox.add_chat({"via": "api", "channel": channel, "ts": ts, **_shown(body)})
        message = {"type": "message", "text": body.get("text", ""), "ts": ts}
        return web.json_response({"ok": True, "channel": channel, "ts": ts, "message": message})

    async def lookup(self, request):
        if request.headers.get("Authorization") != f"Bearer {self._world.credentials.slack_token}":
            return _refused("invalid_auth")
        email = request.query.get("email") or (await request.post()).get("email", "")
        user_id = self.people.get(str(email).lower())
        if user_id is None:
            return _refused("users_not_found")
        user = {"id": user_id, "profile": {"email": email}}
        return web.json_response({"ok": True, "user": user})


def _content_error(body):
    text = body.get("text", "")
    if not text and not body.get("blocks") and not body.get("attachments"):
        return "no_text"
    if not isinstance(text, str) or len(text) > TEXT_CHARACTERS_MAX:
        return "msg_too_long"
    blocks = body.get("blocks") or []
    if not isinstance(blocks, list) or len(blocks) > BLOCKS_MAX:
        return "invalid_blocks"
    if len(body.get("attachments") or []) > ATTACHMENTS_MAX:
        return "too_many_attachments"
    return None


def _shown(body):
    return {name: body.get(name) for name in ("text", "blocks", "thread_ts", "metadata")}


def _text(status, text):
    return web.Response(status=status, text=text)


def _refused(error):
    return web.json_response({"ok": False, "error": error})


def _not_found(request, status):
    return _text(status, "no_service")
