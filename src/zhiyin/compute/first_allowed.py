"""The first few of an order that is the same for everybody, as far as each may see them; needs no compiler."""

import numpy as np

from zhiyin.types import Indexes, Mask, Scores

_PIECE = 4  # times k: how much of the order is looked at first, and how much more each time


def best_first(scores: Scores) -> Indexes:
    """int32[_]: the places of scores [n], the highest first, ties by lower index, without NaN and -inf."""
    order = np.argsort(-scores, kind="stable")  # NaN comes last
    return order[: np.count_nonzero(scores > -np.inf)].astype(np.int32)


def first_allowed(order: Indexes, k: int, allowed: Mask) -> Indexes:
    """int32[b, k]: the first k of order [_] that each row of bool[b, n] allows; a short list ends in -1."""
    found = np.full((len(allowed), k), -1, np.int32)
    for own, permitted in zip(found, allowed, strict=True):
        count, start, size = 0, 0, _PIECE * k
        while count < k and start < len(order):
            piece = order[start : start + size]
            here = piece[permitted[piece]][: k - count]
            own[count : count + len(here)] = here
            count, start, size = count + len(here), start + size, _PIECE * size
    return found
