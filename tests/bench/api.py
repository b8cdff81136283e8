"""A single-row read through the API beside `pgbench -S` on the same database.

Usage: api.py [--json] [--rounds N] [--seconds N]
Publishes one job in the running suite, then wrk reads it from web-api itself (not through the gateway),
in turn with pgbench's select-only script on tables that live in web-api's database meanwhile. Both have
as many connections to PostgreSQL. The medians are compared: the ratio is what is left of the
database's speed behind HTTP, JSON, metrics and the request log.
./relais bench sets RELAIS_PORT_BASE and RELAIS_TEST_POSTGRES.
"""

import argparse
import json
import os
import re
import secrets
import statistics
import subprocess
import urllib.request

import table

CONNECTIONS = 4  # RELAIS_DATABASE_CONNECTIONS of web-api
SCHEMA = "relais_bench"


def call(url, body, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def publish_job(gateway):
    """The id of a job that somebody new posted."""
    password = secrets.token_urlsafe(16)
    person = {
        "email": f"bench.{secrets.token_hex(6)}@people.example",
        "display_name": "Bench",
        "password": password,
        "locale": "en",
    }
    call(f"{gateway}/v1/accounts", person)
    credentials = {"email": person["email"], "password": password}
    token = call(f"{gateway}/v1/sessions", credentials)["token"]
    job = {
        "category": "gardening",
        "locality": "Gent",
        "title": "Trim the hedge",
        "description": "Twenty metres, two metres high. " * 6,
        "budget": {"amount_minor": 30000, "currency": "EUR"},
    }
    return call(f"{gateway}/v1/jobs", job, token)["id"]


def requests_per_second(url, seconds):
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{seconds}s", url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"errors under load on {url}:\n{said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


class Pgbench:
    """pgbench on tables of its own in web-api's database."""

    def __init__(self, server):
        self.database = server.rstrip("/") + "/web_api"
        self.environment = {**os.environ, "PGOPTIONS": f"-c search_path={SCHEMA}"}

    def run(self, *arguments):
        command = ["pgbench", *arguments, self.database]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def sql(self, text):
        subprocess.run(["psql", "-Xqc", text, self.database], check=True, capture_output=True)

    def __enter__(self):
        self.sql(f"drop schema if exists {SCHEMA} cascade")
        self.sql(f"create schema {SCHEMA}")
        self.run("-i", "-q", "-s", "1")
        return self

    def __exit__(self, *_):
        self.sql(f"drop schema if exists {SCHEMA} cascade")

    def selects_per_second(self, seconds):
        clients = ["-c", str(CONNECTIONS), "-j", "1"]
        said = self.run("-S", "-n", "-M", "prepared", *clients, "-T", str(seconds))
        return float(re.search(r"tps = ([\d.]+)", said)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    base = int(os.environ.get("RELAIS_PORT_BASE", "8400"))
    job = publish_job(f"http://127.0.0.1:{base}")
    url = f"http://127.0.0.1:{base + 10}/v1/jobs/{job}"
    ours, theirs = [], []
    with Pgbench(os.environ["RELAIS_TEST_POSTGRES"]) as pgbench:
        requests_per_second(url, 1)  # warm
        for _ in range(given.rounds):
            ours.append(requests_per_second(url, given.seconds))
            theirs.append(pgbench.selects_per_second(given.seconds))
    rows = [
        table.row(
            "single-row read beside pgbench -S",
            statistics.median(ours),
            "pgbench -S",
            statistics.median(theirs),
        )
    ]
    remark = (
        f"per second; medians of {given.rounds} runs of {given.seconds} s each, in turn; "
        f"{CONNECTIONS} connections to PostgreSQL each, wrk with 32 to web-api, all on this machine"
    )
    table.show(rows, given.json, [remark])


if __name__ == "__main__":
    main()
