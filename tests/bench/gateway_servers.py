"""The servers that the gateway is measured beside, and the gateway itself: one origin (nginx) behind all
of them, each with one worker, thread or loop, all on this machine.

"Equal" is what a production route of ours has: an access log in a file, a rate limit per address, a request
id, the same fields added to the answer. "Plain" has none of it. nginx writes its log unbuffered, as Debian's
package does.
"""

import base64
import contextlib
import os
import pathlib
import secrets
import signal
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = {
    name: 9700 + i
    for i, name in enumerate(
        ("origin", "origin-admin", "nginx", "nginx-equal", "haproxy", "haproxy-equal", "relais",
         "relais-admin", "nginx-static")
    )
}
TOKEN = "rls_bench_token_of_somebody"
REPLY = '{"id":"0190163d-8694-739b-aea5-966c26f8ad91","state":"open","title":"Fix the gutter"}'
KNOWN = (
    '{"active":true,"account_id":"0190163d-8694-739b-aea5-966c26f8ad91",'
    '"session_id":"0190163d-8694-739b-aea5-966c26f8ad92","roles":["customer"]}'
)
LARGE_BYTES = 64 * 1024 * 1024

NGINX = """
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log;
daemon off;
events {{ worker_connections 16000; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000; client_max_body_size 0; access_log off;
  {rest}
}}
"""

ORIGIN = """
  server {{
    listen 127.0.0.1:{origin}; listen 127.0.0.1:{origin-admin};
    location / {{ default_type application/json; return 200 '{reply}'; }}
    location /internal/ {{ default_type application/json; return 200 '{known}'; }}
    location /v1/large {{ alias {folder}/large; }}
    location /v1/upload {{ root {folder}; dav_methods PUT; create_full_put_path on; }}
  }}
"""

STATIC = """
  open_file_cache max=1000; open_file_cache_valid 1s; open_file_cache_min_uses 1;
  server {{ listen 127.0.0.1:{nginx-static}; root {folder}; location /static/ {{ etag on; }} }}
"""

PROXY = """
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  limit_req_zone $binary_remote_addr zone=all:10m rate=1000000r/s;
  log_format full '$remote_addr [$time_iso8601] "$request" $status $request_length $bytes_sent '
    '$request_time $upstream_response_time "$http_user_agent" $request_id';
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering off;
      {features}
    }}
  }}
"""

# A million a second in bursts of as many: it counts, and lets all through.
NGINX_FEATURES = """
      access_log {folder}/nginx.access.log full;
      limit_req zone=all burst=1000000 nodelay;
      proxy_set_header X-Request-Id $request_id; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
      add_header X-Request-Id $request_id; add_header RateLimit-Policy '"all";q=1000000;w=1';
      add_header RateLimit '"all";r=999999;t=1';
"""

HAPROXY = """
global
  nbthread 1
  maxconn 9000
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
  {log}
frontend f
  bind 127.0.0.1:{port}
  {features}
  default_backend b
backend b
  server s 127.0.0.1:{origin}
"""

HAPROXY_FEATURES = """
  unique-id-format %[uuid()]
  stick-table type ip size 100k expire 60s store http_req_rate(1s)
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000 }
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-response set-header X-Request-Id %[unique-id]
  http-response set-header RateLimit-Policy '"all";q=1000000;w=1'
  http-response set-header RateLimit '"all";r=999999;t=1'
"""

ROUTES = """
limit {{ name: "all" subject: LIMIT_SUBJECT_ADDRESS requests: 1000000 window_s: 1 }}
upstream {{
  name: "web-api" url_variable: "RELAIS_WEB_API_URL"
  default_url: "http://127.0.0.1:{origin}" admin_port_offset: 1
}}
route {{
  prefix: "/v1" upstream: "web-api" limit: "all"
  credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000 body_max_bytes: 100000000
}}
"""

STATIC_ROUTES = """
static_root {{ name: "files" directory: "{folder}/static" }}
route {{ prefix: "/static" static_root: "files" }}
"""


