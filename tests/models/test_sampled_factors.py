"""What holds for every factorisation that learns from items drawn at random."""

import numpy as np
import pytest

from worlds import two_tastes
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.bpr import BPR
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.testing import small_world, some_queries

KINDS = pytest.mark.parametrize("kind", [BPR, SoftmaxMF])


@pytest.mark.parametrize("model", [BPR(dimensions=2, negatives=1, l2=0.02), SoftmaxMF(dimensions=2, l2=0.05)])
def test_of_two_tastes_each_finds_its_own(model):
    data = two_tastes()
    of_a = np.array([text.startswith("a") for text in data.items.texts])
    query = Queries.of(Histories.of([np.flatnonzero(of_a)[:2].tolist()]))
    scores = model.fit(data).score(query)[0]
    assert scores[of_a].min() > scores[~of_a].max()


@KINDS
def test_another_seed_is_another_model(kind):
    data = small_world()
    first, second = (kind(dimensions=4, seed=seed).fit(data).score(some_queries(data)) for seed in (0, 1))
    assert not np.allclose(first, second, equal_nan=True)


@KINDS
@pytest.mark.parametrize("name", ["dimensions", "epochs", "learning_rate", "l2", "negatives", "half_life_days"])
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(kind, name):
    with pytest.raises(ConfigError, match=rf"{kind.__name__}\.{name} must be .*, got -1"):
        kind(**{name: -1})
