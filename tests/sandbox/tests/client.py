"""A plain HTTP client for the tests: one connection per call unless told otherwise."""

import base64
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Api:
    def __init__(self, port, prefix="", headers=None, basic=None):
        self.port = port
        self.prefix = prefix
        self.headers = dict(headers or {})
        if basic:
            pair = base64.b64encode(":".join(basic).encode()).decode()
            self.headers["Authorization"] = f"Basic {pair}"

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)

    def call(self, method, path, body=None, /, headers=None, connection=None, **query):
        """Raises what http.client raises when the connection breaks."""
        own = connection is None
        connection = connection or self.connect()
        target = self.prefix + path
        if query:
            target += "?" + urllib.parse.urlencode(query)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.headers, **(headers or {})}
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, target, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            if own:
                connection.close()

    def get(self, path, /, **query):
        return self.call("GET", path, **query)

    def post(self, path, body, /, **query):
        return self.call("POST", path, body, **query)

    def put(self, path, body, /, **query):
        return self.call("PUT", path, body, **query)

    def delete(self, path, /, **query):
        return self.call("DELETE", path, **query)
