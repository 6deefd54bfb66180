"""What holds for cleaning whatever the data: nothing is lost, nothing is invented, twice is once."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.people import k_core
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.tables import Tables

DAY = 86_400_000_000
NOW = 20_000 * DAY

ROW = st.tuples(
    st.sampled_from([None, "ann", "bob", "cat", "=1"]),
    st.sampled_from([None, "mug", "hat", "pen", "POST"]),
    st.one_of(st.none(), st.integers(19_000, 19_004), st.sampled_from([0, 30_000, -5])),
    st.sampled_from([None, "view", "buy"]),
    st.sampled_from([None, 1.0, 2.0, -1.0, float("nan"), float("inf")]),
    st.sampled_from([None, 1.0, 2.0, 3.0, -1.0, -2.0, float("nan")]),
)
SETTINGS = st.builds(
    CleanSettings,
    duplicates=st.booleans(),
    returns=st.sampled_from(["cancel", "drop", "keep"]),
    impossible_prices=st.sampled_from(["blank", "drop"]),
    max_events_per_day=st.sampled_from([0, 2, 4, 3_000]),
    unknown_items=st.sampled_from(["keep", "drop"]),
    drop_items=st.sampled_from([(), ("POST",)]),
    drop_item_patterns=st.sampled_from([(), ("^m",)]),
    max_history=st.sampled_from([0, 3, 10_000]),
    min_history=st.integers(0, 3),
    k_core_users=st.integers(0, 3),
    k_core_items=st.integers(0, 3),
)
ITEMS = pl.DataFrame({"item_id": ["mug", "hat", "POST"]})


def log(rows):
    frame = pl.DataFrame(
        rows,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Int64,
            "event_type": pl.String,
            "price": pl.Float32,
            "quantity": pl.Float32,
        },
        orient="row",
    )
    categorical = pl.col("user_id", "item_id", "event_type").cast(pl.Categorical)
    return frame.with_columns(categorical, pl.col("timestamp") * DAY).with_row_index("row", offset=1)


@given(st.lists(ROW, max_size=40), SETTINGS)
@settings(deadline=None, max_examples=50)
def test_every_row_is_kept_or_dropped_for_one_counted_reason(rows, asked):
    read = log(rows)
    cleaned = clean(Tables(read, items=ITEMS), asked, NOW)
    kept, dropped = cleaned.tables.events["row"].to_list(), cleaned.dropped["row"].to_list()
    assert sorted(kept + dropped) == list(range(1, len(rows) + 1))
    assert kept == sorted(kept)
    counted = {found.code: found.count for found in cleaned.findings if found.dropped and found.table == "events"}
    assert counted == dict(cleaned.dropped["reason"].value_counts().rows())
    taken = read.filter(pl.col("row").is_in(dropped)).sort("row")
    assert cleaned.dropped.drop("reason").sort("row").equals(taken, null_equal=True)


@given(st.lists(ROW, max_size=40), SETTINGS)
@settings(deadline=None, max_examples=50)
def test_what_stays_is_as_asked(rows, asked):
    events = clean(Tables(log(rows), items=ITEMS), asked, NOW).tables.events
    assert events.select("user_id", "item_id", "timestamp").null_count().sum_horizontal().to_list() in ([0], [])
    assert events["price"].drop_nulls().is_finite().all()
    assert (events["price"].drop_nulls() >= 0).all()
    if asked.returns != "keep":
        assert not (events["quantity"].drop_nulls() < 0).any()
    if asked.duplicates:
        assert not events.drop("row").is_duplicated().any() or asked.impossible_prices == "blank"
    per_user = events.group_by("user_id").len()["len"]
    per_item = events.group_by("item_id").len()["len"]
    assert (per_user >= asked.k_core_users).all()
    assert (per_item >= asked.k_core_items).all()
    if asked.max_history:
        assert (per_user <= asked.max_history).all()


@given(st.lists(ROW, max_size=40))
@settings(deadline=None, max_examples=50)
def test_cleaning_clean_data_changes_nothing(rows):
    asked = CleanSettings(returns="drop", duplicates=False)
    once = clean(Tables(log(rows)), asked, NOW)
    twice = clean(once.tables, asked, NOW)
    assert len(twice.dropped) == 0
    assert twice.tables.events.equals(once.tables.events, null_equal=True)


@given(st.lists(ROW, max_size=40))
@settings(deadline=None, max_examples=50)
def test_repeats_are_those_that_polars_finds(rows):
    read = log(rows).drop_nulls(["user_id", "item_id", "timestamp"])
    asked = CleanSettings(returns="keep", earliest="1900-01-01", max_events_per_day=0)
    dropped = clean(Tables(read), asked, NOW + 20_000 * DAY).dropped
    columns = pl.struct(pl.exclude("row"))
    assert sorted(dropped["row"]) == read.filter(~columns.is_first_distinct())["row"].to_list()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40), st.integers(0, 4), st.integers(0, 4))
@settings(deadline=None, max_examples=50)
def test_the_k_core_is_what_one_by_one_removal_leaves(pairs, per_user, per_item):
    left = list(enumerate(pairs))
    while True:
        users = [user for _, (user, _) in left]
        items = [item for _, (_, item) in left]
        lonely = [one for one in left if users.count(one[1][0]) < per_user or items.count(one[1][1]) < per_item]
        if not lonely:
            break
        left.remove(lonely[0])
    users, items = np.array(pairs, np.uint32).reshape(-1, 2).T
    assert np.flatnonzero(k_core(users, items, per_user, per_item)).tolist() == [at for at, _ in left]
