"""Which items are new, and how much each would suit somebody."""

from typing import TYPE_CHECKING

import numpy as np

from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.recommender import Recommender
from zhiyin.ranking.explore import MOST_FRESH, Drawn, draw, places_of
from zhiyin.ranking.terms import Terms
from zhiyin.types import Floats, Indexes, Mask

if TYPE_CHECKING:
    from zhiyin.ranking.recommend import Pipeline


def fresh_of(fallback: Recommender, catalog: Catalog) -> Indexes:
    """int32[f]: the newest items of which the fallback, which knows all events, knows nothing."""
    known = fallback.score(Queries.of(Histories.empty(1)))[0]
    untouched = np.flatnonzero(np.isnan(known) & catalog.available)
    newest = np.argsort(-catalog.created[untouched].astype(np.float64), kind="stable")
    return untouched[newest[:MOST_FRESH]].astype(np.int32)


def fresh_items(pipeline: "Pipeline", k: int, terms: Terms, queries: Queries, items: Mask) -> Drawn | None:
    """What is drawn for the places of a list of k that explore; None where no place does, or nothing is new."""
    places = places_of(terms.explore, k)
    fresh = pipeline.fresh[items[pipeline.fresh]]
    if not places or len(fresh) == 0:
        return None
    masks, size = pipeline.masks, pipeline.block_size(len(pipeline.catalog))
    parts = [queries[start : start + size] for start in range(0, max(len(queries), 1), size)]
    allowed = np.concatenate(
        [pipeline.rules.of_queries(part, items, pipeline.catalog, terms.exclude)[:, fresh] for part in parts]
    )
    values = [masks.values(column)[fresh] for column, _ in terms.caps]
    counted = np.stack(values, axis=1).tolist() if values else [[]] * len(fresh)
    limits = [most for _, most in terms.caps]
    return draw(fresh, _worth(pipeline, queries, fresh), allowed, counted, limits, places, terms.seed)


def _worth(pipeline: "Pipeline", queries: Queries, fresh: Indexes) -> Floats:
    """float64[b, f] of deviation 1: by content where that is known of the person, else the newer the better."""
    by_date = _standardised(-np.arange(len(fresh), dtype=np.float64)[None, :])
    worth = np.repeat(by_date, len(queries), axis=0)
    content = next((one for one in pipeline.retrievers.values() if isinstance(one, Content)), None)
    if content is None:
        return worth
    scores = content.score(queries, fresh).astype(np.float64)
    known = ~np.isnan(scores)
    heard = known.any(axis=1)
    least = np.where(known, scores, np.inf).min(axis=1, keepdims=True)
    worth[heard] = _standardised(np.where(known, scores, least)[heard])  # without attributes: no better than the worst
    return worth


def _standardised(scores: Floats) -> Floats:
    apart = scores - scores.mean(axis=1, keepdims=True)
    deviation: Floats = apart.std(axis=1, keepdims=True)
    return apart / np.where(deviation > 0, deviation, 1.0)
