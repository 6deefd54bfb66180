"""Why an item was shown to a person, or was not: the way of every item to a list, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from zhiyin.ranking.funnel import Asked, Stage, Step
from zhiyin.ranking.funnel_arranging import arranging
from zhiyin.ranking.funnel_retrieval import RETRIEVER, fallback, listed, retrievers, together
from zhiyin.ranking.funnel_rules import asked_where, available, excluded, exists, known, rules_where, seen

STEPS: tuple[Step, ...] = (
    known, available, exists, rules_where, asked_where, seen, excluded, retrievers, together, fallback, arranging,
    listed,
)  # fmt: skip


@dataclass(frozen=True)
class Why:
    """The answer to an operator."""

    rank: int | None  # from 1; None: not shown
    stages: tuple[Stage, ...]
    verdict: str


def why(asked: Asked, steps: Sequence[Step] = STEPS) -> Why:
    """Follow one item through the steps. Whether it is shown is for `Pipeline.recommend` to say, and for nobody else.

    Raises
    ------
    ConfigError
        If k is out of range.
    ExpressionError
        If the condition of the request cannot be read.
    """
    found, rank = asked.found, asked.rank  # first of all: it refuses what no request may ask
    stages = [stage for step in (steps if asked.item >= 0 else [known]) for stage in step(asked)]
    if rank is not None:
        origin = found.origin_names[found.origins[0, rank - 1]]
        return Why(rank, tuple(stages), f"shown at rank {rank}: found by {origin}")
    decisive = (one for one in stages if not one.passed and not one.name.startswith(RETRIEVER))
    return Why(None, tuple(stages), f"not shown: {next(decisive).detail}")
