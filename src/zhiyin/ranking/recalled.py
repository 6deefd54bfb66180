"""Lists that were found before: who asks again without having done anything gets the same, without the search."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
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


class Recalled:
    """By everything that the search depends on, the history event by event: what is found is what would be found.

    For one query at a time: a batch is seldom asked twice. A list is kept under a digest of the history, without the id
    of anybody. Shared by threads.
    """

    def __init__(self) -> None:
        self._lists: OrderedDict[Hashable, Candidates] = OrderedDict()
        self._turn = Lock()

    def __len__(self) -> int:
        return len(self._lists)

    def found(
        self, pipeline: "Pipeline", queries: Queries, k: int, terms: Terms, search: Callable[[], Candidates]
    ) -> Candidates:
        """What `search` finds for the query, searched for once."""
        if len(queries) != 1 or k > LONGEST:
            return search()
        key = _key(pipeline, queries, k, terms)
        with self._turn:
            found = self._lists.get(key)
            if found is not None:
                self._lists.move_to_end(key)
                return found
        found = search()
        with self._turn:
            self._lists[key] = found
            if len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)
        return found


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
