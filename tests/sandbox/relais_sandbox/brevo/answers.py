"""Shapes shared by all of Brevo's endpoints: errors, dates, paging, JSON bodies."""

import datetime
import json

from aiohttp import web


class Refusal(Exception):
    """An error answer; raised anywhere below a handler."""

    def __init__(self, status, code, message, metadata=None):
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message}
        if metadata:
            self.body["metadata"] = metadata

    def response(self):
        return web.json_response(self.body, status=self.status)


def invalid(message):
    return Refusal(400, "invalid_parameter", message)


def missing(name):
    return Refusal(400, "missing_parameter", f"{name} is missing")


def unknown(message):
    return Refusal(404, "document_not_found", message)


def duplicate(identifiers):
    names = ", ".join(identifiers)
    return Refusal(
        400,
        "duplicate_parameter",
        f"Unable to create contact, {names} is already associated with another Contact",
        {"duplicate_identifiers": identifiers},
    )


async def read_object(request):
    raw = await request.read()
    try:
        document = json.loads(raw or b"{}")
    except ValueError:
        raise invalid("Invalid JSON body") from None
    if not isinstance(document, dict):
        raise invalid("Invalid JSON body")
    return document


def date(unix_s):
    moment = datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_date(text):
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise invalid("Invalid date format") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def page(request, items, default, maximum, created_at):
    """The page of items a listing asks for: newest first unless sort=asc."""
    limit = _count(request, "limit", default)
    offset = _count(request, "offset", 0)
    if limit > maximum:
        raise Refusal(400, "out_of_range", f"Limit should be less than or equal to {maximum}")
    sort = request.query.get("sort", "desc")
    if sort not in ("asc", "desc"):
        raise invalid("sort should be asc or desc")
    ordered = sorted(items, key=created_at, reverse=sort == "desc")
    return ordered[offset : offset + limit]


def _count(request, name, default):
    text = request.query.get(name, str(default))
    if not text.isdigit():
        raise Refusal(400, "out_of_range", f"{name} should be a number")
    return int(text)


def integers(value, name):
    if not isinstance(value, list) or not all(
        isinstance(item, int) and not isinstance(item, bool) for item in value
    ):
        raise invalid(f"{name} should be an array of integers")
    return value
