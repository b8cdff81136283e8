"""The gateway beside nginx and HAProxy, as proxies to the same origin.

Usage: gateway.py [ROW…] [--json] [--rounds N] [--seconds N]
ROW is the beginning of a row's name ("cpu per request", "growth", "tls"); without one all are measured.
Servers take turns in each round, medians are compared. Ours does what a production route has: strict
parsing, cached identity, a limit per address, access log and events, metrics. RELAIS_BUILD names the
build tree (release), RELAIS_KAFKA_BROKERS a broker for the events; ./relais bench passes both.
"""

import argparse
import contextlib
import pathlib
import statistics
import tempfile

import gateway_growth
import gateway_load
import gateway_tls
import table
from gateway_servers import Servers

PROXIES = ("nginx", "haproxy", "nginx-equal", "haproxy-equal")


def saturated(servers, given):
    """{server: (medians of requests a second and of CPU a request)}"""
    seen = {name: [] for name in ("relais", *PROXIES)}
    for _ in range(given.rounds):
        for name, found in seen.items():
            found.append(gateway_load.saturate(servers, name, given.seconds))
    return {
        name: tuple(statistics.median(each) for each in zip(*found)) for name, found in seen.items()
    }


def request_rows(servers, given):
    seen = saturated(servers, given)
    for name in PROXIES:
        beside, equal, _ = name.partition("-equal")
        what = "equal features" if equal else "plain"
        yield table.row(f"req/s beside {beside} {what}", seen["relais"][0], beside, seen[name][0])
    for name in PROXIES[2:]:
        beside = name.removesuffix("-equal")
        yield table.row(
            f"cpu per request beside {beside} equal features",
            seen["relais"][1] * 1e6, beside, seen[name][1] * 1e6,
        )
    yield from latency_rows(servers, given, 0.7 * min(rate for rate, _ in seen.values()))


def latency_rows(servers, given, rate):
    seen = {name: [] for name in ("relais", *PROXIES[2:])}
    for _ in range(given.rounds):
        for name, found in seen.items():
            found.append(gateway_load.p99_seconds(servers, name, rate, given.seconds))
    for name in PROXIES[2:]:
        beside = name.removesuffix("-equal")
        yield table.row(
            f"p99 at 70 % load beside {beside} equal features",
            statistics.median(seen["relais"]) * 1e3, beside, statistics.median(seen[name]) * 1e3,
        )


def transfer_rows(servers, given):
    for upload, what in ((True, "upload"), (False, "download")):
        ours, theirs = [], []
        for _ in range(given.rounds):
            ours.append(gateway_load.transfer_cpu(servers, "relais", upload))
            theirs.append(gateway_load.transfer_cpu(servers, "nginx", upload))
        yield table.row(
            f"64 MiB {what} cpu per byte beside nginx unbuffered",
            statistics.median(ours) * 1e9, "nginx", statistics.median(theirs) * 1e9,
        )


def static_rows(servers, given):
    page = "/static/page.html"
    servers.nginx_static()
    ours, theirs = [], []
    for _ in range(given.rounds):
        ours.append(gateway_load.saturate(servers, "relais", given.seconds, path=page)[0])
        theirs.append(gateway_load.saturate(servers, "nginx-static", given.seconds, path=page)[0])
    yield table.row(
        "cached static page req/s beside nginx",
        statistics.median(ours), "nginx", statistics.median(theirs),
    )


# What the names of the rows of a part begin with, and the part.
PARTS = (
    (("req/s", "cpu per request", "p99"), request_rows),
    (("64 MiB",), transfer_rows),
    (("cached static page",), static_rows),
)


def wanted(names, given):
    return not given.row or any(
        name.startswith(row) or row.startswith(name) for name in names for row in given.row
    )


def measure(given):
    rows = []
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        servers = Servers(pathlib.Path(made), stack)
        servers.origin()
        if any(wanted(names, given) for names, _ in PARTS):
            with contextlib.ExitStack() as inner:
                servers.stack = inner
                servers.all()
                for names, part in PARTS:
                    if wanted(names, given):
                        rows += part(servers, given)
            servers.stack = stack
        if wanted(("tls",), given):
            with contextlib.ExitStack() as inner:
                servers.stack = inner
                rows += gateway_tls.rows(servers, given)
            servers.stack = stack
        if wanted(("growth",), given):
            rows += gateway_growth.rows(servers, given)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    rows = measure(given)
    if given.row:
        rows = [each for each in rows if any(each["measure"].startswith(row) for row in given.row)]
    remarks = [
        f"medians of {given.rounds} rounds of {given.seconds} s each, in turn",
        "cpu: µs a request, ns a byte; p99: ms",
    ]
    table.show(rows, given.json, remarks)


if __name__ == "__main__":
    main()
