"""/__sim: what tests read, wait for and script. JSON in and out; errors as {"error": text}."""

import json

from aiohttp import web

from .slack import DEAD_WEBHOOKS

WAIT_SECONDS_MAX = 120.0
OUTCOMES = {"delivered", "hard_bounce", "soft_bounce", "greylisted", "blocked", "spam"}


class BadScript(ValueError):
    """What the caller sent makes no sense; the text says why."""


class Admin:
    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._world = sandbox.world

    def routes(self):
        get, post, delete = web.get, web.post, web.delete
        table = [
            (get, "/ports", self.ports),
            (get, "/journal", self.journal),
            (get, "/mails", self.mails),
            (get, "/mails/wait", self.wait_mails),
            (get, "/pushes", self.pushes),
            (get, "/pushes/wait", self.wait_pushes),
            (get, "/chats", self.chats),
            (get, "/contacts", self.contacts),
            (get, "/contacts/wait", self.wait_contacts),
            (get, "/campaigns", self.campaigns),
            (get, "/webhooks", self.webhooks),
            (get, "/webhooks/wait", self.wait_webhooks),
            (get, "/faults", self.list_faults),
            (post, "/faults", self.add_fault),
            (delete, "/faults", self.clear_faults),
            (delete, "/faults/{id}", self.remove_fault),
            (get, "/settings", self.settings),
            (post, "/settings", self.change_settings),
            (post, "/rate-limits", self.rate_limits),
            (post, "/recipients", self.recipients),
            (post, "/clock/advance", self.advance),
            (post, "/webhooks/retry", self.retry_webhooks),
            (post, "/brevo/unsubscribe", self.unsubscribe),
            (post, "/brevo/segments", self.add_segment),
            (post, "/mailjet/event", self.mailjet_event),
            (post, "/onesignal/subscriptions", self.subscriptions),
            (post, "/slack/endpoints", self.slack_endpoints),
            (post, "/reset", self.reset),
        ]
        return [verb("/__sim" + path, _answered(handler)) for verb, path, handler in table]

    async def ports(self, request):
        """Ports by provider name at the root, then base URLs and accepted credentials."""
        credentials = vars(self._world.credentials)
        return {**self._world.ports, "urls": self._sandbox.urls(), "credentials": credentials}

    async def journal(self, request):
        query = request.query
        return self._world.journal.find(
            query.get("provider"),
            _number(query, "since", 0),
            query.get("method"),
            query.get("path"),
        )

    def _mails(self, request):
        query = request.query
        wanted = {name: query.get(name) for name in ("to", "subject", "provider", "kind")}
        return self._world.mailbox.find_mails(since=_number(query, "since", 0), **wanted)

    async def mails(self, request):
        return self._mails(request)

    async def wait_mails(self, request):
        return await self._wait(request, lambda: self._mails(request))

    def _pushes(self, request):
        return self._world.mailbox.find_pushes(
            request.query.get("subscription_id"), _number(request.query, "since", 0)
        )

    async def pushes(self, request):
        return self._pushes(request)

    async def wait_pushes(self, request):
        return await self._wait(request, lambda: self._pushes(request))

    async def chats(self, request):
        return list(self._world.mailbox.chats)

    def _contacts(self, request):
        """list=any: whoever is on at least one."""
        wanted = request.query.get("list", "")
        number = int(wanted) if wanted.isdigit() else None
        found = self._sandbox.brevo.find_contacts(request.query.get("email"), number)
        return [contact for contact in found if wanted != "any" or contact["listIds"]]

    async def contacts(self, request):
        return self._contacts(request)

    async def wait_contacts(self, request):
        """count=0 waits until nobody fits: a person who left the list."""
        return await self._wait(request, lambda: self._contacts(request))

    async def campaigns(self, request):
        campaigns = self._sandbox.brevo.campaigns
        return [campaigns.as_json(campaign) for campaign in campaigns.campaigns.values()]

    def _webhooks(self, request):
        wanted = {name: request.query.get(name) for name in ("provider", "state")}
        event = request.query.get("event")
        return [
            delivery
            for delivery in self._world.webhooks.deliveries
            if all(not value or delivery[name] == value for name, value in wanted.items())
            and (not event or event in json.dumps(delivery["payload"]))
        ]

    async def webhooks(self, request):
        return self._webhooks(request)

    async def wait_webhooks(self, request):
        return await self._wait(request, lambda: self._webhooks(request))

    async def _wait(self, request, find):
        """Answers as soon as `count` items fit (default 1), or at `timeout` with what there is.

        The count is exact for 0 and a minimum otherwise; 408 tells that the time ran out.
        """
        count = int(_number(request.query, "count", 1))
        timeout_s = min(_number(request.query, "timeout", 10), WAIT_SECONDS_MAX)

        def fits():
            found = find()
            return (found,) if (len(found) >= count if count else not found) else None

        reached = await self._world.changes.wait_for(fits, timeout_s)
        if reached:
            return reached[0]
        return web.json_response(find(), status=408)

    async def list_faults(self, request):
        return self._world.faults.list()

    async def add_fault(self, request):
        return self._world.faults.add(await _object(request)).as_dict()

    async def clear_faults(self, request):
        for fault in self._world.faults.list():
            self._world.faults.remove(fault["id"])
        return []

    async def remove_fault(self, request):
        if not self._world.faults.remove(request.match_info["id"]):
            return web.json_response({"error": "no such fault"}, status=404)
        return {}

    async def settings(self, request):
        return self._world.settings.as_dict()

    async def change_settings(self, request):
        self._world.settings.update(await _object(request))
        return self._world.settings.as_dict()

    async def rate_limits(self, request):
        body = await _object(request)
        self._world.settings.update({"rate_limits": body.get("on", True)})
        self._sandbox.brevo.refill()
        return {"on": self._world.settings.rate_limits}

    async def recipients(self, request):
        body = await _object(request)
        if body.get("outcome") not in OUTCOMES or not body.get("email"):
            raise BadScript(f"give email and outcome, one of {', '.join(sorted(OUTCOMES))}")
        self._world.outcomes.pop(body["email"].lower(), None)
        if body["outcome"] != "delivered":
            self._world.outcomes[body["email"].lower()] = body["outcome"]
        return self._world.outcomes

    async def retry_webhooks(self, request):
        self._world.webhooks.retry_now()
        return self._webhooks(request)

    async def advance(self, request):
        self._world.clock.advance(_number(await _object(request), "seconds", 0))
        return {"now": self._world.clock.now()}

    async def unsubscribe(self, request):
        body = await _object(request)
        lists = None if body.get("all") else body.get("list_ids")
        contact = self._sandbox.brevo.unsubscribe(
            str(body.get("email", "")), lists, body.get("campaign_id")
        )
        if contact is None:
            return web.json_response({"error": "no such contact"}, status=404)
        return self._sandbox.brevo.find_contacts(contact.email)[0]

    async def add_segment(self, request):
        body = await _object(request)
        for name in ("name", "attribute", "value"):
            if not body.get(name):
                raise BadScript(f"{name} is missing")
        account = self._sandbox.brevo.account
        segment_id = account.add_segment(
            body["name"], body["attribute"], body["value"], body.get("list_id")
        )
        self._world.save()
        return {"id": segment_id}

    async def mailjet_event(self, request):
        return {"sent": self._sandbox.mailjet.events.fire(await _object(request))}

    async def subscriptions(self, request):
        body = await _object(request)
        dead = self._sandbox.onesignal.dead
        if body.get("state") == "dead":
            dead.add(body.get("id"))
        else:
            dead.discard(body.get("id"))
        return {"dead": sorted(dead)}

    async def slack_endpoints(self, request):
        body = await _object(request)
        slack, error = self._sandbox.slack, body.get("error")
        if "path" in body:
            if error and error not in DEAD_WEBHOOKS:
                raise BadScript(f"error must be one of {', '.join(sorted(DEAD_WEBHOOKS))}")
            slack.dead_webhooks.pop(body["path"], None)
            if error:
                slack.dead_webhooks[body["path"]] = error
        if "channel" in body:
            slack.channels[body["channel"]] = error
        return {"webhooks": slack.dead_webhooks, "channels": slack.channels}

    async def reset(self, request):
        body = await _object(request)
        await self._world.reset(bool(body.get("everything", False)))
        return {}


def _answered(handler):
    async def answered(request):
        try:
            answer = await handler(request)
        except ValueError as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    return answered


async def _object(request):
    raw = await request.read()
    document = json.loads(raw or b"{}")
    if not isinstance(document, dict):
        raise BadScript("the body must be a JSON object")
    return document


def _number(values, name, default):
    try:
        return float(values.get(name, default))
    except (TypeError, ValueError):
        raise BadScript(f"{name} must be a number") from None
