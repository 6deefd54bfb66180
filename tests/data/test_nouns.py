"""Vocabulary, Interactions, Histories, Catalog, Dataset and Queries: what they promise to every other floor."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.catalog import Catalog
from zhiyin.data.codes import distinct, replaced
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.tables import Tables
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import DataError

ids = st.text(min_size=1, max_size=8)
rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=40
)


def log(events: list[tuple[int, int, int, int]]) -> Interactions:
    users, items, times, kinds = (np.array(column) for column in zip(*events, strict=True))
    return Interactions.of(
        users, items, times, n_users=6, n_items=8, kinds=kinds.astype(np.uint8), kind_names=("buy", "save", "view")
    )


def tables(events: list[tuple[str, str, int]], **more: pl.DataFrame) -> Tables:
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Tables(frame.with_columns(pl.col("user_id", "item_id").cast(pl.Categorical)), **more)


@given(st.lists(ids))
@settings(deadline=None, max_examples=50)
def test_an_id_goes_to_its_index_and_back(texts: list[str]) -> None:
    vocabulary = Vocabulary.of(texts)
    assert vocabulary.ids(vocabulary.indexes(texts)).to_list() == texts
    assert len(vocabulary) == len(set(texts))


@given(st.lists(ids, min_size=1), st.lists(ids))
@settings(deadline=None, max_examples=50)
def test_encoding_a_column_is_looking_up_each_of_its_ids(texts: list[str], more: list[str]) -> None:
    column = pl.Series([*texts, None], dtype=pl.String).cast(pl.Categorical)
    vocabulary, indexes = Vocabulary.encoding(column, pl.Series(more, dtype=pl.String))
    assert indexes.tolist() == [*vocabulary.indexes(texts), -1]
    assert set(vocabulary.texts) == {*texts, *more}


def test_long_columns_are_looked_up_as_short_ones_are() -> None:
    vocabulary = Vocabulary.of(range(0, 5_000, 2))
    asked = [str(number) for number in range(5_000)]
    assert vocabulary.indexes(pl.Series(asked)).tolist() == vocabulary.indexes(asked).tolist()
    assert "4" in vocabulary
    assert "5" not in vocabulary


@given(rows, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_of_rows_with_equal_times_does_not_matter(events: list, random) -> None:
    shuffled = events.copy()
    random.shuffle(shuffled)
    for name in ("users", "items", "times", "kinds"):
        assert getattr(log(events), name).tolist() == getattr(log(shuffled), name).tolist()


@given(rows, st.integers(-1, 21))
@settings(deadline=None, max_examples=50)
def test_before_and_since_share_the_log_between_them(events: list, time: int) -> None:
    whole = log(events)
    early, late = whole.before(time), whole.since(time)
    assert (early.times < time).all()
    assert (late.times >= time).all()
    assert np.concatenate([early.items, late.items]).tolist() == whole.items.tolist()


@given(rows)
@settings(deadline=None, max_examples=50)
def test_matrix_and_histories_are_views_of_the_same_events(events: list) -> None:
    whole = log(events)
    pairs = {(user, item) for user, item, _, _ in events}
    assert set(zip(*map(np.ndarray.tolist, whole.matrix.nonzero()), strict=True)) == pairs
    assert whole.weighted.sum() == len(events)
    assert (whole.histories.matrix(8) != whole.matrix).nnz == 0
    for user, row in enumerate(np.split(whole.histories.times, whole.histories.offsets[1:-1])):
        assert row.tolist() == sorted(time for who, _, time, _ in events if who == user)
    assert whole.item_counts.sum() == len(events)


def test_events_can_be_chosen_by_kind() -> None:
    whole = log([(0, 1, 1, 0), (0, 2, 2, 2), (0, 3, 3, 1)])
    assert whole.of_kinds("buy", "save").items.tolist() == [1, 3]
    assert whole.histories.of_kinds(["view"]).tolist() == [False, True, False]


lists = st.lists(st.lists(st.integers(-1, 9), max_size=6), min_size=1, max_size=6)


@given(lists, st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_histories_cut_and_pad_like_lists(histories: list[list[int]], t: int) -> None:
    past = Histories.of(histories)
    newest = [row[-t:] for row in histories]
    assert np.split(past.last(t).items, past.last(t).offsets[1:-1])[0].tolist() == newest[0]
    assert past.padded(t).tolist() == [[-1] * (t - len(row)) + row for row in newest]
    assert past.lengths.tolist() == [len(row) for row in histories]


@given(lists, st.data())
@settings(deadline=None, max_examples=50)
def test_rows_of_histories_are_chosen_as_rows_of_a_list(histories: list[list[int]], data) -> None:
    past = Histories.of(histories)
    chosen = data.draw(st.lists(st.integers(0, len(histories) - 1)))
    expected = Histories.of([histories[row] for row in chosen])
    assert past[np.array(chosen, np.int64)].items.tolist() == expected.items.tolist()
    start, stop = sorted(data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
    assert past[start:stop].items.tolist() == [item for row in histories[start:stop] for item in row]


def test_a_history_before_a_moment_forgets_the_rest() -> None:
    past = Histories.of([[1, 2, 3], [4, 5]])
    cut = past.before(np.array([3_600_000_000, 10**18]))
    assert cut.items.tolist() == [1, 4, 5]
    assert cut.offsets.tolist() == [0, 1, 3]


def test_a_catalogue_stands_in_the_order_of_the_vocabulary() -> None:
    table = pl.DataFrame({"item_id": ["b", "z", "b"], "price": [2.0, 1.0, 9.0], "available": [False, True, True]})
    catalog = Catalog.of(Vocabulary.of(["a", "b", "z"]), table)
    assert catalog.frame["item_id"].to_list() == ["a", "b", "z"]
    assert np.isnan(catalog.prices[0])
    assert catalog.prices[1:].tolist() == [2.0, 1.0]
    assert catalog.available.tolist() == [True, False, True]
    assert catalog.columns == ["price", "available"]


def test_a_dataset_knows_items_that_nobody_touched_and_people_who_did_nothing() -> None:
    read = tables(
        [("ann", "mug", 5), ("bob", "cup", 3)],
        items=pl.DataFrame({"item_id": ["cup", "new"]}),
        users=pl.DataFrame({"user_id": ["zoe", "ann"], "age": [30, 40]}),
        friends=pl.DataFrame({"user_id": ["ann", "ann", "ann"], "friend_id": ["zoe", "ann", "who"]}),
    )
    data = Dataset.of(read)
    assert data.items.texts.to_list() == ["cup", "mug", "new"]
    assert data.users.texts.to_list() == ["ann", "bob", "zoe"]
    assert data.people is not None
    assert data.people["age"].to_list() == [40, None, 30]
    assert data.friends is not None
    assert data.friends.tolist() == [[0, 2]]
    assert data.interactions.users.tolist() == [1, 0]
    assert "2 events" in repr(data)


def test_weights_belong_to_event_types() -> None:
    read = tables([("ann", "mug", 1), ("ann", "cup", 2), ("bob", "cup", 3)])
    events = read.events.with_columns(pl.Series("event_type", ["view", "buy", None]).cast(pl.Categorical))
    log = Dataset.of(Tables(events), {"view": 0.25}).interactions
    assert log.weights.tolist() == [0.25, 1.0, 1.0]
    assert [log.kind_names[kind] for kind in log.kinds] == ["view", "buy", "interaction"]


def test_a_stranger_is_asked_about_with_an_empty_history() -> None:
    data = Dataset.of(tables([("ann", "mug", 1), ("ann", "cup", 7), ("bob", "cup", 3)]))
    queries = data.queries(["who", "ann"], now=7)
    assert queries.people.tolist() == [-1, 0]
    assert queries.histories.lengths.tolist() == [0, 1]
    assert data.queries(["ann"]).histories.lengths.tolist() == [2]


def test_other_events_enter_in_the_same_indexes() -> None:
    data = Dataset.of(tables([("ann", "mug", 1), ("bob", "cup", 3)]))
    log = data.log_of(tables([("bob", "mug", 9), ("who", "mug", 9), ("bob", "what", 9)]).events)
    assert (log.users.tolist(), log.items.tolist(), log.times.tolist()) == ([1], [1], [9])


def test_no_event_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DataError, match="zhiyin check"):
        Dataset.of(tables([("ann", "mug", 1)]).__class__(tables([("ann", "mug", 1)]).events.head(0)))


def test_more_event_types_than_a_byte_can_count_are_refused() -> None:
    events = tables([("ann", "mug", 1)] * 300).events
    names = pl.Series("event_type", [f"kind {i}" for i in range(300)]).cast(pl.Categorical)
    with pytest.raises(DataError, match="300 different values"):
        Dataset.of(Tables(events.with_columns(names)))


@given(rows, st.lists(st.sampled_from([1.0, 2.0, float("nan")]), min_size=40, max_size=40), st.integers(1, 2**31 - 1))
@settings(deadline=None, max_examples=50)
def test_the_log_stands_in_the_order_of_all_its_columns(events: list, values: list[float], n_users: int) -> None:
    """However many people there are: the quick way over one key and the exact way agree."""
    users, items, times, kinds = (np.array(column) for column in zip(*events, strict=True))
    given_values = np.array(values[: len(events)], np.float32)
    found = Interactions.of(
        users, items, times, n_users=max(n_users, 6), n_items=2**31 - 1, kinds=kinds.astype(np.uint8),
        values=given_values, kind_names=("buy", "save", "view"),
    )  # fmt: skip
    got = list(zip(found.times, found.users, found.items, found.kinds, np.nan_to_num(found.values, nan=9), strict=True))
    assert got == sorted(zip(times, users, items, kinds, np.nan_to_num(given_values, nan=9), strict=True))


def test_nouns_say_what_they_hold_in_one_line() -> None:
    data = Dataset.of(tables([("ann", "mug", 1), ("bob", "cup", 3)]))
    nouns = [data, data.users, data.interactions, data.interactions.histories, data.catalog, data.queries(["ann"])]
    for noun in nouns:
        assert "\n" not in repr(noun)
        assert len(repr(noun)) < 120
    assert repr(data.interactions) == "Interactions(2 events of 2 users with 2 items: interaction)"


@given(
    st.lists(st.integers(-50, 50), min_size=1), st.sampled_from([1, 7, 1_000, 1_000_000, 2**56]), st.integers(0, 999)
)
@settings(deadline=None, max_examples=50)
def test_a_log_ascends_in_time_whatever_the_unit(times: list[int], unit: int, start: int) -> None:
    moments = np.array(times, np.int64) * unit + start
    places = np.arange(len(times))
    log = Interactions.of(places, places, moments, n_users=len(times), n_items=len(times))
    assert log.times.tolist() == sorted(moments.tolist())
    assert (moments[log.users] == log.times).all()
    assert (log.users == log.items).all()


def test_the_earliest_and_the_latest_time_there_can_be_are_sorted_too() -> None:
    bounds = np.array([2**63 - 1, 0, -(2**63)])
    log = Interactions.of(np.arange(3), np.arange(3), bounds, n_users=3, n_items=3)
    assert log.users.tolist() == [2, 1, 0]


@given(st.lists(st.none() | ids))
@settings(deadline=None, max_examples=50)
def test_a_column_is_its_distinct_ids_and_where_they_stand(texts: list[str | None]) -> None:
    column = pl.Series("id", texts, dtype=pl.Categorical)
    found = distinct(column)
    assert dict(zip(found.texts, found.counts.tolist(), strict=True)) == Counter(
        text for text in texts if text is not None
    )
    upper = replaced(column, found, found.texts.str.to_uppercase())
    assert upper.cast(pl.String).to_list() == pl.Series(texts, dtype=pl.String).str.to_uppercase().to_list()
