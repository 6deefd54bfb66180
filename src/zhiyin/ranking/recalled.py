"""Lists that were found before: who asks again without having done anything gets the same, without the search."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.models.recommender import is_timeless
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.terms import Terms

if TYPE_CHECKING:
    from zhiyin.ranking.recommend import Pipeline

MOST_LISTS = 10_000
"""Lists of one release that are kept, about a kilobyte each; what was asked for longest ago is forgotten first."""

LONGEST = 100
"""Items of a list that is kept."""


MOST_TOGETHER = 64
"""Queries that are looked up one by one; a larger batch, which is seldom asked twice, is searched for as it is."""


class Recalled:
    """By everything that the search depends on, the history event by event: what is found is what would be found.

    A list is kept under a digest of the history, without the id of anybody. Shared by threads.
    """

    def __init__(self) -> None:
        self._lists: OrderedDict[Hashable, Candidates] = OrderedDict()
        self._turn = Lock()

    def __len__(self) -> int:
        return len(self._lists)

    def found(
        self, pipeline: "Pipeline", queries: Queries, k: int, terms: Terms, search: Callable[[Queries], Candidates]
    ) -> Candidates:
        """What `search` finds for the queries, searched for once."""
        if not 1 <= len(queries) <= MOST_TOGETHER or k > LONGEST:
            return search(queries)
        keys = [_key(pipeline, queries[row : row + 1], k, terms) for row in range(len(queries))]
        lists = self._known(keys)
        missing = [row for row, found in enumerate(lists) if found is None]
        if missing:
            found = search(queries if len(missing) == len(keys) else queries[missing])
            if len(missing) == len(keys):
                self._keep(keys, found)
                return found
            self._keep([keys[row] for row in missing], found)
            for place, row in enumerate(missing):
                lists[row] = found.row(place)
        return Candidates.joined([one for one in lists if one is not None])

    def _known(self, keys: Sequence[Hashable]) -> list[Candidates | None]:
        with self._turn:
            found = [self._lists.get(key) for key in keys]
            for key, one in zip(keys, found, strict=True):
                if one is not None:
                    self._lists.move_to_end(key)
        return found

    def _keep(self, keys: Sequence[Hashable], found: Candidates) -> None:
        """Rows of their own: a part of a larger array would keep the whole of it in memory."""
        rows = [found.row(row).copy() for row in range(len(keys))]
        with self._turn:
            self._lists.update(zip(keys, rows, strict=True))
            while len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)


def _key(pipeline: "Pipeline", queries: Queries, k: int, terms: Terms) -> Hashable:
    past, digest = queries.histories, hashlib.blake2b(digest_size=16)
    for column in (past.items, past.times, past.weights, past.values, past.kinds):
        digest.update(np.ascontiguousarray(column).data)
    timeless = pipeline.rules.seen_days is None and all(map(is_timeless, pipeline.retrievers.values()))
    moment = int(queries.times[0])
    _, created = pipeline.catalog.by_creation
    there = int(np.searchsorted(created, moment, side="right"))  # items that exist by now
    return (
        digest.digest(), past.kind_names, k, terms.where,
        None if terms.exclude is None else terms.exclude.tobytes(), tuple(pipeline.retrievers), pipeline.rules,
        there if timeless else (moment, int(queries.people[0])),
    )  # fmt: skip
