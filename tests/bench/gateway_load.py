"""The load that the gateway's benchmarks make: each returns a number, or ends the run when requests fail."""

import contextlib
import re
import socket
import statistics
import subprocess

from gateway_servers import LARGE_BYTES, PORTS, TOKEN

AUTHORIZATION = f"Authorization: Bearer {TOKEN}"


def url(name, path="/v1/jobs"):
    return f"http://127.0.0.1:{PORTS[name]}{path}"


def saturate(servers, name, seconds, connections=32, script=None, path="/v1/jobs"):
    """As many requests as it answers: (requests a second, CPU seconds of the server a request)."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", AUTHORIZATION]
    if script:
        command += ["-s", str(script)]
    before = servers.cpu_seconds(name)
    said = subprocess.run([*command, url(name, path)], check=True, capture_output=True, text=True).stdout
    used = servers.cpu_seconds(name) - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"errors under load at {name}:\n{said}")
    requests = int(re.search(r"(\d+) requests in", said)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), used / requests


@contextlib.contextmanager
def idle_connections(name, count):
    """So many connections that have made a request each and wait."""
    ask = f"GET /v1/jobs HTTP/1.1\r\nHost: bench\r\n{AUTHORIZATION}\r\n\r\n".encode()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(count):
            one = all_of_them.enter_context(socket.create_connection(("127.0.0.1", PORTS[name])))
            one.sendall(ask)
            if not one.recv(4096).startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{name} refuses one of {count} connections")
        yield


def p99_seconds(servers, name, rate, seconds):
    """At a fixed rate over 32 connections, from when each request was sent."""
    log = servers.folder / "h2load.log"
    log.unlink(missing_ok=True)
    subprocess.run(
        ["h2load", "--h1", "-t1", "-c32", f"-D{seconds}", f"--rps={max(1, round(rate / 32))}",
         "-H", AUTHORIZATION, f"--log-file={log}", url(name)],
        check=True, capture_output=True,
    )
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    failed = sum(1 for row in rows if row[1] != "200")
    if failed or len(rows) < rate * seconds / 2:
        raise SystemExit(f"{name}: {failed} of {len(rows)} requests failed at {rate:.0f}/s")
    return statistics.quantiles([int(row[2]) for row in rows], n=100)[98] / 1e6


def transfer_cpu(servers, name, upload, times=8):
    """CPU seconds of the server for a byte, over so many transfers of 64 MiB, one after the other."""
    way = ["-T", str(servers.folder / "large")] if upload else []
    path = "/v1/upload/large" if upload else "/v1/large"
    before = servers.cpu_seconds(name)
    for _ in range(times):
        said = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-H", "Expect:", "-H", AUTHORIZATION,
             "-w", "%{http_code} %{size_upload} %{size_download}", *way, url(name, path)],
            check=True, capture_output=True, text=True,
        ).stdout.split()
        if said[0][0] != "2" or int(said[1 if upload else 2]) != LARGE_BYTES:
            raise SystemExit(f"{name}: a transfer gave {said}")
    return (servers.cpu_seconds(name) - before) / (times * LARGE_BYTES)
