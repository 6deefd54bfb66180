"""The path that scores little against a plain one that scores everything, sorts, and fuses."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import dataset
from zhiyin.compute.kernels import top_k
from zhiyin.data.catalog import Catalog
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.content import Content
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.low_pass import LowPass
from zhiyin.models.popularity import Popularity
from zhiyin.models.user_knn import UserKNN
from zhiyin.ranking.fuse import Blend, Opinions, ReciprocalRank
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.terms import Terms


def world():
    days = np.random.default_rng(0).permutation(300)
    log = dataset([(f"u{day * 3 % 25}", f"i{day * 7 % 31:02}", float(day)) for day in days])
    items = pl.DataFrame({
        "item_id": log.items.texts,
        "title": [f"{('red', 'blue', 'green')[i % 3]} thing {i}" for i in range(len(log.items))],
        "price": [float(i) for i in range(len(log.items))],
    })  # fmt: skip
    return replace(log, catalog=Catalog.of(log.items, items))


WORLD = world()
MODELS = {
    "popularity": Popularity(window_days=200).fit(WORLD),
    "item_knn": ItemKNN(neighbours=4, shrinkage=0).fit(WORLD),
    "low_pass": LowPass(dimensions=5).fit(WORLD),
    "content": Content(dimensions=6).fit(WORLD),
    "user_knn": UserKNN(neighbours=5).fit(WORLD),
    "graph_filter": GraphFilter(neighbours=3, low_pass=0).fit(WORLD),
}


def blend(retrievers):
    one = Blend()
    one.weights_ = np.linspace(0.1, 1.0, 2 * retrievers)
    return one


def plain(pipeline, queries, k, where=None, exclude=None):
    """Lists of (item, score, origin) for each query, from the scores of all items."""
    n, everything = len(pipeline.catalog), np.arange(len(pipeline.catalog), dtype=np.int32)
    items = pipeline.rules.of_items(pipeline.catalog, where)
    allowed = pipeline.rules.of_queries(queries, items, pipeline.catalog, exclude)
    scores = [model.score(queries, np.tile(everything, (len(queries), 1))) for model in pipeline.retrievers.values()]
    return [
        plain_row(pipeline, [one[row] for one in scores], allowed[row], min(max(pipeline.pool, k), n), k)
        for row in range(len(queries))
    ]


def plain_row(pipeline, scores, allowed, pool, k):
    proposed = [top_k(one[None], pool, allowed[None])[0][0] for one in scores]
    if len(scores) == 1:
        return [(int(item), scores[0][item], 0) for item in proposed[0][:k] if item >= 0]
    items = list(dict.fromkeys(item for one in proposed for item in one.tolist() if item >= 0))
    if not items:
        return []
    ranks = np.array([[row.tolist().index(item) if item in row else -1 for item in items] for row in proposed])
    opinions = Opinions(np.array([one[items] for one in scores])[:, None], ranks[:, None].astype(np.int32))
    fused = pipeline.combine.combine(opinions)[0]
    places = sorted(range(len(items)), key=lambda place: -fused[place])[:k]
    finder = np.where(ranks >= 0, ranks, 10**9).argmin(axis=0)
    return [(items[place], fused[place], int(finder[place])) for place in places]


@settings(deadline=None, max_examples=120)
@given(
    names=st.sets(st.sampled_from(sorted(MODELS)), min_size=1),
    past=st.lists(st.lists(st.integers(-1, 30), max_size=12), min_size=1, max_size=4),
    blended=st.booleans(),
    pool=st.sampled_from([1, 3, 200]),
    k=st.sampled_from([1, 5, 40]),
    seen=st.sampled_from(["drop", "keep"]),
    where=st.sampled_from([None, "price < 9", "price < 0", "title = 'red thing 3'"]),
    exclude=st.sampled_from([None, [0, 3, -1], list(range(5, 31))]),
)
def test_lists_and_origins_are_those_of_scoring_everything(names, past, blended, pool, k, seen, where, exclude):
    members = {name: MODELS[name] for name in MODELS if name in names}
    combine = blend(len(members)) if blended else ReciprocalRank()
    pipeline = Pipeline(members, WORLD.catalog, Popularity().fit(WORLD), Rules(seen=seen), combine, pool)
    queries = Queries.of(Histories.of(past), now=int(WORLD.interactions.times[-1]) + 1)
    excluded = None if exclude is None else np.array(exclude, np.int32)
    found = pipeline.recommend(queries, k, Terms(where=(where,) if where else (), exclude=excluded))
    for row, expected in enumerate(plain(pipeline, queries, k, where, excluded)):
        own = found.origins[row] < len(members)
        own &= found.items[row] >= 0  # the fallback comes after
        assert found.items[row][own].tolist() == [item for item, _, _ in expected]
        assert found.origins[row][own].tolist() == [origin for _, _, origin in expected]
        np.testing.assert_allclose(found.scores[row][own], [score for _, score, _ in expected], rtol=1e-5, atol=1e-6)


def test_many_queries_at_once_are_answered_as_one_by_one():
    pipeline = Pipeline(MODELS, WORLD.catalog, Popularity().fit(WORLD))
    past = [[i % 31, (3 * i) % 31, (i * i) % 31][: i % 4] for i in range(100)]
    queries = Queries.of(Histories.of(past), now=int(WORLD.interactions.times[-1]) + 1)
    whole = pipeline.recommend(queries, 5)
    for row in range(len(past)):
        alone = pipeline.recommend(queries[row : row + 1], 5)
        np.testing.assert_allclose(alone.scores[0], whole.scores[row], rtol=1e-4)


def test_a_model_that_learns_again_forgets_what_it_worked_out_before():
    other = replace(WORLD, interactions=WORLD.interactions[WORLD.interactions.items % 2 == 0])
    queries = Queries.of(Histories.of([[2, 4, 6]]), now=int(WORLD.interactions.times[-1]) + 1)
    for make in (Popularity, ItemKNN, lambda: LowPass(dimensions=4)):
        model = make().fit(WORLD)
        Pipeline.of(model, WORLD).recommend(queries, 5)
        again = Pipeline.of(model.fit(other), other).recommend(queries, 5)
        assert again.items.tolist() == Pipeline.of(make().fit(other), other).recommend(queries, 5).items.tolist()


@pytest.mark.parametrize("name", ["popularity", "low_pass", "content"])
def test_a_model_says_the_same_of_one_query_in_many_threads(name):
    from concurrent.futures import ThreadPoolExecutor

    model = type(MODELS[name])().fit(WORLD)  # nothing is worked out yet
    queries = Queries.of(Histories.of([[2, 4, 6]]), now=int(WORLD.interactions.times[-1]) + 1)
    pipeline = Pipeline({name: model, "item_knn": MODELS["item_knn"]}, WORLD.catalog, MODELS["popularity"])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: pipeline.recommend(queries, 5), range(32)))
    assert len({(one.items.tobytes(), one.scores.tobytes()) for one in found}) == 1
