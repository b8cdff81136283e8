"""/contacts/import and /processes: asynchronous, with notifyUrl; imports always add to lists."""

import csv
import io
import itertools

from aiohttp import web

from ..webhooks import BrevoRules
from . import answers
from .account import EMAIL

BODY_BYTES_MAX = 10 * 1024 * 1024


class Processes:
    def __init__(self, world):
        self._world = world
        self.reset()

    def reset(self):
        self._processes = {}
        self._ids = itertools.count(78)

    def routes(self):
        return [web.get("/v3/processes", self.list), web.get("/v3/processes/{id}", self.show)]

    def start(self, name, work, notify_url=None):
        """Runs work() -> info after the settings' time: queued -> processing -> completed."""
        process = {
            "id": next(self._ids),
            "name": name,
            "status": "queued",
            "info": {},
            "error": None,
            "created_at": self._world.clock.now(),
            "completed_at": None,
        }
        self._processes[process["id"]] = process
        self._world.background(self._run(process, work, notify_url))
        return process

    async def _run(self, process, work, notify_url):
        half_s = self._world.settings.brevo_process_ms / 2000
        await self._world.clock.sleep(half_s)
        process["status"] = "processing"
        await self._world.clock.sleep(half_s)
        process["info"] = work()
        process["status"] = "completed"
        process["completed_at"] = self._world.clock.now()
        if notify_url:
            payload = {"processId": process["id"], "status": "completed"}
            self._world.webhooks.send("brevo", notify_url, payload, BrevoRules())

    async def list(self, request):
        found = list(self._processes.values())
        shown = answers.page(request, found, 10, 50, lambda process: process["id"])
        processes = [_as_json(process) for process in shown]
        return web.json_response({"processes": processes, "count": len(found)})

    async def show(self, request):
        process_id = request.match_info["id"]
        process = self._processes.get(int(process_id)) if process_id.isdigit() else None
        if process is None:
            raise answers.Refusal(404, "invalid_parameter", "processId is invalid")
        return web.json_response(_as_json(process))


class Imports:
    def __init__(self, world, account, hooks, processes):
        self._world = world
        self._account = account
        self._hooks = hooks
        self._processes = processes

    def routes(self):
        return [web.post("/v3/contacts/import", self.start)]

    async def start(self, request):
        body = await answers.read_object(request)
        if request.content_length and request.content_length > BODY_BYTES_MAX:
            raise answers.Refusal(400, "out_of_range", "File size exceeds 10 MB")
        given = [name for name in ("fileUrl", "fileBody", "jsonBody") if body.get(name)]
        if len(given) != 1:
            raise answers.missing("exactly one of fileUrl, fileBody or jsonBody")
        if given[0] == "fileUrl":
            raise answers.invalid("fileUrl is not reachable")  # nothing to fetch from here
        list_ids = answers.integers(body.get("listIds", []), "listIds")
        self._account.checked_lists(list_ids)
        if not list_ids and not body.get("newList"):
            raise answers.missing("listIds or newList")
        rows = body["jsonBody"] if given[0] == "jsonBody" else _from_csv(body["fileBody"])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise answers.invalid("jsonBody should be an array of contacts")
        if body.get("newList"):
            new_list = body["newList"]
            name = new_list.get("listName", "import")
            list_ids = [self._account.add_list(name, new_list.get("folderId", 1))]
        process = self._processes.start(
            "IMPORTUSER", lambda: self._import(rows, list_ids, body), body.get("notifyUrl")
        )
        return web.json_response({"processId": process["id"]}, status=202)

    def _import(self, rows, list_ids, options):
        invalid_emails = 0
        for row in rows:
            email = row.get("email")
            if not isinstance(email, str) or not EMAIL.match(email):
                invalid_emails += 1
                continue
            self._import_row(email.lower(), row.get("attributes", {}), list_ids, options)
        return {"import": {"invalid_emails": invalid_emails, "duplicate_email_id": 0}}

    def _import_row(self, email, attributes, list_ids, options):
        contact = self._account.by_email(email)
        known = contact is not None
        if not known:
            contact = self._account.create()
            contact.email = email
        if not known or options.get("updateExistingContacts", True):
            kept = attributes
            if not options.get("emptyContactsAttributes", False):
                kept = {
                    name: value for name, value in attributes.items() if value not in ("", None)
                }
            self._account.set_attributes(contact, kept)
            contact.ext_id = kept.get("EXT_ID") or contact.ext_id
        if options.get("emailBlacklist"):
            contact.email_blacklisted = True
        contact.list_ids |= set(list_ids)
        contact.list_unsubscribed -= set(list_ids)
        contact.modified_at = self._world.clock.now()
        self._hooks.contact_changed(contact)


def _from_csv(text):
    rows = []
    for row in csv.DictReader(io.StringIO(text), delimiter=";"):
        columns = {str(name).upper(): value for name, value in row.items() if name}
        rows.append({"email": columns.pop("EMAIL", None), "attributes": columns})
    return rows


def _as_json(process):
    shown = dict(process, export_url=None)
    for name in ("created_at", "completed_at"):
        shown[name] = answers.date(process[name]) if process[name] else None
    return shown
