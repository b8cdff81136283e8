"""From the click on "register" to the validation mail at the provider, through the whole suite.

Usage: clicktomail.py [--json] [--count N]
One person after the other registers through the gateway; the sandbox says when the mail had arrived.
Both clocks are this machine's. The answer's time is shown beside it: most of it is the password hash,
which the mail has to wait for too.
./relais bench sets RELAIS_PORT_BASE.
"""

import argparse
import json
import os
import secrets
import statistics
import time
import urllib.error
import urllib.request

import table

WARM_UP = 10
MAIL_WAIT_S = 20


def register(gateway):
    """A new person. Returns (address, when the request left, milliseconds until the answer)."""
    address = f"bench.{secrets.token_hex(8)}@people.example"
    person = {
        "email": address,
        "display_name": "Bench",
        "password": secrets.token_urlsafe(16),
        "locale": "en",
    }
    headers = {"Content-Type": "application/json"}
    body = json.dumps(person).encode()
    request = urllib.request.Request(f"{gateway}/v1/accounts", body, headers)
    began_at = time.time()
    with urllib.request.urlopen(request, timeout=20) as answer:
        answer.read()
    return address, began_at, (time.time() - began_at) * 1000


def arrival(sandbox, address):
    """When the mail was at the provider, by the sandbox's clock."""
    url = f"{sandbox}/__sim/mails/wait?to={address}&timeout={MAIL_WAIT_S}"
    try:
        with urllib.request.urlopen(url, timeout=MAIL_WAIT_S + 5) as answer:
            return json.load(answer)[0]["received_at"]
    except urllib.error.HTTPError:
        raise SystemExit(f"no mail to {address} within {MAIL_WAIT_S} s") from None


def measure(gateway, sandbox, count):
    """(click to mail, click to answer), both sorted, in milliseconds."""
    mails, answers = [], []
    for number in range(WARM_UP + count):
        address, began_at, answer_ms = register(gateway)
        mail_ms = (arrival(sandbox, address) - began_at) * 1000
        if number >= WARM_UP:
            mails.append(mail_ms)
            answers.append(answer_ms)
    return sorted(mails), sorted(answers)


def percentile(values, share):
    """The smallest value that `share` percent of the values do not exceed."""
    return values[max(0, -(-len(values) * share // 100) - 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    base = int(os.environ.get("RELAIS_PORT_BASE", "8400"))
    gateway, sandbox = f"http://127.0.0.1:{base}", f"http://127.0.0.1:{base + 50}"
    mails, answers = measure(gateway, sandbox, given.count)
    rows = [
        table.row(
            "click to mail p50 ms",
            statistics.median(mails),
            "click to answer p50 ms",
            statistics.median(answers),
        ),
        table.row(
            "click to mail p99 ms",
            percentile(mails, 99),
            "click to answer p99 ms",
            percentile(answers, 99),
        ),
    ]
    remarks = [f"{given.count} registrations, one after the other; worst {mails[-1]:.1f} ms"]
    table.show(rows, given.json, remarks)


if __name__ == "__main__":
    main()
