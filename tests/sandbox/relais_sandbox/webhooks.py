"""Webhooks out: each provider's own retry rules, kept as records that tests can read."""

import asyncio
import collections
import itertools
import json

import aiohttp

DELIVERIES_MAX = 5000


class MailjetRules:
    """Exactly 200 is success; anything else is tried again every 30 s for 24 h."""

    def delay_after(self, status, attempts):
        if status == 200:
            return None
        return 30.0 if attempts * 30 <= 24 * 3600 else None

    def succeeded(self, status):
        return status == 200


class BrevoRules:
    """Original + 4. Any 4xx but 429 and any 5xx stops at once and loses the event."""

    DELAYS_S = (600.0, 3600.0, 7200.0, 28800.0)

    def delay_after(self, status, attempts):
        if self.succeeded(status) or attempts > len(self.DELAYS_S):
            return None
        if status is not None and status != 429:
            return None
        return self.DELAYS_S[attempts - 1]

    def succeeded(self, status):
        return status is not None and 200 <= status < 300


class Webhooks:
    """Sends and retries. Deliveries are independent: a dead receiver delays nobody else."""

    def __init__(self, clock, changes, faults, journal, settings):
        self._clock = clock
        self._changes = changes
        self._faults = faults
        self._journal = journal
        self._settings = settings
        self._ids = itertools.count(1)
        self._tasks = set()
        self._session = None
        self._retry = asyncio.Event()
        self.deliveries = collections.deque(maxlen=DELIVERIES_MAX)

    async def start(self):
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def stop(self):
        await self.reset()
        if self._session:
            await self._session.close()

    async def reset(self):
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.deliveries.clear()

    def send(self, provider, url, payload, rules, headers=None, on_dead=None):
        """Queues one POST. on_dead() is called when the provider gives up on it."""
        fault = self._faults.match(
            provider, "WEBHOOK", url, {"webhook_lose", "webhook_duplicate", "delay_ms"}
        )
        copies = {"webhook_lose": 0, "webhook_duplicate": 2}.get(fault.kind, 1) if fault else 1
        delay_s = fault.delay_ms / 1000 if fault else 0.0
        for _ in range(copies):
            delivery = {
                "id": next(self._ids),
                "provider": provider,
                "url": url,
                "payload": payload,
                "state": "pending",
                "attempts": [],
                "fault": fault.kind if fault else None,
            }
            self.deliveries.append(delivery)
            run = self._deliver(delivery, rules, headers or {}, on_dead, delay_s)
            self.run(run)

    def run(self, coroutine):
        """A background task of this object's life; reset and stop end it."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, delivery, rules, headers, on_dead, delay_s):
        await self._clock.sleep(delay_s)
        body = json.dumps(delivery["payload"]).encode()
        while True:
            status = await self._attempt(delivery, body, headers)
            if rules.succeeded(status):
                self._finish(delivery, "delivered")
                return
            wait_s = rules.delay_after(status, len(delivery["attempts"]))
            if wait_s is None:
                self._finish(delivery, "dropped")
                if on_dead:
                    on_dead()
                return
            await self._until_retry(wait_s)

    def retry_now(self):
        """What waits for its next attempt makes it now; the clock stays where it is."""
        self._retry.set()
        self._retry = asyncio.Event()

    async def _until_retry(self, wait_s):
        waits = [asyncio.ensure_future(each) for each in (self._clock.sleep(wait_s), self._retry.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _attempt(self, delivery, body, headers):
        started_at = self._clock.now()
        status, problem = None, None
        timeout = aiohttp.ClientTimeout(total=self._settings.webhook_timeout_s)
        try:
            async with self._session.post(
                delivery["url"],
                data=body,
                headers={"Content-Type": "application/json", **headers},
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            problem = str(error).partition(" ssl:")[0] or type(error).__name__
        delivery["attempts"].append({"time": started_at, "status": status, "error": problem})
        self._journal.record(
            delivery["provider"],
            "WEBHOOK",
            delivery["url"],
            started_at=started_at,
            body=delivery["payload"],
            status=status,
            answer=problem,
            fault=delivery["fault"],
        )
        self._changes.notify("webhook", delivery)
        return status

    def _finish(self, delivery, state):
        delivery["state"] = state
        self._changes.notify("webhook", delivery)
