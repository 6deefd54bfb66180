"""What somebody should look at, in plain words, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from zhiyin.serving.dashboard.traffic import Traffic
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.service import Service

Tone: TypeAlias = Literal["bad", "warn", "note"]
DAY = 86_400_000_000  # µs
OLD_DAYS = 7
"""A release that is older should be trained anew."""


@dataclass(frozen=True)
class Point:
    """One of them."""

    tone: Tone
    said: Said


@dataclass(frozen=True)
class Seen:
    """What the points are made of."""

    now: int
    trained: int | None
    newest_event: int | None
    """When the last event came in, µs UTC; None before the first."""
    store_problem: str
    traffic: Traffic


def points(service: Service, seen: Seen) -> list[Point]:
    """All that deserves attention; empty if nothing does."""
    found = [*_broken(service, seen), *_old(seen), *_lost(service, seen)]
    return sorted(found, key=lambda point: ("bad", "warn", "note").index(point.tone))


def _broken(service: Service, seen: Seen) -> Iterator[Point]:
    if service.readiness.ending:
        yield Point("bad", Said.of("attention.ending"))
    if seen.store_problem:
        yield Point("bad", Said.of("attention.store", problem=seen.store_problem))
    if service.live.problem:
        yield Point("bad", Said.of("attention.release", problem=service.live.problem))
    if service.readiness.training_problem:
        yield Point("warn", Said.of("attention.training", problem=service.readiness.training_problem))


def _old(seen: Seen) -> Iterator[Point]:
    if seen.trained is not None and (days := (seen.now - seen.trained) // DAY) >= OLD_DAYS:
        yield Point("warn", Said.of("attention.old", count=int(days)))
    if seen.store_problem:
        return
    if seen.newest_event is None:
        yield Point("note", Said.of("attention.no_events"))
    elif (hours := (seen.now - seen.newest_event) // (DAY // 24)) >= 24:
        yield Point("warn", Said.of("attention.quiet", count=int(hours)))


def _lost(service: Service, seen: Seen) -> Iterator[Point]:
    if seen.traffic.refused_events:
        yield Point("warn", Said.of("attention.refused", count=seen.traffic.refused_events))
    if seen.traffic.dropped_lists:
        yield Point("warn", Said.of("attention.dropped", count=seen.traffic.dropped_lists))
    if seen.traffic.stale_lists:
        yield Point("warn", Said.of("attention.stale", count=seen.traffic.stale_lists))
    if not service.settings.serve.write_back:
        yield Point("note", Said.of("attention.not_written"))
