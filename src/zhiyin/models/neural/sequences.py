"""What people did, cut to a window and put into batches of like lengths."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.histories import Histories
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Times

if TYPE_CHECKING:
    import torch

GAPS = 32
"""Classes of the time between an event and the one before: 0 for the first of a history, then powers of two."""

ANSWERED = 1 << 15
"""Events encoded at once."""

_SECOND = MICROSECONDS_PER_DAY // 86_400
_ENDLESS = 1 << 62


class Events(NamedTuple):
    """A batch of histories side by side, each filled up with zeros at its end."""

    items: "torch.Tensor"  # int64[b, t], 1 + the item's place; 0 is no event
    kinds: "torch.Tensor"  # int64[b, t], 1 + the kind; 0 is no event
    gaps: "torch.Tensor"  # int64[b, t], the class of the time since the event before

    def to(self, where: "torch.device") -> "Events":
        """The same on another device."""
        return Events(*(part.to(where) for part in self))

    @property
    def lengths(self) -> "torch.Tensor":
        """int64[b], events of each history."""
        return (self.items > 0).sum(dim=1)


class Padded(NamedTuple):
    """The same as arrays."""

    items: NDArray[np.int64]  # [b, t]
    kinds: NDArray[np.int64]  # [b, t]
    gaps: NDArray[np.int64]  # [b, t]


@dataclass(frozen=True, eq=False)
class Sequences:
    """Histories of known items in flat arrays; row i is `offsets[i]:offsets[i + 1]`, oldest first."""

    offsets: NDArray[np.int64]  # [b + 1]
    items: Indexes  # int32[events], 1 + the place
    kinds: NDArray[np.uint8]  # [events], 1 + the kind
    gaps: NDArray[np.uint8]  # [events]
    owners: NDArray[np.int64]  # [b], the row of the histories that each row is of

    @classmethod
    def of(cls, histories: Histories, places: Indexes, window: int = _ENDLESS) -> "Sequences":
        """The newest `window` events of each history that count and whose item has a place.

        Parameters
        ----------
        places
            int32[n]: the place of each item, -1 for none.
        """
        inside = np.where(histories.items < len(places), histories.items, -1)
        known = (inside >= 0) & (places[inside] >= 0) & (histories.weights > 0) if len(places) else inside >= 0
        lengths = np.bincount(histories.rows[known], minlength=len(histories))
        gaps = _gap_classes(histories.times[known], _offsets(lengths))
        kept = _newest(lengths, window)
        flat = np.flatnonzero(known)[kept]
        kinds = np.minimum(histories.kinds[flat], 254) + 1
        offsets = _offsets(np.minimum(lengths, window))
        items, owners = places[histories.items[flat]] + 1, np.arange(len(histories))
        return cls(offsets, items, kinds.astype(np.uint8), gaps[kept], owners)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64[b], events of each row."""
        return np.diff(self.offsets)

    def rows(self, chosen: NDArray[np.integer]) -> "Sequences":
        """Some rows."""
        lengths = self.lengths[chosen]
        offsets = _offsets(lengths)
        return self._cut(offsets, np.repeat(self.offsets[:-1][chosen] - offsets[:-1], lengths), self.owners[chosen])

    def without_last(self, rows: NDArray[np.integer]) -> "Sequences":
        """The same without the newest event of some rows."""
        keep = np.ones(len(self.items), np.bool_)
        keep[self.offsets[1:][rows] - 1] = False
        lengths = self.lengths.copy()
        lengths[rows] -= 1
        offsets = _offsets(lengths)
        return Sequences(offsets, self.items[keep], self.kinds[keep], self.gaps[keep], self.owners)

    def windows(self, window: int) -> "Sequences":
        """Rows of at most `window + 1` events, each beginning with the last event of the one before.

        So that every event but a person's first is somebody's next. The newest window of a person is a full one.
        """
        steps = np.maximum(self.lengths - 1, 0)
        pieces = -(-steps // window)
        owner = np.repeat(np.arange(len(self)), pieces)
        back = np.arange(len(owner)) - np.repeat(_offsets(pieces)[:-1], pieces)  # 0 is the newest
        stop = self.offsets[1:][owner] - back * window
        start = np.maximum(stop - window - 1, self.offsets[:-1][owner])
        offsets = _offsets(stop - start)
        return self._cut(offsets, np.repeat(start - offsets[:-1], stop - start), self.owners[owner])

    def events(self, rows: NDArray[np.integer], width: int = 1) -> Events:
        """Some rows side by side, for PyTorch; at least so wide."""
        import torch  # noqa: PLC0415 - who only answers has none

        return Events(*(torch.from_numpy(part) for part in self.padded(rows, width)))

    def padded(self, rows: NDArray[np.integer], width: int = 1) -> Padded:
        """Some rows side by side; at least so wide."""
        chosen = self.rows(rows)
        width = max(int(chosen.lengths.max(initial=0)), width)
        row = np.repeat(np.arange(len(chosen)), chosen.lengths)
        column = np.arange(len(chosen.items)) - np.repeat(chosen.offsets[:-1], chosen.lengths)
        shape = (len(chosen), width)
        return Padded(*(_table(part, row, column, shape) for part in (chosen.items, chosen.kinds, chosen.gaps)))

    def newest(self, rows: NDArray[np.integer], window: int) -> Events:
        """The newest `window` events of some rows side by side."""
        chosen = self.rows(rows)
        offsets = _offsets(np.minimum(chosen.lengths, window))
        kept = _newest(chosen.lengths, window)
        newest = Sequences(offsets, chosen.items[kept], chosen.kinds[kept], chosen.gaps[kept], chosen.owners)
        return newest.events(np.arange(len(newest)))

    def batches(self, events: int, rng: np.random.Generator | None = None) -> Iterator[NDArray[np.int64]]:
        """Rows of like length together: at most `events` places with what fills them up, or one row.

        Without a generator the longest come first; with one, neighbours in length and batches are shuffled.
        """
        if len(self) == 0:
            return
        lengths = self.lengths
        noise = rng.random(len(self)) if rng else np.zeros(len(self))
        order = np.lexsort((noise, -lengths))
        cuts, width, first = [0], 0, 0
        for place, length in enumerate(lengths[order]):
            width = max(width, rounded(int(length)))
            if (place + 1 - first) * width > events and place > first:
                cuts.append(place)
                first, width = place, rounded(int(length))
        parts = np.split(order, cuts[1:])
        for part in rng.permutation(len(parts)) if rng else range(len(parts)):
            yield parts[part]

    def _cut(self, offsets: NDArray[np.int64], shift: NDArray[np.int64], owners: NDArray[np.int64]) -> "Sequences":
        flat = shift + np.arange(offsets[-1])
        return Sequences(offsets, self.items[flat], self.kinds[flat], self.gaps[flat], owners)


def rounded(length: int) -> int:
    """The least of some lengths that is not shorter: batches have few shapes, for each of which a CPU compiles anew.

    One more than a multiple, because the last event of a history to learn from has nothing after it.
    """
    steps = length - 1
    grain = 1 if steps <= 16 else 4 if steps <= 64 else 8
    return -(-steps // grain) * grain + 1


def _table(
    values: NDArray[np.integer], row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.int64]:
    table = np.zeros(shape, np.int64)
    table[row, column] = values
    return table


def _offsets(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _newest(lengths: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Places of the newest `most` of each row in the flat array."""
    kept = np.minimum(lengths, most)
    shift = np.cumsum(lengths) - kept - _offsets(kept)[:-1]
    return np.repeat(shift, kept) + np.arange(kept.sum())


def _gap_classes(times: Times, offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """uint8[events]: 0 for the first of a row, else 1 + the whole part of log2(seconds since the one before)."""
    gaps = np.diff(times, prepend=times[:1])
    classes = 1 + np.log2(np.maximum(gaps / _SECOND, 1.0)).astype(np.int64)
    classes[offsets[:-1][np.diff(offsets) > 0]] = 0
    return np.minimum(classes, GAPS - 1).astype(np.uint8)
