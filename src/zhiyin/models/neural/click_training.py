"""What a network over features has to learn: to tell clicks from the rest."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from zhiyin.models.click_network import Part
from zhiyin.models.neural.click_module import ClickModule
from zhiyin.models.neural.train import Step

CLIP = 10.0
"""The longest gradient: at 1, as for sequences, networks of clicks end a little less exact on Frappe."""


class Batch(NamedTuple):
    """Some examples and what became of them."""

    parts: tuple[Part, ...]
    labels: NDArray[np.float32]  # [examples], 1 for a click, 0 for none
    weights: NDArray[np.float32] | None = None  # [examples]; None: all alike


def cost(module: ClickModule, batch: Batch) -> Step:
    """The log loss."""
    where = module.weights["constant"].device
    labels = torch.from_numpy(batch.labels).to(where)
    weights = None if batch.weights is None else torch.from_numpy(batch.weights).to(where)
    logits = module(batch.parts)
    loss = functional.binary_cross_entropy_with_logits(logits, labels, weights, reduction="sum")
    return Step(loss, len(labels))


def adam(module: ClickModule, l2: float) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015) on the loss plus l2/2 Σ v² over the vectors v of the features, and of nothing else."""
    tables = [value for name, value in module.weights.items() if name.endswith("_table")]
    others = [value for name, value in module.named_parameters() if not name.endswith("_table")]
    groups: list[dict[str, Any]] = [{"params": tables, "weight_decay": l2}, {"params": others}]
    return torch.optim.Adam(groups, fused=True)


def predicted(module: ClickModule, batches: Iterable[Batch]) -> NDArray[np.float32]:
    """float32[examples]: the logits."""
    with torch.inference_mode():
        found = [module(batch.parts).cpu().numpy() for batch in batches]
    return np.concatenate([np.empty(0, np.float32), *found])
