"""Items that the shop wants to be seen: at least a share of the places, never at the price of a rule."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from zhiyin.errors import ConfigError

_ROUNDING = 1e-9  # 0.1 × 30 is a little more than 3 in floating point


@dataclass(frozen=True)
class Promotion:
    """At least `share` of the places for items of which `where` holds, evenly from the top."""

    where: str
    share: float
    since: str | None = None
    """From when, such as "2026-11-27" or "2026-11-27T08:00:00+01:00"; UTC where it names no zone."""
    until: str | None = None
    """Before when."""

    def check(self, place: str) -> None:
        """Refuse what cannot be.

        Raises
        ------
        ConfigError
            If the share is no share, or a moment is no moment; `place` is where it was written.
        """
        if not 0 < self.share <= 1:
            raise ConfigError(f"{place}.share must be above 0 and at most 1, got {self.share}: 0.2 is a fifth")
        for name in ("since", "until"):
            try:
                _moment(getattr(self, name), 0)
            except ValueError:
                raise ConfigError(
                    f'{place}.{name} is no time, got {getattr(self, name)[:40]!r}: write it as "2026-11-27"'
                ) from None

    @cached_property
    def _span(self) -> tuple[float, float]:
        return _moment(self.since, -math.inf), _moment(self.until, math.inf)

    def active(self, time: int) -> bool:
        """Whether it runs at a moment, µs UTC."""
        since, until = self._span
        return since <= time < until

    def owed(self, places: int) -> int:
        """How many of the first so many places are for it."""
        return math.ceil(self.share * places - _ROUNDING)


class Quotas:
    """Which promotion the next place belongs to: what a prefix of the list still lacks (Zehlike et al., CIKM 2017)."""

    def __init__(self, promotions: Sequence[Promotion], k: int) -> None:
        self._promotions = promotions
        self._k = k
        self._given = [0] * len(promotions)
        self._exhausted = [False] * len(promotions)

    def owed(self, place: int, left: int) -> list[int]:
        """The promotions that lack an item at a place (from 0), the most urgent first, with `left` places to fill."""
        due, whole = [], []
        for i, promotion in enumerate(self._promotions):
            if not self._exhausted[i]:
                due.append((promotion.owed(place + 1) - self._given[i], -i))
                whole.append((promotion.owed(self._k) - self._given[i], -i))
        last_chance = sum(max(missing, 0) for missing, _ in whole) >= left
        lacking = sorted((one for one in (whole if last_chance else due) if one[0] > 0), reverse=True)
        return [-i for _, i in lacking]

    def exhaust(self, promotion: int) -> None:
        """Nothing of it is left."""
        self._exhausted[promotion] = True

    def count(self, matches: Sequence[bool]) -> None:
        """An item was placed that these promotions match."""
        for i, match in enumerate(matches):
            self._given[i] += match


def _moment(written: str | None, absent: float) -> float:
    if written is None:
        return absent
    moment = datetime.fromisoformat(written.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6
