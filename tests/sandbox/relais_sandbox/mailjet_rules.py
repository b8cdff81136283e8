"""What Mailjet's Send API v3.1 checks in one message, in its order, with its error codes."""

import re

FORBIDDEN_HEADERS = {
    name.lower()
    for name in (
        "From Sender Subject To Cc Bcc Return-Path Delivered-To DKIM-Signature DomainKey-Status "
        "Received-SPF Authentication-Results Received X-Mailjet-Prio X-Mailjet-Debug User-Agent "
        "X-Mailer X-MJ-CustomID X-MJ-EventPayload X-MJ-Vars X-MJ-TemplateErrorDeliver "
        "X-MJ-TemplateErrorReporting X-MJ-TemplateLanguage X-Mailjet-TrackOpen "
        "X-Mailjet-TrackClick X-MJ-TemplateID X-MJ-WorkflowID X-Feedback-Id "
        "X-Mailjet-Segmentation List-Id X-MJ-MID X-MJ-ErrorMessage Date X-CSA-Complaints "
        "Message-Id X-Mailjet-Campaign X-MJ-StatisticsContactsListID"
    ).split()
}
EMAIL = re.compile(r"^[^@\s\"<>,;]+@[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z][A-Za-z0-9-]*$")
RECIPIENTS_MAX = 50
ATTACHMENT_BYTES_MAX = 15 * 1024 * 1024
TYPES = {
    "From": dict,
    "Sender": dict,
    "ReplyTo": dict,
    "TemplateErrorReporting": dict,
    "To": list,
    "Cc": list,
    "Bcc": list,
    "Attachments": list,
    "InlinedAttachments": list,
    "Subject": str,
    "TextPart": str,
    "HTMLPart": str,
    "CustomCampaign": str,
    "CustomID": str,
    "EventPayload": str,
    "MonitoringCategory": str,
    "URLTags": str,
    "TrackOpens": str,
    "TrackClicks": str,
    "TemplateID": int,
    "Priority": int,
    "TemplateLanguage": bool,
    "TemplateErrorDeliver": bool,
    "DeduplicateCampaign": bool,
    "Variables": dict,
    "Headers": dict,
}
TRACKING = {"account_default", "disabled", "enabled"}


class Refusals(list):
    """The errors of one message: (code, http status, text, related field)."""

    def add(self, code, text, related, status=400):
        self.append((code, status, text, related))


def check_message(message, senders=()):
    """Every rule that the message breaks; empty when it would be accepted."""
    refusals = Refusals()
    if not isinstance(message, dict):
        refusals.add("mj-0004", 'Type mismatch. Expected type "object".', "Messages")
        return refusals
    _check_types(message, refusals)
    if refusals:
        return refusals
    _check_people(message, refusals)
    _check_content(message, refusals)
    _check_options(message, refusals)
    _check_headers(message, refusals)
    _check_attachments(message, refusals)
    sender = message.get("From", {}).get("Email", "")
    if senders and sender and sender.lower() not in senders:
        text = f'"{sender}" is not an authorized sender email address for your account.'
        refusals.add("send-0008", text, "From", 403)
    return refusals


def _check_types(message, refusals):
    for name, value in message.items():
        wanted = TYPES.get(name)
        if wanted is None:
            refusals.add("mj-0004", f'Property "{name}" is not a known property.', name)
        elif value is None:
            refusals.add("mj-0003", f'Property "{name}" is null.', name)
        elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            text = f'Type mismatch. Expected type "{wanted.__name__}".'
            refusals.add("mj-0004", text, name)


def _check_people(message, refusals):
    if "From" not in message and "TemplateID" not in message:
        refusals.add("mj-0003", '"From" is mandatory but missing from the input', "From")
    if "To" not in message:
        refusals.add("mj-0003", '"To" is mandatory but missing from the input', "To")
    elif not message["To"]:
        refusals.add("mj-0007", '"To" may not be an empty array.', "To")
    for name in ("From", "Sender", "ReplyTo", "TemplateErrorReporting"):
        if name in message:
            _check_address(message[name], name, refusals)
    for name in ("To", "Cc", "Bcc"):
        for index, person in enumerate(message.get(name, [])):
            _check_address(person, f"{name}[{index}]", refusals)
    count = sum(len(message.get(name, [])) for name in ("To", "Cc", "Bcc"))
    if count > RECIPIENTS_MAX:
        refusals.add("send-0015", "Too many recipients.", "To")


