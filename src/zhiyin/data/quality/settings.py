"""What cleaning may drop: the [clean] section of zhiyin.toml."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import polars as pl

from zhiyin.errors import ConfigError


@dataclass(frozen=True)
class CleanSettings:
    """Which events are dropped; the defaults drop only what can not be true or would harm every model."""

    duplicates: bool = True  # an event that repeats another in every column is an export's accident
    returns: Literal["cancel", "drop", "keep"] = "cancel"
    # quantity < 0: "cancel" drops the return and the earlier purchases that it fully takes back
    earliest: str | dt.date = "1990-01-02"  # epoch zero, 1980-01-01 and 1990-01-01 are clocks that were never set
    impossible_prices: Literal["blank", "drop"] = "blank"
    # NaN, infinite, negative: the event did happen, only its price is unknown
    max_events_per_day: int = 3_000  # in any 24 hours: 17 awake, one every 20 seconds; 0 = no limit
    unknown_items: Literal["keep", "drop"] = "keep"  # an item without a catalogue row still has its history
    drop_items: tuple[str, ...] = ()  # ids that are no goods: ["POST", "BANK CHARGES"]
    drop_item_patterns: tuple[str, ...] = ()  # regular expressions, matched anywhere in the id: ["^gift_"]
    max_history: int = 10_000  # the newest of each person; older ones change no taste and cost memory; 0 = no limit
    min_history: int = 0  # people with fewer events are dropped, once, before the k-core; 0 = keep everyone
    k_core_users: int = 0  # every person keeps at least so many events, …
    k_core_items: int = 0  # … and every item: repeated until both hold; 0 = off

    def __post_init__(self) -> None:
        object.__setattr__(self, "earliest", str(self.earliest))  # TOML may write the date bare
        _ = self.earliest_time
        counts = ("max_events_per_day", "max_history", "min_history", "k_core_users", "k_core_items")
        for name in counts:
            if getattr(self, name) < 0:
                raise ConfigError(f"clean.{name} must be 0 (off) or more, got {getattr(self, name)}")
        for pattern in self.drop_item_patterns:
            try:
                pl.Series([""]).str.contains(pattern)
            except pl.exceptions.ComputeError:
                raise ConfigError(
                    f"clean.drop_item_patterns: {pattern!r} is not a regular expression; "
                    f"put plain ids in clean.drop_items"
                ) from None

    @property
    def earliest_time(self) -> int:
        """µs since 1970 UTC; an event before it is impossible."""
        try:
            moment = dt.datetime.fromisoformat(str(self.earliest))
        except ValueError:
            raise ConfigError(f"clean.earliest must be a date such as 1990-01-02, got {self.earliest!r}") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return int(moment.timestamp() * 1_000_000)
