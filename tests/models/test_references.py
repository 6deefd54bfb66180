"""Each model against a slow, obvious twin on small data, and what it refuses."""

import numpy as np
import pytest

from worlds import dense_interest
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ConfigError
from zhiyin.models.content import Content
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.recommender import Rates
from zhiyin.models.user_knn import UserKNN
from zhiyin.testing import small_world, some_queries


@pytest.fixture(scope="module")
def data():
    return small_world(seed=7)


@pytest.fixture(scope="module")
def matrix(data):
    return dense_interest(data)


def test_ease_is_the_closed_form_of_its_paper(data, matrix):
    l2, touched = 3.0, matrix.any(axis=0)
    x = matrix[:, touched]
    p = np.linalg.inv(x.T @ x + l2 * np.eye(x.shape[1]))
    b = np.eye(x.shape[1]) - p @ np.diag(1 / np.diag(p))
    scores = EASE(l2=l2, half_life_days=None).fit(data).score(some_queries(data))
    np.testing.assert_allclose(scores[:, touched], (x @ b)[:12], rtol=1e-4, atol=1e-5)
    assert np.isnan(scores[:, ~touched]).all()


def test_ease_of_more_items_than_one_block(monkeypatch):
    monkeypatch.setattr("zhiyin.models.ease._BLOCK", 16)
    data = random_data(np.random.default_rng(0), users=40, n=60, events=400)
    model = EASE(l2=10).fit(data)
    x = data.interactions.matrix.toarray().astype(np.float64)
    x = x[:, x.any(axis=0)]
    p = np.linalg.inv(x.T @ x + 10 * np.eye(x.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    np.testing.assert_allclose(model.weights_, b, atol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_item_knn_sums_the_shrunk_cosines_of_the_nearest(data, matrix, exponent):
    k, shrinkage, n = 4, 2.0, matrix.shape[1]
    people = matrix * (matrix > 0).sum(axis=1, keepdims=True) ** (-exponent / 2)
    norms = np.linalg.norm(people, axis=0)
    alike = (people.T @ people) / (np.outer(norms, norms) + shrinkage)
    np.fill_diagonal(alike, 0)
    for row in alike:
        row[np.argsort(-np.float32(row), kind="stable")[k:]] = 0
    scores = (
        ItemKNN(neighbours=k, shrinkage=shrinkage, activity_exponent=exponent, half_life_days=None)
        .fit(data)
        .score(some_queries(data))
    )
    expected = matrix[:12] @ alike
    np.testing.assert_allclose(np.nan_to_num(scores), expected, rtol=1e-4, atol=1e-6)
    assert scores.shape == (12, n)
    assert (np.isnan(scores) == (expected == 0)).all()


@pytest.mark.parametrize(("neighbours", "exponent"), [(3, 0.0), (3, 0.5), (1000, 1.0)])
def test_user_knn_sums_the_rows_of_the_nearest(data, matrix, neighbours, exponent, monkeypatch):
    monkeypatch.setattr("zhiyin.models.user_knn._BLOCK", 100)  # two queries at a time
    shrinkage = 1.5
    scaled = matrix * np.maximum((matrix > 0).sum(axis=0), 1) ** (-exponent / 2)
    norms = np.linalg.norm(scaled, axis=1)
    alike = scaled[:12] @ scaled.T / (np.outer(norms[:12], norms) + shrinkage)
    for row in alike:
        row[np.argsort(-np.float32(row), kind="stable")[neighbours:]] = 0
    model = UserKNN(neighbours=neighbours, shrinkage=shrinkage, popularity_exponent=exponent, half_life_days=None)
    scores = model.fit(data).score(some_queries(data))
    np.testing.assert_allclose(np.nan_to_num(scores), alike @ matrix, rtol=1e-4, atol=1e-6)


def test_ratings_are_the_mean_and_two_shrunk_biases(data):
    log = data.interactions
    model = RatingBaseline(item_shrinkage=4, user_shrinkage=2).fit(data)
    mean = log.values.mean()
    item_biases = np.array([
        (log.values[log.items == item] - mean).sum() / (4 + (log.items == item).sum()) for item in range(log.n_items)
    ])  # fmt: skip
    queries = some_queries(data)
    asked = np.tile(np.array([0, 5, 29, -1], np.int32), (len(queries), 1))
    ratings, scores = model.rate(queries, asked), model.score(queries)
    assert isinstance(model, Rates)
    for user in range(len(queries)):
        mine = log.users == user
        residuals = log.values[mine] - mean - item_biases[log.items[mine]]
        bias = residuals.sum() / (2 + mine.sum())
        np.testing.assert_allclose(ratings[user, :2], mean + bias + item_biases[[0, 5]], rtol=1e-4)
        assert ratings[user, 2] == pytest.approx(mean + bias, rel=1e-4)  # nobody rated it: an average item
        np.testing.assert_allclose(scores[user, [0, 5]], ratings[user, :2], rtol=1e-6)
    assert np.isnan(scores[:, 29]).all()
    assert np.isnan(ratings[:, 3]).all()


def test_without_ratings_the_baseline_has_no_opinion():
    data = random_data(np.random.default_rng(0), users=5, n=6, events=20)
    model = RatingBaseline().fit(data)
    queries = some_queries(data)
    assert np.isnan(model.score(queries)).all()
    assert np.isnan(model.rate(queries, np.zeros((5, 2), np.int32))).all()


def test_a_history_of_100_000_events_is_scored():
    rng = np.random.default_rng(0)
    data = random_data(rng, users=50, n=1000, events=5000)
    query = Queries.of(Histories.of([rng.integers(0, 1000, 100_000)]))
    for model in (ItemKNN(), UserKNN(), EASE(), Content(), Popularity(), RatingBaseline()):
        assert model.fit(data).score(query).shape == (1, 1000)


def test_ease_says_how_much_it_would_need_before_it_starts():
    data = random_data(np.random.default_rng(0), users=100, n=2000, events=60_000)
    with pytest.raises(ConfigError, match=r"EASE needs 24\.0 MB.* 2,000 items .*SparseEASE.*EASE\.memory_gb"):
        EASE(memory_gb=0.01).fit(data)


def test_ease_refuses_more_items_than_its_method_can_count(monkeypatch):
    monkeypatch.setattr("zhiyin.models.ease.MOST_ITEMS", 10)
    with pytest.raises(ConfigError, match=r"at most 10 items.*SparseEASE"):
        EASE().fit(small_world())


def test_ease_that_cannot_invert_asks_for_more_l2():
    data = random_data(np.random.default_rng(0), users=1, n=50, events=2000)
    with pytest.raises(ConfigError, match=r"EASE\.l2 .*try 100 to 1000"):
        EASE(l2=1e-12).fit(data)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: EASE(l2=-1.0), "EASE.l2 must be > 0, got -1.0 (try 100 to 1000"),
        (lambda: EASE(memory_gb=0), "EASE.memory_gb must be > 0, got 0"),
        (lambda: EASE(half_life_days=0), "EASE.half_life_days must be > 0, got 0"),
        (lambda: ItemKNN(neighbours=0), "ItemKNN.neighbours must be >= 1, got 0"),
        (lambda: ItemKNN(shrinkage=float("nan")), "ItemKNN.shrinkage must be >= 0, got nan"),
        (lambda: ItemKNN(activity_exponent=-1), "ItemKNN.activity_exponent must be >= 0, got -1"),
        (lambda: UserKNN(neighbours=-3), "UserKNN.neighbours must be >= 1, got -3"),
        (lambda: UserKNN(popularity_exponent=-1), "UserKNN.popularity_exponent must be >= 0, got -1"),
        (lambda: UserKNN(shrinkage=-1), "UserKNN.shrinkage must be >= 0, got -1"),
        (lambda: Popularity(window_days=0), "Popularity.window_days must be > 0, got 0"),
        (lambda: Popularity(half_life_days=-2), "Popularity.half_life_days must be > 0, got -2"),
        (lambda: Content(dimensions=0), "Content.dimensions must be >= 1, got 0"),
        (lambda: Content(max_terms=0), "Content.max_terms must be >= 1, got 0"),
        (lambda: RatingBaseline(item_shrinkage=-1), "RatingBaseline.item_shrinkage must be >= 0, got -1"),
        (lambda: RatingBaseline(user_shrinkage=-1), "RatingBaseline.user_shrinkage must be >= 0, got -1"),
    ],
)
def test_a_hyper_parameter_out_of_bounds_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value).startswith(sentence)


def random_data(rng, users, n, events):
    log = Interactions.of(
        rng.integers(0, users, events), rng.integers(0, n, events), np.arange(events), n_users=users, n_items=n
    )
    items = Vocabulary.of(f"{item:05}" for item in range(n))
    return Dataset(Vocabulary.of(f"{user:05}" for user in range(users)), items, log, Catalog.of(items))
