"""What somebody did, as answers see it, and the same with some of it left out or added, which nobody stores."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhiyin.data.histories import Histories
from zhiyin.registry.release import Release
from zhiyin.serving.columns import iso
from zhiyin.serving.schemas import PastEvent

MOST_CHANGES = 50
"""Of one question: all of them stand in its address."""


@dataclass(frozen=True)
class Act:
    """One event of a history."""

    item: int
    """Index of the item in the release."""
    item_id: str
    event_type: str
    time: int  # µs UTC
    value: float | None = None
    is_added: bool = False
    """It did not happen: somebody tries what it would change."""

    @property
    def mark(self) -> str:
        """What names it in an address."""
        return f"{self.event_type}:{self.item_id}" if self.is_added else f"{self.time}:{self.item_id}"

    def asked(self) -> PastEvent:
        """The same in a question with a history."""
        return PastEvent(self.item_id, iso(self.time), self.event_type, self.value)


@dataclass(frozen=True)
class Changes:
    """What is left out of a history, and what is added at its end."""

    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @classmethod
    def of(cls, without: Iterable[str], added: Iterable[str]) -> "Changes":
        """Of marks, at most 50 each, each once."""
        return cls(*(tuple(dict.fromkeys(marks))[:MOST_CHANGES] for marks in (without, added)))

    def __bool__(self) -> bool:
        return bool(self.without or self.added)

    def of_acts(self, release: Release, acts: Sequence[Act], now: int) -> list[Act]:
        """A history, oldest first, with these changes; what was added happened just now."""
        gone = set(self.without)
        kept = [one for one in acts if one.mark not in gone]
        for place, mark in enumerate(self.added):
            event_type, _, item_id = mark.partition(":")
            item = int(release.items.indexes([item_id])[0])
            if event_type and item >= 0:
                time = now - (len(self.added) - place) * 1_000_000
                kept.append(Act(item, item_id, event_type, time, is_added=True))
        return kept


def acts_of(release: Release, past: Histories) -> list[Act]:
    """The one row of a history, oldest first; items that the release does not know are left out."""
    names = past.kind_names
    columns = zip(past.items.tolist(), past.times.tolist(), past.kinds.tolist(), past.values.tolist(), strict=True)
    ids = release.items.ids(past.items).to_list()
    return [
        Act(item, item_id, names[kind], time, None if math.isnan(value) else value)
        for (item, time, kind, value), item_id in zip(columns, ids, strict=True)
        if item_id is not None
    ]
