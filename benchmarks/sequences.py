"""Published protocols that ask for the next item: one to hold out for each person, or every prefix of a session."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.protocols import DATA, Protocol
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.split import Split, leave_last_out
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.ranking.rules import Rules

_SECOND = 1_000_000
_VALIDATION = 0.1  # of the sessions, the newest
_EVERYBODY = 1_000_000  # one answer each: a choice needs all of them
_ANSWERED = "the last but one, which had validated, is learned from before the test"


def _films(_: int) -> tuple[Split, Split]:
    """MovieLens 1M as SASRec has it; events of the same second stay in the order of the file."""
    rows = pl.read_csv(DATA / "ml-1m" / "timestamps.tsv.gz", separator="\t")
    users, items, seconds = (rows.to_series(place).to_numpy() for place in range(3))
    return _leave_one_out(users, items, _ascending(users, seconds.astype(np.int64)))


def _purchases(name: str) -> tuple[Split, Split]:
    """Amazon's sequences have an order and no times: an hour apart."""
    lines = pl.read_csv(
        DATA / name / "sequences.txt.gz", has_header=False, separator="\n", new_columns=["line"],
        schema_overrides=[pl.String],
    )  # fmt: skip
    ids = lines["line"].str.strip_chars().str.split(" ").list.eval(pl.element().cast(pl.Int32))
    rows = pl.DataFrame({"user": ids.list.first(), "item": ids.list.slice(1)}).explode("item")
    users, items = (rows[column].to_numpy() for column in ("user", "item"))
    places = np.arange(len(users)) - np.searchsorted(users, users)
    return _leave_one_out(users, items, places.astype(np.int64) * 3600 * _SECOND)


def _leave_one_out(
    users: NDArray[np.integer], items: NDArray[np.integer], times: NDArray[np.int64]
) -> tuple[Split, Split]:
    """The last item is the test, the one before validates; the test is answered by what learned from both."""
    test = leave_last_out(dataset(users, items, times))
    return leave_last_out(test.train), test


def _sessions(_: int) -> tuple[Split, Split]:
    """Yoochoose 1/64 as in SR-GNN: every prefix of the sessions of the last day; items may come again.

    Validation asks for every prefix of the newest tenth of the training sessions.
    """
    folder = DATA / "yoochoose-1_64"
    lines = (folder / "train_sessions.txt.gz", folder / "test_prefix_target.txt.gz")
    sessions, prefixes = (
        pl.read_csv(path, has_header=False, separator="\t", schema_overrides=[pl.String, pl.String][:width],
                    new_columns=["items", "target"][:width])
        for path, width in zip(lines, (1, 2), strict=True)
    )  # fmt: skip
    table = sessions["items"].str.strip_chars().str.split(" ").list.eval(pl.element().cast(pl.Int32)).to_list()
    asked = prefixes["items"].str.strip_chars().str.split(" ").list.eval(pl.element().cast(pl.Int32)).to_list()
    targets = prefixes["target"].cast(pl.Int32).to_numpy()
    known = np.unique(np.concatenate([np.asarray(one) for one in table]))
    first = int(len(table) * (1 - _VALIDATION))
    later = [(one[:end], one[end]) for one in table[first:] for end in range(1, len(one))]
    return (
        _prefixes(known, table[:first], [past for past, _ in later], np.array([target for _, target in later])),
        _prefixes(known, table, asked, targets),
    )


def _prefixes(
    known: NDArray[np.integer], table: list[list[int]], asked: list[list[int]], targets: NDArray[np.integer]
) -> Split:
    """Sessions to learn from, and prefixes of others with what came next."""
    lengths = np.array([len(one) for one in table])
    sessions = np.repeat(np.arange(len(table)), lengths)
    places = np.arange(len(sessions)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    times = (sessions.astype(np.int64) * 600 + places) * _SECOND  # sessions stand in the order of their times
    data = dataset(sessions, np.concatenate([np.asarray(one) for one in table]), times, known)
    histories = Histories.of([np.searchsorted(known, np.asarray(one)).tolist() for one in asked])
    relevant = np.searchsorted(known, targets).astype(np.int32)
    return Split(
        data, Queries.of(histories, now=int(times.max()) + 600 * _SECOND), np.arange(len(asked) + 1, dtype=np.int64),
        relevant, np.full(len(asked), np.nan, np.float32), "every prefix of later sessions", None,
    )  # fmt: skip


def _ascending(users: NDArray[np.integer], seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """µs: seconds, and a microsecond for each event of the same person before it in the file."""
    return seconds * _SECOND + np.arange(len(users)) - np.searchsorted(users, users)


def dataset(
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    times: NDArray[np.int64],
    known: NDArray[np.integer] | None = None,
) -> Dataset:
    """Ids are the numbers of the files, filled up with zeros so that their order by text is that of the numbers.

    Parameters
    ----------
    known
        All items, ascending, where there are more than the log names.
    """
    people, persons = np.unique(users, return_inverse=True)
    known = np.unique(items) if known is None else known
    names, titles = (Vocabulary.of(f"{one:06}" for one in numbers.tolist()) for numbers in (people, known))
    log = Interactions.of(persons, np.searchsorted(known, items), times, n_users=len(people), n_items=len(known))
    return Dataset(names, titles, log, Catalog.of(titles))


SEQUENCES: Mapping[str, Protocol] = {
    "ml-1m": Protocol(
        _films, ("hit_rate", "ndcg"), 10,
        {
            "SASRec, one negative": (0.2392, 0.1259), "SASRec, sampled softmax": (0.2853, 0.1603),
            "gSASRec": (0.3003, 0.1726), "eSASRec": (0.3133, 0.1772), "FuXi-α": (0.3164, 0.1813),
        },
        validation_queries=_EVERYBODY, note=_ANSWERED + "; a network reads the times between events too",
    ),
    "amazon-beauty": Protocol(
        lambda _: _purchases("amazon-beauty"), ("recall", "ndcg"), 10,
        {
            "SASRec": (0.0605, 0.0318), "S3-Rec": (0.0647, 0.0327), "TIGER": (0.0648, 0.0384), "HSTU": (0.0788, 0.0439),
            "SASRec, sampled softmax": (0.0921, 0.0531), "eSASRec": (0.0928, 0.0523),
        },
        validation_queries=_EVERYBODY, note=_ANSWERED,
    ),
    "amazon-toys": Protocol(
        lambda _: _purchases("amazon-toys"), ("recall", "ndcg"), 10,
        {
            "SASRec": (0.0675, 0.0374), "S3-Rec": (0.0700, 0.0376), "TIGER": (0.0712, 0.0432), "HSTU": (0.0778, 0.0450),
            "SASRec, sampled softmax": (0.0970, 0.0580), "eSASRec": (0.0939, 0.0538),
        },
        validation_queries=_EVERYBODY, note=_ANSWERED,
    ),
    "yoochoose-1_64": Protocol(
        _sessions, ("hit_rate", "mrr"), 20,
        {"SR-GNN": (0.7057, 0.3094), "NISER+": (float("nan"), 0.3161), "SGNN-HN": (float("nan"), 0.3261)},
        rules=Rules(seen="keep"), validation_queries=_EVERYBODY,
    ),
}  # fmt: skip
