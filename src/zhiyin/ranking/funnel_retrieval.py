"""The later stages of the funnel: who proposes the item, where the opinions together put it, and the list."""

from collections.abc import Sequence

import numpy as np

from zhiyin.models.recommender import Recommender
from zhiyin.ranking.candidates import FALLBACK
from zhiyin.ranking.funnel import Asked, Stage
from zhiyin.ranking.recommend import combined
from zhiyin.ranking.silence import silence

RETRIEVER = "retriever "


def retrievers(asked: Asked) -> Sequence[Stage]:
    """What each retriever thinks of the item, and whether it is among those that it proposes."""
    items, opinions = asked.pool
    here = np.flatnonzero(items[0] == asked.item)[:1]
    stages = []
    for place, (name, model) in enumerate(asked.pipeline.retrievers.items()):
        ranks = opinions.ranks[place, 0]
        proposed = bool(len(here) and ranks[here[0]] >= 0)
        count = int((ranks >= 0).sum())
        stages.append(Stage(RETRIEVER + name, proposed, count, f"{name} {_opinion(asked, model)}"))
    return stages


def together(asked: Asked) -> Sequence[Stage]:
    """Where the opinions together put it among all candidates."""
    items, opinions = asked.pool
    size = int((items[0] >= 0).sum())
    here = _place(asked)
    if here is None:
        told = "; ".join(one.detail for one in retrievers(asked))
        return [Stage("combined", False, size, f"no retriever proposes it: {told}")]
    order = combined(items, opinions, asked.pipeline.combine, items.shape[1], asked.pipeline.origin_names)
    score = f"a combined score of {order.scores[0, here]:.4g}"
    return [Stage("combined", True, size, f"rank {here + 1:,} of {size:,} candidates, with {score}")]


def fallback(asked: Asked) -> Sequence[Stage]:
    """Whether it fills a list that would be short; nothing where none is short."""
    found = asked.found
    filled = int((found.origins[0] == len(asked.pipeline.retrievers)).sum())
    if filled == 0:
        return []
    shown = asked.rank is not None and found.origin_names[found.origins[0, asked.rank - 1]] == FALLBACK
    detail = f"what everybody likes fills the places that are left ({filled:,}): it is {'' if shown else 'not '}there"
    return [Stage("fallback", shown, filled, detail)]


def listed(asked: Asked) -> Sequence[Stage]:
    """The list itself, and what it would take to be on it."""
    shown = int((asked.found.items[0] >= 0).sum())
    if asked.rank is not None:
        return [Stage("list", True, shown, f"rank {asked.rank:,} of {shown:,}")]
    here = _place(asked)
    if here is None or shown == 0:
        return [Stage("list", False, shown, "it is not among the candidates of the list")]
    least = float(asked.found.scores[0, shown - 1])
    return [
        Stage(
            "list",
            False,
            shown,
            f"it is at rank {here + 1:,} and the list has {shown:,} places: it would need a score above {least:.4g}",
        )
    ]


def _place(asked: Asked) -> int | None:
    """The place of the item among all candidates in their common order, from 0."""
    items, opinions = asked.pool
    order = combined(items, opinions, asked.pipeline.combine, items.shape[1], asked.pipeline.origin_names)
    here = np.flatnonzero(order.items[0] == asked.item)
    return int(here[0]) if len(here) else None


def _opinion(asked: Asked, model: Recommender) -> str:
    """Rank and score of the item among the allowed ones; of an item that is not allowed, as if it were."""
    scores = model.score(asked.queries)[0]  # [n]
    score = scores[asked.item]
    if np.isnan(score):
        return f"has no opinion: {silence(model, asked.queries, asked.item)}"
    among = asked.allowed[0].copy()
    among[asked.item] = True
    higher = int((among & (scores > score)).sum() + (among & (scores == score))[: asked.item].sum())
    least = max(asked.pipeline.pool, asked.k)
    placed = f"rank {higher + 1:,} of {int((among & ~np.isnan(scores)).sum()):,} with a score of {score:.4g}"
    return f"puts it at {placed}, and proposes the best {least:,}"
