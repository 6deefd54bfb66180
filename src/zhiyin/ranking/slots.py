"""One list, place by place: the best item that is left, unless the place is owed to a promotion, never over a cap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhiyin.ranking.caps import Room
from zhiyin.ranking.promotions import Promotion, Quotas


@dataclass(frozen=True)
class Row:
    """m candidates of one query, best first, as plain lists: a place at a time is no work for arrays."""

    free: Sequence[bool]  # [m], false for padding, repeats, and what has its place already
    values: Sequence[Sequence[int]]  # [m][caps]
    matches: Sequence[Sequence[bool]]  # [m][promotions]


def placed(
    row: Row, k: int, promotions: Sequence[Promotion], limits: Sequence[int], fixed: Mapping[int, int]
) -> tuple[list[int], Room]:
    """Which candidate stands at each of k places, -1 where none fits; and what room the caps still have.

    Parameters
    ----------
    fixed
        Place to candidate: what was drawn for a place. It counts for caps and promotions like any other.
    """
    walk = _Walk(row, k, promotions, limits)
    for candidate in fixed.values():
        walk.room.take(row.values[candidate])  # before the others, which must leave the room for it
    chosen, left = [], k - len(fixed)
    for place in range(k):
        candidate = fixed.get(place, -1)
        if candidate < 0:
            candidate = walk.next(place, left)
            left -= 1
        if candidate >= 0:
            walk.quotas.count(row.matches[candidate])
        chosen.append(candidate)
    return chosen, walk.room


class _Walk:
    """What was taken is not taken again, and what a cap has shut out stays out, so each queue is walked once."""

    def __init__(self, row: Row, k: int, promotions: Sequence[Promotion], limits: Sequence[int]) -> None:
        self.room = Room(limits)
        self.quotas = Quotas(promotions, k)
        self._row = row
        self._free = list(row.free)
        self._at = [0] * (len(promotions) + 1)  # the last one is of all candidates

    def next(self, place: int, left: int) -> int:
        """The candidate for a place, taken; -1 if none fits."""
        for promotion in self.quotas.owed(place, left):
            candidate = self._first(promotion)
            if candidate >= 0:
                return self._taken(candidate)
            self.quotas.exhaust(promotion)
        return self._taken(self._first(-1))

    def _first(self, queue: int) -> int:
        row = self._row
        for candidate in range(self._at[queue], len(self._free)):
            wanted = self._free[candidate] and (queue < 0 or row.matches[candidate][queue])
            if wanted and self.room.fits(row.values[candidate]):
                self._at[queue] = candidate
                return candidate
        self._at[queue] = len(self._free)
        return -1

    def _taken(self, candidate: int) -> int:
        if candidate >= 0:
            self._free[candidate] = False
            self.room.take(self._row.values[candidate])
        return candidate
