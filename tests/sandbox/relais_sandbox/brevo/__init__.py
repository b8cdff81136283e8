"""Brevo API v3: put together from its parts, behind its key check and its rate limits."""

from aiohttp import web

from ..exchange import provider_application
from ..rate_limits import Family
from . import answers
from .account import Account
from .campaigns import Campaigns
from .contacts import Contacts, as_json
from .hooks import Hooks
from .imports import Imports, Processes
from .lists import Lists
from .mail import Mail

LIMITS = {
    "mail": [(1000, 1)],
    "contacts": [(10, 1), (36_000, 3600)],
    "events": [(10, 1)],
    "mail_list": [(2, 1)],
    "smtp": [(300, 3600)],
    "rest": [(100, 3600)],
}


class Brevo:
    def __init__(self, world):
        self._world = world
        self.families = {name: Family(limits, world.clock) for name, limits in LIMITS.items()}
        self.account = Account(world.clock)
        self.hooks = Hooks(world)
        self.processes = Processes(world)
        self.mail = Mail(world, self.account, self.hooks)
        self.campaigns = Campaigns(world, self.account, self.hooks)
        parts = [
            Lists(world, self.account, self.hooks, self.processes),
            Imports(world, self.account, self.hooks, self.processes),
            Contacts(world, self.account, self.hooks),
            self.processes,
            self.mail,
            self.campaigns,
            self.hooks,
        ]
        self.application = provider_application(world, "brevo", _not_found)
        self.application.middlewares.append(self._guard())
        for part in parts:
            self.application.add_routes(part.routes())
        self.application.router.add_get("/v3/account", self._show_account)

    def reset(self, everything):
        self.account.reset(everything)
        self.hooks.reset(everything)
        self.processes.reset()
        self.mail.reset()
        self.campaigns.reset()
        self.refill()

    def refill(self):
        for family in self.families.values():
            family.reset()

    def _guard(self):
        @web.middleware
        async def guard(request, handler):
            if request.headers.get("api-key") != self._world.credentials.brevo_key:
                return answers.Refusal(401, "unauthorized", "Key not found").response()
            allowed, headers = self.families[_family(request)].take()
            if self._world.settings.rate_limits and not allowed:
                text = "API rate limit exceeded. Please try again later."
                response = answers.Refusal(429, "too_many_requests", text).response()
            else:
                try:
                    response = await handler(request)
                except answers.Refusal as refusal:
                    response = refusal.response()
            response.headers.update(headers)
            return response

        return guard

    async def _show_account(self, request):
        plan = {"type": "payAsYouGo", "credits": self._world.settings.brevo_credits}
        return web.json_response({"email": "sandbox@relais.example", "plan": [plan]})

    def unsubscribe(self, email, list_ids=None, campaign_id=None):
        """What a person's click at Brevo does. Returns the contact, or None when unknown.

        Without list_ids the address goes on the campaign blocklist and leaves every list.
        """
        contact = self.account.by_email(email)
        if contact is None:
            return None
        gone = set(contact.list_ids if list_ids is None else list_ids)
        if list_ids is None:
            contact.email_blacklisted = True
        contact.list_ids -= gone
        contact.list_unsubscribed |= gone
        contact.modified_at = self._world.clock.now()
        campaign = self.campaigns.campaigns.get(campaign_id)
        if campaign:
            campaign["statistics"]["unsubscriptions"] += 1
        reference = self.campaigns.reference(campaign) if campaign else None
        self.hooks.unsubscribed(contact, sorted(gone), reference)
        return contact

    def find_contacts(self, email=None, list_id=None):
        return [
            as_json(contact)
            for contact in self.account.contacts.values()
            if (not email or contact.email == email.lower())
            and (list_id is None or list_id in contact.list_ids)
        ]


def _family(request):
    path = request.path.removeprefix("/v3")
    if path.startswith("/contacts"):
        return "contacts"
    if path == "/events":
        return "events"
    if path in ("/smtp/email", "/smtp/blockedContacts") or path.startswith("/smtp/blockedC"):
        return "mail"
    if path == "/smtp/emails":
        return "mail_list"
    return "smtp" if path.startswith("/smtp/") else "rest"


def _not_found(request, status):
    if status == 405:
        return answers.Refusal(405, "method_not_allowed", "Method not allowed").response()
    return answers.unknown("Not found").response()
