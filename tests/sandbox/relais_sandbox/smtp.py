"""The SMTP server: STARTTLS optional, required or absent, AUTH, greylisting, lost answers."""

import asyncio
import logging
import ssl
import subprocess
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

from .exchange import cut_connection
from .mailbox import from_rfc5322

MESSAGE_BYTES_MAX = 25 * 1024 * 1024
SMTP_KINDS = {"status", "delay_ms", "reset_before", "reset_after", "drop_final_dot"}


class MailServer:
    """One server behind two ports: clear text with STARTTLS, and TLS from the first byte."""

    def __init__(self, world):
        self._world = world
        self._greylisted = set()
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        # Clear-text AUTH is one of the set-ups a client must be tested against.
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")

    def reset(self, everything):
        self._greylisted.clear()

    def session(self, tls_context=None, encrypted=False):
        """One protocol object per connection, with the settings as they are now."""
        settings = self._world.settings
        offers_starttls = tls_context is not None and settings.smtp_starttls != "absent"
        server = SMTP(
            Handler(self._world, self._greylisted),
            hostname="sandbox.relais.example",
            data_size_limit=MESSAGE_BYTES_MAX,
            enable_SMTPUTF8=True,
            tls_context=tls_context if offers_starttls and not encrypted else None,
            require_starttls=offers_starttls
            and not encrypted
            and settings.smtp_starttls == "required",
            auth_required=settings.smtp_auth == "required",
            auth_require_tls=False,
            authenticator=self._authenticate,
            timeout=120,
            loop=asyncio.get_running_loop(),
        )
        return server

    def _authenticate(self, server, session, envelope, mechanism, data):
        keys = self._world.credentials
        login = getattr(data, "login", b"").decode("utf-8", "replace")
        password = getattr(data, "password", b"").decode("utf-8", "replace")
        right = (login, password) == (keys.smtp_user, keys.smtp_password)
        return AuthResult(success=right, handled=False)


class Handler:
    def __init__(self, world, greylisted):
        self._world = world
        self._greylisted = greylisted
        self._lines = []

    async def _fault(self, server, command, argument):
        """An SMTP reply that replaces the normal one, or None."""
        if command == "DATA":
            kinds = SMTP_KINDS
        else:
            kinds = SMTP_KINDS - {"drop_final_dot", "reset_after"}
        fault = self._world.faults.match("smtp", command, argument, kinds)
        if fault is None:
            return None, None
        if fault.kind == "delay_ms":
            await self._world.clock.sleep(fault.delay_ms / 1000)
        if fault.kind == "reset_before":
            cut_connection(server.transport, fault.close)
            return fault, "421 4.3.0 closing connection"
        if fault.kind == "status":
            return fault, f"{fault.status} {fault.body or '4.3.0 scripted fault'}"
        return fault, None

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        fault, reply = await self._fault(server, "MAIL", address)
        if reply:
            self._record("MAIL", address, reply, fault)
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        fault, reply = await self._fault(server, "RCPT", address)
        if not reply:
            reply = self._refusal(envelope.mail_from, address)
        if reply:
            self._record("RCPT", address, reply, fault)
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    def _refusal(self, sender, address):
        outcome = self._world.outcomes.get(address.lower())
        if outcome == "hard_bounce":
            return "550 5.1.1 no such user"
        if outcome == "soft_bounce":
            return "452 4.2.2 mailbox full"
        if outcome == "blocked":
            return "550 5.7.1 blocked"
        pair = (sender, address.lower())
        greylists = self._world.settings.smtp_greylist or outcome == "greylisted"
        if greylists and pair not in self._greylisted:
            self._greylisted.add(pair)
            return "451 4.7.1 greylisted, try again later"
        return None

    async def handle_DATA(self, server, session, envelope):
        recipients = ",".join(envelope.rcpt_tos)
        fault, reply = await self._fault(server, "DATA", recipients)
        if reply:
            self._record("DATA", recipients, reply, fault)
            return reply
        message = from_rfc5322(envelope.content)
        for address in envelope.rcpt_tos:
            self._world.mailbox.add_mail("smtp", address, message)
        reply = "250 2.0.0 OK queued"
        self._record("DATA", recipients, reply, fault, message["subject"])
        if fault and fault.kind in ("drop_final_dot", "reset_after"):
            cut_connection(server.transport, fault.close)
        return reply

    def _record(self, command, argument, reply, fault, subject=None):
        self._world.journal.record(
            "smtp",
            command,
            argument,
            body=subject,
            status=int(reply[:3]),
            answer=reply,
            fault=fault.kind if fault else None,
        )


def make_certificate(folder):
    """A self-signed certificate for localhost; None when openssl is not installed."""
    key, certificate = folder / "smtp.key", folder / "smtp.crt"
    if not certificate.exists():
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"]
        command += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
