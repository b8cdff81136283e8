"""The six steps of the story, each through the gateway only."""

import concurrent.futures
import time
import uuid

import http_client
from avatar import upload_avatar
from narrator import StepFailed
from people import Person, expect, expect_that, language_of, token_in, wait_until

API = "client → gateway → web-api"
MAIL_PATH = "web-api → kafka → notification → mail provider"


class Story:
    """State that goes from step to step. point(name) is called after each request that other
    parts react to: tests break things there."""

    def __init__(self, gateway, sandbox, options, point=lambda name: None):
        self.gateway = gateway
        self.sandbox = sandbox
        self.options = options
        self.point = point
        run_id = uuid.uuid4().hex[:8]
        self.client = Person("nl", run_id)
        self.provider = Person("fr", run_id)
        self.others = [Person("de", run_id), Person("en", run_id)]
        self.job_id = None
        self.offer_id = None
        self.campaign_id = None
        self.campaign_name = f"spring, for {self.client.email}"

    def steps(self):
        steps = [
            ("People register and get a mail in their language", self.register),
            ("The token of the mail validates; they are on the newsletter list", self.validate),
            ("Log in, register a device, upload a picture for the profile", self.upload),
            ("A job, an offer, an acceptance; mails and pushes", self.trade),
            ("Marketing sends a campaign; somebody unsubscribes", self.campaign),
        ]
        if self.options.prometheus:
            steps.append(("Prometheus sees every service", self.metrics))
        return steps

    # 1
    def register(self, step):
        for person in [self.client, self.provider, *self.others]:
            sent_at = time.time()
            answer = self.gateway.post("/v1/accounts", person.registration(), key=True)
            body = expect(answer, 202, "POST /v1/accounts")
            trace = self.gateway.last_trace
            expect_that(body == {"status": "pending"}, "status pending", answer.describe())
            step.hop(API, f"register ({person.locale}) → 202", answer.took_ms, trace)
            self.point("registered")
            mail = self._mail(person, sent_at, "the validation mail")
            took_s = mail["received_at"] - sent_at
            expect_that(
                took_s <= self.options.mail_limit_s,
                f"the mail at the provider within {self.options.mail_limit_s:g} s",
                f"{took_s:.2f} s",
            )
            expect_that(
                language_of(mail) == person.locale,
                f"the mail in {person.locale}",
                f"language {mail['language']!r}, subject {mail['subject']!r}",
            )
            step.hop(MAIL_PATH, f"“{mail['subject']}”", took_s * 1000)
        self._register_again(step)

    def _register_again(self, step):
        """A known address: the same answer, and another mail for its owner."""
        sent_at = time.time()
        again = {**self.client.registration(), "display_name": "Somebody Else"}
        answer = self.gateway.post("/v1/accounts", again, key=True)
        body = expect(answer, 202, "POST /v1/accounts for a known address")
        expect_that(body == {"status": "pending"}, "the same answer", answer.describe())
        first = self.sandbox.find("mails", to=self.client.email)[0]
        mail = self._mail(self.client, sent_at, "another mail for the owner")
        expect_that(
            mail["subject"] != first["subject"], "another subject", f"again {mail['subject']!r}"
        )
        step.hop(API, "the same address again → 202", answer.took_ms)
        step.hop(MAIL_PATH, f"“{mail['subject']}”", (mail["received_at"] - sent_at) * 1000)

    def _mail(self, person, since, what, kind="transactional"):
        wanted = {"to": person.email, "since": since, "kind": kind}
        mails, arrived = self.sandbox.wait("mails", self.options.patience_s, **wanted)
        if not arrived:
            raise StepFailed(f"{what} to {person.email}", "none")
        return mails[-1]

    # 2
    def validate(self, step):
        for person in (self.client, self.provider):
            token = token_in(self.sandbox.find("mails", to=person.email)[0])
            expect_that(token, "a link with token= in the mail", "none")
            sent_at = time.time()
            answer = self.gateway.post("/v1/email-validations", {"token": token}, key=True)
            expect(answer, 204, "POST /v1/email-validations")
            trace = self.gateway.last_trace
            step.hop(API, f"validate ({person.locale}) → 204", answer.took_ms, trace)
            self.point("validated")
            self._expect_on_list(step, person, sent_at)
        again = self.gateway.post("/v1/email-validations", {"token": token}, key=True)
        expect(again, 409, "the same token a second time")
        step.hop(API, "the same token again → 409", again.took_ms)

    def _expect_on_list(self, step, person, sent_at):
        _, arrived = self.sandbox.wait(
            "contacts", self.options.patience_s, email=person.email, list="any"
        )
        expect_that(arrived, f"{person.email} on the newsletter list", "not on any list")
        took_ms = (time.time() - sent_at) * 1000
        step.hop("web-api → kafka → mailing-list-sync → list provider", "on the list", took_ms)

    # 3
    def upload(self, step):
        for person in (self.client, self.provider):
            self._log_in(step, person)
        upload_avatar(self, step)

    def _log_in(self, step, person):
        credentials = {"email": person.email, "password": person.password}
        answer = self.gateway.post("/v1/sessions", credentials)
        session = expect(answer, 201, "POST /v1/sessions")
        person.token, person.account_id = session["token"], session["account_id"]
        step.hop(API, f"log in ({person.locale}) → 201", answer.took_ms)
        device = {
            "provider": "onesignal",
            "subscription_id": person.subscription_id,
            "platform": "android",
        }
        answer = self.gateway.post("/v1/devices", device, person.token, key=True)
        expect(answer, 201, "POST /v1/devices")
        step.hop(API, "register a device → 201", answer.took_ms)

    # 4
    def trade(self, step):
        job = {
            "category": "gardening",
            "locality": "Gent",
            "title": "Haag snoeien",
            "description": "Twintig meter haag, twee meter hoog.",
            "budget": {"amount_minor": 30000, "currency": "EUR"},
        }
        answer = self.gateway.post("/v1/jobs", job, self.client.token, key=True)
        self.job_id = expect(answer, 201, "POST /v1/jobs")["id"]
        step.hop(API, "publish a job → 201", answer.took_ms, self.gateway.last_trace)
        self.point("published")
        sent_at = time.time()
        offer = {"amount_minor": 28000, "currency": "EUR", "message": "Ik kom vrijdag."}
        path = f"/v1/jobs/{self.job_id}/offers"
        answer = self.gateway.post(path, offer, self.provider.token, key=True)
        self.offer_id = expect(answer, 201, "POST offers")["id"]
        step.hop(API, "make an offer → 201", answer.took_ms, self.gateway.last_trace)
        self.point("offered")
        self._expect_told(step, self.client, sent_at, "the offer")
        sent_at = time.time()
        self._accept_twice(step)
        self.point("accepted")
        self._expect_told(step, self.provider, sent_at, "the acceptance")

    def _accept_twice(self, step):
        """Two at once: one wins, the other is told so."""
        path = f"/v1/offers/{self.offer_id}/acceptance"

        def accept(_):
            return self.gateway.post(path, {}, self.client.token, key=True)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(accept, range(2)), key=lambda answer: answer.status)
        statuses = [answer.status for answer in answers]
        seen = " and ".join(answer.describe() for answer in answers)
        expect_that(statuses == [200, 409], "one 200 and one 409", seen)
        for answer in answers:
            step.hop(API, f"accept → {answer.status}", answer.took_ms)

    def _expect_told(self, step, person, since, what):
        mail = self._mail(person, since, f"a mail about {what}")
        language = language_of(mail)
        expect_that(language == person.locale, f"the mail in {person.locale}", language)
        step.hop(MAIL_PATH, f"“{mail['subject']}”", (mail["received_at"] - since) * 1000)
        pushes, arrived = self.sandbox.wait(
            "pushes",
            self.options.patience_s,
            subscription_id=person.subscription_id,
            since=since,
        )
        expect_that(arrived, f"a push about {what}", "none")
        took_ms = (pushes[0]["received_at"] - since) * 1000
        path = "web-api → kafka → notification → push provider"
        step.hop(path, f"push to {person.name.split()[0]}", took_ms)

    # 5
    def campaign(self, step):
        since = time.time()
        wanted = {
            "name": self.campaign_name,
            "audience": {"list": "newsletter", "locale": "nl"},
            "template": self.options.template,
        }
        key = self.options.marketing_key
        answer = self.gateway.post("/v1/campaigns", wanted, key, key=True)
        self.campaign_id = expect(answer, 202, "POST /v1/campaigns")["id"]
        step.hop(API, "request a campaign → 202", answer.took_ms, self.gateway.last_trace)
        self.point("requested")
        mail = self._mail(self.client, since, "the campaign mail", "campaign")
        took_ms = (mail["received_at"] - since) * 1000
        step.hop("web-api → kafka → mailing-list-sync → list provider", mail["subject"], took_ms)
        self._expect_campaign_sent(step, since)
        count = len(self.campaign_mails(self.client))
        expect_that(count == 1, "one mail of this campaign", f"{count}")
        expect_that(
            not self.campaign_mails(self.provider), "no campaign for another language", "a mail"
        )
        self._unsubscribe(step)

    def campaign_mails(self, person):
        """What the person got of this story's campaign; others may run at the same time."""
        mails = self.sandbox.find("mails", to=person.email, kind="campaign")
        return [mail for mail in mails if mail["campaign"].startswith(self.campaign_name)]

    def _expect_campaign_sent(self, step, since):
        path = f"/v1/campaigns/{self.campaign_id}"

        def sent():
            answer = self.gateway.get(path, self.options.marketing_key)
            campaign = expect(answer, 200, "GET /v1/campaigns/{id}")
            done = campaign["state"] == "sent" and campaign["counts"].get("sent", 0) >= 1
            return campaign if done else None

        campaign = wait_until(sent, self.options.patience_s)
        if not campaign:
            seen = self.gateway.get(path, self.options.marketing_key).describe()
            raise StepFailed("the campaign to show as sent", seen)
        took_ms = (time.time() - since) * 1000
        counts = ", ".join(f"{name} {value}" for name, value in campaign["counts"].items())
        step.hop("mailing-list-sync → kafka → web-api", f"campaign sent: {counts}", took_ms)

    def _unsubscribe(self, step):
        """What the person says at the list provider ends the membership here too."""
        self._expect_newsletter(True)
        sent_at = time.time()
        self.sandbox.post("/brevo/unsubscribe", {"email": self.client.email, "all": True})
        self.point("unsubscribed")
        self._expect_newsletter(False)
        took_ms = (time.time() - sent_at) * 1000
        path = "list provider → gateway → mailing-list-sync → kafka → web-api"
        step.hop(path, "unsubscribed here too", took_ms)

    def _expect_newsletter(self, wanted):
        """Consent and confirmed membership of the client, as the API shows them."""

        def holds():
            answer = self.gateway.get("/v1/accounts/current", self.client.token)
            account = expect(answer, 200, "GET /v1/accounts/current")
            granted = {item["purpose"]: item["granted"] for item in account["consents"]}
            member = {item["list"]: item["member"] for item in account["memberships"]}
            return granted.get("newsletter") is wanted and member.get("newsletter") is wanted

        if not wait_until(holds, self.options.patience_s):
            seen = self.gateway.get("/v1/accounts/current", self.client.token).describe()
            raise StepFailed(f"consent and membership of newsletter to be {wanted}", seen)

    # 6
    def metrics(self, step):
        wanted = {"gateway", "web-api", "upload", "notification", "mailing-list-sync"}
        url = self.options.prometheus.rstrip("/") + "/api/v1/query?query=up"
        last = []

        def all_up():
            answer = http_client.send("GET", url)
            rows = expect(answer, 200, "Prometheus")["data"]["result"]
            last[:] = [(row["metric"].get("service"), row["value"][1]) for row in rows]
            up = {service for service, value in last if value == "1"}
            return answer if wanted <= up else None

        answer = wait_until(all_up, max(30.0, self.options.patience_s), 0.5)
        expect_that(answer, "every service up in Prometheus", str(sorted(last)))
        step.hop("prometheus → admin listeners", f"{len(wanted)} services up", answer.took_ms)
