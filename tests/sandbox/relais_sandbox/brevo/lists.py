"""/contacts/lists, /folders, /segments, /attributes, and adding to or removing from lists."""

from aiohttp import web

from ..exchange import failing_recipients
from . import answers
from .contacts import as_json

CHANGES_MAX = 150
CATEGORIES = {"normal", "transactional", "category", "calculated", "global"}


class Lists:
    def __init__(self, world, account, hooks, processes):
        self._world = world
        self._account = account
        self._hooks = hooks
        self._processes = processes

    def routes(self):
        base = "/v3/contacts"
        return [
            web.get(f"{base}/lists", self.list),
            web.post(f"{base}/lists", self.create),
            web.get(f"{base}/lists/{{id}}", self.show),
            web.delete(f"{base}/lists/{{id}}", self.delete),
            web.get(f"{base}/lists/{{id}}/contacts", self.members),
            web.post(f"{base}/lists/{{id}}/contacts/add", self.add),
            web.post(f"{base}/lists/{{id}}/contacts/remove", self.remove),
            web.get(f"{base}/folders", self.folders),
            web.get(f"{base}/segments", self.segments),
            web.get(f"{base}/attributes", self.attributes),
            web.post(f"{base}/attributes/{{category}}/{{name}}", self.create_attribute),
        ]

    async def list(self, request):
        lists = list(self._account.lists.values())
        shown = answers.page(request, lists, 10, 50, lambda item: item["id"])
        return web.json_response(
            {"count": len(lists), "lists": [self._as_json(item) for item in shown]}
        )

    async def create(self, request):
        body = await answers.read_object(request)
        if not body.get("name"):
            raise answers.missing("name")
        if body.get("folderId") not in self._account.folders:
            raise answers.invalid("Folder ID does not exist")
        list_id = self._account.add_list(str(body["name"]), body["folderId"])
        self._world.save()
        return web.json_response({"id": list_id}, status=201)

    async def show(self, request):
        return web.json_response(self._as_json(self._find(request)))

    async def delete(self, request):
        found = self._find(request)
        for contact in self._account.members(found["id"]):
            contact.list_ids.discard(found["id"])
        del self._account.lists[found["id"]]
        self._world.save()
        return web.Response(status=204)

    async def members(self, request):
        found = self._account.members(self._find(request)["id"])
        if "modifiedSince" in request.query:
            since = answers.parse_date(request.query["modifiedSince"])
            found = [contact for contact in found if contact.modified_at >= since]
        shown = answers.page(request, found, 50, 500, lambda contact: contact.id)
        contacts = [as_json(contact) for contact in shown]
        return web.json_response({"contacts": contacts, "count": len(found)})

    async def add(self, request):
        list_id = self._find(request)["id"]
        body = await answers.read_object(request)
        failing = failing_recipients(request)
        success, failure = [], []
        for value, contact in self._named(body):
            if contact is None or list_id in contact.list_ids or str(value) in failing:
                failure.append(value)
                continue
            contact.list_ids.add(list_id)
            contact.list_unsubscribed.discard(list_id)
            self._touched(contact)
            self._hooks.list_addition(contact, [list_id])
            success.append(value)
        if not success:
            raise answers.invalid("Contact already in list and/or does not exist")
        return web.json_response({"contacts": {"success": success, "failure": failure}}, status=201)

    async def remove(self, request):
        list_id = self._find(request)["id"]
        body = await answers.read_object(request)
        if body.get("all") is True:
            members = self._account.members(list_id)
            for contact in members:
                contact.list_ids.discard(list_id)
                self._touched(contact)
            process = self._processes.start("LIST_CONTACTS_DELETE", lambda: {})
            total = {"processId": process["id"], "total": len(members)}
            return web.json_response({"contacts": total}, status=201)
        success, failure = [], []
        for value, contact in self._named(body):
            if contact is None or list_id not in contact.list_ids:
                failure.append(value)
                continue
            contact.list_ids.discard(list_id)
            self._touched(contact)
            success.append(value)
        if not success:
            raise answers.invalid("Contacts are not in the list and/or do not exist")
        return web.json_response({"contacts": {"success": success, "failure": failure}}, status=201)

    def _touched(self, contact):
        contact.modified_at = self._world.clock.now()
        self._hooks.contact_changed(contact)

    def _named(self, body):
        """(value, contact or None) for the one kind of identifier that the body uses."""
        finders = {
            "emails": lambda value: self._account.by_email(str(value)),
            "ids": self._account.contacts.get,
            "extIds": self._account.by_ext_id,
        }
        given = [name for name in finders if name in body]
        if len(given) != 1:
            raise answers.invalid("Give exactly one of emails, ids or extIds")
        values = body[given[0]]
        if not isinstance(values, list) or not values:
            raise answers.invalid(f"{given[0]} should be a non-empty array")
        if len(values) > CHANGES_MAX:
            raise answers.Refusal(
                400, "out_of_range", f"Only {CHANGES_MAX} contacts are allowed per request"
            )
        return [(value, finders[given[0]](value)) for value in values]

    def _find(self, request):
        list_id = request.match_info["id"]
        found = self._account.lists.get(int(list_id)) if list_id.isdigit() else None
        if found is None:
            raise answers.unknown("List ID does not exist")
        return found

    def _as_json(self, item):
        members = self._account.members(item["id"])
        mailable = sum(1 for contact in members if contact.mailable(item["id"]))
        return {
            "id": item["id"],
            "name": item["name"],
            "folderId": item["folderId"],
            "uniqueSubscribers": mailable,
            "totalSubscribers": mailable,
            "totalBlacklisted": len(members) - mailable,
        }

    async def folders(self, request):
        folders = list(self._account.folders.values())
        return web.json_response({"count": len(folders), "folders": folders})

    async def segments(self, request):
        segments = list(self._account.segments.values())
        shown = answers.page(request, segments, 10, 50, lambda item: item["id"])
        shown = [
            {
                "id": item["id"],
                "segmentName": item["segmentName"],
                "categoryName": "Relais",
                "updatedAt": answers.date(item["updated_at"]),
            }
            for item in shown
        ]
        return web.json_response({"segments": shown, "count": len(segments)})

    async def attributes(self, request):
        shown = [
            {"name": name, "category": "normal", "type": kind}
            for name, kind in self._account.attributes.items()
        ]
        return web.json_response({"attributes": shown})

    async def create_attribute(self, request):
        body = await answers.read_object(request)
        name = request.match_info["name"].upper()
        if request.match_info["category"] not in CATEGORIES:
            raise answers.invalid("Invalid attribute category")
        if name in self._account.attributes:
            raise answers.Refusal(400, "duplicate_parameter", "Attribute name must be unique")
        kind = body.get("type", "text")
        if kind not in ("text", "date", "float", "boolean", "id", "category"):
            raise answers.invalid("Invalid attribute type")
        self._account.attributes[name] = kind
        self._world.save()
        return web.Response(status=201)
