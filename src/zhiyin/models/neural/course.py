"""How far a training has come, as a whole that can be put down and taken up again."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zhiyin.models.neural.curve import Epoch, best
from zhiyin.models.neural.rates import Rate
from zhiyin.models.watch import State


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    rate: Rate
    clip: float = 1.0  # the longest gradient
    patience: int = 10  # epochs without a better validation before it ends
    seed: int = 0


class Course:
    """A network, its optimizer, the curve so far, and the weights of the best epoch."""

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer, schedule: Schedule) -> None:
        self.network = network
        self.optimizer = optimizer
        self.schedule = schedule
        self.steps = 0
        self.curve: list[Epoch] = []
        self.best = _copied(network.state_dict())

    @property
    def is_over(self) -> bool:
        """After the last epoch, without hope of a better one, or where numbers have ceased to be numbers."""
        since = len(self.curve) - 1 - best(self.curve)
        done = len(self.curve) >= self.schedule.epochs or (bool(self.curve) and since >= self.schedule.patience)
        return done or (bool(self.curve) and not math.isfinite(self.curve[-1].loss))

    def step(self) -> None:
        """Follow the gradients, at the rate of the moment."""
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate.at(self.steps, self.curve)
        self.optimizer.step()
        self.steps += 1

    def note(self, epoch: Epoch) -> None:
        """An epoch is done."""
        self.curve.append(epoch)
        if best(self.curve) == len(self.curve) - 1:
            self.best = _copied(self.network.state_dict())

    def state(self) -> State:
        """All of it; of one that is over, its result."""
        parts = {f"best/{name}": _array(value) for name, value in self.best.items()}
        parts["curve"] = np.array([[one.loss, one.metric] for one in self.curve], np.float64).reshape(-1, 2)
        if self.is_over:
            return parts
        parts |= {f"weights/{name}": _array(value) for name, value in self.network.state_dict().items()}
        for place, values in self.optimizer.state_dict()["state"].items():
            parts |= {f"optimizer/{place}/{name}": _array(value) for name, value in values.items()}
        return parts | {"steps": np.array([self.steps])}

    def restore(self, state: State) -> None:
        """Go on from where `state` was taken."""
        self.curve = [Epoch(place, float(loss), float(metric)) for place, (loss, metric) in enumerate(state["curve"])]
        self.best = _below("best/", state)
        if self.is_over:
            return
        self.steps = int(state["steps"][0])
        self.network.load_state_dict(_below("weights/", state))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for path, value in _below("optimizer/", state).items():
            place, name = path.split("/")
            moments.setdefault(int(place), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _copied(weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}


def _array(value: torch.Tensor) -> NDArray[Any]:
    return value.detach().cpu().numpy()


def _below(prefix: str, state: State) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): torch.tensor(state[name]) for name in state if name.startswith(prefix)}
