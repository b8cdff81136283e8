"""Scripted faults: which requests of which provider go wrong, how, and how often."""

import itertools
import random
import re

KINDS = {
    "delay_ms",  # waits, then goes on normally
    "status",  # answers `status`; with process=true only after doing the work
    "html_error",  # a proxy's HTML page instead of the API's JSON
    "reset_before",  # connection reset, nothing processed
    "reset_after",  # everything processed, connection reset before the status line
    "partial",  # `recipients` fail, the others succeed
    "truncated_json",  # complete HTTP, half of the JSON
    "truncated_body",  # Content-Length promises more than is sent
    "slow_body",  # the answer drips out over `delay_ms`
    "drop_final_dot",  # SMTP: message accepted, connection lost before the 250
    "webhook_lose",
    "webhook_duplicate",
}


class Fault:
    def __init__(self, fault_id, script, randomness):
        """Raises ValueError with a message for the caller when the script is not understood."""
        self.id = fault_id
        self.kind = script.get("fault")
        if self.kind not in KINDS:
            raise ValueError(f"fault must be one of {', '.join(sorted(KINDS))}")
        self.provider = script.get("provider", "")
        route = script.get("route", "")
        try:
            self.route = re.compile(route)
        except re.error as problem:
            raise ValueError(f"route is no regular expression: {problem}") from None
        self.status = _integer(script, "status", 500)
        self.body = script.get("body")
        self.headers = {str(k): str(v) for k, v in script.get("headers", {}).items()}
        self.delay_ms = _integer(script, "delay_ms", 0)
        self.recipients = [str(recipient) for recipient in script.get("recipients", [])]
        self.process = bool(script.get("process", False))
        self.close = script.get("close", "rst")  # rst: TCP reset, fin: orderly close
        self.skip = _integer(script, "skip", 0)
        self.times = _integer(script, "times", None)
        self.probability = float(script.get("probability", 1.0))
        self.applied = 0
        self._randomness = randomness

    def takes(self, provider, method, path):
        """True when this request is to fail; counts it."""
        if self.provider and self.provider != provider:
            return False
        if self.times is not None and self.applied >= self.times:
            return False
        if not self.route.search(f"{method} {path}"):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self._randomness.random() >= self.probability:
            return False
        self.applied += 1
        return True

    def as_dict(self):
        return {
            "id": self.id,
            "fault": self.kind,
            "provider": self.provider,
            "route": self.route.pattern,
            "status": self.status,
            "delay_ms": self.delay_ms,
            "recipients": self.recipients,
            "process": self.process,
            "close": self.close,
            "times": self.times,
            "probability": self.probability,
            "applied": self.applied,
        }


class Faults:
    def __init__(self, changes, seed):
        self._changes = changes
        self._seed = seed
        self._ids = itertools.count(1)
        self.reset()

    def add(self, script):
        fault = Fault(str(next(self._ids)), script, self._randomness)
        self._faults[fault.id] = fault
        self._changes.notify("faults", self.list())
        return fault

    def remove(self, fault_id):
        found = self._faults.pop(fault_id, None) is not None
        self._changes.notify("faults", self.list())
        return found

    def match(self, provider, method, path, kinds=KINDS):
        """The first fault, oldest first, that takes this request, or None."""
        for fault in self._faults.values():
            if fault.kind in kinds and fault.takes(provider, method, path):
                self._changes.notify("faults", self.list())
                return fault
        return None

    def list(self):
        return [fault.as_dict() for fault in self._faults.values()]

    def reset(self):
        self._faults = {}
        self._randomness = random.Random(self._seed)


def _integer(script, name, default):
    value = script.get(name, default)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(f"{name} must be an integer")
    return value
