"""What is counted and timed, for Prometheus; several workers write into files, and whoever is asked adds up."""

import os
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from zhiyin.serving.current import Noted

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which the client knows that it is one of several."""

MEMORY = "/dev/shm"  # noqa: S108 - the directory within it has a name that nobody can guess
SECONDS = (0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.035, 0.06, 0.1, 0.2, 0.5, 1.0, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
MOST_COMBINATIONS = 1_000
"""Combinations of label values of one metric; further ones count as "other"."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of use to nobody here


class Metrics:
    """One per process; the methods take microseconds and never fail."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        names = ["route", "method", "status"]
        self._requests = _Labelled(Counter("zhiyin_requests", "Requests answered", names, registry=registry))
        self._seconds = _Labelled(
            Histogram("zhiyin_request_seconds", "Time in the service", ["route"], buckets=SECONDS, registry=registry)
        )
        names = ["scenario", "source", "fallback", "stale"]
        self._answers = _Labelled(Counter("zhiyin_answers", "Lists answered", names, registry=registry))
        self._events = _Labelled(
            Counter("zhiyin_events", "Events by what became of them", ["outcome"], registry=registry)
        )
        self._dropped = 0
        self.impressions_dropped = Counter(
            "zhiyin_impressions_dropped", "Shown lists that were not stored", registry=registry
        )
        self.commit_seconds = Histogram(
            "zhiyin_commit_seconds", "Time of a transaction of the store", buckets=SECONDS, registry=registry
        )
        self.reload_failures = Counter("zhiyin_reload_failures", "Releases that could not be taken", registry=registry)
        self._gauges = {
            name: Gauge(f"zhiyin_{name}", about, multiprocess_mode=mode, registry=registry)  # type: ignore[arg-type]  # its stub wants literals
            for name, about, mode in GAUGES
        }
        self._collectors: list[Collector] = []
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def ended(self, noted: Noted, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        method = method if method in METHODS else OTHER
        self._requests.of(route, method, str(status)).inc()
        self._seconds.of(route).observe(seconds)
        if noted.source:
            flags = ("true" if noted.fallback else "false", "true" if noted.stale else "false")
            self._answers.of(noted.scenario, noted.source, *flags).inc()
        if noted.stored:
            self._events.of("stored").inc(noted.stored)
        if noted.repeated:
            self._events.of("repeated").inc(noted.repeated)
        if noted.refused:
            self._events.of("refused").inc(noted.refused)

    def count_dropped(self, total: int) -> None:
        """How many shown lists were not stored since the process began."""
        self.impressions_dropped.inc(total - self._dropped)
        self._dropped = total

    def gauge(self, values: Mapping[str, float]) -> None:
        """What is so now, by a name of GAUGES."""
        for name, value in values.items():
            self._gauges[name].set(value)

    def add(self, collector: Collector) -> None:
        """Ask it, too, whenever somebody reads."""
        self._registry.register(collector)
        self._collectors.append(collector)

    def text(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        return generate_latest(self._together())

    def samples(self, metrics: Collection[str]) -> Iterator[tuple[str, dict[str, str], float]]:
        """Name, labels and value of each sample of some metrics; of several workers, together. Not for the loop."""
        for metric in self._together().collect():
            if metric.name in metrics:
                yield from ((one.name, one.labels, one.value) for one in metric.samples)

    def _together(self) -> CollectorRegistry:
        folder = os.environ.get(DIRECTORY)
        if folder is None:
            return self._registry
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
        for collector in self._collectors:
            together.register(collector)
        return together


def shared_directory(environment: MutableMapping[str, str]) -> AbstractContextManager[str]:
    """A directory in which workers count together, named in their environment and removed in the end."""
    in_memory = MEMORY if os.access(MEMORY, os.W_OK) else None  # a disk that is full would kill who writes to a map
    folder = TemporaryDirectory(prefix="zhiyin-metrics-", dir=in_memory)
    environment[DIRECTORY] = folder.name
    return folder


def forget(pid: int, folder: str) -> None:
    """A worker has died: what it counted stays, what it held does not."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


GAUGES = (
    ("store_queue_events", "Events that wait for the disk", "livesum"),
    ("sessions", "People whose history is held in memory", "livesum"),
    ("scoring_queue", "Questions that are scored or wait for it", "livesum"),
    ("worker_memory_bytes", "Resident memory", "liveall"),
    ("worker_cpu_seconds", "Processor time since the start", "liveall"),
)


Parent = TypeVar("Parent", Counter, Histogram)


class _Labelled(Generic[Parent]):
    """The children of a metric by label values: looking them up here is ten times quicker than there."""

    def __init__(self, metric: Parent) -> None:
        self._metric: Parent = metric
        self._children: dict[tuple[str, ...], Parent] = {}

    def of(self, *values: str) -> Parent:
        child = self._children.get(values)
        if child is None:
            if len(self._children) >= MOST_COMBINATIONS:
                values = (OTHER,) * len(values)
            child = self._children[values] = self._metric.labels(*values)
        return child
