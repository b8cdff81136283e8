"""Mailjet: Send API v3.1 and the REST resources that Relais uses."""

import base64
import json
import uuid

from aiohttp import web

from .exchange import failing_recipients, provider_application
from .mailjet_events import Events
from .mailjet_rules import check_message

MESSAGES_MAX = 50
FIRST_MESSAGE_ID = 70_650_219_165_027_410  # above 2^53, as the real ones
DEDUPLICATED = {"error_related_to": "mailjet", "error": "duplicate in campaign"}


class Mailjet:
    def __init__(self, world):
        self._world = world
        self.events = Events(world, self)
        self.application = provider_application(world, "mailjet", _not_found)
        self.application.add_routes(
            [
                web.post("/v3.1/send", self._guarded(self.send)),
                web.get("/v3/REST/message", self._guarded(self.list_messages)),
                web.get("/v3/REST/message/{id}", self._guarded(self.show_message)),
                web.get("/v3/REST/eventcallbackurl", self._guarded(self.events.list)),
                web.post("/v3/REST/eventcallbackurl", self._guarded(self.events.register)),
                web.delete("/v3/REST/eventcallbackurl/{id}", self._guarded(self.events.remove)),
            ]
        )
        self.reset(everything=True)

    def reset(self, everything):
        self.messages = {}
        self._campaigns = set()
        self._next_id = FIRST_MESSAGE_ID + 1000 * self._world.clock.first_id()
        if everything:
            self.events.reset()

    def _guarded(self, handler):
        async def guarded(request):
            refusal = self._refusal(request)
            return refusal if refusal is not None else await handler(request)

        return guarded

    def _refusal(self, request):
        keys = self._world.credentials
        expected = f"{keys.mailjet_key}:{keys.mailjet_secret}".encode()
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            matches = scheme.lower() == "basic" and base64.b64decode(given) == expected
        except ValueError:
            matches = False
        if not matches:
            text = (
                "API key authentication/authorization failure. You may be unauthorized to "
                "access the API or your API key may be expired."
            )
            return _error(401, "mj-0015", text)
        if self._world.settings.mailjet_key_suspended:
            return _error(401, "mj-0001", "Your API key has been suspended.")
        return None

    async def send(self, request):
        try:
            document = json.loads(await request.read())
        except ValueError:
            return _error(400, "mj-0002", "Malformed JSON, please review the syntax.")
        refusal = _refuse_envelope(document)
        if refusal is not None:
            return refusal
        shared = document.get("Globals", {})
        sandbox = document.get("SandboxMode", False)
        failing = failing_recipients(request)
        answers = [
            self._accept(_with_defaults(shared, message), sandbox, document, failing)
            for message in document["Messages"]
        ]
        failed = any(answer["Status"] == "error" for answer in answers)
        return web.json_response({"Messages": answers}, status=400 if failed else 200)

    def _accept(self, message, sandbox, document, failing):
        senders = {
            sender.strip().lower()
            for sender in self._world.settings.mailjet_senders.split(",")
            if sender.strip()
        }
        refusals = check_message(message, senders)
        for index, person in enumerate(message.get("To", []) if not refusals else []):
            if person["Email"] in failing:
                text = f'"{person["Email"]}" is an invalid email address.'
                refusals.add("mj-0013", text, f"To[{index}].Email")
        if refusals:
            shown = refusals if document.get("AdvanceErrorHandling") else refusals[:1]
            return {"Status": "error", "Errors": [_item_error(*refusal) for refusal in shown]}
        answer = {"Status": "success", "CustomID": message.get("CustomID", "")}
        for field in ("To", "Cc", "Bcc"):
            answer[field] = [
                _sandboxed(person) if sandbox else self._store(message, person, field)
                for person in message.get(field, [])
            ]
        return answer

    def _store(self, message, person, field):
        message_id = self._next_id
        self._next_id += 1
        sent = {
            "id": message_id,
            "uuid": str(uuid.uuid4()),
            "email": person["Email"],
            "custom_id": message.get("CustomID", ""),
            "payload": message.get("EventPayload", ""),
            "campaign": message.get("CustomCampaign", ""),
            "subject": message.get("Subject", ""),
            "arrived_at": self._world.clock.now(),
            "status": "sent",
        }
        self.messages[message_id] = sent
        if self._is_duplicate(message, person):
            sent["status"] = "blocked"
            self.events.emit(sent, "blocked", DEDUPLICATED)
        else:
            self.events.deliver(sent, _mail(message, person, field, sent))
        return {
            "Email": person["Email"],
            "MessageUUID": sent["uuid"],
            "MessageID": message_id,
            "MessageHref": f"https://api.mailjet.com/v3/REST/message/{message_id}",
        }

    def _is_duplicate(self, message, person):
        if not message.get("CustomCampaign"):
            return False
        key = (message["CustomCampaign"], person["Email"].lower())
        seen = key in self._campaigns
        self._campaigns.add(key)
        return seen and bool(message.get("DeduplicateCampaign"))

    async def list_messages(self, request):
        visible_before = (
            self._world.clock.now() - self._world.settings.mailjet_lookup_visibility_ms / 1000
        )
        wanted = request.query.get("CustomID")
        found = [
            message
            for message in self.messages.values()
            if message["arrived_at"] <= visible_before
            and (wanted is None or message["custom_id"] == wanted)
        ]
        limit, offset = int(request.query.get("Limit", 10)), int(request.query.get("Offset", 0))
        if limit == 0:
            limit, offset = 1000, 0  # "maximum"; Offset is ignored then, as at Mailjet
        page = found[offset : offset + min(limit, 1000)]
        return _collection([_resource(item, request) for item in page], len(found))

    async def show_message(self, request):
        message_id = request.match_info["id"]
        message = self.messages.get(int(message_id)) if message_id.isdigit() else None
        if message is None:
            return _error(404, "", "Object not found")
        return _collection([_resource(message, request)], 1)


