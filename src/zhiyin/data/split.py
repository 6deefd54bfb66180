"""Hold some of the log back, so that a model can be asked about what it has not seen."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, DataError
from zhiyin.types import MICROSECONDS_PER_DAY, Indexes, Offsets


@dataclass(frozen=True, eq=False)
class Split:
    """A training view, and one query per held-out person, who is asked with all of his training history.

    `offsets` and `relevant` are ragged: query i chose the items `relevant[offsets[i]:offsets[i + 1]]`, ascending.
    """

    train: Dataset
    queries: Queries  # b; histories hold training events alone
    offsets: Offsets  # int64[b + 1]
    relevant: Indexes  # int32[_], unique within a query
    ratings: NDArray[np.float32]  # [_], the value of each relevant event; NaN where there is none
    protocol: str  # one line for the report
    seen_types: tuple[str, ...] | None  # relevant leaves out what the history holds of these (all if empty)

    def __len__(self) -> int:
        return len(self.queries)

    def relevant_of(self, rows: slice | NDArray[np.int64]) -> tuple[Offsets, Indexes]:
        """`offsets` and `relevant` of some of the queries."""
        chosen = np.arange(len(self))[rows]
        lengths = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return offsets, self.relevant[flat]


def split_by_time(
    data: Dataset, test: str | float = 0.1, *, target: tuple[str, ...] = (), seen_types: tuple[str, ...] | None = ()
) -> Split:
    """One moment for everybody: before it is training, from it on is test.

    Parameters
    ----------
    test
        How much is held back: a duration before the last event ("14d", "36h", "2w"), or the newest share of events.
    target
        Event types that count as chosen; empty means all.
    seen_types
        Ask only for items that are new to the person, as when seen items are never shown: the event types that make
        an item seen, () for all of them, None to ask for seen items too.
    """
    log = data.interactions
    cut = _cut(log, test)
    return _held_out(
        data, (log.before(cut), log.since(cut)), f"global time, last {_words(test)} held out", target, seen_types, cut
    )


def leave_last_out(data: Dataset, *, target: tuple[str, ...] = (), seen_types: tuple[str, ...] | None = ()) -> Split:
    """The last event of everyone who has at least two is test."""
    log = data.interactions
    last = np.full(log.n_users, -1, np.int64)
    last[log.users] = np.arange(len(log))  # ascending time: the newest event is written last
    mask = np.zeros(len(log), np.bool_)
    mask[last[np.bincount(log.users, minlength=log.n_users) > 1]] = True
    return _held_out(data, (log[~mask], log[mask]), "leave last out", target, seen_types)


def split_at_random(
    data: Dataset,
    test: float = 0.2,
    *,
    target: tuple[str, ...] = (),
    seen_types: tuple[str, ...] | None = (),
    seed: int = 0,
) -> Split:
    """A share of everybody's events, drawn at random: for published protocols only, because the future leaks back."""
    if not 0 < test < 1:
        raise ConfigError(f"split.test must be between 0 and 1 for a random split, got {test}")
    rng = np.random.default_rng(seed)
    log = data.interactions
    order = np.lexsort((rng.random(len(log)), log.users))
    counts = np.bincount(log.users, minlength=log.n_users)
    rank = np.arange(len(log)) - np.repeat(np.cumsum(counts) - counts, counts)
    mask = np.zeros(len(log), np.bool_)
    mask[order] = rank < np.floor(counts * test)[log.users[order]]
    return _held_out(
        data, (log[~mask], log[mask]), f"random {test:.0%} of each person's events held out", target, seen_types
    )


def split_given(
    data: Dataset,
    test: Interactions,
    *,
    target: tuple[str, ...] = (),
    seen_types: tuple[str, ...] | None = (),
) -> Split:
    """All of `data` is training; somebody else chose the test events, in the same indexes (`Dataset.log_of`)."""
    return _held_out(data, (data.interactions, test), "given files", target, seen_types)


