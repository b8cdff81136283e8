"""The page for people: what arrived, live; and the unsubscribe page that campaign mails link."""

import asyncio
import html
import json
import pathlib

from aiohttp import web

FOLDER = pathlib.Path(__file__).parent / "web"
ASSETS = {path.name: path for path in FOLDER.glob("*.*")}
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}
KEEPALIVE_S = 15.0
SHOWN_MAX = 200
CLOSED = ("closed", None)

UNSUBSCRIBE_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>Unsubscribe</title><link rel="stylesheet" href="/style.css">
<main class="letter"><h1>{title}</h1><p>{text}</p>{form}</main></html>"""
UNSUBSCRIBE_FORM = '<form method="post"><button class="primary">Unsubscribe</button></form>'


class Pages:
    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._world = sandbox.world
        self._open = set()

    def routes(self):
        return [
            web.get("/", self.index),
            web.get("/{asset:[a-z]+\\.(css|js)}", self.asset),
            web.get("/live", self.live),
            web.get("/unsubscribe/{campaign}/{contact}", self.ask_unsubscribe),
            web.post("/unsubscribe/{campaign}/{contact}", self.unsubscribe),
        ]

    async def index(self, request):
        return _file("index.html")

    async def asset(self, request):
        return _file(request.match_info["asset"])

    async def live(self, request):
        """Server-sent events: first everything there is, then each change as it happens."""
        stream = web.StreamResponse(headers={"Cache-Control": "no-store"})
        stream.content_type = "text/event-stream"
        await stream.prepare(request)
        queue = self._world.changes.subscribe()
        self._open.add(queue)
        try:
            await _send(stream, "all", self._everything())
            await self._follow(stream, queue)
        except ConnectionResetError:
            pass
        finally:
            self._open.discard(queue)
            self._world.changes.unsubscribe(queue)
        return stream

    async def _follow(self, stream, queue):
        while True:
            try:
                kind, item = await asyncio.wait_for(queue.get(), KEEPALIVE_S)
            except asyncio.TimeoutError:
                await stream.write(b": still here\n\n")
                continue
            if (kind, item) == CLOSED:
                return
            if kind == "reset":
                kind, item = "all", self._everything()
            if kind == "contact":
                item = self._people()
                kind = "people"
            await _send(stream, kind, item)

    def close(self):
        for queue in self._open:
            if not queue.full():
                queue.put_nowait(CLOSED)

    def _everything(self):
        mailbox = self._world.mailbox
        campaigns = self._sandbox.brevo.campaigns
        return {
            "urls": self._sandbox.urls(),
            "mails": list(mailbox.mails)[-SHOWN_MAX:],
            "pushes": list(mailbox.pushes)[-SHOWN_MAX:],
            "chats": list(mailbox.chats)[-SHOWN_MAX:],
            "journal": self._world.journal.find()[-SHOWN_MAX:],
            "campaigns": [campaigns.as_json(item) for item in campaigns.campaigns.values()],
            "faults": self._world.faults.list(),
            "webhooks": list(self._world.webhooks.deliveries)[-SHOWN_MAX:],
            "people": self._people(),
            "settings": self._world.settings.as_dict(),
        }

    def _people(self):
        account = self._sandbox.brevo.account
        lists = [{"id": item["id"], "name": item["name"]} for item in account.lists.values()]
        contacts = self._sandbox.brevo.find_contacts()[-SHOWN_MAX:]
        return {"lists": lists, "contacts": contacts, "total": len(account.contacts)}

    def _reader(self, request):
        contact_id = request.match_info["contact"]
        contacts = self._sandbox.brevo.account.contacts
        return contacts.get(int(contact_id)) if contact_id.isdigit() else None

    async def ask_unsubscribe(self, request):
        """GET changes nothing: link scanners follow links."""
        contact = self._reader(request)
        if contact is None:
            return _letter("Nothing to do", "This address is on no list.", "")
        return _letter(
            "Unsubscribe", f"Stop mailings to {contact.email} from every list?", UNSUBSCRIBE_FORM
        )

    async def unsubscribe(self, request):
        contact = self._reader(request)
        campaign = request.match_info["campaign"]
        if contact is not None:
            self._sandbox.brevo.unsubscribe(
                contact.email, None, int(campaign) if campaign.isdigit() else None
            )
        return _letter("Done", "You will not receive these mailings any more.", "")


def _file(name):
    path = ASSETS.get(name)
    if path is None:
        raise web.HTTPNotFound()
    return web.Response(text=path.read_text("utf-8"), content_type=TYPES[path.suffix])


async def _send(stream, kind, item):
    await stream.write(f"event: {kind}\ndata: {json.dumps(item)}\n\n".encode())


def _letter(title, text, form):
    page = UNSUBSCRIBE_PAGE.format(title=title, text=html.escape(text), form=form)
    return web.Response(text=page, content_type="text/html")
