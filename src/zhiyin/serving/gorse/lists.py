"""Lists as Gorse asks for them, from our own release: by person, by session, by item, popular, latest."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.ranking import similar as alike
from zhiyin.ranking.candidates import Candidates, best
from zhiyin.ranking.recommend import MAXIMUM_K
from zhiyin.ranking.terms import Terms
from zhiyin.registry.release import Release
from zhiyin.serving.gorse.shapes import Score
from zhiyin.types import Indexes, Mask, Scores

SECOND = 1_000_000  # µs


def condition(categories: Sequence[str], catalog: Catalog) -> str | None:
    """What an item must meet to be in all of these categories, of the columns `categories` and `category`."""
    kinds = catalog.frame.schema
    return " AND ".join(_of_one(one, kinds) for one in categories) or None


def _terms(release: Release, categories: Sequence[str]) -> Terms:
    where = condition(categories, release.pipeline.catalog)
    return Terms(where=(where,) if where else ())


def recommended(release: Release, queries: Queries, categories: Sequence[str], n: int, offset: int) -> list[Score]:
    """The best items for one query, after the first `offset`."""
    found = release.pipeline.recommend(queries, min(n + offset, MAXIMUM_K), _terms(release, categories))
    return _scores(release, found)[offset:][:n]


def neighbours(
    release: Release, item: int, categories: Sequence[str], read: Indexes, n: int, offset: int
) -> list[Score]:
    """The items most alike to one, but for those that somebody has read."""
    most = min(n + offset + len(read), MAXIMUM_K)
    found = alike.similar(release.pipeline, np.array([item], np.int32), most, _terms(release, categories))
    return _scores(release, found, read)[offset:][:n]


def popular(release: Release, past: Queries, categories: Sequence[str], n: int, offset: int, now: int) -> list[Score]:
    """What fills short lists, best first, but for what somebody has done."""
    stranger = Queries.of(Histories.empty(1), None, now)
    scores = release.pipeline.fallback.score(stranger)[0]
    return _best(release, scores, _allowed(release, past, categories, now), n, offset)


def latest(release: Release, past: Queries, categories: Sequence[str], n: int, offset: int, now: int) -> list[Score]:
    """What exists for the shortest time first, but for what somebody has done; the score is a second since 1970."""
    catalog = release.pipeline.catalog
    allowed = _allowed(release, past, categories, now)
    places = _best(release, _places(catalog), allowed, n, offset)
    indexes = release.items.indexes([one.id for one in places])
    return [Score(one.id, float(catalog.created[i] // SECOND)) for one, i in zip(places, indexes, strict=True)]


def read(queries: Queries) -> Indexes:
    """int32[_]: the items that one query's history holds."""
    items = np.unique(queries.histories.items)
    return items[items >= 0]


@lru_cache(maxsize=2)
def _places(catalog: Catalog) -> Scores:
    """float32[n]: the place of each item in the order of time, because float32 does not hold seconds; NaN: unknown."""
    created = catalog.created
    places = np.unique(created, return_inverse=True)[1].astype(np.float32)
    return np.where(created == np.iinfo(np.int64).min, np.float32(np.nan), places)


def _allowed(release: Release, past: Queries, categories: Sequence[str], now: int) -> Mask:
    pipeline = release.pipeline
    allowed = pipeline.allowed_items(*_terms(release, categories).where) & (pipeline.catalog.created <= now)
    allowed[read(past)] = False
    return allowed


def _best(release: Release, scores: Scores, allowed: Mask, n: int, offset: int) -> list[Score]:
    items, values = best(scores[None, :], min(n + offset, MAXIMUM_K), allowed[None, :])
    shown = items[0] >= 0
    ids = release.items.texts[items[0][shown]].to_list()
    return [Score(*pair) for pair in zip(ids, values[0][shown].tolist(), strict=True)][offset:][:n]


def _scores(release: Release, found: Candidates, without: Indexes | None = None) -> list[Score]:
    shown = found.items[0] >= 0
    if without is not None:
        shown &= ~np.isin(found.items[0], without)
    ids = release.items.texts[found.items[0][shown]].to_list()
    return [Score(*pair) for pair in zip(ids, found.scores[0][shown].tolist(), strict=True)]


def _of_one(category: str, kinds: "pl.Schema") -> str:
    text = "'" + category.replace("'", "''") + "'"
    tests = []
    if isinstance(kinds.get("categories"), pl.List):
        tests.append(f"{text} IN categories")
    if kinds.get("category") in (pl.String, pl.Categorical, pl.Enum):
        tests.append(f"category = {text}")
    return f"({' OR '.join(tests)})" if tests else f"{text} <> {text}"
