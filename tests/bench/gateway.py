"""Requests per second through the gateway beside nginx, as proxies to the same origin.

Usage: gateway.py [--json] [--rounds N] [--seconds N]
One origin (nginx, a small JSON reply over keep-alive), one proxy process each with one worker, wrk with
32 connections, all on this machine, in turn: ours, nginx, ours, nginx … The medians are compared.
Ours does what a production route has: strict parsing, rewriting, access log, metrics; nginx is bare.
RELAIS_BUILD names the build tree (release) that ./relais bench passes.
"""

import argparse
import base64
import contextlib
import os
import pathlib
import re
import secrets
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 9700
ORIGIN, ORIGIN_ADMIN, NGINX, OURS, OURS_ADMIN = PORT, PORT + 1, PORT + 2, PORT + 3, PORT + 4
REPLY = '{"id":"0190163d-8694-739b-aea5-966c26f8ad91","state":"open","title":"Fix the gutter"}'
ROUTES = f"""
upstream {{
  name: "web-api" url_variable: "RELAIS_WEB_API_URL"
  default_url: "http://127.0.0.1:{ORIGIN}" admin_port_offset: 1
}}
route {{
  prefix: "/v1" upstream: "web-api"
  credentials: CREDENTIALS_EXCHANGE deadline_ms: 10000 body_max_bytes: 65536
}}
"""
NGINX_CONF = """
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log;
daemon off;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000;
  {rest}
}}
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
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError as failed:
            if time.monotonic() > deadline:
                raise SystemExit(f"{url} does not answer: {failed}") from failed
        time.sleep(0.05)


def nginx(folder, name, rest):
    path = folder / f"{name}.conf"
    path.write_text(NGINX_CONF.format(folder=folder, name=name, rest=rest))
    return ["nginx", "-c", str(path), "-p", str(folder)]


def environment(routes_file):
    return {
        **os.environ,
        "RELAIS_ROUTES_FILE": str(routes_file),
        "RELAIS_WEB_API_URL": f"http://127.0.0.1:{ORIGIN}",
        "RELAIS_LISTEN": f"127.0.0.1:{OURS}",
        "RELAIS_ADMIN_LISTEN": f"127.0.0.1:{OURS_ADMIN}",
        "RELAIS_IDENTITY_PRIVATE_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32))
        .rstrip(b"=").decode(),
    }


def origin():
    return (
        f"server {{ listen 127.0.0.1:{ORIGIN}; listen 127.0.0.1:{ORIGIN_ADMIN};"
        f" location / {{ default_type application/json; return 200 '{REPLY}'; }} }}"
    )


def requests_per_second(port, seconds):
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{seconds}s", f"http://127.0.0.1:{port}/v1/jobs"],
        check=True, capture_output=True, text=True,
    ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"errors under load on port {port}:\n{said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    build = pathlib.Path(os.environ.get("RELAIS_BUILD", ROOT / ".relais/build/release"))
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        folder = pathlib.Path(made)
        (folder / "routes.textproto").write_text(ROUTES)
        proxy = (
            f"upstream origin {{ server 127.0.0.1:{ORIGIN}; keepalive 64;"
            " keepalive_requests 1000000000; }"
            f" server {{ listen 127.0.0.1:{NGINX}; location / {{ proxy_pass http://origin;"
            ' proxy_http_version 1.1; proxy_set_header Connection ""; } }'
        )
        log = stack.enter_context(open(folder / "gateway.log", "w"))
        stack.enter_context(running(nginx(folder, "origin", origin()), log=log))
        stack.enter_context(running(nginx(folder, "proxy", proxy), log=log))
        stack.enter_context(running([str(build / "bin/relais-gateway")],
                                    environment(folder / "routes.textproto"), log))
        wait_for(f"http://127.0.0.1:{NGINX}/v1/jobs")
        wait_for(f"http://127.0.0.1:{OURS}/v1/jobs")
        ours, theirs = [], []
        for _ in range(given.rounds):
            ours.append(requests_per_second(OURS, given.seconds))
            theirs.append(requests_per_second(NGINX, given.seconds))
    rows = [
        table.row(
            "req/s beside nginx plain", statistics.median(ours), "nginx", statistics.median(theirs)
        )
    ]
    import gateway_tls  # which takes its parts from here

    rows += gateway_tls.rows(build, given.rounds, given.seconds)
    table.show(rows, given.json, [f"medians of {given.rounds} runs of {given.seconds} s each, in turn"])


if __name__ == "__main__":
    main()
