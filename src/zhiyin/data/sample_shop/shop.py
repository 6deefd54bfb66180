"""One call makes the whole shop: its tables as a log would have them, and the truth behind them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from zhiyin.data.sample_shop.behaviour import lived
from zhiyin.data.sample_shop.catalogue import stocked
from zhiyin.data.sample_shop.dirt import SHARES, STRANGE_ITEMS, dirtied, machines
from zhiyin.data.sample_shop.log import event_table, in_log_order, logged
from zhiyin.data.sample_shop.people import People, arrived
from zhiyin.data.sample_shop.scale import EVENTS_PER_CHOICE, Calendar
from zhiyin.data.sample_shop.titles import item_ids, item_table, user_ids, user_table
from zhiyin.data.sample_shop.truth import Truth
from zhiyin.data.tables import Tables
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ConfigError
from zhiyin.types import Mask

END = 1_767_225_600_000_000  # µs, 2026-01-01 00:00 UTC
ISO = "%Y-%m-%dT%H:%M:%S%.3fZ"


@dataclass(frozen=True, eq=False)
class SampleShop:
    """A simulated shop: what can be seen (`tables`), what is wrong with it (`dirt`), what is true (`truth`)."""

    tables: Tables
    truth: Truth
    dirt: dict[str, int]  # kind of fault -> rows of the event log
    padded: Mask  # bool[events]; rows whose user id is written with spaces around it in the file

    def write(self, directory: Path) -> None:
        """Write events.csv, items.csv, users.csv and friends.csv as the shop would hand them over, dirt and all."""
        directory.mkdir(parents=True, exist_ok=True)
        user = pl.col("user_id").cast(pl.String)
        self.tables.events.select(
            pl.when(pl.lit(pl.Series(self.padded))).then(pl.format("  {} ", user)).otherwise(user).alias("user_id"),
            "item_id",
            _iso("timestamp"),
            "event_type",
            "quantity",
            "price",
        ).write_csv(directory / "events.csv")
        for name, table in (
            ("items", self.tables.items),
            ("users", self.tables.users),
            ("friends", self.tables.friends),
        ):
            assert table is not None, "a sample shop has all four tables"  # noqa: S101 - a fact about our own work
            shown = table.with_columns(_iso("created_at")) if "created_at" in table.columns else table
            shown.write_csv(directory / f"{name}.csv")


def sample_shop(
    people: int = 5_000,
    items: int = 2_000,
    events: int = 300_000,
    *,
    seed: int = 0,
    dirt: bool = True,
    end: int = END,
) -> SampleShop:
    """Simulate a year of a shop; the package says how.

    Parameters
    ----------
    events
        About how many clean events: within a sixth, fewer in a tiny shop.
    dirt
        Whether faulty rows are added; the clean rows are the same either way.
    end
        The moment at which the log ends, µs UTC.

    Raises
    ------
    ConfigError
        For a shop without people or items, or with fewer than no events.
    """
    _raise_if_too_small(people, items, events)
    calendar = Calendar(end)
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(7)]
    catalogue = stocked(items, calendar, streams[0])
    crowd = arrived(people, catalogue, calendar, choices=events / EVENTS_PER_CHOICE, rng=streams[1])
    choices = lived(crowd, catalogue, calendar, streams[2])
    log = logged(choices, catalogue, calendar, streams[3])
    clean, counts = len(log), dict.fromkeys(SHARES, 0)
    if dirt:
        log, counts = dirtied(log, people=people, items=items, calendar=calendar, rng=streams[4])
    log = in_log_order(log, calendar, streams[5])
    humans, bots = user_ids(people, machines(clean))
    goods = item_ids(items)
    tables = Tables(
        events=event_table(log, pl.concat([humans, bots]), pl.concat([goods, pl.Series("item_id", STRANGE_ITEMS)])),
        items=item_table(catalogue, goods, calendar, streams[6]),
        users=user_table(crowd, humans, streams[6]),
        friends=_friend_table(crowd, humans),
    )
    by_person = choices[np.lexsort((choices.times, choices.people))]
    known = (Vocabulary.of(humans), Vocabulary.of(goods), tuple(bots) if dirt else ())
    return SampleShop(tables, Truth(crowd, catalogue, calendar, by_person, *known), counts, log.padded)


def _raise_if_too_small(people: int, items: int, events: int) -> None:
    for name, value, least in (("people", people, 1), ("items", items, 1), ("events", events, 0)):
        if value < least:
            raise ConfigError(f"sample_shop.{name} must be {least} or more, got {value}")


def _friend_table(people: People, ids: pl.Series) -> pl.DataFrame:
    """Each pair once."""
    left = np.repeat(np.arange(len(people)), np.diff(people.friend_offsets))
    pair = left < people.friends
    return pl.DataFrame({"user_id": ids.gather(left[pair]), "friend_id": ids.gather(people.friends[pair])})


def _iso(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Datetime("us")).dt.to_string(ISO).alias(column)
