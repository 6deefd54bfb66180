"""Nothing that a model trains on comes from after the split."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.dataset import Dataset
from zhiyin.data.split import Split, leave_last_out, microseconds, split_at_random, split_by_time, split_given
from zhiyin.data.tables import Tables
from zhiyin.errors import ConfigError, DataError

DAY = 86_400_000_000


def shop(events: list[tuple[str, str, float]], kinds: list[str] | None = None, created: dict | None = None) -> Dataset:
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "day"], orient="row").with_columns(
        pl.col("user_id", "item_id").cast(pl.Categorical), (pl.col("day") * DAY).cast(pl.Int64).alias("timestamp")
    )
    if kinds:
        frame = frame.with_columns(pl.Series("event_type", kinds).cast(pl.Categorical))
    items = None
    if created:
        days = [int(day * DAY) for day in created.values()]
        items = pl.DataFrame({"item_id": list(created), "created_at": days, "title": [f"the {id_}" for id_ in created]})
    return Dataset.of(Tables(frame, items))


def relevant(split: Split) -> dict[str, list[str]]:
    people = split.train.users.ids(split.queries.people).to_list()
    chosen = np.split(split.relevant, split.offsets[1:-1])
    return {who: split.train.items.ids(row).to_list() for who, row in zip(people, chosen, strict=True)}


many = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("uvwxyz"), st.integers(0, 30)), min_size=8, max_size=60
)


@given(many, st.sampled_from(["time", "last", "random"]))
@settings(deadline=None, max_examples=60)
def test_no_training_view_contains_anything_from_after_the_split(events: list, method: str) -> None:
    data = shop(events, created={id_: day for day, id_ in enumerate("uvwxyz", start=20)})
    try:
        split = {"time": split_by_time, "last": leave_last_out, "random": split_at_random}[method](data)
    except DataError:
        return
    log, past = split.train.interactions, split.queries.histories
    assert (past.times < np.repeat(split.queries.times, past.lengths)).all()
    if method == "time":
        assert (log.times < split.queries.times.min()).all()
        cut = log.times.max() + 1
        assert (split.queries.times >= cut).all()
        assert split.train.interactions.matrix.sum() == log.before(cut).matrix.sum()
        later = split.train.catalog.created >= split.queries.times.min()
        assert not later.any()
    if method == "last":
        newest = {user: max(time for time, who in zip(log.times, log.users, strict=True) if who == user)
                  for user in split.queries.people if user in log.users}  # fmt: skip
        assert all(split.queries.times[row] >= newest.get(user, 0) for row, user in enumerate(split.queries.people))
    seen = set(zip(log.users.tolist(), log.items.tolist(), strict=True))
    asked = np.repeat(split.queries.people, np.diff(split.offsets))
    assert not seen & set(zip(asked.tolist(), split.relevant.tolist(), strict=True))


def test_time_splits_everybody_at_one_moment() -> None:
    data = shop(
        [("ann", "a", 1), ("bob", "b", 2), ("ann", "b", 8), ("ann", "a", 9), ("bob", "c", 9.5), ("ann", "c", 10)]
    )
    split = split_by_time(data, "3d")
    assert relevant(split) == {"ann": ["b", "c"], "bob": ["c"]}
    assert split.queries.times.tolist() == [8 * DAY, int(9.5 * DAY)]
    assert split.queries.histories.lengths.tolist() == [1, 1]
    assert "3d" in split.protocol
    assert relevant(split_by_time(data, "3d", seen_types=None))["ann"] == ["a", "b", "c"]


def test_items_that_came_after_the_split_are_blank_in_training() -> None:
    data = shop([("ann", "a", 1), ("bob", "b", 9), ("ann", "c", 10)], created={"a": 0, "b": 0, "c": 9.5})
    split = split_by_time(data, "3d")
    assert split.train.catalog.frame["title"].to_list() == ["the a", "the b", None]
    assert split.train.catalog.available.tolist() == [True, True, False]


def test_only_the_target_kinds_count_as_chosen_and_only_named_kinds_as_seen() -> None:
    events = [("ann", "a", 1), ("ann", "b", 2), ("ann", "a", 9), ("ann", "b", 9), ("ann", "c", 10)]
    data = shop(events, ["view", "buy", "buy", "buy", "view"])
    assert relevant(split_by_time(data, "3d", target=("buy",), seen_types=("buy",))) == {"ann": ["a"]}
    with pytest.raises(ConfigError, match="'sell', which is no event type"):
        split_by_time(data, "3d", target=("sell",))


def test_leave_last_out_keeps_people_with_one_event_for_training() -> None:
    split = leave_last_out(shop([("ann", "a", 1), ("ann", "b", 2), ("bob", "a", 3)]))
    assert relevant(split) == {"ann": ["b"]}
    assert len(split.train.interactions) == 2


def test_a_random_split_takes_its_share_of_everybody_and_is_seeded() -> None:
    data = shop([(who, f"i{n}", n) for who in "ab" for n in range(10)])
    split = split_at_random(data, 0.2, seed=3)
    assert [len(row) for row in relevant(split).values()] == [2, 2]
    assert relevant(split) == relevant(split_at_random(data, 0.2, seed=3))
    assert relevant(split) != relevant(split_at_random(data, 0.2, seed=4))


def test_given_files_are_taken_as_they_are() -> None:
    data = shop([("ann", "a", 1), ("bob", "b", 1), ("bob", "a", 3)])
    test = data.log_of(_events([("ann", "b", 5), ("bob", "b", 5)]))
    assert relevant(split_given(data, test)) == {"ann": ["b"]}


def _events(events: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(events, schema=["user_id", "item_id", "timestamp"], orient="row")


def test_people_are_asked_with_all_of_their_training_history_where_time_does_not_order_it() -> None:
    """Published splits come without times, and a random one holds back events from the middle."""
    data = shop([("ann", "a", 0), ("ann", "b", 0), ("bob", "c", 0)])
    split = split_given(data, data.log_of(_events([("ann", "c", 0)])))
    assert split.queries.histories.lengths.tolist() == [2]
    many = shop([(who, f"i{n}", n) for who in "ab" for n in range(10)])
    assert split_at_random(many, 0.2, seed=3).queries.histories.lengths.tolist() == [8, 8]


def test_the_relevant_items_of_some_queries() -> None:
    split = split_by_time(
        shop([("ann", "a", 1), ("bob", "b", 2), ("ann", "b", 8), ("bob", "c", 9), ("bob", "a", 10)]), "3d"
    )
    offsets, items = split.relevant_of(np.array([1, 0]))
    assert offsets.tolist() == [0, 2, 3]
    assert split.train.items.ids(items).to_list() == ["a", "c", "b"]


@pytest.mark.parametrize(("text", "expected"), [("90s", 90e6), ("15m", 9e8), (" 2w ", 14 * DAY), ("1.5h", 5.4e9)])
def test_durations(text: str, expected: float) -> None:
    assert microseconds(text) == expected


@pytest.mark.parametrize("text", ["", "14", "d", "-3d", "0d", "3 months"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="14d"):
        microseconds(text)


def test_splits_that_leave_nothing_say_so() -> None:
    data = shop([("ann", "a", 1), ("bob", "b", 2)])
    with pytest.raises(DataError, match=r"split\.test shorter"):
        split_by_time(data, "14d")
    with pytest.raises(ConfigError, match="between 0 and 1"):
        split_by_time(data, 1.5)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        split_at_random(data, 2)
    with pytest.raises(DataError, match="one side"):
        leave_last_out(data)
    with pytest.raises(DataError, match="anything new"):
        split_by_time(shop([("ann", "a", 1), ("ann", "a", 20)]), "3d")
    same = shop([("ann", "a", 1), ("bob", "b", 1)])
    with pytest.raises(DataError, match=r"the whole log falls into the test window"):
        split_by_time(same, 0.5)
