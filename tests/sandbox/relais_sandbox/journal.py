"""Every request that reached a provider, with what it was answered and the fault applied."""

import collections
import itertools
import json

ENTRIES_MAX = 5000
BODY_CHARACTERS_MAX = 65536


class Journal:
    def __init__(self, clock, changes):
        self._clock = clock
        self._changes = changes
        self._entries = collections.deque(maxlen=ENTRIES_MAX)
        self._ids = itertools.count(1)

    def record(self, provider, method, path, **details):
        """details: query, headers, body, status, answer, fault, started_at (unix seconds)."""
        now = self._clock.now()
        started_at = details.pop("started_at", now)
        entry = {
            "id": next(self._ids),
            "time": started_at,
            "duration_ms": round((now - started_at) * 1000, 3),
            "provider": provider,
            "method": method,
            "path": path,
            "fault": None,
        }
        entry.update(details)
        self._entries.append(entry)
        self._changes.notify("journal", entry)
        return entry

    def find(self, provider=None, since=0.0, method=None, path=None):
        return [
            entry
            for entry in self._entries
            if (not provider or entry["provider"] == provider)
            and entry["time"] >= since
            and (not method or entry["method"] == method)
            and (not path or path in entry["path"])
        ]

    def reset(self):
        self._entries.clear()


def readable(body):
    """A body for the journal: parsed JSON where it is JSON, text otherwise, cut when long."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if len(text) > BODY_CHARACTERS_MAX:
        return text[:BODY_CHARACTERS_MAX] + "…"
    try:
        return json.loads(text)
    except ValueError:
        return text
