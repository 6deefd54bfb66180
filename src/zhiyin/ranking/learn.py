"""Learn a blend through the very path that will serve it."""

from dataclasses import replace

import numpy as np

from zhiyin.data.split import Split
from zhiyin.ranking.fuse import Blend, Opinions, marked
from zhiyin.ranking.recommend import Pipeline

MOST_QUERIES = 4_000
"""More do not change the weights of a dozen features, and their pools have to fit into memory."""


def blended(pipeline: Pipeline, validation: Split, *, l2: float = 0.01, seed: int = 0) -> Pipeline:
    """The same pipeline with a `Blend` learned from what people of a validation window chose.

    The retrievers of `pipeline` must have been fitted on `validation.train`, or the weights will favour those that
    remember best.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(validation))[:MOST_QUERIES])
    size = pipeline.block_size(len(pipeline.catalog))
    parts = [_block(pipeline, validation, rows[start : start + size]) for start in range(0, len(rows), size)]
    opinions = Opinions(
        np.concatenate([part.scores for part, _ in parts], axis=1),
        np.concatenate([part.ranks for part, _ in parts], axis=1),
    )
    return replace(pipeline, combine=Blend(l2).fit(opinions, np.concatenate([chosen for _, chosen in parts])))


def _block(pipeline: Pipeline, validation: Split, rows: np.ndarray) -> tuple[Opinions, np.ndarray]:
    queries = validation.queries[rows]
    allowed = pipeline.rules.of_queries(queries, pipeline.allowed_items(None), pipeline.catalog)
    items, opinions = pipeline.opinions(queries, pipeline.pool, allowed)
    offsets, relevant = validation.relevant_of(rows)
    return opinions, marked(items, offsets, relevant)
