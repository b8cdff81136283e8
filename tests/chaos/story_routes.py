"""Every route of the story with a body that would be taken, so that what is wrong with a request is
only what a row put into it."""

import uuid

from arrivals import make_job

HASH = "0" * 64


class Route:
    """fields: what it needs in its body; path as a client with these people would call it."""

    def __init__(self, method, path, token=None, fields=None):
        self.method = method
        self.path = path
        self.token = token
        self.fields = fields

    @property
    def name(self):
        return f"{self.method} {self.path}"


def story_routes(gateway, client, provider, marketing_key):
    job, nobody = make_job(gateway, client), str(uuid.uuid4())
    money = {"amount_minor": 8000, "currency": "EUR"}
    device = {"provider": "onesignal", "subscription_id": nobody, "platform": "web"}
    upload = {"purpose": "avatar", "content_type": "image/png", "size_bytes": 9, "sha256": HASH}
    offer = {**money, "message": "Demain."}
    audience = {"list": "newsletter", "locale": "nl"}
    campaign = {"name": "x", "audience": audience, "template": "newsletter"}
    work = {
        "category": "plumbing",
        "locality": "Namur",
        "title": "Robinet",
        "description": "Il fuit.",
        "budget": money,
    }
    client_is, provider_is = client.token, provider.token
    person = {**client.registration(), "email": f"never.{nobody[:8]}@people.example"}
    return [
        Route("POST", "/v1/accounts", fields=person),
        Route("POST", "/v1/email-validations", fields={"token": "x" * 80}),
        Route("POST", "/v1/sessions", fields={"email": person["email"], "password": "x" * 12}),
        Route("GET", "/v1/accounts/current", client_is),
        Route("POST", "/v1/devices", client_is, device),
        Route("POST", "/v1/uploads", client_is, upload),
        Route("GET", f"/v1/uploads/{nobody}", client_is),
        Route("POST", f"/v1/uploads/{nobody}/completion", client_is, {}),
        Route("GET", f"/v1/profiles/{client.account_id}", client_is),
        Route("POST", "/v1/jobs", client_is, work),
        Route("GET", "/v1/jobs"),
        Route("POST", f"/v1/jobs/{job}/offers", provider_is, offer),
        Route("POST", f"/v1/offers/{nobody}/acceptance", client_is, {}),
        Route("POST", "/v1/campaigns", marketing_key, campaign),
        Route("GET", f"/v1/campaigns/{nobody}", marketing_key),
        Route("DELETE", "/v1/sessions/current"),
        Route("POST", "/webhooks/brevo", fields={}),
        Route("POST", "/webhooks/mailjet", fields={}),
        Route("POST", "/webhooks/onesignal", fields={}),
    ]
