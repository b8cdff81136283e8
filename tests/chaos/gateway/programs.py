"""The gateway and the origins behind it, as processes."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import sys
import time

import wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BUILD = pathlib.Path(os.environ.get("RELAIS_TEST_BUILD", ROOT / ".relais/build/release"))
START_S = 60.0
LOOK_AGAIN_S = 0.02
TICKS = os.sysconf("SC_CLK_TCK")

ROUTES = """
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" admin_port_offset: 1 {upstream} }}
route {{
  prefix: "/" upstream: "web-api" credentials: CREDENTIALS_FORWARD
  deadline_ms: {deadline_ms} body_max_bytes: 1000000000 {route}
}}
{more}
"""


async def wait_until(happened, what, limit_s=START_S):
    """`happened` is asked until it says yes."""
    until = time.monotonic() + limit_s
    while not await happened():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {limit_s:.0f} s: {what}")
        await asyncio.sleep(LOOK_AGAIN_S)


async def start(command, environment, output, nofile=None, stdin=asyncio.subprocess.DEVNULL):
    """It never outlives this program."""

    def limit():
        if nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

    return await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "KILL", *command,
        env=environment, stdin=stdin, stdout=output, stderr=asyncio.subprocess.STDOUT, preexec_fn=limit,
    )


class Origin:
    """One instance of a service at a place that stays when its process does not."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.process = None
        self.leaving = []

    async def start(self):
        command = [sys.executable, str(HERE / "origin.py"), str(self.port), self.name]
        self.process = await start(command, None, asyncio.subprocess.PIPE)
        await self._says(self.process, b"listening")

    async def _says(self, process, word):
        while line := await asyncio.wait_for(process.stdout.readline(), START_S):
            if line.strip() == word:
                return
        raise RuntimeError(f"origin {self.name} ended before it said {word.decode()}")

    async def _admin(self, target):
        return (await wire.once(self.port + 1, wire.get(target)))[2]

    async def set(self, **what):
        for name, value in what.items():
            await self._admin(f"/set/{name}/{value}")

    async def requests(self):
        return json.loads(await self._admin("/counts"))["requests"]

    def signal(self, number):
        self.process.send_signal(number)

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def restart(self):
        """Politely: the next process begins when this one takes no new connection any more."""
        before = self.process
        before.terminate()
        await self._says(before, b"closed")
        self.leaving.append(before)
        await self.start()

    async def end(self):
        await self.kill()
        for each in self.leaving:
            with contextlib.suppress(ProcessLookupError):
                each.kill()
            await each.wait()


class Gateway:
    """The program at a pair of ports; by takeover() another process comes in its place."""

    def __init__(self, folder, port, origins, nofile=None, variables=None, **texts):
        """texts: what ROUTES leaves open."""
        self.folder = folder
        self.port = port
        self.process = None
        self.leaving = []
        self.log = folder / f"gateway-{port}.log"
        self.routes = folder / f"routes-{port}.textproto"
        self._texts = {"upstream": "", "route": "", "more": "", "deadline_ms": 10_000, **texts}
        self._nofile = nofile
        self.write_routes()
        self.environment = {n: v for n, v in os.environ.items() if not n.startswith("RELAIS_")} | {
            "RELAIS_LISTEN": f"{wire.HOST}:{port}",
            "RELAIS_ADMIN_LISTEN": f"{wire.HOST}:{port + 1}",
            "RELAIS_ROUTES_FILE": str(self.routes),
            "RELAIS_WEB_API_URL": ",".join(f"http://{wire.HOST}:{each.port}" for each in origins),
            "RELAIS_IDENTITY_PRIVATE_KEY": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="),
            "RELAIS_KAFKA_BROKERS": f"{wire.HOST}:1",  # away
            "RELAIS_INSTANCE": f"gateway-{port}",
            "RELAIS_BANS_WAIT": "0",
            "RELAIS_CONNECTIONS_MAX": "16000",
            "RELAIS_ACCESS_LOG": "errors",
            "RELAIS_TAKEOVER_SOCKET": str(folder / f"takeover-{port}"),
            **(variables or {}),
        }

    def write_routes(self, **texts):
        """In one step: it may be read at any moment."""
        new = self.routes.with_suffix(".new")
        new.write_text(ROUTES.format_map({**self._texts, **texts}))
        new.rename(self.routes)

    async def start(self):
        begins = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as output:
            self.process = await start(
                [str(BUILD / "bin/relais-gateway")], self.environment, output, self._nofile
            )
        return begins

    async def ready(self):
        try:
            status, _, _ = await wire.once(self.port + 1, wire.get("/readyz"), 2)
            return status == 200
        except wire.Failed:
            if self.process.returncode is not None:
                raise RuntimeError(f"the gateway ended: {self.tail()}") from None
            return False

    async def wait_ready(self):
        await wait_until(self.ready, "the gateway is ready")

    async def takeover(self):
        """Returns when the next process accepts and the one before leaves."""
        before = self.process
        self.leaving.append(before)
        begins = await self.start()

        async def done():
            if self.process.returncode is not None:
                raise RuntimeError(f"the next gateway ended: {self.tail()}")
            with open(self.log, "rb") as said:
                said.seek(begins)
                return b"takeover.done" in said.read()

        await wait_until(done, "the takeover is done")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    async def stop(self, patience_s=30):
        """With time to finish. Returns the exit codes, also of those that were taken over."""
        self.process.terminate()
        waiting = [each.wait() for each in [*self.leaving, self.process]]
        return await asyncio.wait_for(asyncio.gather(*waiting), patience_s)

    async def end(self):
        """At once, whatever it does."""
        for each in [*self.leaving, self.process]:
            with contextlib.suppress(ProcessLookupError):
                each.kill()
            await each.wait()

    def tail(self, lines=5):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def remarkable(self, lines=3):
        """The last of its lines about requests that went wrong."""
        text = self.log.read_text(errors="replace")
        found = [line for line in text.splitlines() if '"event":"request"' in line or "FATAL" in line]
        return found[-lines:]

    def complaints(self):
        """What sanitizers wrote."""
        words = ("runtime error", "Sanitizer")
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return [line for line in text.splitlines() if any(word in line for word in words)]

    # What it takes, of one process.

    def memory_bytes(self):
        """Its part of what it has in memory (PSS), the kernel's share not included."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024

    def cpu_s(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def cpu_share(self, seconds):
        """Of one core, over the next seconds."""
        before, begun = self.cpu_s(), time.monotonic()
        await asyncio.sleep(seconds)
        return (self.cpu_s() - before) / (time.monotonic() - begun)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
