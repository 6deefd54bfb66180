"""The events while they are being cleaned: which are still in, and why each of the others is out."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.types import Mask, Times

Codes = NDArray[np.uint32]

KEPT = 0


class Sieve:
    """Columns of the events that are still in, dense, and a reason for each that is not.

    `users`, `items` uint32[kept] are the physical codes of the id columns; `times` int64[kept] µs.
    """

    def __init__(self, events: pl.DataFrame) -> None:
        self.events = events
        self.users: Codes = _codes(events["user_id"])
        self.items: Codes = _codes(events["item_id"])
        self.times: Times = events["timestamp"].fill_null(0).to_numpy()
        self.reasons = np.zeros(len(events), np.uint8)  # [rows]; 0 = kept, else 1 + index into reason_names
        self.reason_names: list[str] = []
        self.details: dict[str, dict[str, int]] = {}
        self._rows: NDArray[np.int64] | None = None  # rows that are still in; None = all
        self._per_user: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    def drop(self, chosen: Mask, reason: str, **details: int) -> None:
        """Take out the chosen[kept] events; `details` are numbers that the finding's message may name."""
        if not chosen.any():
            return
        if reason not in self.reason_names:
            self.reason_names.append(reason)
        self.details[reason] = details
        self.reasons[self.rows[chosen]] = 1 + self.reason_names.index(reason)
        stay = np.flatnonzero(~chosen)  # taking by position is quicker than by mask
        self._rows = stay if self._rows is None else self._rows.take(stay)
        self.users, self.items, self.times = self.users.take(stay), self.items.take(stay), self.times.take(stay)
        self._per_user = None

    @property
    def rows(self) -> NDArray[np.int64]:
        """int64[kept]: where the events that are still in stand in the frame."""
        return np.arange(len(self.events)) if self._rows is None else self._rows

    @property
    def per_user(self) -> NDArray[np.int64]:
        """int64[codes]: how many events of each person are still in."""
        if self._per_user is None:
            self._per_user = np.bincount(self.users)
        return self._per_user

    def column(self, name: str) -> pl.Series | None:
        """One more column of the events that are still in; None where the frame has none."""
        if name not in self.events.columns:
            return None
        return self.events[name] if self._rows is None else self.events[name].gather(self._rows)

    def frame(self) -> pl.DataFrame:
        """The events that are still in."""
        return self.events if self._rows is None else self.events.filter(pl.Series(self.reasons == KEPT))

    def unless(self, reason: str) -> pl.DataFrame:
        """All events as they were read, but for those that were dropped for this reason."""
        if reason not in self.reason_names:
            return self.events
        return self.events.filter(pl.Series(self.reasons != 1 + self.reason_names.index(reason)))

    def dropped(self) -> pl.DataFrame:
        """Every event that is out, with its `reason`."""
        names = pl.Series("reason", [None, *self.reason_names], dtype=pl.String)
        out = self.reasons != KEPT
        if not out.any():
            return self.events.clear().with_columns(pl.Series("reason", [], dtype=pl.String))
        return self.events.filter(pl.Series(out)).with_columns(names.gather(self.reasons[out]))

    def distinct(self, codes: Codes, name: str) -> tuple[NDArray[np.int64], pl.Series, NDArray[np.int64]]:
        """Each code that occurs among `codes`[kept] of a column, its text id, and how many events it has."""
        counts = np.bincount(codes)
        present = np.flatnonzero(counts)
        somewhere = np.zeros(len(counts), np.int64)
        somewhere[codes] = self.rows  # any row of each code serves to look up its text
        return present, self.events[name].gather(somewhere[present]).cast(pl.String), counts[present]


def _codes(ids: pl.Series) -> Codes:
    return ids.to_physical().fill_null(0).to_numpy()


def of_codes(codes: Codes, chosen: NDArray[np.int64]) -> Mask:
    """bool[kept]: the events whose code is one of the chosen."""
    if not len(chosen) or not len(codes):
        return np.zeros(len(codes), np.bool_)
    wanted = np.zeros(int(codes.max()) + 1, np.bool_)
    wanted[chosen] = True
    return wanted[codes]
