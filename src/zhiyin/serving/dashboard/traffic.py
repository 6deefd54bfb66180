"""How much the service is asked, and how fast it answers: from the counters that Prometheus reads, too."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from zhiyin.serving.metrics import SECONDS, Metrics
from zhiyin.serving.routes.health import STARTED
from zhiyin.serving.service import Service

LATE = 300.0
"""Seconds that count as of late."""
LEAST = 2.0
"""Seconds between two readings that are kept."""
API = ("/v1/", "/api/")
PROBES = frozenset({"/v1/health", "/v1/ready", "/api/health/live", "/api/health/ready"})
READ = ("zhiyin_request_seconds", "zhiyin_answers", "zhiyin_events", "zhiyin_impressions_dropped")
BOUNDS = (*SECONDS, np.inf)


@dataclass(frozen=True)
class Traffic:
    """What the API did in some time; pages of the dashboard and probes do not count."""

    seconds: float
    """How long that was, up to now."""
    is_late: bool
    """Of the last minutes; else since the service began."""
    requests: int
    buckets: NDArray[np.int64]
    """int64[_]: requests that took at most as long as each of BOUNDS, and longer than the one before."""
    refused_events: int
    """Since the service began."""
    dropped_lists: int
    """The same."""
    stale_lists: int
    """The same: answered without the newest events, because the store could not be read."""

    @property
    def per_minute(self) -> float:
        """Requests."""
        return 60 * self.requests / max(self.seconds, 1.0)

    def quantile(self, q: float) -> float | None:
        """Seconds within which a part q of the requests was answered; None without requests.

        Interpolated within a bucket; infinite beyond the last bound.
        """
        total = int(self.buckets.sum())
        if not total:
            return None
        so_far = np.cumsum(self.buckets)
        place = int(np.searchsorted(so_far, q * total))
        low, high = (0.0, *BOUNDS)[place], BOUNDS[place]
        within = (q * total - (so_far[place] - self.buckets[place])) / self.buckets[place]
        return float(low + (high - low) * within) if np.isfinite(high) else float("inf")


@dataclass(frozen=True)
class _Reading:
    moment: float
    buckets: NDArray[np.int64]
    refused_events: int
    dropped_lists: int
    stale_lists: int


_readings: WeakKeyDictionary[Service, deque[_Reading]] = WeakKeyDictionary()


async def traffic(service: Service) -> Traffic:
    """Of late where somebody has looked lately, else since the service began."""
    now = await asyncio.to_thread(_read, service.metrics)
    kept = _readings.setdefault(service, deque())
    while kept and now.moment - kept[0].moment > LATE:
        kept.popleft()
    if not kept or now.moment - kept[-1].moment >= LEAST:
        kept.append(now)
    since = kept[0] if now.moment - kept[0].moment >= 60 else None
    buckets = now.buckets if since is None else now.buckets - since.buckets
    seconds = now.moment - (STARTED if since is None else since.moment)
    requests = int(buckets.sum())
    lost = (now.refused_events, now.dropped_lists, now.stale_lists)
    return Traffic(seconds, since is not None, requests, buckets, *lost)


def _read(metrics: Metrics) -> _Reading:
    cumulated = np.zeros(len(BOUNDS), np.int64)
    refused = dropped = stale = 0
    for name, labels, value in metrics.samples(READ):
        if name == "zhiyin_request_seconds_bucket" and _is_api(labels["route"]):
            cumulated[_place(labels["le"])] += int(value)
        elif name == "zhiyin_events_total" and labels["outcome"] == "refused":
            refused += int(value)
        elif name == "zhiyin_impressions_dropped_total":
            dropped += int(value)
        elif name == "zhiyin_answers_total" and labels["stale"] == "true":
            stale += int(value)
    return _Reading(time.monotonic(), np.diff(cumulated, prepend=0), refused, dropped, stale)


def _is_api(route: str) -> bool:
    return route.startswith(API) and route not in PROBES


def _place(bound: str) -> int:
    return int(np.argmin(np.abs(np.asarray(BOUNDS[:-1]) - float(bound)))) if bound != "+Inf" else len(BOUNDS) - 1
