"""The loss that a sequence model names, and the items that it draws for it."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from zhiyin.models.neural.encoder import Encoder
from zhiyin.models.neural.losses import Rivals, calibrated_bce, sampled_softmax, softmax

if TYPE_CHECKING:
    from zhiyin.models.next_item import NextItem


class Objective:
    """How far what was expected is from what came.

    Items are drawn for a whole batch. For `sampled_softmax` a part of them is drawn from what came elsewhere in the
    batch, so that popular items, which are the hard ones, are often rivals; the others from all alike, so that every
    item is (mixed negative sampling, Yang et al. 2020).
    """

    def __init__(self, model: "NextItem", network: Encoder, counts: NDArray[np.integer]) -> None:
        self.model = model
        self.network = network
        uniform = model.uniform_share
        odds = (1 - uniform) * counts / max(counts.sum(), 1) + uniform / max(len(counts), 1)
        self.log_odds = torch.from_numpy(np.log(np.maximum(odds, 1e-12))).float()  # of each item to be drawn

    def __call__(self, h: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss over p places, summed: expected is float32[p, d], and int64[p] came."""
        if self.model.loss == "softmax":
            return softmax(h, self.network.item_vectors, targets)
        if self.model.loss == "gbce":
            rivals = self._rivals(h, targets, uniform=self.model.negatives)
            return calibrated_bce(rivals, len(self.log_odds), self.model.calibration)
        uniform = round(self.model.negatives * self.model.uniform_share)
        return sampled_softmax(self._rivals(h, targets, uniform), self.log_odds.to(h.device))

    def _rivals(self, h: torch.Tensor, targets: torch.Tensor, uniform: int) -> Rivals:
        drawn = torch.randint(len(self.log_odds), (uniform,)).to(h.device)
        if self.model.negatives > uniform:
            places = torch.randint(len(targets), (self.model.negatives - uniform,)).to(h.device)
            drawn = torch.cat([targets[places], drawn])
        vectors = self.network.vectors_of
        return Rivals(h, vectors(targets + 1), vectors(drawn + 1), targets, drawn)
