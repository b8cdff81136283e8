"""Kafka or PostgreSQL away for a while: requests behave, and nothing is lost or doubled."""

import statistics
from uuid import uuid4

from arrivals import expect_one_mail, expect_one_membership, register, settled, validate
from people import Person, wait_until
from suite import SERVICES, timed

PROBLEM = "application/problem+json"


def median_s(gateway, count=5):
    return statistics.median(register(gateway)[1] for _ in range(count))


def test_registering_while_kafka_is_down(suite, gateway, sandbox):
    usual_s = median_s(gateway)
    suite.stop("kafka")
    try:
        registered = [register(gateway) for _ in range(5)]
        median_down_s = statistics.median(took_s for _, took_s in registered)
        # "In the same time": the spread of a small sample on a busy machine, not a time-out.
        assert median_down_s < 2 * usual_s + 0.1, (median_down_s, usual_s)
    finally:
        suite.start("kafka")
    for person, _ in registered:
        expect_one_mail(sandbox, person)
        validate(gateway, sandbox, person)
        expect_one_membership(sandbox, person)
        settled(suite, sandbox, person, mails=1, pushes=0)


def test_postgres_restarts(suite, gateway, sandbox):
    pids = {service: suite.pid(service) for service in SERVICES}
    register(gateway)
    suite.stop("postgres")
    try:
        for method, path, body in (("GET", "/v1/jobs", None), ("POST", "/v1/accounts", {})):
            person_body = registration() if body is not None else None
            answer, took_s = timed(
                lambda m=method, p=path, b=person_body: gateway.call(m, p, b, key=b is not None)
            )
            assert answer.status == 503, answer.describe()
            assert answer.headers["Content-Type"].split(";")[0] == PROBLEM
            assert took_s < 1.0, f"{method} {path} took {took_s:.2f} s"
    finally:
        suite.start("postgres")
    recovered, took_s = timed(
        lambda: wait_until(lambda: gateway.get("/v1/jobs").status == 200, 30.0)
    )
    assert recovered
    assert took_s < 5.0, f"took {took_s:.1f} s to recover"
    person, _ = register(gateway)
    expect_one_mail(sandbox, person)
    validate(gateway, sandbox, person)
    expect_one_membership(sandbox, person)
    assert {service: suite.pid(service) for service in SERVICES} == pids, "a service crashed"


def registration():
    return Person("en", uuid4().hex[:8]).registration()
