"""One thing that `zhiyin doctor` looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""
