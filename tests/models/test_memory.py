"""The arrays of a training beside what comes in and what comes out, as numpy counts them."""

import tracemalloc
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from scipy.sparse import csr_array

from zhiyin.compute.threads import threads
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.models.association_rules import AssociationRules
from zhiyin.models.co_visitation import CoVisitation
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.low_pass import LowPass
from zhiyin.models.nmf import NMF
from zhiyin.models.slim import SLIM
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.models.user_knn import UserKNN

USERS, ITEMS, EVENTS = 3_000, 2_000, 100_000


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, USERS, EVENTS), (ITEMS * rng.random(EVENTS) ** 2).astype(np.int32)
    columns = {name: np.ones(EVENTS, np.float32) for name in ("weights", "values", "prices")}  # each takes its room
    log = Interactions.of(users, items, np.arange(EVENTS) * 10**6, n_users=USERS, n_items=ITEMS, **columns)
    names = Vocabulary.of(range(ITEMS))
    return Dataset(Vocabulary.of(range(USERS)), names, log, Catalog.of(names))


def held(value):
    """Bytes of the arrays that something holds."""
    if isinstance(value, csr_array):
        return value.data.nbytes + value.indices.nbytes + value.indptr.nbytes
    if is_dataclass(value):
        return sum(held(getattr(value, field.name, None)) for field in fields(value))
    return value.nbytes if isinstance(value, np.ndarray) else 0


@pytest.mark.parametrize(
    "model",
    [
        ItemKNN(), UserKNN(), SparseEASE(memory_gb=0.001, neighbours=20), SLIM(neighbours=20), LowPass(dimensions=64),
        GraphFilter(dimensions=64), IALS(dimensions=64, epochs=1), NMF(epochs=1), AssociationRules(least_support=1),
        CoVisitation(),
    ],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_training_takes_at_most_twice_the_inputs_and_the_model(model, data):
    threads(1)
    model.fit(data.with_interactions(data.interactions[:1_000]))  # compiles
    tracemalloc.start()
    try:
        model.fit(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        threads(None)
    inputs = held(data.interactions)
    assert inputs + peak <= 2 * (inputs + held(model))
