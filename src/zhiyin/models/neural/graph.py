"""A trained network written down as a graph of ONNX, which answers without PyTorch."""

import logging
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from zhiyin.models.neural.encoder import Encoder
from zhiyin.models.neural.next_item import network_of
from zhiyin.models.recommender import Precision

if TYPE_CHECKING:
    from zhiyin.models.next_item import NextItem

INPUTS = ("vectors", "kinds", "gaps")
_TRIED = 3  # events of the histories that the exporter watches


_GRAPHS: dict[int, NDArray[np.uint8]] = {}  # by the identity of the items' vectors, for as long as these live


def graph_of(model: "NextItem", precision: Precision) -> NDArray[np.uint8]:
    """The bytes of the graph of a trained model: what comes after each event, as `Encoder.forward` says it.

    Where a block cannot be written down for any length of history, the graph takes whole windows alone.
    """
    key = id(model.item_vectors_)
    if key not in _GRAPHS:
        network, window = network_of(model), model.window
        graph = _exported(network, min(_TRIED, window), model)
        if any(_has_fixed_length(one) for one in (*graph.graph.input, *graph.graph.output)):
            graph = _exported(network, window, model)
        _strip(graph)
        _GRAPHS[key] = _bytes(graph)
        weakref.finalize(model.item_vectors_, _GRAPHS.pop, key, None)
    return _rounded(_GRAPHS[key]) if precision == "int8" else _GRAPHS[key]


def _rounded(graph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same graph with weights of 8 bits: what is multiplied with them is rounded at each answer."""
    model = onnx.load_from_string(graph.tobytes())
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # so that it does not advise to
    with tempfile.TemporaryDirectory() as directory, _quiet():
        path = Path(directory) / "graph.onnx"
        quantize_dynamic(model, path, per_channel=True, weight_type=QuantType.QInt8)
        found = onnx.load(path)
    del found.metadata_props[:]
    return _bytes(found)


def _exported(network: Encoder, length: int, model: "NextItem") -> Any:
    x = torch.zeros(2, length, model.dimensions)
    kinds, gaps = torch.ones(2, length, dtype=torch.int64), torch.ones(2, length, dtype=torch.int64)  # one is not both
    axes: dict[int, Any] = {0: torch.export.Dim("b")}
    if length < model.window:
        axes[1] = torch.export.Dim("t", max=model.window)
    with _quiet():
        program = torch.onnx.export(
            network.eval(),
            (x, kinds, gaps),
            dynamo=True,
            dynamic_shapes=(axes, axes, axes),
            input_names=INPUTS,
            output_names=("expected",),
            verbose=False,
        )
    return cast("Any", program).model_proto  # None is said of the exporter that was there before


def _has_fixed_length(value: Any) -> bool:
    """Whether a length that was only tried stands in the graph: with another, memory would be written wrongly."""
    return value.type.tensor_type.shape.dim[1].HasField("dim_value")


def _strip(model: Any) -> None:
    """Leave out where in the source each node comes from, and shapes that were only tried."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.input, *model.graph.initializer, *model.graph.output):
        del value.metadata_props[:]
        value.doc_string = ""


def _bytes(model: Any) -> NDArray[np.uint8]:
    return np.frombuffer(model.SerializeToString(deterministic=True), np.uint8).copy()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of itself."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
