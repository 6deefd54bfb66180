"""What a chart shows, as plain data: static/charts.js draws it in the colours of the page, ui.chart writes its table.

A missing value is None, and a line has a gap there. Labels are texts, or moments in µs UTC where `times` says so.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["bar", "line"]
Unit: TypeAlias = Literal["", "%", "ms"]


@dataclass(frozen=True)
class Series:
    """Some values with a name."""

    name: str
    values: Sequence[float | None]
    kind: Kind = "bar"
    stack: str = ""
    """Bars of the same stack stand on each other."""


@dataclass(frozen=True)
class Chart:
    """Some series over the same labels."""

    labels: Sequence[str]
    series: Sequence[Series]
    unit: Unit = ""
    digits: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for one in self.series for value in one.values)

    def spec(self) -> dict[str, Any]:
        """For charts.js."""
        return asdict(self)
