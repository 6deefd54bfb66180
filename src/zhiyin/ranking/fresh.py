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
    allowed = _allowed(pipeline, queries, items, terms.exclude, fresh)
    masks = pipeline.masks
    values = [masks.values(column)[fresh] for column, _ in terms.caps]
    counted = np.stack(values, axis=1).tolist() if values else [[]] * len(fresh)
    limits = [most for _, most in terms.caps]
    return draw(fresh, _worth(pipeline, queries, fresh), allowed, counted, limits, places, terms.seed)


def _allowed(pipeline: "Pipeline", queries: Queries, items: Mask, exclude: Indexes | None, fresh: Indexes) -> Mask:
    """bool[b, f], by the very rules of the path, in blocks."""
    size = pipeline.block_size(len(pipeline.catalog))
    starts = range(0, len(queries), size)
    parts = [queries] if len(queries) <= size else [queries[start : start + size] for start in starts]
    masks = [pipeline.rules.of_queries(part, items, pipeline.catalog, exclude)[:, fresh] for part in parts]
    return masks[0] if len(masks) == 1 else np.concatenate(masks)


def _worth(pipeline: "Pipeline", queries: Queries, fresh: Indexes) -> Floats:
    """float64[b, f] of deviation 1: by content where that is known of the person, else the newer the better."""
    content = next((one for one in pipeline.retrievers.values() if isinstance(one, Content)), None)
    if content is None:
        return np.repeat(_by_date(len(fresh)), len(queries), axis=0)
    scores = content.score(queries, fresh).astype(np.float64)
    unknown = np.isnan(scores)
    if unknown.any():
        scores = np.where(unknown, np.where(unknown, np.inf, scores).min(axis=1, keepdims=True), scores)
    silent = unknown.all(axis=1)
    scores[silent] = 0.0
    worth = _standardised(scores)  # an item without attributes is no better than the worst
    worth[silent] = _by_date(len(fresh))
    return worth


def _by_date(count: int) -> Floats:
    return _standardised(-np.arange(count, dtype=np.float64)[None, :])


def _standardised(scores: Floats) -> Floats:
    apart = scores - scores.mean(axis=1, keepdims=True)
    deviation: Floats = np.sqrt((apart * apart).mean(axis=1, keepdims=True))
    return apart / np.where(deviation > 0, deviation, 1.0)
