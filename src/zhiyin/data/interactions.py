"""The log in columns, ascending in time, immutable."""

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from zhiyin.compute.threads import together
from zhiyin.data.histories import Histories
from zhiyin.types import Indexes, Mask, Times

MANY = 1_000_000  # rows that are taken in threads


@dataclass(frozen=True, eq=False)
class Interactions:
    """One row per event. Rows with equal times stand in the order of user, item and kind, however they came."""

    users: Indexes  # int32[events]
    items: Indexes  # int32[events]
    times: Times  # int64[events], µs UTC
    kinds: NDArray[np.uint8]  # [events], index into kind_names
    weights: NDArray[np.float32]  # [events], how strong a sign of interest; 1 unless configured
    values: NDArray[np.float32]  # [events], a rating or an amount; NaN where there is none
    prices: NDArray[np.float32]  # [events], paid per unit; NaN where unknown
    n_users: int
    n_items: int
    kind_names: tuple[str, ...] = ("interaction",)

    @classmethod
    def of(
        cls,
        users: NDArray[np.integer],
        items: NDArray[np.integer],
        times: NDArray[np.integer],
        *,
        n_users: int,
        n_items: int,
        kinds: NDArray[np.uint8] | None = None,
        weights: NDArray[np.float32] | None = None,
        values: NDArray[np.float32] | None = None,
        prices: NDArray[np.float32] | None = None,
        kind_names: tuple[str, ...] = ("interaction",),
    ) -> "Interactions":
        """Sort columns into a log; a column that is left out is 1 (weights) or NaN (values, prices)."""
        count = len(users)
        log = cls(
            users.astype(np.int32, copy=False),
            items.astype(np.int32, copy=False),
            times.astype(np.int64, copy=False),
            np.zeros(count, np.uint8) if kinds is None else kinds,
            np.broadcast_to(np.float32(1.0), count) if weights is None else weights,
            np.broadcast_to(np.float32(np.nan), count) if values is None else values,
            np.broadcast_to(np.float32(np.nan), count) if prices is None else prices,
            n_users,
            n_items,
            kind_names,
        )
        order = _time_order(log)
        return log if order is None else log[order]

    def __len__(self) -> int:
        return len(self.users)

    def __repr__(self) -> str:
        kinds = ", ".join(self.kind_names)
        return f"Interactions({len(self):,} events of {self.n_users:,} users with {self.n_items:,} items: {kinds})"

    def __getitem__(self, rows: slice | Mask | NDArray[np.int64]) -> "Interactions":
        """Some of the rows, in the same order; the numbers of users and items stay."""
        columns = (self.users, self.items, self.times, self.kinds, self.weights, self.values, self.prices)
        many = not isinstance(rows, slice) and len(rows) >= MANY
        tasks = [functools.partial(_taken, column, rows) for column in columns]
        users, items, times, kinds, weights, values, prices = together(*tasks) if many else [task() for task in tasks]
        return Interactions(
            users, items, times, kinds, weights, values, prices, self.n_users, self.n_items, self.kind_names
        )

    def before(self, time: int) -> "Interactions":
        """What happened earlier than `time` (µs UTC)."""
        return self[: int(np.searchsorted(self.times, time, "left"))]

    def since(self, time: int) -> "Interactions":
        """What happened at `time` (µs UTC) or later."""
        return self[int(np.searchsorted(self.times, time, "left")) :]

    def of_kinds(self, *names: str) -> "Interactions":
        """Only the events of these kinds."""
        return self[np.isin(self.kinds, [i for i, name in enumerate(self.kind_names) if name in names])]

    @cached_property
    def matrix(self) -> csr_array:
        """float32[users, items], sparse: 1 where a person had to do with an item."""
        matrix = self._counted(np.ones(len(self), np.float32))
        matrix.data[:] = 1.0
        return matrix

    @cached_property
    def weighted(self) -> csr_array:
        """float32[users, items], sparse: the sum of the weights."""
        return self._counted(self.weights)

    def _counted(self, data: NDArray[np.float32]) -> csr_array:
        shape = (self.n_users, self.n_items)
        matrix = csr_array((data, (self.users, self.items)), shape=shape)
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def histories(self) -> Histories:
        """One row per user, oldest first."""
        order = np.argsort(self.users, kind="stable")  # stable: time order survives
        counts = np.bincount(self.users, minlength=self.n_users)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Histories(
            offsets, self.items[order], self.times[order], self.weights[order], self.values[order], self.kinds[order],
            self.kind_names,
        )  # fmt: skip

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """int64[items], events of each item."""
        return np.bincount(self.items, minlength=self.n_items)


def _taken(column: NDArray[Any], rows: slice | Mask | NDArray[np.int64]) -> NDArray[Any]:
    """Some rows of a column; one that holds a single value over and over takes no memory, before and after."""
    if column.strides != (0,) or not len(column):
        return column[rows]
    if isinstance(rows, slice):
        return np.broadcast_to(column[:1], len(range(len(column))[rows]))
    return np.broadcast_to(column[:1], int(rows.sum()) if rows.dtype == np.bool_ else len(rows))


def _time_order(log: Interactions) -> NDArray[np.int64] | None:
    """The order by time, then user, item, kind, value and price; None where the rows stand in it already."""
    if (log.times[1:] > log.times[:-1]).all():
        return None
    order = _by_time(log.times)
    times = log.times[order]
    same = times[1:] == times[:-1]
    among = np.flatnonzero(np.append(same, False) | np.append(False, same))  # only equal times are sorted by the rest
    if len(among) == 0:
        return order
    rows = order[among]
    run = np.cumsum(np.append(True, times[among][1:] != times[among][:-1]))
    order[among] = rows[_by_all_columns(log, rows, run)]
    return order


def _by_time(times: Times) -> NDArray[np.int64]:
    """Positions in ascending time; time and position are sorted as one number where 63 bits hold both."""
    since = times - times.min()
    unit = next((unit for unit in (1_000_000, 1_000) if _are_whole(since, unit)), 1)
    bits = len(times).bit_length()
    if since.min() < 0 or (int(since.max()) // unit).bit_length() + bits > 63:  # negative: the span overflowed
        return np.argsort(times)
    if unit > 1:
        since //= unit
    since <<= bits
    since |= np.arange(len(times))
    since.sort()
    since &= (1 << bits) - 1
    return since


def _are_whole(spans: Times, unit: int) -> bool:
    """Whether all are whole multiples of a unit; the first tell it for most logs."""
    return all(bool((some // unit * unit == some).all()) for some in (spans[:1_000], spans))


def _by_all_columns(log: Interactions, rows: NDArray[np.int64], run: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of some rows by run, user, item, kind, value and price."""
    width = log.n_users * log.n_items * len(log.kind_names)
    if width and run[-1] >= np.iinfo(np.int64).max // width:
        exact = (log.prices[rows], log.values[rows], log.kinds[rows], log.items[rows], log.users[rows], run)
        return np.lexsort(exact)
    pairs = log.users[rows].astype(np.int64) * log.n_items + log.items[rows]
    keys = (run * log.n_users * log.n_items + pairs) * len(log.kind_names) + log.kinds[rows]
    order = np.argsort(keys)
    equal = keys[order][1:] == keys[order][:-1]
    left = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
    few = order[left]
    order[left] = few[np.lexsort((log.prices[rows[few]], log.values[rows[few]], keys[few]))]
    return order
