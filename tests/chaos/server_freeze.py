"""SIGSTOP of a whole server, for a while."""

import contextlib
import os
import pathlib
import signal
import threading


class ServerFreezes:
    """They end by themselves, on a thread: whoever froze a server may be waiting for it."""

    def __init__(self, suite):
        self._suite = suite
        self._frozen = {}  # server: (timer, process ids)
        self._lock = threading.Lock()

    def freeze(self, server, seconds):
        """The server's first process first, so that it makes no more of them."""
        self.thaw(server)
        first = self._suite.pid(server)
        if first is None:
            return
        send([first], signal.SIGSTOP)
        every = [first, *children_of(first)]
        send(every, signal.SIGSTOP)
        timer = threading.Timer(seconds, self.thaw, [server])
        with self._lock:
            self._frozen[server] = (timer, every)
        timer.daemon = True
        timer.start()

    def thaw(self, server):
        with self._lock:
            timer, every = self._frozen.pop(server, (None, []))
            send(every, signal.SIGCONT)
        if timer:
            timer.cancel()

    def thaw_all(self):
        for server in list(self._frozen):
            self.thaw(server)


def send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def children_of(pid):
    found = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]
