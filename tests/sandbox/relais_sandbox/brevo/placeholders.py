"""The part of Brevo's template language that Relais uses: {{ params.x }}, {{ contact.X }}."""

import html
import re

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_.]+)\s*\}\}")


def fill(text, params, contact, unsubscribe_url=None):
    """Unknown names become empty text, as at Brevo."""

    def value(match):
        name = match.group(1)
        if name == "unsubscribe" and unsubscribe_url:
            return unsubscribe_url
        scope, _, rest = name.partition(".")
        source = {"params": params, "contact": contact}.get(scope, {})
        for part in rest.split("."):
            source = source.get(part, "") if isinstance(source, dict) else ""
        return html.escape(str(source)) if not isinstance(source, dict) else ""

    return PLACEHOLDER.sub(value, text or "")
