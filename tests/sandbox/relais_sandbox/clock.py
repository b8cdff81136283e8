"""The one clock of the sandbox: real time plus an offset that tests may push forward."""

import asyncio
import heapq
import itertools
import time


EPOCH_OF_IDS_S = 1_767_225_600  # 2026-01-01


class Clock:
    """Unix seconds. Everything that waits, waits here, so `advance` fires it at once."""

    def __init__(self):
        self.offset_s = 0.0
        self._timers = []
        self._order = itertools.count()

    def now(self):
        return time.time() + self.offset_s

    def first_id(self):
        """Where ids begin after a start or a reset. Providers never give out an id twice, so ids
        begin above all of an earlier life that made less than one a second."""
        return int(time.time()) - EPOCH_OF_IDS_S

    async def sleep(self, seconds):
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = _Timer(self.now() + seconds, future)
        timer.handle = loop.call_later(seconds, _wake, future)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        try:
            await future
        finally:
            timer.handle.cancel()
            self._drop_finished()

    def advance(self, seconds):
        """Moves the clock forward; sleepers that are now due wake in order of their due time."""
        self.offset_s += seconds
        now = self.now()
        loop = asyncio.get_running_loop()
        for due, _, timer in sorted(self._timers, key=lambda entry: entry[:2]):
            if due <= now:
                _wake(timer.future)
            else:
                timer.handle.cancel()
                timer.handle = loop.call_later(due - now, _wake, timer.future)

    def reset(self):
        self.offset_s = 0.0

    def _drop_finished(self):
        while self._timers and self._timers[0][2].future.done():
            heapq.heappop(self._timers)


class _Timer:
    def __init__(self, due, future):
        self.due = due
        self.future = future
        self.handle = None


def _wake(future):
    if not future.done():
        future.set_result(None)
