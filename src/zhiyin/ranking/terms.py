"""Everything that one request may say about its list, beyond who asks and how many."""

from dataclasses import dataclass, replace
from typing import Literal

from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.rules import Rules
from zhiyin.types import Indexes


@dataclass(frozen=True, eq=False)
class Terms:
    """On top of the rules of a release; what is not said stays as the release has it."""

    where: tuple[str, ...] = ()
    """Conditions on item columns; all of them must hold."""
    exclude: Indexes | None = None
    """int32[_], items that must not appear for any query."""
    boosts: tuple[tuple[str, float], ...] = ()
    """Condition and factor; see `boosts.boosted`."""
    promotions: tuple[Promotion, ...] = ()
    caps: tuple[tuple[str, int], ...] = ()
    """Item column, and the most items with the same value of it."""
    seen: Literal["drop", "keep"] | None = None
    seen_types: tuple[str, ...] | None = None
    seen_days: float | None = None
    retrievers: tuple[str, ...] = ()
    """Who proposes; all of the release if empty."""
    personal: bool = True
    """Without it nothing of the person is used: neither the history nor who it is."""
    explore: float = 0.0
    """The share of places for items that nobody has touched yet."""
    seeds: tuple[int, ...] = (0,)
    """Of what is drawn: one for each query, or one for all of them; from 0 to below 2^64."""

    @property
    def arranges(self) -> bool:
        """Whether the list is more than the best items in their order."""
        return bool(self.boosts or self.promotions or self.caps or self.explore)

    def rules(self, rules: Rules) -> Rules:
        """The rules of a release as these terms have them."""
        said = {name: getattr(self, name) for name in ("seen", "seen_types", "seen_days")}
        said = {name: value for name, value in said.items() if value is not None}
        return replace(rules, **said) if said else rules


PLAIN = Terms()
"""The release as it was measured."""
