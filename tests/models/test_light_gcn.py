"""LightGCN: its steps against dense algebra, its losses against autograd, its fold-in against the graph, its worlds."""

import sys

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from worlds import two_tastes
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, MissingExtraError
from zhiyin.features.interest import log_interest
from zhiyin.models.light_gcn import LightGCN, normalised
from zhiyin.models.neural.light_gcn import Links, _LogSums, _pairwise, _softmax, learned, spread
from zhiyin.testing import small_world, some_queries

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def x():
    """float32[m, c], sparse: who chose what, and how strongly."""
    interest = log_interest(small_world().interactions)
    return interest[:, np.bincount(interest.indices, minlength=interest.shape[1]) > 0]


def normals(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, np.float32))


def powers(x, people, items, layers):
    """float64[layers + 1, m + c, d]: Â^k E for the graph of people and items in one square matrix, as in the paper."""
    m, c = x.shape
    edges = np.zeros((m + c, m + c))
    edges[:m, m:], edges[m:, :m] = x.toarray(), x.toarray().T
    scale = edges.sum(axis=1) ** -0.5
    step = scale[:, None] * edges * scale
    found = [np.concatenate([people.numpy(), items.numpy()]).astype(np.float64)]
    for _ in range(layers):
        found.append(step @ found[-1])
    return np.stack(found)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("own", [True, False])
def test_vectors_spread_as_powers_of_the_normalised_graph(x, layers, own):
    people, items = normals(x.shape[0], 5) * own, normals(x.shape[1], 5, seed=1)
    found = spread(Links(normalised(x), CPU), people if own else None, items, layers)
    expected = powers(x, people, items, layers)
    for side, rows in zip(found, (slice(None, x.shape[0]), slice(x.shape[0], None)), strict=True):
        for layer, wanted in zip(side, expected[:, rows], strict=True):
            np.testing.assert_allclose(0 if layer is None else layer, wanted, atol=1e-5)


def test_the_gradient_of_a_step_is_that_of_the_dense_product(x):
    links, dense = Links(x, CPU), torch.from_numpy(x.toarray())
    ours, theirs = normals(x.shape[1], 4).requires_grad_(), normals(x.shape[1], 4).requires_grad_()
    links.to_people(ours).square().sum().backward()
    (dense @ theirs).square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-4)


def test_the_gradient_of_the_logarithm_of_sums_is_that_of_autograd():
    grads = []
    for of in (_LogSums.apply, lambda p, v, w: w @ torch.logsumexp(p @ v.T, dim=1)):
        people, items = normals(700, 16).requires_grad_(), normals(30, 16, seed=1).requires_grad_()
        loss = of(people, items, torch.linspace(0, 1, 700))
        loss.backward()
        grads.append((loss.detach(), people.grad, items.grad))
    for ours, theirs in zip(*grads, strict=True):  # bfloat16 has eight bits
        assert (ours - theirs).norm() < 0.01 * theirs.norm()


def test_the_softmax_is_what_it_says(x):
    model = LightGCN(temperature=0.5, negatives=4000)
    people, items = normals(x.shape[0], 8), normals(x.shape[1], 8, seed=1)
    found = _softmax(model, x, torch.Generator().manual_seed(0), CPU)(people, items)
    scores = torch.nn.functional.normalize(people) @ torch.nn.functional.normalize(items).T / 0.5
    weights = torch.from_numpy(x.toarray())
    one_by_one = weights * (torch.logsumexp(scores, dim=1, keepdim=True) + np.log(4000 / x.shape[1]) - scores)
    assert float(found) == pytest.approx(float(one_by_one.sum() / weights.sum()), abs=0.03)


def test_whoever_chose_everything_teaches_the_pairwise_loss_nothing():
    everything = csr_array(np.ones((3, 4), np.float32))
    loss = _pairwise(LightGCN(), everything, torch.Generator().manual_seed(0), CPU)
    assert loss(normals(3, 2), normals(4, 2)) == 0


@pytest.mark.parametrize("own", [True, False])
def test_a_person_in_training_is_answered_by_all_layers_but_the_vector_of_their_own(x, own):
    """What the graph gives a person after one step or more comes from their items; the rest a stranger lacks."""
    data = small_world()
    settings = {"dimensions": 4, "epochs": 20, "loss": "bpr", "own_vectors": own}
    model = LightGCN(**settings, half_life_days=None).fit(data)
    layers = learned(model, x, normalised(x))  # the same seed, so those of the model
    steps = [normalised(x) @ layer for layer in layers[:-1]]
    everybody = np.arange(len(data.users), dtype=np.int32)
    found = model.encode(Queries.of(data.interactions.histories[everybody]))
    np.testing.assert_allclose(found, np.sum(steps, axis=0) / len(layers), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"own_vectors": True}, {"loss": "bpr"}, {"loss": "bpr", "own_vectors": True}])
def test_of_two_tastes_each_finds_its_own(settings):
    data = two_tastes()
    model = LightGCN(dimensions=8, epochs=60, negatives=64, **settings).fit(data)
    of_a = np.array([text.startswith("a") for text in data.items.texts])
    scores = model.score(Queries.of(Histories.of([np.flatnonzero(of_a)[:2].tolist()])))[0]
    assert scores[of_a].min() > scores[~of_a].max()


def test_popular_items_are_louder_by_their_degree():
    data = two_tastes()
    plain, loud = (LightGCN(epochs=5, out_exponent=exponent).fit(data) for exponent in (0.0, 0.5))
    expected = plain.item_vectors_ * np.sqrt(data.interactions.item_counts)[:, None]
    np.testing.assert_allclose(loud.item_vectors_, expected, rtol=1e-5)


def test_a_penalty_shortens_the_vectors():
    free, held = (LightGCN(loss="bpr", epochs=100, l2=l2).fit(small_world()) for l2 in (0.0, 1.0))
    assert np.linalg.norm(held.inputs_) < 0.5 * np.linalg.norm(free.inputs_)


def test_another_seed_is_another_model():
    data = small_world()
    first, second = (LightGCN(dimensions=4, epochs=5, seed=seed).fit(data).score(some_queries(data)) for seed in (0, 1))
    assert not np.allclose(first, second, equal_nan=True)


def test_torch_is_left_with_as_many_threads_as_it_had():
    before = torch.get_num_threads()
    LightGCN(dimensions=4, epochs=1).fit(small_world())
    assert torch.get_num_threads() == before


def test_without_torch_training_names_the_extra_and_answering_goes_on(monkeypatch):
    data = small_world()
    model = LightGCN(dimensions=4, epochs=5).fit(data)
    expected = model.score(some_queries(data))
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "zhiyin.models.neural.light_gcn")
    np.testing.assert_array_equal(model.score(some_queries(data)), expected)
    with pytest.raises(MissingExtraError, match=r"torch is not installed: run pip install 'zhiyin\[neural\]'"):
        LightGCN().fit(data)


@pytest.mark.parametrize(
    "name",
    ["dimensions", "layers", "epochs", "learning_rate", "l2", "temperature", "negatives", "half_life_days", "loss"],
)
def test_a_setting_out_of_bounds_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match=rf"LightGCN\.{name} must be .*, got -1"):
        LightGCN(**{name: -1})
