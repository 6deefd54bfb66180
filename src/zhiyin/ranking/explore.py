"""A few places for items that nobody has touched yet, drawn at random with a probability that is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyin.compute.drawing import dealt, drawn_from, lots_of
from zhiyin.types import Floats, Indexes, Mask

MOST_FRESH = 1_000
"""New items that may be drawn, the newest: a bound on the time of a request."""

MOST_DEALT = 100
"""Of these for each place, the best for the person, where caps have to be minded: one by one."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What stands at some places of each list; -1 with probability 1 where there was nothing to draw from."""

    items: Indexes  # int32[b, e]
    probabilities: NDArray[np.float32]  # [b, e], that this item is drawn for this place
    places: list[int]  # [e], from 0

    def row(self, row: int) -> list[tuple[int, int, float]]:
        """Place, item and probability of what was drawn for one list."""
        cards = zip(self.places, self.items[row].tolist(), self.probabilities[row].tolist(), strict=True)
        return [card for card in cards if card[1] >= 0]


def places_of(share: float, k: int) -> list[int]:
    """Which of k places are for exploring: the last of every 1 / share, so none of a list that is shorter."""
    return [math.ceil((i + 1) / share - 1e-9) - 1 for i in range(int(share * k + 1e-9))]


def draw(
    fresh: Indexes, worth: Floats, allowed: Mask, values: Sequence[Sequence[int]], limits: Sequence[int],
    places: list[int], seeds: Sequence[int],
) -> Drawn:  # fmt: skip
    """One item for each place of each list, in proportion to exp(worth).

    The items are dealt to the places as cards are, best first, and each place draws from its own: no item comes twice,
    and the probability of each is its share of what its place was dealt.

    Parameters
    ----------
    fresh
        int32[f].
    worth
        float64[b, f], about standard deviation 1.
    allowed
        bool[b, f].
    values
        [f][caps], what caps count; whatever is drawn keeps within `limits`.
    seeds
        One for each list, or one for all of them. A list with its own does not depend on the others.
    """
    lots = lots_of(np.array(seeds, np.uint64), len(worth), len(places))
    hands = dealt(worth, allowed, len(places)) if not limits else _dealt(worth, allowed, values, limits, len(places))
    cards, probabilities = drawn_from(worth, hands, lots)
    return Drawn(np.where(cards >= 0, fresh[cards], np.int32(-1)), probabilities, places)


def _dealt(worth: Floats, allowed: Mask, values: Sequence[Sequence[int]], limits: Sequence[int], hands: int) -> Indexes:
    """As `dealt`, but no value is in more hands than its cap allows, so that any draw from them keeps the caps."""
    hand_of = np.full(worth.shape, -1, np.int32)
    for row in range(len(worth)):
        order = np.argsort(-worth[row], kind="stable")
        cards = order[allowed[row][order]][: MOST_DEALT * hands].tolist()
        for hand, held in enumerate(_hands(cards, values, limits, hands)):
            hand_of[row, held] = hand
    return hand_of


def _hands(cards: list[int], values: Sequence[Sequence[int]], limits: Sequence[int], hands: int) -> list[list[int]]:
    given: list[list[int]] = [[] for _ in range(hands)]
    holders: list[dict[int, set[int]]] = [{} for _ in limits]
    for card in cards:
        for hand in sorted(range(hands), key=lambda one: (len(given[one]), one)):
            counted = [(of, value) for of, value in enumerate(values[card]) if value >= 0]
            held = [holders[of].setdefault(value, set()) for of, value in counted]
            if all(hand in one or len(one) < limits[of] for one, (of, _) in zip(held, counted, strict=True)):
                given[hand].append(card)
                for one in held:
                    one.add(hand)
                break
    return given
