"""Who wants to know when something arrived: long polls of tests and the live web page."""

import asyncio

SUBSCRIBER_QUEUE_MAX = 2000


class Changes:
    def __init__(self):
        self._generation = asyncio.Event()
        self._subscribers = set()

    def notify(self, kind, item):
        """Wakes every waiting condition and hands the item to the web pages that are open."""
        for queue in list(self._subscribers):
            if queue.full():
                self._subscribers.discard(queue)  # a page that stopped reading; it reconnects
            else:
                queue.put_nowait((kind, item))
        done, self._generation = self._generation, asyncio.Event()
        done.set()

    async def wait_for(self, condition, timeout_s):
        """Returns the first truthy value of condition(), or its last value at the time limit."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            generation = self._generation
            value = condition()
            remaining = deadline - loop.time()
            if value or remaining <= 0:
                return value
            try:
                await asyncio.wait_for(generation.wait(), remaining)
            except asyncio.TimeoutError:
                return condition()

    def subscribe(self):
        queue = asyncio.Queue(SUBSCRIBER_QUEUE_MAX)
        self._subscribers.add(queue)
        return queue

    def unsubscribe(self, queue):
        self._subscribers.discard(queue)
