"""/emailCampaigns: create, send now, statistics; mails with a working unsubscribe link."""

import itertools
import zlib

from aiohttp import web

from . import answers
from .placeholders import fill

STATISTICS = (
    "uniqueClicks",
    "clickers",
    "complaints",
    "delivered",
    "sent",
    "softBounces",
    "hardBounces",
    "uniqueViews",
    "unsubscriptions",
    "viewed",
    "trackableViews",
    "estimatedViews",
)
HTML_CHARACTERS_MIN = 10
CHANGEABLE = {"draft", "suspended", "queued"}
STATUSES = {"suspended", "archive", "darchive", "sent", "queued", "replicate", "draft"}


class Campaigns:
    def __init__(self, world, account, hooks):
        self._world = world
        self._account = account
        self._hooks = hooks
        self.reset()

    def reset(self):
        self.campaigns = {}
        self._ids = itertools.count(self._world.clock.first_id())

    def routes(self):
        base = "/v3/emailCampaigns"
        return [
            web.get(base, self.list),
            web.post(base, self.create),
            web.get(f"{base}/{{id}}", self.show),
            web.delete(f"{base}/{{id}}", self.delete),
            web.post(f"{base}/{{id}}/sendNow", self.send_now),
            web.post(f"{base}/{{id}}/sendTest", self.send_test),
            web.put(f"{base}/{{id}}/status", self.change_status),
        ]

    async def create(self, request):
        body = await answers.read_object(request)
        if not body.get("name"):
            raise answers.missing("name")
        sender = body.get("sender")
        if not isinstance(sender, dict) or not (sender.get("email") or sender.get("id")):
            raise answers.missing("sender")
        if body.get("templateId") or body.get("htmlUrl"):
            raise answers.invalid("templateId or htmlUrl does not exist")
        if len(body.get("htmlContent") or "") < HTML_CHARACTERS_MIN:
            raise answers.missing("htmlContent")
        recipients = body.get("recipients") or {}
        for name in ("listIds", "exclusionListIds"):
            self._account.checked_lists(answers.integers(recipients.get(name, []), name))
        for segment_id in recipients.get("segmentIds", []):
            if segment_id not in self._account.segments:
                raise answers.invalid("Segment ID does not exist")
        now = self._world.clock.now()
        campaign = {
            "id": next(self._ids),
            "body": body,
            "status": "queued" if body.get("scheduledAt") else "draft",
            "created_at": now,
            "modified_at": now,
            "sent_at": None,
            "statistics": dict.fromkeys(STATISTICS, 0),
        }
        self.campaigns[campaign["id"]] = campaign
        self._changed(campaign)
        if body.get("scheduledAt"):
            wait_s = answers.parse_date(body["scheduledAt"]) - now
            self._world.background(self._send(campaign, wait_s))
        return web.json_response({"id": campaign["id"]}, status=201)

    async def send_now(self, request):
        campaign = self._find(request)
        if not campaign["body"].get("subject"):
            raise answers.missing("subject")
        if campaign["status"] not in CHANGEABLE:
            raise answers.Refusal(400, "invalid_parameter", "Campaign is already sent or archived")
        audience = self.audience(campaign)
        if not self._has_recipients(campaign):
            raise answers.missing("recipients")
        if self._world.settings.brevo_credits < len(audience):
            raise answers.Refusal(402, "not_enough_credits", "Insufficient email credits")
        self._world.settings.brevo_credits -= len(audience)
        campaign["status"] = "inProcess"
        self._changed(campaign)
        wait_s = self._world.settings.brevo_campaign_ms / 1000
        self._world.background(self._send(campaign, wait_s))
        return web.Response(status=204)

    def _has_recipients(self, campaign):
        recipients = campaign["body"].get("recipients") or {}
        return bool(recipients.get("listIds") or recipients.get("segmentIds"))

    def audience(self, campaign):
        """Who the campaign goes to: each person once, nobody who opted out."""
        recipients = campaign["body"].get("recipients") or {}
        lists = recipients.get("listIds", [])
        excluded = set(recipients.get("exclusionListIds", []))
        segments = [self._account.segments[i] for i in recipients.get("segmentIds", [])]
        return [
            contact
            for contact in self._account.contacts.values()
            if contact.email
            and not contact.email_blacklisted
            and not contact.list_ids & excluded
            and (
                any(contact.mailable(list_id) for list_id in lists)
                or any(self._account.in_segment(contact, segment) for segment in segments)
            )
        ]

    async def _send(self, campaign, wait_s):
        await self._world.clock.sleep(wait_s)
        if campaign["status"] not in ("inProcess", "queued"):
            return
        audience = self.audience(campaign)
        campaign["sent_at"] = self._world.clock.now()
        campaign["statistics"]["sent"] = len(audience)
        for contact in audience:
            self._send_one(campaign, contact)
        campaign["status"] = "sent"
        campaign["modified_at"] = self._world.clock.now()
        self._changed(campaign)

    def _send_one(self, campaign, contact):
        statistics = campaign["statistics"]
        outcome = self._world.outcomes.get(contact.email)
        if outcome in ("hard_bounce", "soft_bounce"):
            hard = outcome == "hard_bounce"
            statistics["hardBounces" if hard else "softBounces"] += 1
            self._emit(campaign, contact, "hardBounce" if hard else "softBounce")
            return
        self._world.mailbox.add_mail("brevo", contact.email, self._mail(campaign, contact))
        statistics["delivered"] += 1
        self._emit(campaign, contact, "delivered")
        if zlib.crc32(contact.email.encode()) % 1000 < self._world.settings.brevo_open_rate * 1000:
            for name in ("uniqueViews", "viewed", "trackableViews"):
                statistics[name] += 1
            self._emit(campaign, contact, "opened")

    def _mail(self, campaign, contact):
        body = campaign["body"]
        sender = body["sender"]
        name = sender.get("name")
        url = self.unsubscribe_url(campaign["id"], contact.id)
        params = body.get("params") or {}
        return {
            "from": f"{name} <{sender.get('email')}>" if name else sender.get("email", ""),
            "subject": fill(body["subject"], params, contact.attributes),
            "html": fill(body["htmlContent"], params, contact.attributes, url),
            "headers": {
                "List-Unsubscribe": f"<{url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            "campaign": body["name"],
        }

    def unsubscribe_url(self, campaign_id, contact_id):
        port = self._world.ports.get("web", 0)
        return f"http://127.0.0.1:{port}/unsubscribe/{campaign_id}/{contact_id}"

    def _emit(self, campaign, contact, subscribed_as):
        payload = {"email": contact.email, **self.reference(campaign), "reason": ""}
        self._hooks.emit("marketing", subscribed_as, payload)

    def reference(self, campaign):
        """How a marketing webhook speaks of a campaign; one key really has a space."""
        now = self._world.clock.now()
        sent_at = campaign["sent_at"] or now
        return {
            "camp_id": campaign["id"],
            "campaign name": campaign["body"]["name"],
            "date_sent": answers.date(sent_at)[:19].replace("T", " "),
            "date_event": answers.date(now)[:19].replace("T", " "),
            "tag": campaign["body"].get("tag", ""),
            "sending_ip": "127.0.0.1",
            "ts_sent": int(sent_at),
            "ts_event": int(now),
            "ts": int(now),
        }

    async def send_test(self, request):
        campaign = self._find(request)
        body = await answers.read_object(request)
        addresses = body.get("emailTo") or []
        if not addresses:
            raise answers.missing("emailTo")
        for address in addresses:
            contact = self._account.by_email(str(address))
            if contact is None:
                raise answers.invalid("Test address is not a contact")
            mail = self._mail(campaign, contact)
            mail["subject"] = "[TEST] " + mail["subject"]
            self._world.mailbox.add_mail("brevo", contact.email, mail)
        return web.Response(status=204)

    async def change_status(self, request):
        campaign = self._find(request)
        status = (await answers.read_object(request)).get("status")
        if status not in STATUSES:
            raise answers.invalid("Invalid status")
        campaign["status"] = status
        self._changed(campaign)
        return web.Response(status=204)

    async def list(self, request):
        wanted = request.query.get("status")
        found = [c for c in self.campaigns.values() if not wanted or c["status"] == wanted]
        shown = answers.page(request, found, 50, 100, lambda campaign: campaign["id"])
        return web.json_response(
            {"count": len(found), "campaigns": [self.as_json(campaign) for campaign in shown]}
        )

    async def show(self, request):
        return web.json_response(self.as_json(self._find(request)))

    async def delete(self, request):
        campaign = self._find(request)
        if campaign["status"] == "inProcess":
            raise answers.Refusal(400, "permission_denied", "Campaign is being sent")
        del self.campaigns[campaign["id"]]
        return web.Response(status=204)

    def _find(self, request):
        campaign_id = request.match_info["id"]
        found = self.campaigns.get(int(campaign_id)) if campaign_id.isdigit() else None
        if found is None:
            raise answers.unknown("Campaign ID does not exist")
        return found

    def _changed(self, campaign):
        self._world.changes.notify("campaign", self.as_json(campaign))

    def as_json(self, campaign):
        body = campaign["body"]
        recipients = body.get("recipients") or {}
        lists = recipients.get("listIds", [])
        statistics = {
            "globalStats": dict(campaign["statistics"]),
            "campaignStats": [{"listId": list_id, **campaign["statistics"]} for list_id in lists],
            "mirrorClick": 0,
            "remaining": 0,
            "linksStats": {},
        }
        return {
            "id": campaign["id"],
            "name": body["name"],
            "subject": body.get("subject", ""),
            "type": "classic",
            "status": campaign["status"],
            "tag": body.get("tag", ""),
            "sender": body["sender"],
            "htmlContent": body["htmlContent"],
            "recipients": {
                "lists": lists,
                "exclusionLists": recipients.get("exclusionListIds", []),
                "segments": recipients.get("segmentIds", []),
            },
            "createdAt": answers.date(campaign["created_at"]),
            "modifiedAt": answers.date(campaign["modified_at"]),
            "sentDate": answers.date(campaign["sent_at"]) if campaign["sent_at"] else None,
            "statistics": statistics,
        }
