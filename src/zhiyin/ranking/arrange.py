"""From the best items to the list that a shop wants: boosts, promotions, caps and exploring, in this order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.queries import Queries
from zhiyin.ranking.boosts import boosted, lifts_of
from zhiyin.ranking.candidates import EXPLORE, Candidates, without_repeats
from zhiyin.ranking.caps import Room
from zhiyin.ranking.explore import Drawn
from zhiyin.ranking.masks import Masks
from zhiyin.ranking.slots import Row, placed
from zhiyin.ranking.terms import Terms
from zhiyin.types import Mask

DEEPER = 4
"""Times k candidates are asked for where a stage may pass over some; never fewer than each retriever proposes."""

MOST_DEPTH = 10_000

MOST_ROUNDS = 32
"""How often more is asked for where caps have shut out all candidates; each round places at least one more item."""

Finds: TypeAlias = Callable[[Queries, int, Mask], Candidates]
"""The best k of the items bool[n] for each query, by the rules that hold for it, best first."""

Draws: TypeAlias = Callable[[Queries, Mask], Drawn | None]
"""What is drawn for the places that explore; None if there is nothing new."""


@dataclass(frozen=True, eq=False)
class _Shelf:
    """The candidates of all queries [b, m], what was drawn for them [b, e] behind."""

    found: Candidates
    values: NDArray[np.int32]  # [b, m + e, caps]
    matches: NDArray[np.bool_]  # [b, m + e, promotions]


def arranged(
    find: Finds, draw: Draws, queries: Queries, k: int, terms: Terms, items: Mask, *, masks: Masks, pool: int
) -> Candidates:
    """The list that the terms ask for; a stage that has nothing to do is left out.

    What is drawn is drawn first, so that its probability does not depend on the rest, and counts for caps and
    promotions like every other item.
    """
    drawn = draw(queries, items) if terms.explore else None
    selective = bool(terms.promotions or terms.caps)
    deep = min(max(k, min(DEEPER * k, MOST_DEPTH), pool), MOST_DEPTH)
    found = find(queries, deep if selective or terms.boosts else k, items)
    if terms.boosts:
        found = boosted(found, lifts_of(found, terms.boosts, masks))
    if drawn is None and not selective:
        return _cut(found, k)
    found = _with_promoted(find, found, queries, k, terms, items, masks)
    return _Lists(find, queries, k, terms, items, masks).of(found, drawn)


class _Lists:
    """One request's lists, row by row."""

    def __init__(self, find: Finds, queries: Queries, k: int, terms: Terms, items: Mask, masks: Masks) -> None:
        self._find = find
        self._queries = queries
        self._k = k
        self._terms = terms
        self._items = items
        self._masks = masks
        self._limits = [most for _, most in terms.caps]

    def of(self, found: Candidates, drawn: Drawn | None) -> Candidates:
        """The final lists."""
        rows = [self._row(found.row(row), row, drawn) for row in range(len(found))]
        columns = list(zip(*rows, strict=True)) if rows else [np.empty((0, self._k))] * 4
        items, scores, origins, probabilities = columns
        return Candidates(
            np.array(items, np.int32),
            np.array(scores, np.float32),
            np.array(origins, np.int8),
            (*found.origin_names, EXPLORE),
            np.array(probabilities, np.float32),
        )

    def _row(
        self, found: Candidates, row: int, drawn: Drawn | None
    ) -> tuple[list[int], list[float], list[int], list[float]]:
        """Items, scores, origins and probabilities of one list, as plain lists: they are short."""
        cards: list[tuple[int, int, float]] = [] if drawn is None else drawn.row(row)
        chosen, found = self._chosen(found, row, {place: item for place, item, _ in cards})
        m, explored = found.items.shape[1], len(found.origin_names)
        items, scores, origins = found.items[0].tolist(), found.scores[0].tolist(), found.origins[0].tolist()
        shown: list[tuple[int, float, int, float]] = []
        for one in chosen:
            if one >= m:
                _, item, probability = cards[one - m]
                shown.append((item, shown[-1][1] if shown else 0.0, explored, probability))
            elif one >= 0:  # a list that is short ends early
                shown.append((items[one], scores[one], origins[one], 1.0))
        shown += [(-1, -np.inf, -1, 1.0)] * (self._k - len(shown))
        columns = zip(*shown, strict=True)
        return tuple(map(list, columns))  # type: ignore[return-value]  # four columns

    def _chosen(self, found: Candidates, row: int, fixed: dict[int, int]) -> tuple[list[int], Candidates]:
        """Which candidate stands at each place; those drawn, by place, are numbered behind the m found."""
        time, extra = int(self._queries.times[row]), list(fixed.values())
        promotions = [one for one in self._terms.promotions if one.active(time)]
        for _ in range(MOST_ROUNDS):
            items = found.items[0].tolist()
            free = [item >= 0 and item not in extra for item in items] + [False] * len(extra)
            items += extra
            lines = Row(free, self._values(items), self._matches(items, [one.where for one in promotions]))
            behind = {place: len(items) - len(extra) + card for card, place in enumerate(fixed)}
            chosen, room = placed(lines, self._k, promotions, self._limits, behind)
            if -1 not in chosen or not self._limits:
                break
            more = self._more(items, room, row)
            if more is None:
                break
            found = more_of(found, more)
        return chosen, found

    def _values(self, items: list[int]) -> list[list[int]]:
        columns = [self._masks.values(column)[items] for column, _ in self._terms.caps]
        return np.stack(columns, axis=1).tolist() if columns else [[]] * len(items)

    def _matches(self, items: list[int], conditions: list[str]) -> list[list[bool]]:
        columns = [self._masks.matching(condition)[items] for condition in conditions]
        return np.stack(columns, axis=1).tolist() if columns else [[]] * len(items)

    def _more(self, items: list[int], room: Room, row: int) -> Candidates | None:
        """The best of what caps still have room for, and was not found yet; None if there is nothing."""
        open_ = self._items.copy()
        open_[[item for item in items if item >= 0]] = False
        for cap, (column, _) in enumerate(self._terms.caps):
            open_ &= ~np.isin(self._masks.values(column), room.full(cap))
        if not open_.any():
            return None
        deep = min(max(self._k, len(items)), MOST_DEPTH)
        more = self._find(self._queries[row : row + 1], deep, open_)
        return more if (more.items >= 0).any() else None


