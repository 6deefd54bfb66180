"""The obvious twin of every metric, one user at a time in plain Python: what the fast ones are tested against.

`recommended` is one list, best first, −1 = padding; `relevant` is the set of items that one user wanted.
"""

import math
from collections.abc import Sequence
from itertools import combinations


def hits(recommended: Sequence[int], relevant: set[int]) -> list[bool]:
    """Which places hold a relevant item; a repeated one counts once."""
    left = set(relevant)
    places = []
    for item in recommended:
        places.append(item in left)
        left.discard(item)
    return places


def recall(recommended: Sequence[int], relevant: set[int]) -> float:
    """The share of the wanted items that the list holds."""
    return sum(hits(recommended, relevant)) / len(relevant) if relevant else math.nan


def capped_recall(recommended: Sequence[int], relevant: set[int]) -> float:
    """The share of the wanted items that the list could hold and does."""
    return sum(hits(recommended, relevant)) / min(len(recommended), len(relevant)) if relevant else math.nan


def precision(recommended: Sequence[int], relevant: set[int]) -> float:
    """The share of the places that hold a wanted item."""
    return sum(hits(recommended, relevant)) / len(recommended) if relevant else math.nan


def hit_rate(recommended: Sequence[int], relevant: set[int]) -> float:
    """Whether there is a hit."""
    return float(any(hits(recommended, relevant))) if relevant else math.nan


def ndcg(recommended: Sequence[int], relevant: set[int]) -> float:
    """Discounted gain over that of the best list."""
    if not relevant:
        return math.nan
    gain = 0.0
    for rank, hit in enumerate(hits(recommended, relevant), start=1):
        if hit:
            gain += 1 / math.log2(1 + rank)
    best = 0.0
    for rank in range(1, min(len(recommended), len(relevant)) + 1):
        best += 1 / math.log2(1 + rank)
    return gain / best


def average_precision(recommended: Sequence[int], relevant: set[int]) -> float:
    """Precision at each hit, over the hits that were possible."""
    if not relevant:
        return math.nan
    places = hits(recommended, relevant)
    total = 0.0
    for rank, hit in enumerate(places, start=1):
        if hit:
            total += sum(places[:rank]) / rank
    return total / min(len(recommended), len(relevant))


def reciprocal_rank(recommended: Sequence[int], relevant: set[int]) -> float:
    """One over the rank of the first hit."""
    if not relevant:
        return math.nan
    for rank, hit in enumerate(hits(recommended, relevant), start=1):
        if hit:
            return 1 / rank
    return 0.0


def auc(scores: Sequence[float], allowed: Sequence[bool], relevant: set[int]) -> float:
    """The share of the pairs (relevant, irrelevant and allowed) in the right order."""
    won, pairs = 0.0, 0
    for good in relevant:
        for other in range(len(scores)):
            if allowed[other] and other not in relevant:
                pairs += 1
                won += _duel(scores[good], scores[other]) if allowed[good] else 0.0
    return won / pairs if pairs else math.nan


def _duel(good: float, other: float) -> float:
    if math.isnan(good) or math.isnan(other):
        return 0.5 if math.isnan(good) and math.isnan(other) else float(math.isnan(other))
    return 0.5 if good == other else float(good > other)


def novelty(recommended: Sequence[int], touched_by: Sequence[int], n_users: int) -> float:
    """Mean surprise in bits."""
    bits = [-math.log2(max(touched_by[item], 1) / n_users) for item in recommended if item >= 0]
    return sum(bits) / len(bits) if bits else math.nan


def average_popularity(recommended: Sequence[int], touched_by: Sequence[int]) -> float:
    """Mean number of users who touched the items shown."""
    counts = [touched_by[item] for item in recommended if item >= 0]
    return sum(counts) / len(counts) if counts else math.nan


def vector_diversity(recommended: Sequence[int], vectors: Sequence[Sequence[float]]) -> float:
    """Mean cosine distance over all pairs of items that have a vector."""
    shown = [vectors[item] for item in recommended if item >= 0 and any(vectors[item])]
    distances = [1 - _dot(a, b) / math.hypot(*a) / math.hypot(*b) for a, b in combinations(shown, 2)]
    return sum(distances) / len(distances) if distances else math.nan


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def category_diversity(recommended: Sequence[int], categories: Sequence[int]) -> float:
    """The share of pairs that differ."""
    shown = [categories[item] for item in recommended if item >= 0 and categories[item] >= 0]
    different = [a != b for a, b in combinations(shown, 2)]
    return sum(different) / len(different) if different else math.nan


def gini(exposures: Sequence[int]) -> float:
    """Mean absolute difference over twice the mean."""
    if not sum(exposures):
        return math.nan
    n = len(exposures)
    return sum(abs(a - b) for a in exposures for b in exposures) / (2 * n * sum(exposures))


def personalisation(lists: Sequence[Sequence[int]], k: int) -> float:
    """One minus the mean overlap of two lists."""
    overlaps = [len(set(a) & set(b) - {-1}) / k for a, b in combinations(lists, 2)]
    return 1 - sum(overlaps) / len(overlaps) if overlaps else math.nan


def rmse(predicted: Sequence[float], given: Sequence[float]) -> float:
    """Root of the mean squared error over what was predicted."""
    errors = [(p - g) ** 2 for p, g in zip(predicted, given, strict=True) if not math.isnan(p) and not math.isnan(g)]
    return math.sqrt(sum(errors) / len(errors)) if errors else math.nan


def mae(predicted: Sequence[float], given: Sequence[float]) -> float:
    """Mean absolute error over what was predicted."""
    errors = [abs(p - g) for p, g in zip(predicted, given, strict=True) if not math.isnan(p) and not math.isnan(g)]
    return sum(errors) / len(errors) if errors else math.nan
