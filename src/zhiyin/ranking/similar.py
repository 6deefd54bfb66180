"""Items that go with an item: the same rules, fusion and order as every other answer."""

import numpy as np

from zhiyin.models.reading import read_items
from zhiyin.models.recommender import SimilarItems
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.fuse import ReciprocalRank
from zhiyin.ranking.recommend import Pipeline, combined, pooled
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.types import Indexes


def similar(pipeline: Pipeline, items: Indexes, k: int, terms: Terms = PLAIN) -> Candidates:
    """The k items most alike to each of `items` int32[b], by every retriever that knows; the item itself is left out.

    A list is short, or empty, where no retriever has an opinion: an unrelated item is not similar.
    """
    members = {name: one for name, one in pipeline.retrievers.items() if isinstance(one, SimilarItems)}
    allowed = np.repeat(pipeline.allowed_items(*terms.where)[None, :], len(items), axis=0)  # [b, n]
    allowed[np.arange(len(items)), items] = False
    if not members:
        nothing = np.full((len(items), k), -1, np.int32)
        return Candidates(nothing, np.full(nothing.shape, -np.inf, np.float32), nothing.astype(np.int8), ())
    items, opinions = pooled([read_items(one, items) for one in members.values()], max(k, pipeline.pool), allowed)
    return combined(items, opinions, ReciprocalRank(), k, tuple(members))
