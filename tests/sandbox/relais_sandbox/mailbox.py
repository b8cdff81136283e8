"""What arrived: mails, pushes and chat messages, in one shape whatever provider took them."""

import collections
import email
import email.policy
import itertools
import re

KEPT_MAX = 20000
LANGUAGE_IN_HTML = re.compile(r"<html[^>]*\blang=[\"']([A-Za-z-]+)[\"']", re.IGNORECASE)


class Mailbox:
    def __init__(self, clock, changes):
        self._clock = clock
        self._changes = changes
        self._ids = itertools.count(1)
        self.reset()

    def reset(self):
        self.mails = collections.deque(maxlen=KEPT_MAX)
        self.pushes = collections.deque(maxlen=KEPT_MAX)
        self.chats = collections.deque(maxlen=KEPT_MAX)

    def add_mail(self, provider, to, message):
        """One entry per receiving person. message: from, subject, html, text, headers, custom_id,
        provider_id, campaign."""
        mail = {
            "id": str(next(self._ids)),
            "provider": provider,
            "to": to,
            "from": message.get("from", ""),
            "subject": message.get("subject", ""),
            "html": message.get("html") or "",
            "text": message.get("text") or "",
            "headers": message.get("headers") or {},
            "custom_id": message.get("custom_id"),
            "provider_id": message.get("provider_id"),
            "campaign": message.get("campaign"),
            "received_at": self._clock.now(),
            "language": _language(message),
        }
        # Mailjet's CustomCampaign only groups; a campaign in the sense of marketing is Brevo's.
        bulk = provider == "brevo" and mail["campaign"] is not None
        mail["kind"] = "campaign" if bulk else "transactional"
        self.mails.append(mail)
        self._changes.notify("mail", mail)
        return mail

    def add_push(self, push):
        push = {"id": str(next(self._ids)), "received_at": self._clock.now(), **push}
        self.pushes.append(push)
        self._changes.notify("push", push)
        return push

    def add_chat(self, chat):
        chat = {"id": str(next(self._ids)), "received_at": self._clock.now(), **chat}
        self.chats.append(chat)
        self._changes.notify("chat", chat)
        return chat

    def find_mails(self, to=None, subject=None, since=0.0, provider=None, kind=None):
        return [
            mail
            for mail in self.mails
            if (not to or mail["to"].lower() == to.lower())
            and (not subject or subject.lower() in mail["subject"].lower())
            and (not provider or mail["provider"] == provider)
            and (not kind or mail["kind"] == kind)
            and mail["received_at"] >= since
        ]

    def find_pushes(self, subscription_id=None, since=0.0):
        return [
            push
            for push in self.pushes
            if (not subscription_id or push["subscription_id"] == subscription_id)
            and push["received_at"] >= since
        ]


def _language(message):
    for name, value in (message.get("headers") or {}).items():
        if name.lower() == "content-language":
            return value
    found = LANGUAGE_IN_HTML.search(message.get("html") or "")
    return found.group(1) if found else None


def from_rfc5322(content):
    """The normalised fields of a message as it came over SMTP (bytes, with CRLF)."""
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    html = parsed.get_body(("html",))
    text = parsed.get_body(("plain",))
    return {
        "from": str(parsed["From"] or ""),
        "subject": str(parsed["Subject"] or ""),
        "html": html.get_content() if html else "",
        "text": text.get_content() if text else "",
        "headers": {name: str(value) for name, value in parsed.items()},
        "custom_id": parsed["X-MJ-CustomID"],
        "provider_id": parsed["Message-ID"],
    }