def microseconds(duration: str) -> int:
    """A duration such as "90s", "15m", "36h", "14d" or "2w" in µs.

    Raises
    ------
    ConfigError
        If the text is something else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", duration)
    if not found or float(found[1]) <= 0:
        raise ConfigError(f"{duration!r} is not a duration: write a number and s, m, h, d or w, such as '14d'")
    unit = {
        "s": 1_000_000,
        "m": 60_000_000,
        "h": 3_600_000_000,
        "d": MICROSECONDS_PER_DAY,
        "w": 7 * MICROSECONDS_PER_DAY,
    }
    return int(float(found[1]) * unit[found[2]])


def _cut(log: Interactions, test: str | float) -> int:
    if isinstance(test, str):
        cut = int(log.times[-1]) + 1 - microseconds(test)
    elif 0 < test < 1:
        cut = int(log.times[min(len(log) - 1, int(len(log) * (1 - test)))])
    else:
        raise ConfigError(f"split.test must be a duration such as '14d' or a share between 0 and 1, got {test}")
    if cut <= log.times[0]:
        raise DataError(
            "no event is left to train on: the whole log falls into the test window, make split.test shorter "
            f"(the log covers {(log.times[-1] - log.times[0]) / MICROSECONDS_PER_DAY:.1f} days)"
        )
    return cut


def _words(test: str | float) -> str:
    return test if isinstance(test, str) else f"{test:.0%} of events"


def _held_out(
    data: Dataset,
    sides: tuple[Interactions, Interactions],
    protocol: str,
    target: tuple[str, ...],
    seen_types: tuple[str, ...] | None,
    cut: int | None = None,
) -> Split:
    train, test = sides
    if target:
        unknown = set(target) - set(test.kind_names)
        if unknown:
            raise ConfigError(
                f"split.target names {sorted(unknown)[0]!r}, which is no event type of this log: "
                f"it has {', '.join(test.kind_names)}"
            )
        test = test.of_kinds(*target)
    if len(train) == 0 or len(test) == 0:
        raise DataError("the split leaves no event on one side: give more events or another split.test")
    held_out = _chosen(train, test, seen_types)
    if len(held_out) == 0:
        raise DataError("nobody in the test window chose anything new: hold back more time, or set rules.seen = 'keep'")
    people, first = np.unique(held_out.users, return_index=True)
    past = train.histories[people]
    # a random split holds back events from the middle: nobody is asked before the newest event he is asked with
    moments = np.maximum(_first_moments(test, people), _last_moments(past) + 1)
    catalog = data.catalog if cut is None else data.catalog.before(cut)
    return Split(
        train=replace(data, interactions=train, catalog=catalog),
        queries=Queries(past, people.astype(np.int32), moments),
        offsets=np.append(first, len(held_out)).astype(np.int64),
        relevant=held_out.items,
        ratings=held_out.values,
        protocol=protocol + (f", target {' or '.join(target)}" if target else ""),
        seen_types=seen_types,
    )


def _chosen(train: Interactions, test: Interactions, seen_types: tuple[str, ...] | None) -> Interactions:
    """Each pair of person and item once, ordered by person, then item; its newest event counts."""
    pairs = test.users.astype(np.int64) * test.n_items + test.items
    _, newest = np.unique(pairs[::-1], return_index=True)
    rows = len(test) - 1 - newest
    if seen_types is not None:
        train = train.of_kinds(*seen_types) if seen_types else train
        seen = np.unique(train.users.astype(np.int64) * train.n_items + train.items)
        rows = rows[~np.isin(pairs[rows], seen)]
    return test[rows]


def _last_moments(past: Histories) -> NDArray[np.int64]:
    """int64[b]: the newest event of each history, the smallest integer where there is none."""
    latest = np.full(len(past), np.iinfo(np.int64).min)
    some = np.flatnonzero(past.lengths)
    latest[some] = past.times[past.offsets[some + 1] - 1]
    return latest


def _first_moments(test: Interactions, people: NDArray[np.integer]) -> NDArray[np.int64]:
    """int64[people]: when each of them first chose something in the test."""
    first = np.zeros(test.n_users, np.int64)
    first[test.users[::-1]] = test.times[::-1]  # ascending time: the earliest is written last
    return first[people]
