"""The events while they are being cleaned: which are still in, and why each of the others is out.

Nothing is taken out of the columns before the end: every rule looks at whole columns, and only the reasons change.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.compute.threads import together
from zhiyin.data.codes import Distinct, distinct, taken
from zhiyin.types import Mask, Times

Codes = NDArray[np.uint32]

KEPT = 0


class Sieve:
    """Whole columns of the events, and a reason for each event that is out.

    `users`, `items` uint32[rows] are the physical codes of the id columns; `times` int64[rows] µs; where an id or a
    time is missing, a 0 stands for it until the event is dropped.
    """

    def __init__(self, events: pl.DataFrame) -> None:
        self.events = events
        self.users: Codes = _codes(events["user_id"])
        self.items: Codes = _codes(events["item_id"])
        self.times: Times = events["timestamp"].fill_null(0).to_numpy()
        self.reasons = np.zeros(len(events), np.uint8)  # [rows]; 0 = kept, else 1 + index into reason_names
        self.reason_names: list[str] = []
        self.details: dict[str, dict[str, int]] = {}
        users, items = together(lambda: distinct(events["user_id"]), lambda: distinct(events["item_id"]))
        self.ids = {"user_id": users, "item_id": items}  # of all events as they were read
        self.per_user = _counts(events["user_id"], users)  # int64[codes]: how many of each person are still in
        self.per_item = _counts(events["item_id"], items)  # int64[codes]
        self._kept = len(events)

    def __len__(self) -> int:
        return self._kept

    def drop(self, chosen: Mask, reason: str, **details: int) -> None:
        """Take out those of the chosen[rows] that are still in; `details` are numbers for the finding's message."""
        rows = np.flatnonzero(chosen)
        rows = rows[self.reasons[rows] == KEPT]
        if not len(rows):
            return
        if reason not in self.reason_names:
            self.reason_names.append(reason)
        self.details[reason] = details
        self.reasons[rows] = 1 + self.reason_names.index(reason)
        self.per_user = self.per_user - np.bincount(self.users[rows], minlength=len(self.per_user))
        self.per_item = self.per_item - np.bincount(self.items[rows], minlength=len(self.per_item))
        self._kept -= len(rows)

    @property
    def kept(self) -> Mask:
        """bool[rows]: the events that are still in."""
        return self.reasons == KEPT

    def column(self, name: str) -> pl.Series | None:
        """One more whole column; None where the frame has none."""
        return self.events[name] if name in self.events.columns else None

    def frame(self) -> pl.DataFrame:
        """The events that are still in."""
        return self.events.filter(pl.Series(self.kept)) if self.reason_names else self.events

    def unless(self, reason: str) -> pl.DataFrame:
        """All events as they were read, but for those that were dropped for this reason."""
        if reason not in self.reason_names:
            return self.events
        return self.events.filter(pl.Series(self.reasons != 1 + self.reason_names.index(reason)))

    def dropped(self) -> pl.DataFrame:
        """Every event that is out, with its `reason`."""
        names = pl.Series("reason", [None, *self.reason_names], dtype=pl.String)
        rows = np.flatnonzero(self.reasons)
        return self.events[rows].with_columns(names.gather(self.reasons[rows]))

    def of_codes(self, name: str, chosen: NDArray[np.int64]) -> Mask:
        """bool[rows]: the events that are still in and whose user_id or item_id has one of the chosen codes."""
        codes, counts = (self.users, self.per_user) if name == "user_id" else (self.items, self.per_item)
        if not len(chosen):
            return np.zeros(len(codes), np.bool_)
        wanted = np.zeros(len(counts), np.bool_)
        wanted[chosen] = True
        found = taken(wanted, codes)
        found &= self.kept
        return found

    def distinct_items(self) -> tuple[NDArray[np.int64], pl.Series]:
        """Each code that occurs among the items of the events that are still in, and its text id."""
        present = np.flatnonzero(self.per_item)
        return present, self.texts("item_id", present)

    def texts(self, name: str, codes: NDArray[np.int64]) -> pl.Series:
        """The text ids of some codes of user_id or item_id."""
        ids = self.ids[name]
        return ids.texts.gather(np.searchsorted(ids.codes, codes))


def _counts(column: pl.Series, ids: Distinct) -> NDArray[np.int64]:
    """int64[codes]: how many events stand under each code, those whose id is missing under 0."""
    counts = np.zeros(int(ids.codes.max(initial=0)) + 1, np.int64)
    counts[ids.codes] = ids.counts
    counts[0] += column.null_count()
    return counts


def _codes(ids: pl.Series) -> Codes:
    return ids.to_physical().fill_null(0).to_numpy()
