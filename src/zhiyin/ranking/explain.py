"""Why each item stands in a list: what found it, and the events of the history that speak most for it."""

from collections.abc import Callable
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
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Mask, Scores

MOST_EVENTS_NAMED = 3
LEAST_OF_BEST = 0.25
"""What speaks less than a quarter as loudly as the strongest event is not named beside it."""

NEW_DAYS = 14
"""How long after its creation an item that content has found counts as new."""

Kind: TypeAlias = Literal["history", "popular", "new", "content", "fallback"]
Method: TypeAlias = Literal["exact", "leave_one_out"]

Told: TypeAlias = tuple[Scores, Method] | None
"""float32[b, m, t]: what each of the newest t events adds, at the right; None: the model does not tell."""

Places: TypeAlias = NDArray[np.int64]

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
    explored = candidates.origin_names.index(EXPLORE) if EXPLORE in candidates.origin_names else -1
    found = [[NEW if origin == explored else FILLED for origin in of_list] for of_list in candidates.origins.tolist()]
    nothing_known = ~_speaking(queries.histories)  # [b]
    for origin, model in enumerate(pipeline.retrievers.values()):
        of_model = candidates.origins == origin  # [b, k]
        kind = _kind(model)
        plainly = of_model if kind in ("popular", "new") else of_model & nothing_known[:, None]
        for row, place in zip(*map(np.ndarray.tolist, np.nonzero(plainly)), strict=True):
            found[row][place] = Reason("popular" if nothing_known[row] else kind)
        rows, places = np.nonzero(of_model & ~plainly)
        if len(rows):
            told = _told(pipeline, model, queries, candidates.items, rows, places, told_by)
            for row, place, reason in zip(rows.tolist(), places.tolist(), told, strict=True):
                found[row][place] = reason
    lengths = (candidates.items >= 0).sum(axis=1).tolist()
    return [of_list[:length] for of_list, length in zip(found, lengths, strict=True)]


def _speaking(past: Histories) -> Mask:
    """bool[b]: whose history has an item that is known."""
    counts = np.append(0, np.cumsum(past.items >= 0))
    return counts[past.offsets[1:]] > counts[past.offsets[:-1]]


def _told(
    pipeline: Pipeline, model: Recommender, queries: Queries, items: Indexes, rows: Places, places: Places,
    told_by: Tells,
) -> list[Reason]:  # fmt: skip
    """The reason of each of some items of lists [b, k], which a model that knows of each of these people has found."""
    first = np.append(True, rows[1:] != rows[:-1])  # in order
    asked, own = rows[first], np.cumsum(first) - 1
    some = queries if len(asked) == len(queries) else queries[asked]
    wanted = np.full((len(asked), items.shape[1]), -1, np.int32)
    wanted[own, places] = items[rows, places]
    told, kind = told_by(model, some, wanted), _kind(model)
    named = [()] * len(rows) if told is None else _named(some.histories, own, told[0][own, places])
    kinds = _content_kinds(pipeline, queries, items, rows, places) if kind == "content" else [kind] * len(rows)
    return [
        Reason(of_item, because, told[1] if told and because else None)
        for of_item, because in zip(kinds, named, strict=True)
    ]


def _kind(model: Recommender) -> Kind:
    if isinstance(model, Popularity | Trending):
        return "popular"
    if isinstance(model, Latest):
        return "new"
    return "content" if isinstance(model, Content) else "history"


def _content_kinds(pipeline: Pipeline, queries: Queries, items: Indexes, rows: Places, places: Places) -> list[Kind]:
    young = queries.times[rows] - NEW_DAYS * MICROSECONDS_PER_DAY
    return ["new" if one else "content" for one in (pipeline.catalog.created[items[rows, places]] > young).tolist()]


def _named(past: Histories, rows: Places, added: Scores) -> list[tuple[Because, ...]]:
    """The events that speak most for each of m items, of histories `rows` [m], by what they have added, [m, t]."""
    places, shares = loudest(added, MOST_EVENTS_NAMED, LEAST_OF_BEST)  # [m, 3]
    events = past.offsets[rows + 1][:, None] - added.shape[1] + places
    columns = past.items[events].tolist(), past.kinds[events].tolist(), past.times[events].tolist(), shares.tolist()
    names = past.kind_names
    return [
        tuple(
            Because(item, names[kind], time, part) for item, kind, time, part in zip(*of_item, strict=True) if part > 0
        )
        for of_item in zip(*columns, strict=True)
    ]
