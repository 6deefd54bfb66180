"""What a model learns from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.compute.threads import together
from zhiyin.data.catalog import Catalog
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.tables import Tables
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import DataError
from zhiyin.types import Indexes


@dataclass(frozen=True, eq=False)
class Dataset:
    """Interactions, catalogue, people and friends, all by index."""

    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    catalog: Catalog
    people: pl.DataFrame | None = None  # aligned with the user vocabulary, `user_id` first
    friends: Indexes | None = None  # int32[pairs, 2]

    @classmethod
    def of(cls, tables: Tables, weights: Mapping[str, float] | None = None) -> "Dataset":
        """Index cleaned tables. Items of the catalogue that nobody touched, and people who did nothing, are in.

        Parameters
        ----------
        tables
            Cleaned: no null in user_id, item_id or timestamp.
        weights
            Event type to weight, >= 0; a type that is not named weighs 1.

        Raises
        ------
        DataError
            If no event is left.
        """
        events = tables.events
        if events.height == 0:
            raise DataError("no event is left after cleaning: run `zhiyin check` to see what was dropped and why")
        more = None if tables.users is None else tables.users["user_id"]
        more_items = None if tables.items is None else tables.items["item_id"]
        (users, user_indexes), (items, item_indexes) = together(
            lambda: Vocabulary.encoding(events["user_id"], more),
            lambda: Vocabulary.encoding(events["item_id"], more_items),
        )
        interactions = _log(events, user_indexes, item_indexes, (len(users), len(items)), weights)
        return cls(
            users,
            items,
            interactions,
            Catalog.of(items, tables.items),
            people=_aligned(users, tables.users),
            friends=_friends(users, tables.friends),
        )

    def __repr__(self) -> str:
        return f"Dataset({len(self.interactions):,} events, {len(self.users):,} users, {len(self.items):,} items)"

    def before(self, time: int) -> "Dataset":
        """The same people and items, with only what happened earlier than `time` (µs UTC)."""
        return replace(self, interactions=self.interactions.before(time))

    def queries(self, user_ids: Iterable[object], now: int | None = None) -> Queries:
        """What is known of these people at `now` (µs UTC; just after the last event if not given).

        A stranger is a query with an empty history.
        """
        moment = int(self.interactions.times[-1]) + 1 if now is None else now
        people = self.users.indexes(user_ids)
        past = self.interactions.histories[np.maximum(people, 0)]
        moments = np.where(people >= 0, moment, np.iinfo(np.int64).min)  # a stranger has no past
        return Queries.of(past.before(moments), people, moment)

    def with_interactions(self, interactions: Interactions) -> "Dataset":
        """The same people and items with another log."""
        return replace(self, interactions=interactions)

    def log_of(self, events: pl.DataFrame, weights: Mapping[str, float] | None = None) -> Interactions:
        """Other cleaned events in the indexes of this dataset; events of unknown people or items are left out."""
        users, items = self.users.indexes(events["user_id"]), self.items.indexes(events["item_id"])
        known = (users >= 0) & (items >= 0)
        shape = (len(self.users), len(self.items))
        return _log(events.filter(pl.Series(known)), users[known], items[known], shape, weights)


def _log(
    events: pl.DataFrame,
    users: Indexes,
    items: Indexes,
    shape: tuple[int, int],
    weights: Mapping[str, float] | None,
) -> Interactions:
    kinds, kind_names = _kinds(events)
    table = np.array([(weights or {}).get(name, 1.0) for name in kind_names], np.float32)
    plain = bool((table == 1.0).all())
    return Interactions.of(
        users, items, events["timestamp"].to_numpy(),
        n_users=shape[0], n_items=shape[1], kinds=kinds, weights=None if plain else table[kinds], kind_names=kind_names,
        values=_floats(events, "value"), prices=_floats(events, "price"),
    )  # fmt: skip


def _kinds(events: pl.DataFrame) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    if "event_type" not in events.columns:
        return np.zeros(events.height, np.uint8), ("interaction",)
    column = events["event_type"]
    if column.dtype != pl.Categorical or column.null_count():
        column = column.cast(pl.String).fill_null("interaction").cast(pl.Categorical)
    names, kinds = Vocabulary.encoding(column)
    if len(names) > 255:
        raise DataError(
            f"events.event_type has {len(names)} different values: at most 255 are allowed, map another column"
        )
    return kinds.astype(np.uint8), tuple(names.texts)


def _floats(events: pl.DataFrame, name: str) -> NDArray[np.float32] | None:
    if name not in events.columns:
        return None
    return events[name].cast(pl.Float32).fill_null(float("nan")).to_numpy()


def _aligned(users: Vocabulary, table: pl.DataFrame | None) -> pl.DataFrame | None:
    if table is None:
        return None
    rows = table.with_columns(pl.col("user_id").cast(pl.String)).unique("user_id", keep="first")
    return users.texts.alias("user_id").to_frame().join(rows, on="user_id", how="left", maintain_order="left")


def _friends(users: Vocabulary, table: pl.DataFrame | None) -> Indexes | None:
    if table is None:
        return None
    pairs = np.column_stack([users.indexes(table["user_id"]), users.indexes(table["friend_id"])])
    return pairs[(pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])]