def more_of(found: Candidates, more: Candidates) -> Candidates:
    """Candidates of a later search behind the first ones, with scores that are no higher."""
    least = np.where(found.items >= 0, found.scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    lower = np.where(more.items >= 0, np.minimum(more.scores, least), -np.inf).astype(np.float32)
    items = without_repeats(np.concatenate([found.items, more.items], axis=1))
    scores = np.where(items >= 0, np.concatenate([found.scores, lower], axis=1), -np.inf).astype(np.float32)
    origins = np.where(items >= 0, np.concatenate([found.origins, more.origins], axis=1), -1).astype(np.int8)
    return Candidates(items, scores, origins, found.origin_names)


def _with_promoted(
    find: Finds, found: Candidates, queries: Queries, k: int, terms: Terms, items: Mask, masks: Masks
) -> Candidates:
    """The candidates, and the best that match a promotion where too few of them do."""
    for promotion in terms.promotions:
        if not any(promotion.active(int(time)) for time in queries.times):
            continue
        matching = masks.matching(promotion.where)
        there = (matching[found.items] & (found.items >= 0)).sum(axis=1)
        if (there < promotion.owed(k)).any():
            found = more_of(found, find(queries, promotion.owed(k), items & matching))
    return found


def _cut(found: Candidates, k: int) -> Candidates:
    return Candidates(found.items[:, :k], found.scores[:, :k], found.origins[:, :k], found.origin_names)
