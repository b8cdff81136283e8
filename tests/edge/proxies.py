"""The programs under test, each in front of an origin: relais-gateway, nginx, HAProxy.

The two beside ours parse as Debian ships them. What is set are places, the origin with kept
connections, and how long an unfinished request is waited for: that a proxy waits is an outcome too,
and nobody wants to wait for it long.
"""

import base64
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

from client import Client, ask

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RELAIS_TEST_BUILD", ROOT / ".relais/build/dev"))
START_S = 30.0
# How long the two beside ours wait for the rest of a message, and for another request.
WAITS = {"wait": 2, "idle": 500}
ROUTES = """
upstream {{ name: "web-api" url_variable: "RELAIS_WEB_API_URL" default_url: "{url}" }}
route {{
  prefix: "/" upstream: "web-api" credentials: CREDENTIALS_FORWARD
  deadline_ms: 10000 body_max_bytes: 100000000 upgrade: "websocket"
}}
"""
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_header_timeout {wait}s; client_body_timeout {wait}s; proxy_read_timeout {wait}s;
  keepalive_timeout {idle}ms;
  upstream origin {{ server 127.0.0.1:{port}; keepalive 16; }}
  server {{
    listen unix:{socket};
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
HAPROXY = """
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client {wait}s
    timeout server {wait}s
    timeout http-request {wait}s
    timeout http-keep-alive {idle}ms
frontend edge
    bind unix@{socket}
    default_backend origin
backend origin
    http-reuse always
    server one 127.0.0.1:{port}
"""


@dataclass
class Proxy:
    name: str
    address: str | tuple[str, int]
    process: subprocess.Popen
    log: pathlib.Path

    def connect(self):
        return Client(self.address)

    def ask(self, request, method="GET"):
        return ask(self.address, request, method)

    def peak_memory_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    @property
    def runs(self):
        return self.process.poll() is None

    def complaints(self):
        """What sanitizers wrote."""
        words = ("runtime error", "Sanitizer")
        lines = self.log.read_text().splitlines()
        return [line for line in lines if any(word in line for word in words)]


@contextlib.contextmanager
def _running(name, command, folder, address, environment=None):
    """The process, once it takes connections. It never outlives this program."""
    log = folder / f"{name}.output"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        proxy = Proxy(name, address, process, log)
        _wait_until_ready(proxy)
        yield proxy
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(proxy):
    """Until a request goes through to the origin, which does not keep it."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and proxy.process.poll() is None:
        try:
            answer = proxy.ask(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if answer and answer.status == 200:
                return
        except OSError:
            pass  # it does not listen yet
        select.select([], [], [], 0.02)
    raise RuntimeError(f"{proxy.name} does not start: {proxy.log.read_text()[-4000:]}")


@contextlib.contextmanager
def _folder():
    """In /tmp: a socket's path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="relais-edge-", dir="/tmp") as made:
        yield pathlib.Path(made)


def _free_ports(count):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


@contextlib.contextmanager
def gateway(origin, **variables):
    """relais-gateway with one route for everything; variables are added to its environment."""
    port, admin_port = _free_ports(2)
    with _folder() as folder:
        (folder / "routes.textproto").write_text(ROUTES.format(url=origin.url))
        environment = {n: v for n, v in os.environ.items() if not n.startswith("RELAIS_")}
        environment |= {
            "RELAIS_LISTEN": f"127.0.0.1:{port}",
            "RELAIS_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
            "RELAIS_ROUTES_FILE": str(folder / "routes.textproto"),
            "RELAIS_IDENTITY_PRIVATE_KEY": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="),
            "RELAIS_KAFKA_BROKERS": "127.0.0.1:1",  # away
            "RELAIS_INSTANCE": "gateway-under-test",
            "RELAIS_BANS_WAIT": "0",
            # One pool of connections to the origin: what poisons it meets the next request.
            "RELAIS_LOOPS": "1",
            # Freed memory that ASan keeps aside would look like memory in use.
            "ASAN_OPTIONS": "quarantine_size_mb=1:detect_leaks=0",
            **variables,
        }
        command = [str(BUILD / "bin/relais-gateway")]
        with _running("gateway", command, folder, ("127.0.0.1", port), environment) as made:
            yield made


@contextlib.contextmanager
def nginx(origin):
    with _folder() as folder:
        place, configuration = folder / "nginx.sock", folder / "nginx.conf"
        given = {"folder": folder, "socket": place, "port": origin.port, **WAITS}
        configuration.write_text(NGINX.format(**given))
        command = [program("nginx"), "-p", str(folder), "-c", str(configuration)]
        with _running("nginx", command, folder, str(place)) as made:
            yield made


@contextlib.contextmanager
def haproxy(origin):
    with _folder() as folder:
        place, configuration = folder / "haproxy.sock", folder / "haproxy.cfg"
        given = {"socket": place, "port": origin.port, **WAITS}
        configuration.write_text(HAPROXY.format(**given))
        command = [program("haproxy"), "-db", "-f", str(configuration)]
        with _running("haproxy", command, folder, str(place)) as made:
            yield made


ALL = {"gateway": gateway, "nginx": nginx, "haproxy": haproxy}


def program(name):
    """Debian puts them where only root looks."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed: deploy/setup")
    return found


def version(name):
    """As "1.22"."""
    flag = "-v"
    said = subprocess.run([program(name), flag], capture_output=True, text=True, check=True)
    return re.search(r"(\d+\.\d+)", said.stdout + said.stderr)[1]
