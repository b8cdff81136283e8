"""Hostile input on every route of the story: refused with 4xx, never a 5xx, and nothing written."""

import pathlib
import tempfile
import time

from api_fuzzing import fuzz, register_callers
from arrivals import expect_one_mail, pair, wait_until_idle
from arrivals import register as register_person
from hostile_requests import requests_for, send
from ledger import changes, contents
from story_routes import story_routes
from suite import SERVICES

TITLE = "hostile input on every route of the story"
UPLOADS = pathlib.Path(__file__).resolve().parents[1] / "uploads.openapi.json"
EXAMPLES_SHORT, EXAMPLES = 8, 150


def run(chaos):
    pids = {service: chaos.suite.pid(service) for service in SERVICES}
    client, provider = pair(chaos.gateway, chaos.sandbox)
    people = register_callers(chaos.gateway)
    key = chaos.options.marketing_key
    routes = story_routes(chaos.gateway, client, provider, key)
    wait_until_idle(chaos.suite)
    before = contents(chaos.suite)
    send_all(chaos, routes)
    check_nothing_written(chaos, before, "hostile requests")
    run_fuzz(chaos, people, key, "of the API's document")
    run_fuzz(chaos, people, key, "of the uploads", UPLOADS)
    check_nothing_written(chaos, before, "schemathesis")
    forged(chaos)
    now = {service: chaos.suite.pid(service) for service in SERVICES}
    chaos.check("no service ended", now == pids, f"{pids} became {now}")
    with chaos.checking("a good request is handled as ever"):
        person, took_s = register_person(chaos.gateway)
        expect_one_mail(chaos.sandbox, person)
        chaos.measured("a registration after all of it", took_s)


def send_all(chaos, routes):
    for route in routes:
        sent, wrong, slowest_s = 0, [], 0.0
        for name, request in requests_for(route):
            started = time.perf_counter()
            status = send(chaos.suite.port_base, request)
            slowest_s = max(slowest_s, time.perf_counter() - started)
            sent += 1
            unknown_method = name.startswith("method ") and status == 501
            if not (400 <= status < 500 or unknown_method):
                wrong.append(f"{name} → {status}")
        chaos.check(f"{route.name}: {sent} hostile requests get 4xx or 501", not wrong, "; ".join(wrong))
        chaos.check(f"{route.name}: each within 5 s", slowest_s < 5.0, f"{slowest_s:.1f} s")


def run_fuzz(chaos, people, key, what, document=None):
    examples = EXAMPLES_SHORT if chaos.short else EXAMPLES
    chaos.inject(f"negative data on every operation {what}, {examples} examples each")
    arguments = [
        "--mode=negative",
        "--phases=coverage,fuzzing",
        "--exclude-checks=positive_data_acceptance",
        "--warnings=off",
        f"--max-examples={examples}",
        f"--seed={chaos.seed}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        done = fuzz(
            chaos.suite, people, key, folder, *arguments, document=document, hostile=True
        )
    said = done.stdout[-3000:] + done.stderr[-1000:]
    chaos.check(f"schemathesis finds nothing {what}", done.returncode == 0, said)


def check_nothing_written(chaos, before, by):
    wait_until_idle(chaos.suite)
    found = changes(before, contents(chaos.suite))
    chaos.check(f"nothing was written by {by}", not found, "; ".join(found))


def forged(chaos):
    """Fields that only the gateway may set, and credentials that are none."""
    fields = [
        {"X-Relais-Identity": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
        {"Authorization": "Bearer rls_" + "0" * 43},
        {"Authorization": "Bearer " + "x" * 4000},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Authorization": "Bearer a b"},
    ]
    for each in fields:
        answer = chaos.gateway.call("GET", "/v1/accounts/current", headers=each)
        name = str(each)[:60]
        chaos.check(f"forged: {name}", answer.status in (400, 401), answer.describe())
