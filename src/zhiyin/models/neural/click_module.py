"""A network over features as PyTorch trains it, and its weights as NumPy reads them."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from zhiyin.features.table import Layout
from zhiyin.models.click_blocks import Inputs
from zhiyin.models.click_network import ClickNetwork, Part, pooled, tables

_EPSILON = 1e-5  # added to a variance before it divides
_TINY = 1e-4  # vectors begin near zero: what training never moves says nothing


class ClickModule(nn.Module):
    """Looks the vectors of all fields up and hands them to the definition of the network."""

    def __init__(self, network: ClickNetwork, layouts: Sequence[Layout], dropout: float) -> None:
        super().__init__()
        self.network, self.layouts, self.dropout = network, layouts, dropout
        fields = sum(layout.fields for layout in layouts)
        self.weights = nn.ParameterDict({"constant": nn.Parameter(torch.zeros(()))})
        self.norms = nn.ModuleDict()
        for name, shape in tables(layouts, network.dimensions).items():
            self.weights[name] = nn.Parameter(torch.randn(shape) * _TINY)
        for name, shape in network.shapes(fields).items():
            fan = shape[-1] if name.endswith("_hidden") else shape[0] if len(shape) < 3 else shape[1]
            bound = 1 / math.sqrt(fan)
            self.weights[name] = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
            if name.endswith("_hidden"):
                self.weights[f"{name}_bias"] = nn.Parameter(torch.empty(shape[0]).uniform_(-bound, bound))
                self.norms[name] = nn.BatchNorm1d(shape[0], eps=_EPSILON)
        for place, layout in enumerate(layouts):
            self.weights[f"codes_{place}_table"].data[layout.padding] = 0
            self.register_buffer(f"offsets_{place}", torch.from_numpy(layout.offsets), persistent=False)

    def forward(self, parts: Sequence[Part]) -> torch.Tensor:
        """[examples]: the logits."""
        found = [self._embedded(place, part) for place, part in enumerate(parts)]
        x = torch.cat(found, dim=1)  # [r, f, d + 1]
        inputs = Inputs(x[:, :, :-1], x[:, :, -1].sum(1), dict(self.weights.items()), self._hidden)
        logits: torch.Tensor = self.network.logits(inputs)
        return logits.float() + self.weights["constant"]

    def _embedded(self, place: int, part: Part) -> torch.Tensor:
        """[r, f, d + 1]: as `click_network.embedded`."""
        layout, offsets = self.layouts[place], self.get_buffer(f"offsets_{place}")
        codes = torch.from_numpy(part.features.codes).to(offsets.device)  # [rows, columns]
        places = (codes + offsets).where(codes >= 0, layout.padding)
        table = self.weights[f"codes_{place}_table"]
        parts = pooled(functional.embedding(places, table, padding_idx=layout.padding), codes, layout)
        if layout.numbers:
            values = torch.from_numpy(part.features.numbers).to(offsets.device)[:, :, None]
            scaled = values.nan_to_num() * self.weights[f"numbers_{place}_table"]
            scaled = torch.where(values.isnan(), self.weights[f"missing_{place}_table"], scaled)
            parts.append(scaled)
        found = torch.cat(parts, dim=1)
        if part.rows is None:
            return found
        return found.index_select(0, torch.from_numpy(part.rows).to(offsets.device))

    def _hidden(self, name: str, x: torch.Tensor) -> torch.Tensor:
        x = functional.linear(x, self.weights[name], self.weights[f"{name}_bias"])
        x = functional.relu(self.norms[name](x))
        return dropped(x, self.dropout) if self.training else x

    def plain(self) -> dict[str, NDArray[np.float32]]:
        """The weights for NumPy, each normalisation folded into the layer before it."""
        found = {name: value.detach().cpu().numpy().copy() for name, value in self.weights.items()}
        for name, norm in self.norms.items():
            state = {part: value.detach().cpu().numpy() for part, value in norm.state_dict().items()}
            scale = state["weight"] / np.sqrt(state["running_var"] + _EPSILON)
            shift = state["bias"] - state["running_mean"] * scale
            found[name] = found[name] * scale[:, None]
            found[f"{name}_bias"] = found[f"{name}_bias"] * scale + shift
        return {name: np.asarray(value, np.float32) for name, value in found.items()}


def dropped(x: torch.Tensor, share: float) -> torch.Tensor:
    """The same with about this share of its numbers set to 0, the others made larger for it.

    The share is rounded to 256ths: eight decisions are drawn as one number, in a fifth of the time of torch's dropout.
    """
    least = round(share * 256)
    if least == 0:
        return x
    drawn = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
    kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= least
    return x * kept.to(x.dtype).mul_(256 / (256 - least))
