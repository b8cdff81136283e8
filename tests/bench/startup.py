"""How long each service takes from exec to its first `/livez` and to ready, and its memory when idle.

Usage: startup.py [--json] [--rounds N]
Each service of the running suite is stopped, run here with the same configuration a few times, and
handed back to the supervisor. Times are medians; memory is VmRSS a moment after ready.
./relais bench sets RELAIS_PORT_BASE, RELAIS_STATE and RELAIS_BUILD.
"""

import argparse
import http.client
import os
import pathlib
import re
import shlex
import signal
import statistics
import subprocess
import sys
import time

import table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from suite import ADMIN_OFFSETS, RUN, SERVICES, Suite  # noqa: E402

LIVE_MS_ASKED = 200
IDLE_MB_ASKED = 40
GIVE_UP_S = 60
POLL_S = 0.001


def environment_of(service):
    """The service's variables, as its supervised process gets them."""
    said = subprocess.run([RUN, "environment", service], check=True, capture_output=True, text=True)
    words = shlex.split(said.stdout.replace("export ", ""))
    return {**os.environ, **dict(word.split("=", 1) for word in words)}


def answers(port, path):
    """Whether the admin listener says 200 at once."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def seconds_until(port, path, since):
    while not answers(port, path):
        if time.perf_counter() - since > GIVE_UP_S:
            raise SystemExit(f"port {port}{path} does not answer 200")
        time.sleep(POLL_S)
    return time.perf_counter() - since


def resident_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def run_once(suite, service, environment):
    """(ms to /livez, ms to /readyz, MB when idle)"""
    port = suite.port_base + ADMIN_OFFSETS[service]
    since = time.perf_counter()
    process = subprocess.Popen(
        [suite.binaries / f"relais-{service}"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        live_s = seconds_until(port, "/livez", since)
        ready_s = seconds_until(port, "/readyz", since)
        time.sleep(1)  # what starting left to do
        return live_s * 1000, ready_s * 1000, resident_mb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(GIVE_UP_S)


def measure(suite, service, rounds):
    environment = environment_of(service)
    suite.stop(service)
    try:
        runs = [run_once(suite, service, environment) for _ in range(rounds)]
    finally:
        suite.ensure_running(service)
    live_ms, ready_ms, idle_mb = (statistics.median(column) for column in zip(*runs))
    return [
        table.row(f"{service} exec to live ms", live_ms, "asked", LIVE_MS_ASKED),
        table.row(f"{service} exec to ready ms", ready_ms),
        table.row(f"{service} idle MB", idle_mb, "asked", IDLE_MB_ASKED),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    suite = Suite()
    rows = [row for service in SERVICES for row in measure(suite, service, given.rounds)]
    table.show(rows, given.json, [f"medians of {given.rounds} starts of each service, one at a time"])


if __name__ == "__main__":
    main()
