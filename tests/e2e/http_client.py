"""HTTP for the story: one connection per request, times measured, standard library only."""

import http.client
import json
import secrets
import time
import urllib.parse
import uuid

TIMEOUT_S = 20.0
RETRY_PAUSE_S = 0.1
# What a client of a marketplace would try again: the request may never have been handled.
RETRIED_STATUSES = {502, 503, 504}


class Answer:
    """status 0 means that no answer came; `problem` then says why."""

    def __init__(self, status, headers=None, body=b"", took_ms=0.0, problem=None):
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.took_ms = took_ms
        self.problem = problem

    @property
    def json(self):
        """The parsed body, or None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def describe(self):
        """One line for a person: what was seen."""
        if self.status == 0:
            return f"no answer: {self.problem}"
        return f"{self.status} {self.body[:400].decode('utf-8', 'replace')}".strip()


def send(method, url, body=None, headers=None, timeout_s=TIMEOUT_S):
    """One request. A body that is not bytes is sent as JSON. Never raises for network reasons."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_s)
    headers = dict(headers or {})
    data = body
    if body is not None and not isinstance(body, bytes):
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    started = time.perf_counter()
    try:
        _write(connection, method, target, data, headers)
        response = connection.getresponse()
        content = response.read()
        took_ms = (time.perf_counter() - started) * 1000
        return Answer(response.status, dict(response.headers), content, took_ms)
    except (OSError, http.client.HTTPException) as problem:
        took_ms = (time.perf_counter() - started) * 1000
        return Answer(0, took_ms=took_ms, problem=f"{type(problem).__name__}: {problem}")
    finally:
        connection.close()


def _write(connection, method, target, data, headers):
    """A server may refuse a request before it has read all of it; then its answer counts."""
    try:
        connection.request(method, target, data, headers)
    except (BrokenPipeError, ConnectionResetError):
        pass


class Gateway:
    """The suite as a client sees it. patience_s > 0 repeats what could not be handled, with the
    same idempotency key, as a good client does."""

    def __init__(self, base, patience_s=0.0):
        self.base = base.rstrip("/")
        self.patience_s = patience_s
        self.last_trace = None  # (trace id, unix seconds when it was sent)

    def call(self, method, path, body=None, token=None, key=None, headers=None):
        """key: an Idempotency-Key; True makes one."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if key:
            sent["Idempotency-Key"] = str(uuid.uuid4()) if key is True else key
        trace_id, sent_at = secrets.token_hex(16), time.time()
        sent["traceparent"] = f"00-{trace_id}-{secrets.token_hex(8)}-01"
        deadline = time.monotonic() + self.patience_s
        while True:
            answer = send(method, self.base + path, body, sent)
            retriable = answer.status == 0 or answer.status in RETRIED_STATUSES
            if not retriable or time.monotonic() >= deadline:
                break
            time.sleep(RETRY_PAUSE_S)
        self.last_trace = (_trace_of(answer) or trace_id, sent_at)
        return answer

    def get(self, path, token=None):
        return self.call("GET", path, token=token)

    def post(self, path, body=None, token=None, key=None):
        return self.call("POST", path, {} if body is None else body, token=token, key=key)


class Sandbox:
    """What arrived outside. Waits are long polls on conditions at the sandbox."""

    def __init__(self, base):
        self.base = base.rstrip("/")

    def call(self, method, path, body=None, timeout_s=TIMEOUT_S, **query):
        target = f"{self.base}/__sim{path}"
        wanted = {name: value for name, value in query.items() if value is not None}
        if wanted:
            target += "?" + urllib.parse.urlencode(wanted)
        answer = send(method, target, body, timeout_s=timeout_s)
        if answer.status not in (200, 408):
            raise ConnectionError(f"the sandbox said {answer.describe()}")
        return answer

    def wait(self, what, timeout_s=10.0, count=1, **query):
        """The list of items once `count` fit; (items, False) when the time ran out."""
        answer = self.call(
            "GET", f"/{what}/wait", None, timeout_s + 5, count=count, timeout=timeout_s, **query
        )
        return answer.json, answer.status == 200

    def find(self, what, **query):
        return self.call("GET", f"/{what}", **query).json

    def post(self, path, body):
        return self.call("POST", path, body).json


def _trace_of(answer):
    """The trace id that the gateway answered with, when it says so."""
    for name, value in answer.headers.items():
        if name.lower() == "traceparent" and value.count("-") == 3:
            return value.split("-")[1]
    return None
