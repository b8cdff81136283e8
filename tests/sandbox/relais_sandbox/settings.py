"""What the sandbox is started with, and the knobs that tests turn while it runs."""

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What the providers accept. Overridden by RELAIS_SANDBOX_<FIELD> in the environment."""

    mailjet_key: str = "sandbox-mailjet-key"
    mailjet_secret: str = "sandbox-mailjet-secret"
    brevo_key: str = "xkeysib-sandbox"
    onesignal_app_id: str = "6e9bb0f5-2a41-4c5c-9d8e-0c9f5b7c1a52"
    onesignal_key: str = "os_v2_app_sandbox"
    slack_token: str = "xoxb-sandbox"
    smtp_user: str = "relais"
    smtp_password: str = "sandbox-smtp"

    @staticmethod
    def from_environment(environment=os.environ):
        given = {}
        for field in dataclasses.fields(Credentials):
            value = environment.get("RELAIS_SANDBOX_" + field.name.upper())
            if value:
                given[field.name] = value
        return Credentials(**given)


@dataclasses.dataclass
class Settings:
    """Behaviour of the providers; POST /__sim/settings changes it by field name."""

    rate_limits: bool = True
    mailjet_lookup_visibility_ms: int = 200
    mailjet_event_window_ms: int = 1000
    mailjet_sent_after_ms: int = 50
    mailjet_key_suspended: bool = False
    mailjet_senders: str = ""  # comma separated; empty accepts any From address
    brevo_contact_write_ms: int = 5
    brevo_process_ms: int = 200
    brevo_campaign_ms: int = 150
    brevo_open_rate: float = 1.0
    brevo_credits: int = 1_000_000
    brevo_batched_window_s: int = 300
    webhook_timeout_s: float = 10.0
    onesignal_subscribers: int = 0  # 0 switches off "10 x subscribers in 15 min disables the app"
    smtp_starttls: str = "optional"  # optional | required | absent
    smtp_auth: str = "optional"  # optional | required
    smtp_greylist: bool = False

    def update(self, values):
        """Raises ValueError naming the unknown field or the wrong type; changes nothing then."""
        known = {field.name: field.type for field in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name}")
            wanted = type(getattr(self, name))
            fits = isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                fits = True
            if not fits:
                raise ValueError(f"{name} must be of type {wanted.__name__}")
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self):
        for field in dataclasses.fields(self):
            setattr(self, field.name, field.default)

    def as_dict(self):
        return dataclasses.asdict(self)


PORT_OFFSETS = {
    "web": 0,
    "mailjet": 1,
    "brevo": 2,
    "onesignal": 3,
    "slack": 4,
    "smtp": 5,
    "smtps": 6,
}
