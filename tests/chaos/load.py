"""Steady load over kept-alive connections, counting every request that was not answered well."""

import http.client
import json
import threading
import time
import uuid

from people import Person

PER_SECOND = 200
CLIENTS = 8
REGISTERING_EVERY = 50  # of the requests, one registers somebody; a password costs tens of ms


class Request:
    def __init__(self, method, path, body=None, headers=None, wanted=200, person=None):
        self.method = method
        self.path = path
        self.body = None if body is None else json.dumps(body).encode()
        self.headers = dict(headers or {})
        if self.body is not None:
            self.headers.setdefault("Content-Type", "application/json")
        self.wanted = wanted
        self.person = person


def reading():
    return Request("GET", "/v1/jobs?limit=5")


def registering():
    person = Person("en", uuid.uuid4().hex[:8])
    key = {"Idempotency-Key": str(uuid.uuid4())}
    return Request("POST", "/v1/accounts", person.registration(), key, 202, person)


class Load:
    """Clients that ask until stop(), 200 times a second together; `failures` says what went wrong,
    `answered` counts the rest.

    A client whose connection is refused goes to the next port, and ends when all refuse: who
    stopped listening has not taken that request. A request on an open connection must be answered.
    """

    def __init__(self, ports, make=reading, per_second=PER_SECOND):
        """`make` gives the requests, but for those that register people."""
        self._ports = ports
        self._make = make
        self._pause_s = 1 / per_second
        self._next_at = 0.0
        self._count = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(CLIENTS)]
        self.answered = 0
        self.failures = []
        self.registered = []
        self.turned_away = 0  # clients that found nobody listening

    def __enter__(self):
        self._next_at = self.started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised):
        self.stop()

    def stop(self):
        self._stop.set()
        self.join()

    def join(self, timeout_s=60):
        for thread in self._threads:
            thread.join(timeout_s)

    def clients(self):
        return list(self._threads)

    def per_second(self):
        """What was answered, since the start."""
        return self.answered / (time.monotonic() - self.started)

    def wait_answers(self, count, timeout_s=60):
        """Until so many more requests were answered."""
        wanted = self.answered + count
        deadline = time.monotonic() + timeout_s
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{self.answered} of {wanted}: {self.failures[:3]}"
            assert any(thread.is_alive() for thread in self._threads), self.failures[:3]
            time.sleep(0.01)

    def _turn(self):
        """The next request, when it is due."""
        with self._lock:
            self._count += 1
            request = registering() if self._count % REGISTERING_EVERY == 0 else self._make()
            # Who was held up does not hurry afterwards.
            self._next_at = max(self._next_at + self._pause_s, time.monotonic() - 1)
            due_at = self._next_at
        self._stop.wait(max(0.0, due_at - time.monotonic()))
        return request

    def _connect(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.connect()
        except OSError:
            return None
        return connection

    def _ask_on(self):
        connection, place = None, threading.get_ident() % len(self._ports)
        while not self._stop.is_set():
            request = self._turn()
            for _ in range(len(self._ports) if connection is None else 0):
                connection = connection or self._connect(self._ports[place])
                place = place if connection else (place + 1) % len(self._ports)
            if connection is None:
                with self._lock:
                    self.turned_away += 1
                return
            connection = self._ask(connection, request)
        if connection:
            connection.close()

    def _ask(self, connection, request):
        """The connection to go on with, or None when the server closes it."""
        what = f"{request.method} {request.path}"
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as problem:
            self._note(f"{what}: {type(problem).__name__} {problem}")
            connection.close()
            return None
        if response.status != request.wanted:
            self._note(f"{what}: {response.status} {content[:200]!r}")
        with self._lock:
            self.answered += 1
            if request.person and response.status == request.wanted:
                self.registered.append(request.person)
        if response.getheader("Connection", "").lower() == "close":
            connection.close()
            return None
        return connection

    def _note(self, failure):
        with self._lock:
            self.failures.append(failure)
