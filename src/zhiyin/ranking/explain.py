"""Why each item stands in a list: what found it, and the events of the history that speak most for it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.contributions import loudest
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.latest import Latest
from zhiyin.models.popularity import Popularity
from zhiyin.models.recommender import Explains, Recommender
from zhiyin.models.trending import Trending
from zhiyin.ranking.candidates import EXPLORE, Candidates
from zhiyin.ranking.leave_one_out import left_out
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Scores

MOST_EVENTS_NAMED = 3
LEAST_OF_BEST = 0.25
"""What speaks less than a quarter as loudly as the strongest event is not named beside it."""

NEW_DAYS = 14
"""How long after its creation an item that content has found counts as new."""

Kind: TypeAlias = Literal["history", "popular", "new", "content", "fallback"]
Method: TypeAlias = Literal["exact", "leave_one_out"]

Told: TypeAlias = tuple[Scores, Method] | None
"""float32[b, m, t]: what each of the newest t events adds, at the right; None: the model does not tell."""

Tells: TypeAlias = Callable[[Recommender, Queries, Indexes], Told]


class Because(NamedTuple):
    """An event of the history that speaks for an item."""

    item: int
    event_type: str
    time: int  # µs UTC
    share: float  # of all that speaks for the item


class Reason(NamedTuple):
    """Why an item is shown."""

    kind: Kind
    because: tuple[Because, ...] = ()  # strongest first
    method: Method | None = None  # None: it was not asked which events speak for it


FILLED, NEW = Reason("fallback"), Reason("new")


def reasons(pipeline: Pipeline, queries: Queries, candidates: Candidates) -> list[list[Reason]]:
    """The reason of each item of each list, in its order, with events where the model tells them exactly.

    Cheap enough for every answer. An item's reason is that of its origin, the retriever that ranks it highest.
    """
    return _reasons(pipeline, queries, candidates, _exactly)


def thorough_reasons(pipeline: Pipeline, queries: Queries, candidates: Candidates) -> list[list[Reason]]:
    """The same, asking models that do not tell what they would say without each event: up to 21 times the work."""
    return _reasons(pipeline, queries, candidates, _somehow)


def _exactly(model: Recommender, queries: Queries, items: Indexes) -> Told:
    return (cast(Explains, model).explain(queries, items), "exact") if _explains(type(model)) else None


@lru_cache(maxsize=128)
def _explains(kind: type[Recommender]) -> bool:
    """Remembered, because looking at a protocol takes as long as explaining."""
    return issubclass(kind, Explains)


def _somehow(model: Recommender, queries: Queries, items: Indexes) -> Told:
    return _exactly(model, queries, items) or (left_out(model, queries, items), "leave_one_out")


def _reasons(pipeline: Pipeline, queries: Queries, candidates: Candidates, told_by: Tells) -> list[list[Reason]]:
    lengths = (candidates.items >= 0).sum(axis=1).tolist()
    return [
        _of_list(
            pipeline,
            queries[row : row + 1],
            candidates.items[row, :m],
            candidates.origins[row, :m],
            candidates.origin_names,
            told_by,
        )
        for row, m in enumerate(lengths)
    ]


def _of_list(
    pipeline: Pipeline, query: Queries, items: Indexes, origins: NDArray[np.int8], names: Sequence[str], told_by: Tells
) -> list[Reason]:
    found = [NEW if names[origin] == EXPLORE else FILLED for origin in origins]
    nothing_known = not (query.histories.items >= 0).any()
    for origin, model in enumerate(pipeline.retrievers.values()):
        places = np.flatnonzero(origins == origin)
        if len(places) == 0:
            continue
        kind = "popular" if nothing_known else _kind(model)
        told = None if kind in ("popular", "new") else told_by(model, query, items[None, places])
        named = [()] * len(places) if told is None else _named(query.histories, told[0][0])
        kinds = _content_kinds(pipeline, query, items[places]) if kind == "content" else [kind] * len(places)
        for place, of_item, because in zip(places.tolist(), kinds, named, strict=True):
            found[place] = Reason(of_item, because, told[1] if told and because else None)
    return found


def _kind(model: Recommender) -> Kind:
    if isinstance(model, Popularity | Trending):
        return "popular"
    if isinstance(model, Latest):
        return "new"
    return "content" if isinstance(model, Content) else "history"


def _content_kinds(pipeline: Pipeline, query: Queries, items: Indexes) -> list[Kind]:
    young = pipeline.catalog.created[items] > query.times[0] - NEW_DAYS * MICROSECONDS_PER_DAY
    return ["new" if one else "content" for one in young.tolist()]


def _named(past: Histories, added: Scores) -> list[tuple[Because, ...]]:
    """The events of one history that speak most for each item of added [m, t]."""
    places, shares = loudest(added, MOST_EVENTS_NAMED, LEAST_OF_BEST)  # [m, 3]
    events = len(past.items) - added.shape[1] + places
    columns = past.items[events].tolist(), past.kinds[events].tolist(), past.times[events].tolist(), shares.tolist()
    names = past.kind_names
    return [
        tuple(
            Because(item, names[kind], time, part) for item, kind, time, part in zip(*of_item, strict=True) if part > 0
        )
        for of_item in zip(*columns, strict=True)
    ]
