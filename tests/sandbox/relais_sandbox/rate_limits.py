"""Token buckets with the headers Brevo sends on every answer."""

import math


class Bucket:
    """`limit` tokens that refill evenly over `period_s` seconds."""

    def __init__(self, limit, period_s, now):
        self.limit = limit
        self.period_s = period_s
        self.tokens = float(limit)
        self.updated_at = now

    def refill(self, now):
        rate = self.limit / self.period_s
        self.tokens = min(self.limit, self.tokens + (now - self.updated_at) * rate)
        self.updated_at = now

    def seconds_to_full(self):
        return math.ceil((self.limit - self.tokens) * self.period_s / self.limit)


class Family:
    """The limits that one family of endpoints shares; all of them must have a token left."""

    def __init__(self, limits, clock):
        self._limits = limits
        self._clock = clock
        self.reset()

    def take(self):
        """(allowed, headers); headers speak of the bucket that is closest to empty."""
        now = self._clock.now()
        for bucket in self._buckets:
            bucket.refill(now)
        allowed = all(bucket.tokens >= 1 for bucket in self._buckets)
        if allowed:
            for bucket in self._buckets:
                bucket.tokens -= 1
        tightest = min(self._buckets, key=lambda bucket: bucket.tokens / bucket.limit)
        headers = {
            "x-sib-ratelimit-limit": str(tightest.limit),
            "x-sib-ratelimit-remaining": str(int(tightest.tokens)),
            "x-sib-ratelimit-reset": str(tightest.seconds_to_full()),
        }
        return allowed, headers

    def reset(self):
        now = self._clock.now()
        self._buckets = [Bucket(limit, period_s, now) for limit, period_s in self._limits]
