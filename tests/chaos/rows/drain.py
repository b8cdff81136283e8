"""SIGTERM of each service under 200 requests a second: no request fails, no event is lost, exit 0
within the drain time."""

import re
import time
import uuid

import uploads
from arrivals import expect_one_mail, wait_until_idle
from instance import Instance
from load import PER_SECOND, Load, Request, reading
from people import wait_until
from suite import READY_S

TITLE = "SIGTERM of each service under 200 requests/s"
GATEWAY_OFFSET, WEB_API_OFFSET = 2, 12  # free ports of the environment
BEFORE, BEFORE_SHORT = 2000, 300  # requests answered before and after the signal
DRAIN_S = 26.0  # RELAIS_DRAIN_DELAY and RELAIS_STOP_LIMIT
TOLD = 20  # of those who registered, so many are waited for one by one
TOKENS = {}  # of webhooks, by service and variable: they are needed 200 times a second


def run(chaos):
    person = uploads.owner(chaos)
    picture = uploads.new_picture(chaos)
    upload_id = uploads.upload(chaos, person, picture)
    kinds = {
        "web-api": reading,
        "upload": lambda: upload_request(person, upload_id),
        "notification": lambda: mailjet_webhook(chaos),
        "mailing-list-sync": lambda: brevo_webhook(chaos),
    }
    for service, make in kinds.items():
        restarts(chaos, service, make)
    rolls(chaos)
    gateway_goes(chaos)


def upload_request(person, upload_id):
    return Request(
        "GET", f"/v1/uploads/{upload_id}", headers={"Authorization": f"Bearer {person.token}"}
    )


def token_of(chaos, service, name):
    with open(chaos.variables(service)[name]) as file:
        return file.read().strip()


def webhook(chaos, service, name, path, body):
    """The provider's own call; it is kept in the same way whatever it tells."""
    key = (service, name)
    if key not in TOKENS:
        TOKENS[key] = token_of(chaos, service, name)
    return Request("POST", path, body, {"Authorization": f"Bearer {TOKENS[key]}"})


def mailjet_webhook(chaos):
    event = {"event": "open", "time": int(time.time()), "CustomID": str(uuid.uuid4())}
    name = "RELAIS_MAILJET_WEBHOOK_TOKEN_FILE"
    return webhook(chaos, "notification", name, "/webhooks/mailjet", [event])


def brevo_webhook(chaos):
    event = {"event": "delivered", "email": f"{uuid.uuid4().hex}@people.example", "id": 1}
    name = "RELAIS_BREVO_WEBHOOK_TOKEN_FILE"
    return webhook(chaos, "mailing-list-sync", name, "/webhooks/brevo", event)


def requests(chaos):
    return BEFORE_SHORT if chaos.short else BEFORE


def restarts(chaos, service, make):
    """One instance: the gateway holds what comes while it starts again."""
    ended = ExitLog(chaos.suite, service)
    with Load([chaos.suite.port_base], make) as load:
        load.wait_answers(requests(chaos))
        pid = chaos.suite.pid(service)
        chaos.inject(f"SIGTERM to {service} at {load.per_second():.0f} requests/s")
        begun = time.monotonic()
        chaos.suite.terminate(service)
        gone = wait_until(lambda: chaos.suite.pid(service) != pid, READY_S, 0.05)
        took_s = time.monotonic() - begun
        chaos.suite.ensure_running(service)
        chaos.measured(f"{service} ready again", time.monotonic() - begun)
        load.wait_answers(requests(chaos))
    in_time = gone and took_s < DRAIN_S
    chaos.check(f"{service} ends within its drain time", in_time, f"{took_s:.1f} s")
    code = wait_until(ended.code, 10.0, 0.1)
    chaos.check(f"{service} exits with 0", code == "0", f"exit status {code}")
    judge(chaos, service, load)


def judge(chaos, name, load):
    count, failures = load.answered, load.failures
    chaos.check(f"{name}: {count} requests, none failed", not failures, str(failures[:5]))
    pace = load.per_second()
    chaos.check(f"{name}: {PER_SECOND} requests/s or nearly", pace > PER_SECOND / 3, f"{pace:.0f}")
    people = load.registered
    chaos.check(f"{name}: people registered meanwhile", len(people) > 0)
    for person in people[:TOLD]:
        with chaos.checking(f"{name}: one mail to {person.email}"):
            expect_one_mail(chaos.sandbox, person)
    with chaos.checking(f"{name}: nothing is left to do"):
        wait_until_idle(chaos.suite)
    without = [p.email for p in people if len(chaos.sandbox.find("mails", to=p.email)) != 1]
    chaos.check(f"{name}: each of {len(people)} people got one mail", not without, str(without[:5]))


def rolls(chaos):
    """Two instances of web-api behind a gateway; each in turn is told to stop."""
    suite = chaos.suite
    with Instance(suite, "web-api", WEB_API_OFFSET) as other:
        both = f"http://127.0.0.1:{suite.port_base + 10},http://127.0.0.1:{other.port}"
        with Instance(suite, "gateway", GATEWAY_OFFSET, RELAIS_WEB_API_URL=both) as front:
            with Load([front.port]) as load:
                load.wait_answers(requests(chaos))
                pid = suite.pid("web-api")
                chaos.inject("SIGTERM to one of two instances of web-api, then to the other")
                suite.terminate("web-api")
                again = wait_until(lambda: suite.pid("web-api") not in (pid, None), READY_S, 0.1)
                chaos.check("the first is started again", again)
                suite.ensure_running("web-api")
                load.wait_answers(requests(chaos))
                code, took_s = other.terminate()
                fine = code == 0 and took_s < DRAIN_S
                chaos.check("the second exits with 0", fine, f"{code} after {took_s:.1f} s")
                load.wait_answers(requests(chaos))
            judge(chaos, "two instances of web-api", load)


def gateway_goes(chaos):
    """A gateway finishes what it took. Its clients go to another one, or are turned away in order
    when there is none."""
    suite = chaos.suite
    for others in ([suite.port_base], []):
        with Instance(suite, "gateway", GATEWAY_OFFSET) as front:
            load = Load([front.port, *others])
            with load:
                load.wait_answers(requests(chaos))
                chaos.inject(f"SIGTERM to a gateway; {len(others)} other to go to")
                code, took_s = front.terminate()
                fine = code == 0 and took_s < DRAIN_S
                chaos.check("it exits with 0 in time", fine, f"{code} after {took_s:.1f} s")
                if others:
                    load.wait_answers(requests(chaos))
                else:
                    load.join()
                    everybody = load.turned_away == len(load.clients())
                    chaos.check("every client was turned away in order", everybody)
        judge(chaos, f"gateway with {len(others)} other", load)


class ExitLog:
    """What the supervisor writes about the ends of a service from now on."""

    def __init__(self, suite, service):
        self._file = suite.state / "log" / "supervisord.log"
        self._offset = self._file.stat().st_size
        self._pattern = re.compile(rf"exited: {service} \((?:exit status (\d+)|(.*)\))")

    def code(self):
        """The exit status as text once it is known, or what ended it instead."""
        with self._file.open() as log:
            log.seek(self._offset)
            found = self._pattern.search(log.read())
        return found and (found[1] or found[2])
