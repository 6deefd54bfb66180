"""Why an item was shown to somebody, or was not, as an operator reads it."""

from msgspec import Struct


class Stage(Struct, frozen=True):
    """One step of an item on its way to a list."""

    name: str
    passed: bool
    remaining: int
    """Items that are left after this step, this one or others."""
    detail: str


class Why(Struct, frozen=True):
    """Why an item is in a person's list, or why not."""

    request_id: str
    version: int
    scenario: str
    user_id: str
    item_id: str
    k: int
    rank: int | None
    """From 1; null: not shown."""
    stages: list[Stage]
    verdict: str
