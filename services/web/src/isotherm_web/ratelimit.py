"""How often one address may ask: a token bucket each, in the caller's time."""

from __future__ import annotations

import math
from collections import OrderedDict

from isotherm_web.addresses import household
from isotherm_web.clients import TokenBucket

_MOST_ADDRESSES = 20_000


class RateLimiter:
    """Remembers the addresses that have asked lately, a bounded number of them."""

    def __init__(self, per_second: float, burst: int, most_addresses: int = _MOST_ADDRESSES) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most_addresses = most_addresses
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def retry_seconds(self, address: str, now: float) -> int | None:
        """Count a request; return None when it may be answered, else after how many seconds the next one may."""
        key = household(address)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._burst, now)
            if len(self._buckets) > self._most_addresses:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        if bucket.take(now, self._per_second, self._burst):
            return None
        return max(1, math.ceil((1 - bucket.tokens) / self._per_second))
