"""Steady load over kept-alive connections, counting every request that was not answered well."""

import http.client
import json
import threading
import time
import uuid

from people import Person


class Load:
    """Threads that ask until stop(); `failures` says what went wrong, `answered` counts the rest.

    A connection that the server refuses ends its thread without a failure: who stopped listening
    has not taken that request. A request on an open connection must be answered.
    """

    def __init__(self, port, readers=4, registrations=1):
        self._port = port
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._read) for _ in range(readers)]
        self._threads += [threading.Thread(target=self._register) for _ in range(registrations)]
        self.answered = 0
        self.failures = []
        self.registered = []
        self.refused = 0

    def __enter__(self):
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

    def wait_answers(self, count, timeout_s=60):
        """Until so many more requests were answered."""
        wanted = self.answered + count
        deadline = time.monotonic() + timeout_s
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{self.answered} of {wanted}: {self.failures[:3]}"
            assert any(thread.is_alive() for thread in self._threads), self.failures[:3]
            time.sleep(0.01)

    def _read(self):
        self._repeat(lambda: ("GET", "/v1/jobs?limit=5", None, 200, None))

    def _register(self):
        def register():
            person = Person("en", uuid.uuid4().hex[:8])
            body = json.dumps(person.registration()).encode()
            return "POST", "/v1/accounts", body, 202, person

        self._repeat(register)

    def _repeat(self, make):
        connection = None
        while not self._stop.is_set():
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
                try:
                    connection.connect()
                except OSError:
                    self.refused += 1
                    return
            connection = self._ask(connection, *make())
        if connection:
            connection.close()

    def _ask(self, connection, method, path, body, wanted, person):
        """The connection to go on with, or None when the server closes it."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if body else {}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as problem:
            self._note(f"{method} {path}: {type(problem).__name__} {problem}")
            connection.close()
            return None
        if response.status != wanted:
            self._note(f"{method} {path}: {response.status} {content[:200]!r}")
        with self._lock:
            self.answered += 1
            if person and response.status == wanted:
                self.registered.append(person)
        if response.getheader("Connection", "").lower() == "close":
            connection.close()
            return None
        return connection

    def _note(self, failure):
        with self._lock:
            self.failures.append(failure)
