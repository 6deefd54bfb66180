"""A network over features: what its definition says, and the answer that NumPy gives with its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zhiyin.features.table import Encoded, Layout
from zhiyin.models.click_blocks import Array, Inputs, Shapes
from zhiyin.types import Scores

Floats32 = NDArray[np.float32]


class ClickNetwork(Protocol):
    """What tells one network from another: how the vectors of the fields become one number."""

    dimensions: int

    def shapes(self, fields: int) -> Shapes:
        """The weights beyond the vectors of the features."""
        ...

    def logits(self, inputs: Inputs) -> Array:
        """[r]: how likely a click is, on the scale of log-odds, but for a constant."""
        ...


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the fields of every example, such as those of the query; many examples may share a row of it."""

    features: Encoded
    rows: NDArray[np.int64] | None = None  # [examples]: the row of each example; None: its own


def tables(layouts: Sequence[Layout], dimensions: int) -> Shapes:
    """The tables of vectors of every part; the last column is what a feature says alone."""
    shapes: Shapes = {}
    for place, layout in enumerate(layouts):
        shapes[f"codes_{place}_table"] = (layout.padding + 1, dimensions + 1)
        if layout.numbers:
            shapes[f"numbers_{place}_table"] = (layout.numbers, dimensions + 1)
            shapes[f"missing_{place}_table"] = (layout.numbers, dimensions + 1)
    return shapes


def embedded(weights: Mapping[str, Floats32], place: int, layout: Layout, part: Encoded) -> tuple[Floats32, Floats32]:
    """float32[rows, f, d] and float32[rows]: the vectors of one part, and the sum of what its features say alone."""
    codes = np.where(part.codes < 0, layout.padding, part.codes + layout.offsets)
    found = pooled(weights[f"codes_{place}_table"][codes], part.codes, layout)
    if layout.numbers:
        values = part.numbers[:, :, None]
        scaled = values * weights[f"numbers_{place}_table"]
        found.append(np.where(np.isnan(values), weights[f"missing_{place}_table"], scaled))
    vectors = np.concatenate(found, axis=1, dtype=np.float32)  # [rows, f, d + 1]
    return vectors[:, :, :-1], vectors[:, :, -1].sum(axis=1)


def pooled(vectors: Array, codes: Array, layout: Layout) -> list[Array]:
    """[rows, fields of a run, d + 1] for each run: the vectors of lists become their mean; those of -1 are zero."""
    found = []
    for columns, width in layout.runs:
        part = vectors[:, columns]
        if width > 1:
            shape = len(part), part.shape[1] // width, width
            counts = (codes[:, columns] >= 0).reshape(shape).sum(2).clip(1)
            part = part.reshape(*shape, vectors.shape[2]).sum(2) / counts[:, :, None]
        found.append(part)
    return found


def answered(network: ClickNetwork, weights: Mapping[str, Floats32], x: Floats32, linear: Floats32) -> Scores:
    """float32[r]: the logits of examples whose fields have been looked up."""

    def hidden(name: str, values: Floats32) -> Floats32:
        out = values @ weights[name].T
        out += weights[f"{name}_bias"]
        return np.maximum(out, 0, out=out)

    return np.asarray(network.logits(Inputs(x, linear, weights, hidden)) + weights["constant"], np.float32)
