"""What networks over features are built of; each block works on arrays of NumPy and of PyTorch alike.

So a network is written once: PyTorch trains it, and NumPy answers with it where PyTorch is not installed. The blocks
use only what both spell the same. The letters: r examples, f fields, d dimensions, w = f × d.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Array: TypeAlias = Any
"""numpy.ndarray or torch.Tensor."""

Weights: TypeAlias = Mapping[str, Array]
Hidden: TypeAlias = Callable[[str, Array], Array]
"""A hidden layer by its name: [r, in] -> [r, out], its activation included."""

Shapes: TypeAlias = dict[str, tuple[int, ...]]
"""Name of a weight to its shape; a name that ends in _hidden is a hidden layer [out, in], which has a bias too."""


class Inputs(NamedTuple):
    """What a network computes with."""

    x: Array  # [r, f, d], the vectors of the fields
    linear: Array  # [r], the sum of what every feature says alone
    weights: Weights  # all others, as `shapes` names them
    hidden: Hidden


def pairs(x: Array) -> Array:
    """[r]: the sum of the inner products of all pairs of vectors x [r, f, d], in time linear in f (Rendle 2010)."""
    return 0.5 * (x.sum(1) ** 2 - (x**2).sum(1)).sum(-1)


def flat(x: Array) -> Array:
    """[r, w]: the vectors of a row, one behind the other."""
    return x.reshape(x.shape[0], x.shape[1] * x.shape[2])


def deep_shapes(name: str, width: int, layers: Sequence[int]) -> Shapes:
    """The weights of `deep`."""
    widths = [width, *layers]
    return {f"{name}_{place}_hidden": (widths[place + 1], widths[place]) for place in range(len(layers))}


def deep(name: str, inputs: Inputs, layers: Sequence[int]) -> Array:
    """[r, last of layers]: hidden layers one after the other, from all vectors."""
    x = flat(inputs.x)
    for place in range(len(layers)):
        x = inputs.hidden(f"{name}_{place}_hidden", x)
    return x


def cross_shapes(width: int, layers: int) -> Shapes:
    """The weights of `cross`."""
    matrices: Shapes = {f"cross_{place}_weight": (width, width) for place in range(layers)}
    return matrices | {f"cross_{place}_bias": (width,) for place in range(layers)}


def cross(inputs: Inputs, layers: int) -> Array:
    """[r, w]: every layer multiplies by what came in, x₀ ⊙ (x W + b) + x (DCN-V2, Wang et al. 2021, equation 1)."""
    weights, first = inputs.weights, flat(inputs.x)
    x = first
    for place in range(layers):
        x = first * (x @ weights[f"cross_{place}_weight"] + weights[f"cross_{place}_bias"]) + x
    return x


def fused_shapes(left: int, right: int, heads: int) -> Shapes:
    """The weights of `fused`."""
    return {
        "fused_left": (left,),
        "fused_right": (right,),
        "fused_bilinear": (heads, left // heads, right // heads),
    }


def fused(inputs: Inputs, left: Array, right: Array) -> Array:
    """[r]: u·left + v·right + Σ over heads leftₕᵀ Wₕ rightₕ (FinalMLP, Mao et al. 2023, equations 9 and 10)."""
    weights = inputs.weights
    bilinear = weights["fused_bilinear"]  # [heads, left / heads, right / heads]
    heads, a, b = bilinear.shape
    total = left @ weights["fused_left"] + right @ weights["fused_right"]
    for head in range(heads):
        part = left[:, head * a : (head + 1) * a] @ bilinear[head]  # [r, b]
        total = total + (part * right[:, head * b : (head + 1) * b]).sum(-1)
    return total