@contextlib.contextmanager
def running(command, environment=None, log=None):
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(request, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError as failed:
            if time.monotonic() > deadline:
                raise SystemExit(f"{url} does not answer: {failed}") from failed
        time.sleep(0.05)


class Servers:
    """Starts what a row asks for, in one folder; everything ends with the context of `stack`."""

    def __init__(self, folder, stack):
        self.folder = folder
        self.stack = stack
        self.processes = {}
        folder.chmod(0o777)  # nginx's workers are somebody else
        (folder / "large").write_bytes(os.urandom(LARGE_BYTES))
        (folder / "static").mkdir()
        (folder / "static/page.html").write_text("<p>a page</p>" * 300)

    def log(self, name):
        return self.stack.enter_context(open(self.folder / f"{name}.log", "wb"))

    def start(self, name, command, environment=None):
        process = self.stack.enter_context(running(command, environment, self.log(name)))
        self.processes[name] = process.pid

    def nginx(self, name, rest):
        path = self.folder / f"{name}.conf"
        path.write_text(NGINX.format(folder=self.folder, name=name, rest=rest))
        self.start(name, ["nginx", "-c", str(path), "-p", str(self.folder)])

    def origin(self):
        values = {**PORTS, "reply": REPLY, "known": KNOWN, "folder": self.folder}
        self.nginx("origin", ORIGIN.format_map(values))
        wait_for(f"http://127.0.0.1:{PORTS['origin']}/")

    def nginx_proxy(self, name, features=""):
        values = {**PORTS, "port": PORTS[name], "features": features.format(folder=self.folder)}
        self.nginx(name, PROXY.format_map(values))

    def haproxy(self, name, log="no log", features=""):
        path = self.folder / f"{name}.cfg"
        values = {**PORTS, "port": PORTS[name], "log": log, "features": features}
        path.write_text(HAPROXY.format_map(values))
        self.start(name, ["haproxy", "-db", "-f", str(path)])

    def relais(self, routes=ROUTES, name="relais"):
        """The gateway with one loop, on this configuration."""
        path = self.folder / f"{name}.textproto"
        path.write_text(routes.format_map({**PORTS, "folder": self.folder}))
        build = pathlib.Path(os.environ.get("RELAIS_BUILD", ROOT / ".relais/build/release"))
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        environment = {
            **os.environ,
            "RELAIS_ROUTES_FILE": str(path),
            "RELAIS_LOOPS": "1",
            "RELAIS_CONNECTIONS_MAX": "16000",
            "RELAIS_WEB_API_URL": f"http://127.0.0.1:{PORTS['origin']}",
            "RELAIS_LISTEN": f"127.0.0.1:{PORTS['relais']}",
            "RELAIS_ADMIN_LISTEN": f"127.0.0.1:{PORTS['relais-admin']}",
            "RELAIS_IDENTITY_PRIVATE_KEY": key,
        }
        self.start(name, [str(build / "bin/relais-gateway")], environment)
        wait_for(f"http://127.0.0.1:{PORTS['relais']}/v1/jobs")

    def nginx_static(self):
        self.nginx("nginx-static", STATIC.format_map({**PORTS, "folder": self.folder}))
        wait_for(f"http://127.0.0.1:{PORTS['nginx-static']}/static/page.html")

    def all(self):
        """Plain and equal, and ours."""
        self.nginx_proxy("nginx")
        self.nginx_proxy("nginx-equal", NGINX_FEATURES)
        self.haproxy("haproxy")
        self.haproxy("haproxy-equal", "log global\n  option httplog", HAPROXY_FEATURES)
        self.relais(ROUTES + STATIC_ROUTES)
        for name in ("nginx", "nginx-equal", "haproxy", "haproxy-equal"):
            wait_for(f"http://127.0.0.1:{PORTS[name]}/v1/jobs")

    def cpu_seconds(self, name):
        """What the server has used so far, its children (nginx's worker) included."""
        pid = self.processes[name]
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(cpu_of(each) for each in [pid, *children])


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
