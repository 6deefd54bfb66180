"""A few people of the shop whose eyes one may borrow, and what they like."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from zhiyin.data.store.records import is_session
from zhiyin.registry.release import Release

MOST_PEOPLE, MOST_LIKED = 6, 2
LEAST_EVENTS = 5
SEED = 3


@dataclass(frozen=True)
class Somebody:
    """One of them."""

    person: str
    events: int
    likes: tuple[str, ...]
    """The categories of most of these events."""


_found: WeakKeyDictionary[Release, list[Somebody]] = WeakKeyDictionary()


def some_people(release: Release) -> list[Somebody]:
    """Always the same ones of a release: drawn among those of whom something is known."""
    if release not in _found:
        _found[release] = _some(release)
    return _found[release]


def _some(release: Release) -> list[Somebody]:
    lengths = release.histories.lengths
    known = np.flatnonzero(lengths >= min(LEAST_EVENTS, int(lengths.max(initial=0))))
    rng = np.random.default_rng(SEED)
    drawn = rng.choice(known, min(2 * MOST_PEOPLE, len(known)), replace=False)
    named = [(int(row), release.users.texts[int(row)]) for row in drawn]
    people = [(row, name) for row, name in named if not is_session(name)][:MOST_PEOPLE]
    return [Somebody(name, int(lengths[row]), _likes(release, row)) for row, name in people]


def _likes(release: Release, row: int) -> tuple[str, ...]:
    frame = release.pipeline.catalog.frame
    if "category" not in frame.columns or frame["category"].dtype.is_nested():
        return ()
    past = release.histories[np.array([row])].items
    values = frame["category"][past[past >= 0].tolist()].drop_nulls().cast(str)
    counts: dict[str, int] = {}
    for value in values.to_list():
        counts[value] = counts.get(value, 0) + 1
    return tuple(sorted(counts, key=lambda value: -counts[value])[:MOST_LIKED])
