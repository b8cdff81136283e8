"""An object store that has too much to do: every request is answered 503 SlowDown."""

import http.server
import threading

BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _refuse(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(BODY)
        self.server.refused += 1

    do_GET = do_HEAD = do_PUT = do_DELETE = _refuse

    def log_message(self, *arguments):
        """Nothing: what the server saw is counted."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    refused = 0

    def handle_error(self, *arguments):
        """A client whose connection was cut has gone; nobody needs to know."""


class SlowDown:
    """`port` on 127.0.0.1; `refused` counts."""

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]
        return self

    def __exit__(self, *raised):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def refused(self):
        return self._server.refused