def _refuse_envelope(document):
    if not isinstance(document, dict):
        return _error(400, "mj-0002", "Malformed JSON, please review the syntax.")
    for name, wanted in (("SandboxMode", bool), ("AdvanceErrorHandling", bool), ("Globals", dict)):
        if name in document and not isinstance(document[name], wanted):
            return _error(400, "mj-0004", f'Type mismatch on "{name}".')
    messages = document.get("Messages")
    if messages is None:
        return _error(400, "mj-0003", '"Messages" is mandatory but missing from the input')
    if not isinstance(messages, list):
        return _error(400, "mj-0004", 'Type mismatch. Expected type "array of Messages".')
    if not messages:
        return _error(400, "mj-0007", '"Messages" may not be an empty array.')
    if len(messages) > MESSAGES_MAX:
        return _error(400, "mj-0008", f'"Messages" may hold at most {MESSAGES_MAX} items.')
    return None


def _with_defaults(shared, message):
    return {**shared, **message} if isinstance(message, dict) else message


def _mail(message, person, field, sent):
    sender = message.get("From", {})
    name = sender.get("Name")
    return {
        "from": f"{name} <{sender.get('Email')}>" if name else sender.get("Email", ""),
        "subject": message.get("Subject", ""),
        "html": message.get("HTMLPart", ""),
        "text": message.get("TextPart", ""),
        "headers": {**message.get("Headers", {}), "X-Recipient-Field": field},
        "custom_id": message.get("CustomID"),
        "provider_id": str(sent["id"]),
        "campaign": message.get("CustomCampaign"),
    }


def _sandboxed(person):
    return {"Email": person["Email"], "MessageUUID": "", "MessageID": 0, "MessageHref": ""}


def _item_error(code, status, text, related):
    return {
        "ErrorIdentifier": str(uuid.uuid4()),
        "ErrorCode": code,
        "StatusCode": status,
        "ErrorMessage": text,
        "ErrorRelatedTo": [related],
    }


def _resource(message, request):
    shown = {
        "ID": message["id"],
        "UUID": message["uuid"],
        "Status": message["status"],
        "ArrivedAt": message["arrived_at"],
    }
    if request.query.get("ShowCustomID", "").lower() == "true":
        shown["CustomID"] = message["custom_id"]
    if request.query.get("ShowSubject", "").lower() == "true":
        shown["Subject"] = message["subject"]
    return shown


def _collection(items, total):
    return web.json_response({"Count": len(items), "Data": items, "Total": total})


def _error(status, code, text):
    body = {
        "ErrorIdentifier": str(uuid.uuid4()),
        "ErrorCode": code,
        "StatusCode": status,
        "ErrorMessage": text,
    }
    return web.json_response(body, status=status)


def _not_found(request, status):
    text = "Object not found" if status == 404 else "Method not allowed"
    return _error(status, "", text)
