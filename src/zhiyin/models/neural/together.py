"""Several processes that train one network: each takes a part of every batch, and all take the same step."""

import atexit
from collections.abc import Sequence

import torch
from torch import distributed, nn

from zhiyin.compute.ranks import rank_count
from zhiyin.models.neural.device import device


def join() -> None:
    """Find the other processes that `torchrun` has started; alone, nothing happens."""
    if rank_count() > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if device().type == "cuda" else "gloo")
        atexit.register(distributed.destroy_process_group)


def alike(network: nn.Module) -> None:
    """Give every process the weights of the first."""
    if rank_count() > 1:
        for value in network.state_dict().values():
            distributed.broadcast(value, 0)


def total(numbers: list[float]) -> list[float]:
    """Their sums over the processes."""
    if rank_count() == 1:
        return numbers
    sums = torch.tensor(numbers, dtype=torch.float64, device=device())
    distributed.all_reduce(sums)
    return sums.tolist()


def of_first(numbers: list[float]) -> list[float]:
    """What the first process says, which may be rounded otherwise here."""
    if rank_count() == 1:
        return numbers
    join()
    said = torch.tensor(numbers, dtype=torch.float64, device=device())
    distributed.broadcast(said, 0)
    return said.tolist()


def add_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace each gradient by its sum over the processes, in one message."""
    if rank_count() == 1:
        return
    gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
    flat = torch.cat([one.flatten() for one in gradients])
    distributed.all_reduce(flat)
    for one, summed in zip(parameters, torch.split(flat, [one.numel() for one in gradients]), strict=True):
        one.grad = summed.view_as(one)
