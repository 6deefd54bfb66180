"""Every law over every model: a new model is one line in the list."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pytest

from zhiyin.compute.kernels import top_k
from zhiyin.compute.threads import threads
from zhiyin.data.catalog import Catalog
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.models.association_rules import AssociationRules
from zhiyin.models.bayesian_mf import BayesianMF
from zhiyin.models.biased_mf import BiasedMF
from zhiyin.models.bpr import BPR
from zhiyin.models.caser import Caser
from zhiyin.models.chebyshev_filter import ChebyshevFilter
from zhiyin.models.co_visitation import CoVisitation
from zhiyin.models.content import Content
from zhiyin.models.dcn_v2 import DCNv2
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.ease import EASE
from zhiyin.models.final_mlp import FinalMLP
from zhiyin.models.fm import FM
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.gru4rec import GRU4Rec
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.known import MODELS
from zhiyin.models.latest import Latest
from zhiyin.models.light_gcn import LightGCN
from zhiyin.models.logistic_regression import LogisticRegression
from zhiyin.models.low_pass import LowPass
from zhiyin.models.mlp import MLP
from zhiyin.models.next_it_net import NextItNet
from zhiyin.models.nmf import NMF
from zhiyin.models.popularity import Popularity
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.reading import read_items
from zhiyin.models.recommender import Recommender, SimilarItems
from zhiyin.models.sasrec import SASRec
from zhiyin.models.slim import SLIM
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.models.trending import Trending
from zhiyin.models.two_tower import TwoTower
from zhiyin.models.user_knn import UserKNN
from zhiyin.models.wide_and_deep import WideAndDeep
from zhiyin.testing import check_recommender, small_world, some_queries

SMALL = {"dimensions": 16, "window": 8, "epochs": 40, "learning_rate": 0.03, "dropout": 0.5}
"""Of a network that learns a small world in a moment."""

CLICKS = {"epochs": 2, "batch_size": 32, "learning_rate": 0.01}  # enough to move every weight
MAKERS: list[Callable[[], Recommender]] = [
    Popularity,
    lambda: Popularity(half_life_days=3, window_days=10),
    Trending,
    lambda: Trending(recent_days=0.5, before_days=3, prior=0.1),
    Latest,
    ItemKNN,
    lambda: ItemKNN(neighbours=3, shrinkage=0, half_life_days=2),
    UserKNN,
    lambda: UserKNN(neighbours=3, shrinkage=0, half_life_days=2),
    lambda: ItemKNN(likeness="jaccard", activity_exponent=0, neighbours=6),
    lambda: ItemKNN(weighting="tf_idf", in_exponent=0.8, out_exponent=0.2, shrinkage=0),
    lambda: ItemKNN(weighting="bm25", in_exponent=0, out_exponent=0, neighbours=6),
    lambda: UserKNN(likeness="jaccard", popularity_exponent=0, neighbours=6),
    lambda: UserKNN(weighting="tf_idf", neighbour_exponent=0.2, neighbours=6),
    lambda: UserKNN(weighting="bm25", neighbours=6),
    lambda: EASE(l2=5),
    lambda: EASE(l2=500, half_life_days=2),
    Content,
    lambda: Content(dimensions=4, max_terms=20, half_life_days=2),
    RatingBaseline,
    lambda: RatingBaseline(item_shrinkage=0, user_shrinkage=0),
    lambda: IALS(dimensions=4),
    lambda: IALS(dimensions=8, epochs=3, half_life_days=2),
    lambda: LowPass(dimensions=8),
    lambda: LowPass(dimensions=3, sharpness=0, user_exponent=0, half_life_days=2),
    lambda: GraphFilter(neighbours=5, dimensions=8, low_pass=1),
    lambda: GraphFilter(neighbours=5, low_pass=0, half_life_days=2),
    ChebyshevFilter,
    lambda: ChebyshevFilter(order=3, flatness=1, half_life_days=2),
    SLIM,
    lambda: SLIM(neighbours=5, l1=0.01, l2=0.5, user_exponent=0, l2_exponent=0, half_life_days=2),
    lambda: SparseEASE(l2=5),
    lambda: SparseEASE(l2=5, neighbours=6, memory_gb=1e-9, half_life_days=2),
    lambda: BPR(dimensions=4),
    lambda: BPR(dimensions=8, negatives=1, half_life_days=2),
    lambda: SoftmaxMF(dimensions=4),
    lambda: SoftmaxMF(dimensions=8, negatives=8, half_life_days=2),
    lambda: LightGCN(dimensions=8, epochs=30, negatives=64),
    lambda: LightGCN(dimensions=4, epochs=30, layers=2, loss="bpr", l2=1e-4, own_vectors=True, half_life_days=2),
    lambda: NMF(dimensions=3),
    lambda: NMF(dimensions=5, l1=0, half_life_days=2),
    lambda: BiasedMF(dimensions=3),
    lambda: BiasedMF(dimensions=8, epochs=5),
    lambda: BayesianMF(epochs=40),
    lambda: BayesianMF(dimensions=2, epochs=10, samples=3),
    AssociationRules,
    lambda: AssociationRules(measure="lift", least_support=1, least_confidence=0.05, half_life_days=2),
    CoVisitation,
    lambda: CoVisitation(window_hours=240, backward=0, popularity_exponent=1, neighbours=4, half_life_days=2),
    lambda: SASRec(**SMALL),
    lambda: SASRec(**SMALL, block="gated", heads=1, loss="sampled_softmax", negatives=20, temperature=0.1),
    lambda: GRU4Rec(**SMALL),
    lambda: Caser(**SMALL, horizontal=8, vertical=2),
    lambda: NextItNet(**SMALL, layers=2),
    lambda: MLP(**SMALL),
    lambda: TwoTower(**SMALL, negatives=20, hidden=16),
    lambda: LogisticRegression(**CLICKS),
    lambda: FM(**CLICKS, dimensions=4),
    lambda: DeepFM(**CLICKS, dimensions=4, layers=(8,)),
    lambda: DeepFM(**CLICKS, ignore=("category", "price"), window=1, layers=(8, 4), dropout=0),
    lambda: WideAndDeep(**CLICKS, dimensions=4, layers=(8,)),
    lambda: DCNv2(**CLICKS, dimensions=4, layers=(8,)),
    lambda: FinalMLP(**CLICKS, dimensions=4, layers=(8,), second_layers=(4,), heads=2),
]


@pytest.fixture(autouse=True)
def _one_thread():
    """Starting threads takes longer than these worlds."""
    threads(1)
    yield
    threads(None)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
def test_every_model_keeps_every_law(make):
    check_recommender(make)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
def test_every_model_speaks_the_protocol_and_is_a_dataclass_that_compares_by_its_settings(make):
    assert isinstance(make(), Recommender)
    assert make() == make().fit(small_world())


def test_every_known_model_is_held_to_the_laws():
    assert {type(make()) for make in MAKERS} == set(MODELS.values())
    assert all(name == model.__name__ for name, model in MODELS.items())


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
def test_an_untouched_item_changes_no_score(make):
    world = small_world()
    fewer, n = world.interactions[world.interactions.items != 3], len(world.items)
    blank = Catalog(world.catalog.frame.with_columns(pl.when(pl.col("item_id") != "item-03").then(pl.all())))
    untouched = replace(world, interactions=fewer, catalog=blank)  # item 3 is there, and nothing is known of it
    absent = without_item(untouched, 3)
    others = np.delete(np.arange(n), 3)
    queries, same_queries = some_queries(untouched), some_queries(absent)
    found, expected = make().fit(untouched).score(queries), make().fit(absent).score(same_queries)
    np.testing.assert_allclose(found[:, others], expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(found[:, 3]).all()


def without_item(world, item):
    log = world.interactions
    items = Vocabulary(world.items.texts.filter(np.arange(len(world.items)) != item))
    fewer = replace(log, items=(log.items - (log.items > item)).astype(np.int32), n_items=len(items))
    return replace(world, items=items, interactions=fewer, catalog=Catalog.of(items, world.catalog.frame))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
def test_similar_items_are_rows_of_scores_in_which_no_item_is_like_itself(make):
    model = make().fit(small_world())
    if not isinstance(model, SimilarItems):
        return
    n = len(small_world().items)
    items = np.array([0, -1, 29, 0], np.int32)  # 29 is untouched
    alike = model.similar(items)
    assert alike.shape == (4, n)
    assert alike.dtype == np.float32
    assert np.isnan(alike[1]).all()
    assert np.isnan(alike[[0, 3], 0]).all()
    assert np.isnan(alike[2, 29])
    touched = np.arange(28, dtype=np.int32)
    likeness, one_taste = np.nan_to_num(model.similar(touched)[:, :28]), (touched[:, None] - touched) % 3 == 0
    assert likeness[one_taste].mean() > 1.2 * likeness[~one_taste].mean()
    np.testing.assert_array_equal(alike[0], alike[3])
    allowed = np.arange(n)[None] != items[:, None]
    found, best = read_items(model, items).best(6, allowed)
    expected = top_k(alike, 6, allowed)[1]
    np.testing.assert_allclose(best, expected, rtol=1e-4, atol=1e-5)
    looked_up = np.where(found >= 0, np.take_along_axis(alike, np.maximum(found, 0), axis=1), np.nan)
    np.testing.assert_allclose(np.where(found >= 0, best, np.nan), looked_up, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(read_items(model, items).of(found), looked_up, rtol=1e-4, atol=1e-5)


@dataclass
class Broken:
    """Everybody's count of each item, wrong in one way that a law forbids."""

    fault: str
    counts_: np.ndarray = field(init=False, repr=False)

    @property
    def timeless(self):
        return self.fault == "by the clock"

    def fit(self, data):
        self.counts_ = data.interactions.item_counts.astype(np.float32)
        if self.fault == "poisoned":
            self.counts_ /= self.counts_.min()
        if self.fault == "unseeded":
            self.counts_ += np.random.default_rng().random(len(self.counts_), np.float32)
        return self

    def score(self, queries, items=None):
        scores = np.tile(self.counts_, (len(queries), 1))
        if self.fault == "by person":
            scores *= queries.people[:, None] + 2
        if self.fault == "tied zeros":
            scores *= queries.histories.matrix(len(self.counts_)).sum(axis=1)[:, None] > 0
        if self.fault == "of the batch":
            scores -= len(queries) * scores.mean()
        if self.fault == "wide":
            return scores.astype(np.float64)
        if self.timeless:
            scores *= (queries.times[:, None] // 86_400_000_000 % 97 + 1).astype(np.float32)
        if items is None:
            return scores
        chosen = scores[:, items] if items.ndim == 1 else np.take_along_axis(scores, items.astype(np.int64), 1)
        return chosen if self.fault == "padding" else np.where(items >= 0, chosen, np.float32(np.nan))


class BrokenInExplaining(Broken):
    """All of a score is laid to the newest event."""

    def explain(self, queries, items):
        t = queries.histories.lengths.max() + (self.fault == "too long")
        added = np.full((*items.shape, t), 1.0 if self.fault == "too much" else np.nan, np.float32)
        if self.fault != "silent":
            added[:, :, -1] = self.score(queries, items)
        return added.astype(np.float64) if self.fault == "wide explanations" else added


def test_a_model_without_fault_passes():
    check_recommender(lambda: Broken("none"))


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        ("by person", "stranger"),
        ("tied zeros", "empty history"),
        ("of the batch", "batch equals its rows"),
        ("wide", "float32"),
        ("padding", "-1"),
        ("poisoned", "number or NaN"),
        ("unseeded", "same seed"),
        ("by the clock", "timeless"),
    ],
)
def test_a_broken_law_is_named(fault, law):
    with np.errstate(all="ignore"), pytest.raises(AssertionError, match=law):
        check_recommender(lambda: Broken(fault))


def test_a_model_that_explains_without_fault_passes():
    check_recommender(lambda: BrokenInExplaining("none"))


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        ("too long", r"explain\(\) gives"),
        ("too much", "sums to the score"),
        ("silent", "no event speaks"),
        ("wide explanations", "float32"),
    ],
)
def test_a_broken_law_of_explaining_is_named(fault, law):
    with pytest.raises(AssertionError, match=law):
        check_recommender(lambda: BrokenInExplaining(fault))
