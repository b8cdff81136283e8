"""Time series of a service's metrics page one by one, and the alerts that are raised."""

import re

import http_client
from people import wait_until
from suite import ADMIN_OFFSETS

# Scraped and judged each 5 s; the longest "for" of a rule that rows wait for is 15 s.
FIRES_S = 60.0
LABEL = re.compile(r'([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"')


def samples(suite, service, name, **wanted):
    """[(labels, value)] of the series with these labels."""
    admin = f"http://127.0.0.1:{suite.port_base + ADMIN_OFFSETS[service]}"
    return samples_at(admin, name, **wanted)


def samples_at(admin_url, name, **wanted):
    text = http_client.send("GET", f"{admin_url}/metrics").body.decode()
    found = []
    for line in text.splitlines():
        head, _, value = line.rpartition(" ")
        series, _, rest = head.partition("{")
        labels = dict(LABEL.findall(rest))
        if series == name and wanted.items() <= labels.items():
            found.append((labels, float(value)))
    return found


def total(suite, service, name, **wanted):
    return sum(value for _, value in samples(suite, service, name, **wanted))


def above(suite, service, name, bound):
    """How many observations of a histogram were above a bound, which must be one of its buckets."""
    within = [
        value
        for labels, value in samples(suite, service, f"{name}_bucket")
        if labels["le"] not in ("+Inf", "inf") and float(labels["le"]) == bound
    ]
    assert within, f"{name} has no bucket of {bound}"
    return total(suite, service, f"{name}_count") - sum(within)


def fires(chaos, alert):
    """Whether Prometheus raises the alert within a minute."""
    url = f"{chaos.suite.prometheus}/api/v1/alerts"

    def firing():
        alerts = http_client.send("GET", url).json["data"]["alerts"]
        return any(
            each["labels"]["alertname"] == alert and each["state"] == "firing" for each in alerts
        )

    return wait_until(firing, FIRES_S, 0.5)
