"""How often something may happen: "100/s", "600/min"."""

import re
from dataclasses import dataclass
from typing import Self

from zhiyin.errors import ConfigError

UNITS = {"s": 1, "min": 60, "h": 3_600}
WRITTEN = re.compile(r"(\d{1,9})/(s|min|h)")


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds."""

    amount: int
    seconds: int = 1

    @classmethod
    def read(cls, text: str, where: str) -> Self:
        """The rate that is written; `where` names it in the error.

        Raises
        ------
        ConfigError
            If it is no rate.
        """
        found = WRITTEN.fullmatch(text.strip())
        if found is None or int(found[1]) == 0:
            raise ConfigError(f"{where} must be a number and /s, /min or /h, such as '100/s', got {text[:40]!r}")
        return cls(int(found[1]), UNITS[found[2]])

    @property
    def per_second(self) -> float:
        """How many a second."""
        return self.amount / self.seconds
