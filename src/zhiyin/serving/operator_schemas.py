"""What operators read over HTTP: releases, trainings, readiness. Times are ISO-8601, UTC."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType


class Version(Struct, frozen=True):
    """One release."""

    number: int
    created: str | None
    metrics: dict[str, float]
    """What was measured before it was published."""
    serving: bool
    previous: bool
    """What a rollback would go back to."""
    problem: str
    """Why its manifest cannot be read; empty if it can."""


class Versions(Struct, frozen=True):
    """All releases, oldest first."""

    serving: int
    """The one that this process answers with."""
    versions: list[Version]


class Change(Struct, frozen=True):
    """Another release answers."""

    serving: int
    before: int


class Queued(Struct, frozen=True):
    """A training was asked for."""

    state: Annotated[str, Meta(description="queued")]


class Retraining(Struct, frozen=True):
    """The trainings of this service."""

    state: str
    """"idle", "running", or "queued": asked for and not begun."""
    queued: bool
    """Whether one more was asked for."""
    began: str | None
    ended: str | None
    succeeded: str | None
    result: str
    """A sentence on the last one; empty before it."""
    failures: int
    """In a row."""
    next: str | None
    """When the clock alone begins one; null if only a request or new events do."""


class Ready(Struct, frozen=True):
    """Whether to send requests here."""

    status: str
    """"ready" or "not ready"."""
    version: int
    reasons: list[str] | UnsetType = UNSET
    """Why not."""
