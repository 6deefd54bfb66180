"""The compiled loops of stochastic gradient descent: one thread, one order, so that a seed says everything.

Each loop is one pass. With `learn_items` off, only the vectors of people move: that is how a history is folded in.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.types import Indexes, Vectors

Data = NDArray[np.float32]
_FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order; NaN stays NaN


@njit(cache=True, nogil=True, inline="always")
def _next(state: Any) -> Any:
    """Pseudo-random: xorshift64 (Marsaglia 2003), a few additions instead of a call."""
    state ^= (state << np.uint64(13)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    state ^= state >> np.uint64(7)
    state ^= (state << np.uint64(17)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    return state


@njit(cache=True, nogil=True, inline="always")
def _below(state: Any, n: int) -> Any:
    """A number in 0 to n - 1."""
    return np.int64((state >> np.uint64(11)) % np.uint64(n))


@njit(cache=True, nogil=True, fastmath=_FAST)
def _dot(a: Data, b: Data) -> Any:
    total = np.float32(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True, nogil=True)
def _chosen(sorted_items: Indexes, item: int) -> Any:
    at = np.searchsorted(sorted_items, item)
    return at < len(sorted_items) and sorted_items[at] == item


@njit(cache=True, nogil=True, fastmath=_FAST)
def bpr_pass(
    order: Indexes, rows: Indexes, offsets: NDArray[Any], items: Indexes, weights: Data, people: Vectors,
    vectors: Vectors, biases: Data, negatives: int, rate: float, l2: float, learn_items: bool, seed: int,
) -> None:  # fmt: skip
    """One step for each entry of a sparse matrix in `order`: its item against the best of some drawn at random."""
    n, state = len(vectors), np.uint64(seed)
    for at in order:
        row, liked = rows[at], items[at]
        mine, u, v = items[offsets[row] : offsets[row + 1]], people[row], vectors[liked]
        other, best = -1, np.float32(-np.inf)
        for _ in range(negatives):
            state = _next(state)
            drawn = _below(state, n)
            if not _chosen(mine, drawn):
                score = _dot(u, vectors[drawn]) + biases[drawn]
                if score > best:
                    other, best = drawn, score
        if other < 0:
            continue
        margin = _dot(u, v) + biases[liked] - best
        step = np.float32(rate) * weights[at] / (np.float32(1) + np.exp(margin))
        shrink, w = np.float32(rate * l2) * weights[at], vectors[other]
        if learn_items:
            for j in range(len(u)):
                towards, a, b = u[j], v[j], w[j]
                u[j] += step * (a - b) - shrink * towards
                v[j] += step * towards - shrink * a
                w[j] -= step * towards + shrink * b
            biases[liked] += step - shrink * biases[liked]
            biases[other] -= step + shrink * biases[other]
        else:
            for j in range(len(u)):
                u[j] += step * (v[j] - w[j]) - shrink * u[j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def rating_pass(
    order: Indexes, users: Indexes, items: Indexes, residuals: Data, people: Vectors, vectors: Vectors,
    user_biases: Data, item_biases: Data, rate: float, l2: float, bias_l2: float,
) -> float:  # fmt: skip
    """One step for each rating (less the mean) in `order`; the sum of the squared errors met on the way."""
    total, pace, ridge, bias_ridge = 0.0, np.float32(rate), np.float32(l2), np.float32(bias_l2)
    for at in order:
        user, item = users[at], items[at]
        p, q = people[user], vectors[item]
        error = residuals[at] - user_biases[user] - item_biases[item] - _dot(p, q)
        total += error * error
        user_biases[user] += pace * (error - bias_ridge * user_biases[user])
        item_biases[item] += pace * (error - bias_ridge * item_biases[item])
        for j in range(len(p)):
            a, b = p[j], q[j]
            p[j] += pace * (error * b - ridge * a)
            q[j] += pace * (error * a - ridge * b)
    return total


@njit(cache=True, nogil=True, fastmath=_FAST)
def softmax_pass(
    order: Indexes, offsets: NDArray[Any], items: Indexes, weights: Data, people: Vectors, vectors: Vectors,
    person_squares: Data, item_squares: Data, negatives: int, rate: float, l2: float,
    learn_items: bool, seed: int,
) -> None:  # fmt: skip
    """One AdaGrad step for each person in `order`: all that they chose against one draw of other items."""
    n, d, state = len(vectors), vectors.shape[1], np.uint64(seed)
    drawn, odds = np.empty(negatives, np.int64), np.empty(negatives, np.float32)
    slope, change = np.empty(d, np.float32), np.empty(d, np.float32)
    for row in order:
        first, last = offsets[row], offsets[row + 1]
        if first == last:
            continue
        mine, u, sum_of_odds, count = items[first:last], people[row], np.float32(0), 0
        for _ in range(negatives):
            state = _next(state)
            item = _below(state, n)
            if not _chosen(mine, item):
                drawn[count], odds[count] = item, np.exp(_dot(u, vectors[item]))
                sum_of_odds += odds[count]
                count += 1
        slope[:] = 0
        blame = np.float32(0)  # Σ_i w_i / (exp s_i + Σ_j exp s_j): times exp s_j, how much j is to fall
        for at in range(first, last):
            own = np.exp(_dot(u, vectors[items[at]]))
            total = own + sum_of_odds
            blame += weights[at] / total
            pull = weights[at] * sum_of_odds / total
            _move(u, vectors[items[at]], -pull, slope, change, item_squares, items[at], rate, l2, learn_items)
        for k in range(count):
            pull = blame * odds[k]
            _move(u, vectors[drawn[k]], pull, slope, change, item_squares, drawn[k], rate, l2, learn_items)
        squares = np.float32(0)
        chosen = np.float32(last - first)
        for j in range(d):
            slope[j] = slope[j] / chosen + np.float32(l2) * u[j]
            squares += slope[j] * slope[j]
        person_squares[row] += squares / d
        step = np.float32(rate) / np.sqrt(person_squares[row])
        for j in range(d):
            u[j] -= step * slope[j]


@njit(cache=True, nogil=True, fastmath=_FAST)
def _move(
    u: Data, v: Data, pull: float, slope: Data, change: Data, squares: Data, item: int, rate: float, l2: float,
    learn_items: bool,
) -> None:  # fmt: skip
    """Add what an item says to a person's slope, and move the item against its own."""
    size = np.float32(0)
    for j in range(len(u)):
        slope[j] += pull * v[j]
        change[j] = pull * u[j] + np.float32(l2) * abs(pull) * v[j]
        size += change[j] * change[j]
    if learn_items:
        squares[item] += size / len(u)
        step = np.float32(rate) / np.sqrt(squares[item])
        for j in range(len(u)):
            v[j] -= step * change[j]
