"""The stages of the funnel that arrange a list: where the item stands after each, by the request path itself."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zhiyin.ranking.funnel import Asked, Stage
from zhiyin.ranking.terms import PLAIN

STAGES = ("boosts", "promotions", "caps", "explore")
"""In their order."""


def arranging(asked: Asked) -> Sequence[Stage]:
    """Where the list has the item when this stage is the last one; nothing for stages that the terms do not ask for."""
    wanted = [name for name in STAGES if getattr(asked.terms, name)]
    stages = []
    for count, name in enumerate(wanted, 1):
        without = {later: getattr(PLAIN, later) for later in wanted[count:]}
        found = asked.pipeline.recommend(asked.queries, asked.k, replace(asked.terms, **without))
        shown = int((found.items[0] >= 0).sum())
        here = np.flatnonzero(found.items[0] == asked.item)
        place = f"it is at rank {here[0] + 1:,}" if len(here) else "it is not in the list"
        stages.append(Stage(name, len(here) > 0, shown, f"after {name}, {place} of {shown:,}"))
    return stages
