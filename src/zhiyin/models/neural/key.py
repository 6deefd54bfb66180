"""The name of a training, which no other has."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zhiyin.compute.ranks import rank_count
from zhiyin.compute.threads import thread_count


def key_of(model: object, data: Iterable[NDArray[Any]], network: nn.Module) -> str:
    """A hash of all that the result depends on: the settings, the data, the first weights, and who rounds.

    Parameters
    ----------
    model
        Its `repr` says every setting.
    """
    found = hashlib.sha256(f"{model!r} {torch.__version__} {thread_count()} {rank_count()}".encode())
    for part in data:
        found.update(np.ascontiguousarray(part).tobytes())
    for name, value in network.state_dict().items():
        found.update(name.encode() + np.ascontiguousarray(value.cpu().numpy()).tobytes())
    return found.hexdigest()
