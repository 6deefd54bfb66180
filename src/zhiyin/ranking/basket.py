"""What goes with several items: alike to them, or beside them in a cart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.reading import Reading, Scored, read_items
from zhiyin.models.recommender import SimilarItems
from zhiyin.ranking.arrange import arranged
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.fresh import fresh_items
from zhiyin.ranking.fuse import ReciprocalRank
from zhiyin.ranking.recommend import MAXIMUM_K, Pipeline, combined, pooled
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.types import Indexes, Mask, Scores

Pooling: TypeAlias = Literal["similar", "cart"]
POOLINGS: Mapping[str, Pooling] = {"similar": "similar", "cart": "cart"}
"""How the opinions on several items become one, by kind of list."""


def goes_with(
    pipeline: Pipeline, basket: Indexes, how: Pooling, queries: Queries, k: int, terms: Terms = PLAIN
) -> Candidates:
    """The k items that go with all of `basket` int32[_], for each query: by every retriever that knows.

    "similar" is the mean of how alike an item is to each. For a "cart" each of its items has the same say, and an item
    that goes a little with all of them comes before one that goes well with a single one: the mean of the square roots
    of likenesses that were brought to at most 1. A list is short where no retriever has an opinion.
    """
    if not 1 <= k <= MAXIMUM_K:
        raise ConfigError(f"k must be from 1 to {MAXIMUM_K:,}, got {k}")
    basket = np.unique(basket[basket >= 0]).astype(np.int32)
    exclude = basket if terms.exclude is None else np.concatenate([basket, terms.exclude])
    terms = replace(terms, exclude=exclude)
    under = pipeline.under(terms)
    members = {name: one for name, one in under.retrievers.items() if isinstance(one, SimilarItems)}
    alone = how == "similar" and len(basket) == 1 and len(queries) == 1  # which need not be compared with every item
    likeness = [
        read_items(one, basket) if alone else Scored(_together(one, basket, how, (len(queries), len(pipeline.catalog))))
        for one in members.values()
    ]
    find = partial(_found, under, tuple(members), likeness, exclude)
    asked = queries if terms.personal else queries.anonymous()
    items = pipeline.allowed_items(*terms.where)
    if not terms.arranges:
        return find(asked, k, items)
    draw = partial(fresh_items, under, k, terms)
    return arranged(find, draw, asked, k, terms, items, masks=pipeline.masks, pool=pipeline.pool)


def _found(
    pipeline: Pipeline, names: tuple[str, ...], likeness: Sequence[Reading], exclude: Indexes, queries: Queries, k: int,
    items: Mask,
) -> Candidates:  # fmt: skip
    if not names:
        nothing = np.full((len(queries), k), -1, np.int32)
        return Candidates(nothing, np.full(nothing.shape, -np.inf, np.float32), nothing.astype(np.int8), ())
    allowed = pipeline.rules.of_queries(queries, items, pipeline.catalog, exclude)  # [b, n]
    chosen, opinions = pooled(likeness, max(k, pipeline.pool), allowed)
    return combined(chosen, opinions, ReciprocalRank(), k, names)


def _together(model: SimilarItems, basket: Indexes, how: Pooling, shape: tuple[int, int]) -> Scores:
    """float32[b, n]: how well each item goes with all, the same for every query; NaN where nothing is known."""
    total: NDArray[np.float32] = np.zeros((1, shape[1]), np.float32)
    heard = np.zeros((1, shape[1]), np.bool_)
    for place in range(len(basket)):  # one by one: items × n would not be bounded
        alike = model.similar(basket[place : place + 1])  # [1, n]
        if how == "cart":
            most = np.nanmax(np.abs(alike), initial=0.0)
            alike = np.sign(alike) * np.sqrt(np.abs(alike) / (most if most > 0 else 1.0))
        known = ~np.isnan(alike)
        total += np.where(known, alike, np.float32(0.0))
        heard |= known
    mean = np.where(heard, total / np.float32(max(len(basket), 1)), np.float32(np.nan))
    return np.broadcast_to(mean, shape)
