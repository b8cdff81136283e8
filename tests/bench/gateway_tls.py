"""Rows of gateway.py: the gateway behind TLS beside nginx and HAProxy.

Usage: gateway_tls.py [--json] [--rounds N] [--seconds N]
One proxy process each with one worker or thread, the same P-256 certificate, TLS 1.3 with
TLS_AES_128_GCM_SHA256 and X25519, the same origin; wrk, in turn. "handshakes": every request on a
connection of its own, a whole handshake each; "req": 32 connections that stay. Where a machine does other
things meanwhile, what a proxy does in a second of its own CPU time says more than what it does in a second:
those are the rows "per CPU second".
"""

import argparse
import contextlib
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

import gateway
import table

PORT = gateway.PORT + 10
OURS, OURS_PLAIN, NGINX, HAPROXY, HAPROXY_PLAIN = (PORT + i for i in range(5))
SUITE, CURVES = "TLS_AES_128_GCM_SHA256", "X25519:P-256"
LISTENER = """
listener {{
  address: "127.0.0.1:{port}" protocol: PROTOCOL_HTTPS
  certificate {{ chain_file: "{folder}/one.pem" key_file: "{folder}/one.key" }}
}}
"""
NGINX_SERVER = """
upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
server {{
  listen 127.0.0.1:{port} ssl;
  ssl_certificate {folder}/one.pem; ssl_certificate_key {folder}/one.key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve {curves}; ssl_prefer_server_ciphers on;
  ssl_conf_command Ciphersuites {suite};
  location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }}
}}
"""
HAPROXY_CONF = """
global
  nbthread 1
  ssl-default-bind-ciphersuites {suite}
  ssl-default-bind-curves {curves}
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:{port} ssl crt {folder}/both.pem
  default_backend b
frontend plain
  bind 127.0.0.1:{plain}
  default_backend b
backend b
  server s 127.0.0.1:{origin}
"""
TICKS = os.sysconf("SC_CLK_TCK")


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", str(folder / "one.key"), "-out", str(folder / "one.pem"), "-days", "30",
         "-subj", "/CN=one.example", "-addext", "subjectAltName=DNS:one.example"],
        check=True, capture_output=True,
    )
    (folder / "both.pem").write_text((folder / "one.pem").read_text() + (folder / "one.key").read_text())


def family(pid):
    """The process and its children: nginx's worker is one."""
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(each) for each in listed)]


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def load(port, pids, seconds, fields):
    """Requests per second, and per second of the proxy's CPU time."""
    before = cpu_seconds(pids)
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{seconds}s", *fields, f"https://127.0.0.1:{port}/v1/jobs"],
        check=True, capture_output=True, text=True,
    ).stdout
    used = cpu_seconds(pids) - before
    if "Non-2xx" in said:
        raise SystemExit(f"errors under load on port {port}:\n{said}")
    count = int(re.search(r"(\d+) requests in", said)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), count / max(used, 1 / TICKS)


def proxies(stack, folder, build, log):
    """Names, ports and processes: ours first."""
    (folder / "tls.textproto").write_text(
        gateway.ROUTES + LISTENER.format(port=OURS, folder=folder))
    environment = {
        **gateway.environment(folder / "tls.textproto"),
        "RELAIS_LISTEN": f"127.0.0.1:{OURS_PLAIN}",
        "RELAIS_LOOPS": "1",
    }
    (folder / "haproxy.conf").write_text(HAPROXY_CONF.format(
        port=HAPROXY, plain=HAPROXY_PLAIN, folder=folder, origin=gateway.ORIGIN, suite=SUITE,
        curves=CURVES))
    server = NGINX_SERVER.format(port=NGINX, folder=folder, origin=gateway.ORIGIN, suite=SUITE,
                                 curves=CURVES)
    start = lambda command, with_environment=None: stack.enter_context(
        gateway.running(command, with_environment, log)).pid
    ours = start([str(build / "bin/relais-gateway")], environment)
    gateway.wait_for(f"http://127.0.0.1:{OURS_PLAIN}/v1/jobs")
    nginx = start(gateway.nginx(folder, "tls", server))
    haproxy = start(["haproxy", "-f", str(folder / "haproxy.conf")])
    gateway.wait_for(f"http://127.0.0.1:{HAPROXY_PLAIN}/v1/jobs")
    return {"ours": (OURS, family(ours)), "nginx": (NGINX, family(nginx)),
            "haproxy": (HAPROXY, family(haproxy))}


def measure(those, rounds, seconds):
    rows = []
    for what, fields in (("handshakes", ["-H", "Connection: close"]), ("req", [])):
        rates = {name: [] for name in those}
        per_cpu = {name: [] for name in those}
        for _ in range(rounds):
            for name, (port, pids) in those.items():
                rate, efficiency = load(port, pids, seconds, fields)
                rates[name].append(rate)
                per_cpu[name].append(efficiency)
        for unit, figures in (("s", rates), ("CPU second", per_cpu)):
            medians = {name: statistics.median(each) for name, each in figures.items()}
            for name in ("nginx", "haproxy"):
                rows.append(table.row(f"tls {what}/{unit} beside {name}", medians["ours"], name,
                                      medians[name]))
    return rows


def rows(build, rounds, seconds):
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        folder = pathlib.Path(made)
        make_certificate(folder)
        log = stack.enter_context(open(folder / "log", "w"))
        stack.enter_context(gateway.running(gateway.nginx(folder, "origin", gateway.origin()), log=log))
        return measure(proxies(stack, folder, build, log), rounds, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    build = pathlib.Path(os.environ.get("RELAIS_BUILD", gateway.ROOT / ".relais/build/release"))
    table.show(rows(build, given.rounds, given.seconds), given.json,
               [f"medians of {given.rounds} runs of {given.seconds} s each, in turn"])


if __name__ == "__main__":
    main()
