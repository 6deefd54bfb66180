"""Cards dealt to hands, and one drawn from each in proportion to exp(worth): compiled, for a thousand at a request."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from zhiyin.types import Floats, Indexes, Mask, Scores

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROW = np.uint64(0xD1B54A32D192ED03)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def lots_of(seeds: NDArray[np.uint64], rows: int, places: int) -> Floats:
    """float64[rows, places], uniform from 0 to below 1, the same for the same seed of a row.

    SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): to set up a generator of NumPy takes longer than to draw with it.

    Parameters
    ----------
    seeds
        uint64[rows], or uint64[1], of the first row, from which those of the others follow.
    """
    lots = np.empty((rows, places))
    _draw_lots(seeds if len(seeds) == rows else seeds[0] + np.arange(rows, dtype=np.uint64) * _ROW, lots)
    return lots


def standardised(scores: Scores, counted: Mask) -> Floats:
    """float64[b, f]: each row of scores at mean 0 and deviation 1 among what is counted, bool[f].

    NaN is no better than the worst. Where all are alike, or none is known, the first is the best.
    """
    worth = np.empty(scores.shape, np.float64)
    _standardise(scores, counted, worth)
    return worth


def dealt(worth: Floats, allowed: Mask, hands: int) -> Indexes:
    """int32[b, f]: the hand of each card that is allowed, dealt in turn, the best first; -1 for the others."""
    hand_of = np.full(worth.shape, -1, np.int32)
    _deal(worth, allowed, hands, hand_of)
    return hand_of


def drawn_from(worth: Floats, hand_of: Indexes, lots: Floats) -> tuple[Indexes, NDArray[np.float32]]:
    """int32[b, e] and float32[b, e]: a card of each hand and its share of the weight; -1 and 1 where a hand is empty.

    Parameters
    ----------
    worth
        float64[b, f].
    hand_of
        int32[b, f], the hand of each card, -1 for none.
    lots
        float64[b, e], from 0 to below 1.
    """
    cards, shares = np.full(lots.shape, -1, np.int32), np.ones(lots.shape, np.float32)
    _draw(worth, hand_of, lots, cards, shares)
    return cards, shares


@njit(cache=True, nogil=True)
def _mixed(state: np.uint64) -> np.uint64:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


@njit(cache=True, nogil=True)
def _draw_lots(seeds: NDArray[np.uint64], lots: Floats) -> None:
    for row in range(len(lots)):
        own = _mixed(seeds[row])  # seeds may be numbers that follow each other
        for place in range(lots.shape[1]):
            own = np.uint64(own + _GOLDEN)
            lots[row, place] = np.float64(_mixed(own) >> np.uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True)
def _standardise(scores: Scores, counted: Mask, worth: Floats) -> None:
    f = scores.shape[1]
    for row in range(len(scores)):
        line, least, known = scores[row], np.inf, 0
        for j in range(f):
            if counted[j] and not np.isnan(line[j]):
                least = min(least, np.float64(line[j]))
                known += 1
        count, mean, square = 0, 0.0, 0.0
        for j in range(f):
            silent = np.isnan(line[j])
            worth[row, j] = -np.float64(j) if known == 0 else (least if silent else np.float64(line[j]))
            mean += worth[row, j] if counted[j] else 0.0
            count += int(counted[j])
        mean /= max(count, 1)
        for j in range(f):
            worth[row, j] -= mean
            square += worth[row, j] ** 2 if counted[j] else 0.0
        deviation = np.sqrt(square / max(count, 1))
        if deviation > 0:
            worth[row] /= deviation


@njit(cache=True, nogil=True)
def _deal(worth: Floats, allowed: Mask, hands: int, hand_of: Indexes) -> None:
    for row in range(len(worth)):
        cards = np.flatnonzero(allowed[row])
        if hands > 1:
            cards = cards[np.argsort(-worth[row][cards], kind="mergesort")]  # stable: equals keep their order
        for place in range(len(cards)):
            hand_of[row, cards[place]] = place % hands


@njit(cache=True, nogil=True)
def _draw(worth: Floats, hand_of: Indexes, lots: Floats, cards: Indexes, shares: NDArray[np.float32]) -> None:
    f = worth.shape[1]
    weights = np.empty(f, np.float64)
    for row in range(len(lots)):
        for hand in range(lots.shape[1]):
            best, total = -np.inf, 0.0
            for j in range(f):
                if hand_of[row, j] == hand:
                    best = max(best, worth[row, j])
            for j in range(f):
                weights[j] = np.exp(worth[row, j] - best) if hand_of[row, j] == hand else 0.0
                total += weights[j]
            mark, sofar = lots[row, hand] * total, 0.0
            for j in range(f):
                if weights[j] > 0:
                    cards[row, hand], shares[row, hand] = j, weights[j] / total
                    sofar += weights[j]
                    if sofar > mark:
                        break
