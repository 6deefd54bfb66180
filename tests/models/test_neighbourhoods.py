"""The variants of both neighbourhood models against slow, obvious twins."""

import numpy as np
import pytest

from worlds import dense_interest
from zhiyin.errors import ConfigError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.user_knn import UserKNN
from zhiyin.testing import small_world, some_queries


@pytest.fixture(scope="module")
def data():
    return small_world(seed=7)


@pytest.fixture(scope="module")
def x(data):
    return dense_interest(data)


def weighed(documents, weighting, scales):
    """Rows are documents, columns are terms: each cell as a search engine would count it, times the term's scale."""
    known = documents[documents.any(axis=1)]
    rare = np.log1p(len(known) / np.maximum((known > 0).sum(axis=0), 1))
    length = documents.sum(axis=1, keepdims=True)
    average = known.sum() / len(known)
    if weighting == "none":
        return documents * scales
    if weighting == "tf_idf":
        return np.sqrt(documents) * rare * scales
    saturated = documents * 2.2 / (1.2 * (0.25 + 0.75 * length / average) + documents)
    return saturated * rare * scales


def alike(x, likeness, exponents, shrinkage):
    products, squares = x @ x.T, (x**2).sum(axis=1)
    squares[squares == 0] = 1
    if likeness == "jaccard":
        divisor = squares[:, None] + squares - products
    else:
        divisor = np.outer(squares ** exponents[0], squares ** exponents[1])
    found = products / (divisor + shrinkage)
    return found


VARIANTS = [
    ("cosine", "none", (0.5, 0.5)),
    ("cosine", "none", (0.8, 0.2)),
    ("cosine", "tf_idf", (0.5, 0.5)),
    ("cosine", "bm25", (0.0, 0.0)),
    ("jaccard", "none", (0.5, 0.5)),
    ("jaccard", "bm25", (0.5, 0.5)),
]


@pytest.mark.parametrize(("likeness", "weighting", "exponents"), VARIANTS)
@pytest.mark.parametrize("activity", [0.0, 1.0])
def test_every_likeness_of_items(data, x, likeness, weighting, exponents, activity):
    people = np.maximum((x > 0).sum(axis=1), 1) ** (-activity / 2)
    expected = alike(weighed(x.T, weighting, people), likeness, exponents, 0.5)
    np.fill_diagonal(expected, 0)
    model = ItemKNN(
        neighbours=1000, shrinkage=0.5, activity_exponent=activity, likeness=likeness, weighting=weighting,
        in_exponent=exponents[0], out_exponent=exponents[1],
    ).fit(data)  # fmt: skip
    np.testing.assert_allclose(model.weights_.toarray(), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("likeness", "weighting", "exponents"), VARIANTS)
@pytest.mark.parametrize("popularity", [0.0, 1.0])
def test_every_likeness_of_people(data, x, likeness, weighting, exponents, popularity):
    items = np.maximum((x > 0).sum(axis=0), 1) ** (-popularity / 2)
    expected = alike(weighed(x, weighting, items), likeness, (0.5, exponents[1]), 0.5)[:12] @ x
    model = UserKNN(
        neighbours=1000, shrinkage=0.5, popularity_exponent=popularity, likeness=likeness, weighting=weighting,
        neighbour_exponent=exponents[1], half_life_days=None,
    ).fit(data)  # fmt: skip
    found = np.nan_to_num(model.score(some_queries(data)))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("exponent", [0.5, 1.0, -0.5])
def test_popular_items_score_worse_by_the_exponent_alone(data, x, exponent):
    queries, people = some_queries(data), np.maximum((x > 0).sum(axis=0), 1)
    plain, damped = (UserKNN(neighbours=5, out_exponent=one).fit(data).score(queries) for one in (0.0, exponent))
    np.testing.assert_allclose(damped, plain * people**-exponent, rtol=1e-5)


@pytest.mark.parametrize("model", [ItemKNN, UserKNN])
@pytest.mark.parametrize("name", ["likeness", "weighting"])
def test_an_unknown_word_is_refused(model, name):
    with pytest.raises(ConfigError, match=f'{model.__name__}.{name} must be .*, got "?.magic'):
        model(**{name: "magic"})
