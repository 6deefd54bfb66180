"""A sequence model written down as a graph answers like the network, without PyTorch."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from zhiyin.data.dataset import Dataset
from zhiyin.data.queries import Queries
from zhiyin.errors import ArtifactError, MissingExtraError
from zhiyin.models import extras
from zhiyin.models.known import MODELS
from zhiyin.models.next_item import NextItem
from zhiyin.models.recommender import Exports
from zhiyin.models.sasrec import SASRec
from zhiyin.testing import small_world

TINY = {"epochs": 2, "dimensions": 8, "window": 5, "validation_people": 0}
KINDS = [
    *((kind, {}) for kind in MODELS.values() if issubclass(kind, NextItem)),
    (SASRec, {"block": "gated", "temperature": 0.1}),
]


def world_of_two_kinds() -> Dataset:
    world = small_world()
    kinds = (np.arange(len(world.interactions)) % 3 == 0).astype(np.uint8)
    return replace(world, interactions=replace(world.interactions, kinds=kinds, kind_names=("view", "buy")))


WORLD = world_of_two_kinds()


def queries_of_all_lengths() -> Queries:
    past = WORLD.interactions.histories[np.arange(12)]
    moments = past.times[past.offsets[:-1] + np.arange(12) % past.lengths]  # i % length events are earlier
    return Queries.of(past.before(moments), np.arange(12, dtype=np.int32), int(moments.max()))


QUERIES = queries_of_all_lengths()


@pytest.fixture(scope="module")
def trained() -> SASRec:
    return SASRec(**TINY | {"dimensions": 64}).fit(WORLD)


@pytest.fixture(scope="module")
def answering(trained: SASRec) -> SASRec:
    return trained.exported("float32")


@pytest.mark.parametrize(("kind", "settings"), KINDS, ids=str)
def test_every_sequence_model_answers_the_same_from_its_graph_for_every_length_of_history(kind, settings):
    model = kind(**TINY, **settings).fit(WORLD)
    graph = model.exported("float32")
    assert isinstance(graph, Exports)
    assert graph.graph_ is not None
    assert model.graph_ is None
    assert set(QUERIES.histories.lengths) >= {0, 1, 2}
    wanted, found = model.score(QUERIES), graph.score(QUERIES)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.nanmax(np.abs(wanted)))
    one_by_one = np.concatenate([graph.score(QUERIES[[row]]) for row in range(len(QUERIES))])
    np.testing.assert_allclose(one_by_one, wanted, rtol=0, atol=1e-4 * np.nanmax(np.abs(wanted)))


def test_weights_of_eight_bits_are_smaller_and_nearly_as_exact(trained, answering):
    fewer = trained.exported("int8")
    assert fewer.graph_.nbytes < 0.5 * answering.graph_.nbytes
    wanted, found = answering.score(QUERIES), fewer.score(QUERIES)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.05 * np.nanmax(np.abs(wanted)))
    assert not np.array_equal(found, wanted)


def test_a_graph_says_nothing_of_the_machine_that_made_it(answering):
    graph = onnx.load_from_string(answering.graph_.tobytes())
    assert {one.name for one in graph.graph.input} <= {"vectors", "kinds", "gaps"}
    assert b"zhiyin" not in answering.graph_.tobytes()
    assert b".py" not in answering.graph_.tobytes()


@pytest.mark.parametrize("fault", ["empty", "truncated", "noise", "a file beside it", "an unknown operation"])
def test_a_graph_that_is_none_is_refused_in_one_sentence(answering, fault):
    graph = onnx.load_from_string(answering.graph_.tobytes())
    if fault == "a file beside it":
        tensor = graph.graph.initializer[0]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/passwd")
    if fault == "an unknown operation":
        graph.opset_import.add(domain="elsewhere", version=1)
        graph.graph.node[0].domain, graph.graph.node[0].op_type = "elsewhere", "Run"
    content = {
        "empty": b"", "truncated": graph.SerializeToString()[:-1000], "noise": bytes(range(256)) * 8,
    }.get(fault, graph.SerializeToString())  # fmt: skip
    foreign = SASRec(**TINY)
    foreign.__dict__.update(answering.__dict__, graph_=np.frombuffer(content, np.uint8).copy())
    with pytest.raises(ArtifactError, match="train again"):
        foreign.score(QUERIES)


def test_what_is_not_installed_is_named_with_its_extra(trained, answering, monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda package: package != "onnxruntime")
    with pytest.raises(MissingExtraError, match=r"zhiyin\[onnx\]"):
        answering.score(QUERIES)
    monkeypatch.setattr(extras, "installed", lambda package: package != "onnxscript")
    with pytest.raises(MissingExtraError, match=r"zhiyin\[neural\]"):
        trained.exported("float32")
