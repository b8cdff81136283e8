"""One sandbox put together: the world, the providers on their ports, the page and the API."""

import asyncio
import pathlib

from aiohttp import web

from .admin import Admin
from .brevo import Brevo
from .mailjet import Mailjet
from .memory import Memory
from .onesignal import OneSignal
from .pages import Pages
from .slack import Slack
from .smtp import MailServer, make_certificate
from .world import World


class Sandbox:
    """start() binds every port (0 picks free ones) and fills world.ports; stop() ends it all."""

    def __init__(self, host, ports, state_folder, credentials=None, seed=1):
        self._host = host
        self._wanted_ports = ports
        self._state_folder = pathlib.Path(state_folder)
        self.world = World(credentials, seed)
        self.mailjet = Mailjet(self.world)
        self.brevo = Brevo(self.world)
        self.onesignal = OneSignal(self.world)
        self.slack = Slack(self.world)
        self.smtp = MailServer(self.world)
        self.world.providers = [self.mailjet, self.brevo, self.onesignal, self.slack, self.smtp]
        self._memory = Memory(state_folder, self.brevo, self.mailjet)
        self.admin = Admin(self)
        self.pages = Pages(self)
        self._runners = []
        self._servers = []

    async def start(self):
        self._state_folder.mkdir(parents=True, exist_ok=True)
        self._memory.load()
        self.world.save = self._memory.save
        await self.world.webhooks.start()
        web_application = web.Application(client_max_size=16 * 1024 * 1024)
        web_application.add_routes(self.admin.routes() + self.pages.routes())
        await self._serve("mailjet", self.mailjet.application)
        await self._serve("brevo", self.brevo.application)
        await self._serve("onesignal", self.onesignal.application)
        await self._serve("slack", self.slack.application)
        await self._serve_mail()
        await self._serve("web", web_application)

    async def _serve(self, name, application):
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._wanted_ports[name])
        self._runners.append(runner)
        await self._bind(name, site.start())
        self.world.ports[name] = site._server.sockets[0].getsockname()[1]

    async def _serve_mail(self):
        tls = make_certificate(self._state_folder)
        loop = asyncio.get_running_loop()
        plain = loop.create_server(
            lambda: self.smtp.session(tls), self._host, self._wanted_ports["smtp"]
        )
        self._servers.append(await self._bind("smtp", plain))
        self.world.ports["smtp"] = self._servers[-1].sockets[0].getsockname()[1]
        if tls is None:
            return
        encrypted = loop.create_server(
            lambda: self.smtp.session(tls, encrypted=True),
            self._host,
            self._wanted_ports["smtps"],
            ssl=tls,
        )
        self._servers.append(await self._bind("smtps", encrypted))
        self.world.ports["smtps"] = self._servers[-1].sockets[0].getsockname()[1]

    async def _bind(self, name, starting):
        try:
            return await starting
        except OSError as problem:
            port = self._wanted_ports[name]
            raise OSError(f"port {port} for {name}: {problem.strerror}") from problem

    async def stop(self):
        self.pages.close()
        for server in self._servers:
            server.close()
        await self.world.webhooks.stop()
        for runner in self._runners:
            await runner.cleanup()
        self._memory.save()

    def urls(self):
        """Base URLs as the services' configuration wants them."""
        ports = self.world.ports
        return {
            "web": f"http://{self._host}:{ports['web']}",
            "mailjet": f"http://{self._host}:{ports['mailjet']}",
            "brevo": f"http://{self._host}:{ports['brevo']}",
            "onesignal": f"http://{self._host}:{ports['onesignal']}",
            "slack": f"http://{self._host}:{ports['slack']}",
            "smtp": f"smtp://{self._host}:{ports['smtp']}",
            "smtps": f"smtps://{self._host}:{ports['smtps']}" if "smtps" in ports else None,
        }
