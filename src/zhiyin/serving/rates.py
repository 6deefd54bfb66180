"""How often each caller may ask: one bucket of tokens each, which refills at its rate."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

from zhiyin.registry.rate import Rate

MOST_BUCKETS = 10_000
"""Callers that are counted; beyond it, who asked longest ago starts with a full bucket again."""


@dataclass(frozen=True)
class Allowance:
    """What remains after a request."""

    granted: bool
    left: int
    wait_s: float
    """Until one more is allowed; 0 if it is now."""
    rate: Rate
    burst: int

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 writes them."""
        window = max(1, math.ceil(self.burst / self.rate.per_second))
        said = {
            "RateLimit-Policy": f'"key";q={self.burst};w={window}',
            "RateLimit": f'"key";r={self.left};t={math.ceil(self.wait_s)}',
        }
        return said if self.granted else {**said, "Retry-After": str(max(1, math.ceil(self.wait_s)))}


class Rates:
    """The buckets; `now` is in seconds of a clock that only goes forward."""

    def __init__(self, *, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted
        self._counting = threading.Lock()

    def take(self, who: str, rate: Rate, burst: int, now: float) -> Allowance:
        """One token of a caller's, if there is one."""
        with self._counting:
            tokens = self._tokens(who, rate, burst, now)
            granted = tokens >= 1
            tokens -= granted
            self._buckets[who] = (tokens, now)
            self._buckets.move_to_end(who)
            while len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return Allowance(granted, int(tokens), max(0.0, 1 - tokens) / rate.per_second, rate, burst)

    def give_back(self, who: str, rate: Rate, burst: int, now: float) -> None:
        """A token that was taken for nothing."""
        with self._counting:
            self._buckets[who] = (min(float(burst), self._tokens(who, rate, burst, now) + 1), now)

    def _tokens(self, who: str, rate: Rate, burst: int, now: float) -> float:
        tokens, since = self._buckets.get(who, (float(burst), now))
        return min(float(burst), tokens + max(0.0, now - since) * rate.per_second)
