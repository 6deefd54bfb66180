"""Models that retrieve find what scoring everything finds."""

from dataclasses import fields
from functools import partial

import numpy as np
import pytest

from worlds import dataset
from zhiyin.compute.kernels import top_k
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.embedding import Embedding
from zhiyin.models.ials import IALS
from zhiyin.models.known import MODELS
from zhiyin.models.recommender import Retrieves
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import Terms
from zhiyin.testing import small_world, some_queries

RETRIEVING = [model for model in MODELS.values() if issubclass(model, Embedding)]
SMALL = {"dimensions": 4, "window": 8, "epochs": 2}


def many(queries):
    return queries[np.arange(150) % len(queries)]


def small(model):
    """A fast one: only the settings that it has."""
    return model(**{field.name: SMALL[field.name] for field in fields(model) if field.name in SMALL})


@pytest.mark.parametrize("kind", RETRIEVING)
@pytest.mark.parametrize("rows", [slice(None), slice(0, 3)])
def test_what_is_retrieved_is_what_scoring_everything_finds(kind, rows):
    world = small_world()
    model, queries = small(kind).fit(world), many(some_queries(world))[rows]
    assert isinstance(model, Retrieves)
    rules = partial(Rules().of_queries, items=np.arange(len(world.items)) != 2, catalog=world.catalog)
    items, scores = model.retrieve(queries, 5, rules)
    all_scores = model.score(queries)
    expected_items, expected = top_k(all_scores, 5, rules(queries))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)
    given = np.take_along_axis(all_scores, np.maximum(items, 0), axis=1)  # equal but for rounding may change places
    np.testing.assert_allclose(np.where(items < 0, -np.inf, given), scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(items < 0, expected_items < 0)


class Constant(Embedding):
    """Everybody wants the same vector."""

    def encode(self, queries):
        return np.tile(np.linspace(-1, 2, self.item_vectors_.shape[1], dtype=np.float32), (len(queries), 1))


@pytest.mark.parametrize("longest", [1.0, 4.0])  # to the shortest
def test_of_a_large_catalogue_the_best_are_those_of_scoring_everything(longest):
    rng = np.random.default_rng(0)
    model, n = Constant(), 31_000
    model.item_vectors_ = rng.standard_normal((n, 12), np.float32)
    lengths = np.linalg.norm(model.item_vectors_, axis=1, keepdims=True)
    model.item_vectors_ *= rng.uniform(1, longest, (n, 1)).astype(np.float32) / lengths
    model.item_vectors_[::7] = np.nan
    queries = Queries.of(Histories.of([[], [3]]), now=0)
    for allowed in (rng.random((2, n)) < 0.9, rng.random((2, n)) < 0.001):
        for reading, scores in (
            (model.reading(queries), model.score(queries)),
            (model.alike(np.array([3, 5], np.int32)), model.similar(np.array([3, 5], np.int32))),
        ):
            found, best = reading.best(50, allowed & ~np.isin(np.arange(n), [3, 5]))
            expected_items, expected = top_k(scores, 50, allowed & ~np.isin(np.arange(n), [3, 5]))
            np.testing.assert_allclose(best, expected, rtol=1e-4, atol=1e-6)
            assert (found == expected_items).mean() > 0.95  # equal but for rounding may change places


def test_a_pipeline_answers_many_as_it_answers_few_strangers_and_rules_included():
    days = np.random.default_rng(0).permutation(400)
    world = dataset([(f"u{day % 40}", f"i{day * day % 31}", float(day)) for day in days])
    pipeline = Pipeline.of(IALS(dimensions=4).fit(world), world, Rules(where="item_id != 'i1'"))
    past = [*([item, (item + 5) % 16] for item in range(16)), []]
    queries = many(Queries.of(Histories.of(past), now=int(world.interactions.times[-1])))
    whole = pipeline.recommend(queries, 8, Terms(exclude=np.array([3, -1], np.int32)))
    for row in range(len(past)):
        alone = pipeline.recommend(queries[row : row + 1], 8, Terms(exclude=np.array([3, -1], np.int32)))
        assert alone.items[0].tolist() == whole.items[row].tolist()
        assert alone.origins[0].tolist() == whole.origins[row].tolist()
        np.testing.assert_allclose(alone.scores[0], whole.scores[row], rtol=1e-5, atol=1e-6)