def _check_address(person, where, refusals):
    if not isinstance(person, dict):
        refusals.add("mj-0004", 'Type mismatch. Expected type "object".', where)
        return
    address = person.get("Email")
    if address is None:
        refusals.add("mj-0003", f'"{where}.Email" is mandatory but missing.', f"{where}.Email")
    elif not isinstance(address, str) or not isinstance(person.get("Name", ""), str):
        refusals.add("mj-0004", 'Type mismatch. Expected type "string".', f"{where}.Email")
    elif address == "":
        refusals.add("mj-0012", f'"{where}.Email" may not be empty.', f"{where}.Email")
    elif not EMAIL.match(address):
        text = f'"{address}" is an invalid email address.'
        refusals.add("mj-0013", text, f"{where}.Email")


def _check_content(message, refusals):
    if "TemplateID" in message:
        text = "The template does not exist or does not belong to your API key."
        refusals.add("send-0010", text, "TemplateID")
    elif not message.get("TextPart") and not message.get("HTMLPart"):
        text = 'At least "HTMLPart", "TextPart" or "TemplateID" must be provided.'
        refusals.add("send-0003", text, "HTMLPart")
    if len(message.get("Subject", "")) > 255:
        refusals.add("mj-0006", '"Subject" exceeds 255 characters.', "Subject")
    if len(message.get("URLTags", "")) > 256:
        refusals.add("mj-0006", '"URLTags" exceeds 256 characters.', "URLTags")


def _check_options(message, refusals):
    if message.get("DeduplicateCampaign") and not message.get("CustomCampaign"):
        text = '"DeduplicateCampaign" cannot be used without "CustomCampaign".'
        refusals.add("send-0012", text, "DeduplicateCampaign")
    if "MonitoringCategory" in message:
        refusals.add("send-0013", "Monitoring category does not exist.", "MonitoringCategory")
    if not message.get("TemplateLanguage"):
        for name in ("TemplateErrorReporting", "TemplateErrorDeliver"):
            if message.get(name):
                text = f'"{name}" can be used only with "TemplateLanguage"=true.'
                refusals.add("send-0016", text, name)
    if message.get("Priority", 0) not in (0, 1, 2, 3):
        refusals.add("mj-0005", 'Value is not allowed for "Priority".', "Priority")
    for name in ("TrackOpens", "TrackClicks"):
        if message.get(name, "enabled") not in TRACKING:
            refusals.add("mj-0005", f'Value is not allowed for "{name}".', name)


def _check_headers(message, refusals):
    for name, value in message.get("Headers", {}).items():
        related = f'Headers["{name}"]'
        if name.lower() in FORBIDDEN_HEADERS:
            text = f'Header "{name}" cannot be customized.'
            refusals.add("send-0011", text, related)
        elif not isinstance(value, str):
            refusals.add("mj-0004", 'Type mismatch. Expected type "string".', related)


def _check_attachments(message, refusals):
    size = 0
    for name in ("Attachments", "InlinedAttachments"):
        for index, item in enumerate(message.get(name, [])):
            for field in ("ContentType", "Filename", "Base64Content"):
                where = f"{name}[{index}].{field}"
                value = item.get(field) if isinstance(item, dict) else None
                if value is None:
                    refusals.add("mj-0003", f'"{where}" is mandatory but missing.', where)
                elif value == "":
                    refusals.add("mj-0012", f'"{where}" may not be empty.', where)
                elif field == "Base64Content":
                    size += len(value) * 3 // 4
    if size > ATTACHMENT_BYTES_MAX:
        refusals.add("mj-0011", "Attachments exceed 15 MB.", "Attachments")
