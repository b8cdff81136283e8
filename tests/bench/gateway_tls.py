"""Rows of gateway.py: TLS beside nginx and HAProxy, one worker, thread or loop each.

The same P-256 certificate, TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519, the same origin. "handshakes" are
whole ones or resumed, one after the other (openssl s_time); "req" are requests on 32 connections that stay
(wrk). A machine does other things, too: "cpu per" is what the server itself uses.
"""

import re
import statistics
import subprocess

import gateway_load
import table
from gateway_servers import PORTS, ROUTES

SUITE, CURVES = "TLS_AES_128_GCM_SHA256", "X25519:P-256"
SECURE = {"relais": 9720, "nginx": 9721, "haproxy": 9722}
NAMES = {name: f"{name}-tls" for name in SECURE}

LISTENER = """
listener {{{{
  address: "127.0.0.1:{port}" protocol: PROTOCOL_HTTPS
  certificate {{{{ chain_file: "{folder}/one.pem" key_file: "{folder}/one.key" }}}}
}}}}
"""

NGINX = """
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/one.pem; ssl_certificate_key {folder}/one.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve {curves}; ssl_prefer_server_ciphers on;
    ssl_conf_command Ciphersuites {suite};
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
"""

HAPROXY = """
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
backend b
  server s 127.0.0.1:{origin}
"""


def start(servers):
    folder = servers.folder
    key, certificate = folder / "one.key", folder / "one.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", str(key), "-out", str(certificate), "-days", "30", "-subj", "/CN=one.example",
         "-addext", "subjectAltName=DNS:one.example"],
        check=True, capture_output=True,
    )
    (folder / "both.pem").write_text(certificate.read_text() + key.read_text())
    given = {**PORTS, "folder": folder, "suite": SUITE, "curves": CURVES}
    servers.nginx(NAMES["nginx"], NGINX.format_map({**given, "port": SECURE["nginx"]}))
    path = folder / "haproxy-tls.cfg"
    path.write_text(HAPROXY.format_map({**given, "port": SECURE["haproxy"]}))
    servers.start(NAMES["haproxy"], ["haproxy", "-db", "-f", str(path)])
    listener = LISTENER.format(port=SECURE["relais"], folder=folder)
    servers.relais(ROUTES + listener, NAMES["relais"])
    for name in SECURE:
        subprocess.run(
            ["curl", "-sk", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null",
             f"https://127.0.0.1:{SECURE[name]}/v1/jobs"],
            check=True,
        )


def handshakes(servers, name, seconds, how=("-new", "-tls1_3")):
    """(whole handshakes a second, CPU seconds of the server for one)"""
    before = servers.cpu_seconds(NAMES[name])
    said = subprocess.run(
        ["openssl", "s_time", "-connect", f"127.0.0.1:{SECURE[name]}", "-time", str(seconds), *how],
        capture_output=True, text=True,
    ).stdout
    count = int(re.search(r"(\d+) connections in \d+ real", said)[1])
    return count / seconds, (servers.cpu_seconds(NAMES[name]) - before) / count


def resumed(servers, name, seconds):
    """The same by tickets. In TLS 1.2, whose ticket comes within the handshake."""
    return handshakes(servers, name, seconds, ("-reuse", "-tls1_2"))


def requests(servers, name, seconds):
    """(requests a second, CPU seconds of the server for one)"""
    before = servers.cpu_seconds(NAMES[name])
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{seconds}s", "-H", gateway_load.AUTHORIZATION,
         f"https://127.0.0.1:{SECURE[name]}/v1/jobs"],
        check=True, capture_output=True, text=True,
    ).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"errors under load at {name}:\n{said}")
    count = int(re.search(r"(\d+) requests in", said)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    return rate, (servers.cpu_seconds(NAMES[name]) - before) / count


def rows(servers, given):
    start(servers)
    measures = {"handshakes": handshakes, "resumed handshakes": resumed, "req": requests}
    for what, measure in measures.items():
        seen = {name: [] for name in SECURE}
        for _ in range(given.rounds):
            for name, found in seen.items():
                found.append(measure(servers, name, given.seconds))
        medians = {
            name: tuple(statistics.median(each) for each in zip(*found)) for name, found in seen.items()
        }
        one = what.removesuffix("s")
        for beside in ("nginx", "haproxy"):
            yield table.row(f"tls {what}/s beside {beside}", medians["relais"][0], beside,
                            medians[beside][0])
        for beside in ("nginx", "haproxy"):
            yield table.row(f"tls cpu per {one} beside {beside}", medians["relais"][1] * 1e6, beside,
                            medians[beside][1] * 1e6)
