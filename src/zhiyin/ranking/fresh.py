"""Which items are new, and how much each would suit somebody."""

from typing import TYPE_CHECKING

import numpy as np

from zhiyin.compute.drawing import standardised
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.derived import derived
from zhiyin.models.recommender import Recommender
from zhiyin.ranking.explore import MOST_FRESH, Drawn, draw, places_of
from zhiyin.ranking.terms import Terms
from zhiyin.types import Indexes, Mask, Scores, Vectors

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
    places, fresh = places_of(terms.explore, k), pipeline.fresh
    open_ = items[fresh]
    if not places or not open_.any():
        return None
    allowed = _allowed(pipeline, queries, items, terms.exclude, fresh)
    columns = [pipeline.masks.values(column)[fresh] for column, _ in terms.caps]
    values = np.stack(columns, axis=1).tolist() if columns else []
    limits = [most for _, most in terms.caps]
    worth = standardised(_liked(pipeline, queries, fresh), open_)
    return draw(fresh, worth, allowed, values, limits, places, terms.seeds)


def _allowed(pipeline: "Pipeline", queries: Queries, items: Mask, exclude: Indexes | None, fresh: Indexes) -> Mask:
    """bool[b, f], by the very rules of the path, in blocks."""
    size = pipeline.block_size(len(pipeline.catalog))
    starts = range(0, len(queries), size)
    parts = [queries] if len(queries) <= size else [queries[start : start + size] for start in starts]
    masks = [pipeline.rules.of_queries(part, items, pipeline.catalog, exclude)[:, fresh] for part in parts]
    return masks[0] if len(masks) == 1 else np.concatenate(masks)


def _liked(pipeline: "Pipeline", queries: Queries, fresh: Indexes) -> Scores:
    """float32[b, f]: by content, where that is known of the item and of the person; else NaN."""
    content = next((one for one in pipeline.retrievers.values() if isinstance(one, Content)), None)
    if content is None:
        return np.full((len(queries), len(fresh)), np.nan, np.float32)
    vectors: Vectors = derived(content, "fresh", fresh, lambda: content.item_vectors_[fresh])
    return content.encode(queries) @ vectors.T
