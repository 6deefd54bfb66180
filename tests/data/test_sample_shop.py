"""A world whose answers are known: what was planted can be found again in the tables."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.sample_shop import SampleShop, sample_shop
from zhiyin.data.sample_shop.scale import Calendar
from zhiyin.data.sample_shop.words import DEPARTMENTS
from zhiyin.errors import ConfigError
from zhiyin.types import MICROSECONDS_PER_DAY

WEEK = 7 * MICROSECONDS_PER_DAY
END = 1_767_225_600_000_000  # 2026-01-01 UTC


@pytest.fixture(scope="module")
def clean() -> SampleShop:
    return sample_shop(seed=7, dirt=False)


@pytest.fixture(scope="module")
def dirty() -> SampleShop:
    return sample_shop(people=2_500, items=1_000, events=100_000, seed=7)


@pytest.fixture(scope="module")
def everyone(clean: SampleShop) -> tuple[list[str], list[str]]:
    return clean.tables.users["user_id"].to_list(), clean.tables.items["item_id"].to_list()


def views(shop: SampleShop) -> pl.DataFrame:
    """One row per choice that was not a rebuy, with what the catalogue says of the item."""
    return text(shop).filter(pl.col("event_type") == "view").join(shop.tables.items, on="item_id", suffix="_now")


def text(shop: SampleShop) -> pl.DataFrame:
    return shop.tables.events.with_columns(pl.col("user_id", "item_id", "event_type").cast(pl.String))


def counts(shop: SampleShop, since: int, until: int) -> np.ndarray:
    """float64[people, items]; the choices of a stretch of time, from the simulator's own record."""
    truth = shop.truth
    times = truth.calendar.to_micros(truth.choices.times)
    rows = (times >= since) & (times < until)
    table = np.zeros((len(truth.users), len(truth.items)))
    np.add.at(table, (truth.choices.people[rows], truth.catalogue.codes[truth.choices.items[rows]]), 1)
    return table


def ndcg_at_10(scores: np.ndarray, relevant: np.ndarray) -> float:
    top = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    gains = 1 / np.log2(np.arange(2, 12))
    ideal = np.cumsum(gains)[np.minimum(relevant.sum(axis=1), 10).astype(int) - 1]
    return float(((np.take_along_axis(relevant, top, axis=1) * gains).sum(axis=1) / ideal).mean())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_shop(tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        sample_shop(people=200, items=80, events=5_000, seed=seed).write(tmp_path / name)
    for file in ("events.csv", "items.csv", "users.csv", "friends.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
        assert (tmp_path / "one" / file).read_bytes() != (tmp_path / "three" / file).read_bytes()


@pytest.mark.parametrize(("people", "items", "events"), [(5_000, 2_000, 300_000), (1_000, 3_000, 40_000)])
def test_the_shop_has_the_size_that_was_asked_for(people, items, events):
    shop = sample_shop(people=people, items=items, events=events, dirt=False)
    assert shop.tables.users.height == people
    assert shop.tables.items.height == items
    assert shop.tables.events.height == pytest.approx(events, rel=1 / 6)


@pytest.mark.parametrize(
    ("people", "items", "events"), [(1, 1, 0), (1, 1, 10), (2, 1, 50), (3, 500, 100), (50, 2, 500)]
)
def test_tiny_shops_work(people, items, events):
    shop = sample_shop(people=people, items=items, events=events)
    users, goods = shop.tables.users["user_id"].to_list(), shop.tables.items["item_id"].to_list()
    scores = shop.truth.scores(users, goods, np.full(people, END))
    assert scores.shape == (people, items)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("sizes", [{"people": 0}, {"items": 0}, {"events": -1}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ConfigError, match=r"sample_shop\.\w+ must be \d or more, got"):
        sample_shop(**sizes)


def test_tables_are_canonical(dirty):
    events = dirty.tables.events
    assert dict(events.schema) == {
        "user_id": pl.Categorical,
        "item_id": pl.Categorical,
        "timestamp": pl.Int64,
        "event_type": pl.Categorical,
        "price": pl.Float32,
        "quantity": pl.Float32,
        "row": pl.UInt32,
    }
    assert events["row"].to_list() == list(range(1, events.height + 1))
    assert dirty.tables.items.columns == [
        *("item_id", "title", "title_zh", "category", "brand", "description", "price", "available", "created_at")
    ]
    assert dirty.tables.users.columns == ["user_id", "name", "email", "phone", "address", "age", "sex", "city"]
    assert dirty.tables.friends.columns == ["user_id", "friend_id"]
    for table in (dirty.tables.items, dirty.tables.users, dirty.tables.friends):
        assert sum(table.null_count().row(0)) == 0


def test_clean_events_are_possible(clean):
    events = text(clean).join(clean.tables.items, on="item_id", suffix="_now")
    assert events.height == clean.tables.events.height
    assert events["timestamp"].is_between(END - 52 * WEEK, END - 1).all()
    assert (events["timestamp"] >= events["created_at"]).all()
    bought = events.filter(pl.col("event_type") == "purchase")
    assert ((bought["price"] > 0) & (bought["price"] <= bought["price_now"].cast(pl.Float32))).all()
    assert (bought["quantity"] >= 1).all()
    assert events.filter(pl.col("event_type") != "purchase")["price"].null_count() == events.height - bought.height
    assert not text(clean).drop("row").is_duplicated().any()
    assert set(clean.dirt.values()) == {0}


def test_dirt_is_counted_exactly(dirty):
    events, known = text(dirty), dirty.dirt
    timestamp, price = pl.col("timestamp"), pl.col("price")
    goods = dirty.tables.items["item_id"].implode()
    found = {
        "duplicate": events.height - events.drop("row").unique().height,
        "missing_user": events["user_id"].null_count(),
        "missing_item": events["item_id"].null_count(),
        "epoch_time": events.filter(timestamp < MICROSECONDS_PER_DAY).height,
        "future_time": events.filter(timestamp >= END).height,
        "negative_price": events.filter(price < 0).height,
        "zero_price": events.filter(price == 0).height,
        "absurd_price": events.filter(price > 10_000).height,
        "return": events.filter(pl.col("quantity") < 0).height,
        "unknown_item": events.filter(~pl.col("item_id").is_in(goods)).height,
        "padded_id": int(dirty.padded.sum()),
        "bot": events.filter(pl.col("user_id").is_in(list(dirty.truth.bots))).height,
    }
    assert found == known
    assert all(known.values())


@given(seed=st.integers(0, 2**32), people=st.integers(1, 200), items=st.integers(1, 60))
@settings(deadline=None, max_examples=25)
def test_no_duplicate_happens_by_chance(seed, people, items):
    shop = sample_shop(people=people, items=items, events=4_000, seed=seed)
    events = text(shop).drop("row")
    assert events.height - events.unique().height == shop.dirt["duplicate"]


def test_the_clean_rows_are_the_same_without_dirt(dirty):
    clean = sample_shop(people=2_500, items=1_000, events=100_000, seed=7, dirt=False)
    events = text(dirty).drop("row")
    assert text(clean).drop("row").join(events, on=events.columns, how="anti", nulls_equal=True).is_empty()
    assert events.height == clean.tables.events.height + sum(dirty.dirt.values())


def test_bots_are_faster_than_hands(dirty):
    events = text(dirty).filter(pl.col("timestamp") > MICROSECONDS_PER_DAY).sort("timestamp")
    pauses = events.group_by("user_id").agg(pl.col("timestamp").diff().median() / 1e6, pl.len())
    machine = pl.col("user_id").is_in(list(dirty.truth.bots))
    assert pauses.filter(machine)["timestamp"].max() < 5
    assert pauses.filter(~machine & (pl.col("len") > 20))["timestamp"].min() > 60


def test_written_files_hold_the_raw_dirt(dirty, tmp_path):
    dirty.write(tmp_path)
    events = pl.read_csv(tmp_path / "events.csv", infer_schema=False)
    assert events.columns == ["user_id", "item_id", "timestamp", "event_type", "quantity", "price"]
    assert events.height == dirty.tables.events.height
    assert events["timestamp"].str.contains(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").all()
    user = pl.col("user_id")
    assert events.filter(user.str.strip_chars() != user).height == dirty.dirt["padded_id"]
    assert events["user_id"].str.strip_chars().to_list() == text(dirty)["user_id"].to_list()
    parsed = events["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").to_physical()
    assert (parsed == dirty.tables.events["timestamp"]).all()
    items = pl.read_csv(tmp_path / "items.csv")
    assert items["created_at"].str.ends_with("Z").all()
    assert items.drop("created_at").equals(dirty.tables.items.drop("created_at"))
    assert pl.read_csv(tmp_path / "users.csv").height == 2_500
    assert pl.read_csv(tmp_path / "friends.csv").height == dirty.tables.friends.height


def test_titles_are_english_and_chinese(clean):
    items = clean.tables.items
    assert items["title"].str.contains("^[A-Z][a-z]").all()
    assert items["title_zh"].str.contains(r"\p{Han}{4}").all()
    assert items["title"].str.contains(r"\p{Han}").mean() == pytest.approx(0.15, abs=0.05)
    assert items["category"].n_unique() == len(DEPARTMENTS)


def test_people_and_items_keep_arriving(clean):
    created = clean.tables.items["created_at"].to_numpy()
    assert (created >= END - 14 * MICROSECONDS_PER_DAY).sum() > 5
    assert 0.2 < (created >= END - 52 * WEEK).mean() < 0.4
    firsts = text(clean).group_by("user_id").agg(pl.col("timestamp").min())["timestamp"]
    late = firsts > END - 26 * WEEK
    assert 0.1 < late.mean() < 0.4
    assert 0.0 < clean.tables.items["available"].not_().mean() < 0.2


@pytest.mark.parametrize("department", [one for one in DEPARTMENTS if one.season >= 0.8], ids=lambda one: one.name)
def test_seasons_peak_when_they_should(clean, department):
    rows = views(clean).filter(pl.col("category") == department.name)
    angle = 2 * np.pi * (rows["timestamp"].to_numpy() / MICROSECONDS_PER_DAY % 365.2425) / 365.2425
    found = np.angle(np.exp(1j * angle).mean()) * 365.2425 / (2 * np.pi)
    apart = abs((found - department.peak_day + 182.6) % 365.2425 - 182.6)
    assert apart < 30


def test_discounts_sell_and_sell_best_to_those_who_look_at_prices(clean):
    truth, choices = clean.truth, clean.truth.choices
    weeks = truth.calendar.week_of(truth.calendar.to_micros(choices.times))
    reduced = truth.catalogue.discounts[weeks, choices.items] > 0
    free = choices.origins != 4
    careless = truth.people.sensitivities[choices.people] == 0
    careful = truth.people.sensitivities[choices.people] == 3

    def lift(who: np.ndarray) -> float:
        return float(choices.bought[free & who & reduced].mean() / choices.bought[free & who & ~reduced].mean())

    assert lift(careful) > 1.2 > lift(careless)
    assert reduced[free & careful].mean() > 1.2 * reduced[free & careless].mean()


def test_careful_people_choose_what_is_cheap(clean, everyone):
    users, _ = everyone
    beta = pl.DataFrame({"user_id": users, "beta": clean.truth.price_sensitivity(users)})
    usual = pl.DataFrame({"category": [d.name for d in DEPARTMENTS], "usual": [d.usual_price for d in DEPARTMENTS]})
    rows = views(clean).join(beta, on="user_id").join(usual, on="category")
    relative = rows.group_by("beta").agg((pl.col("price_now") / pl.col("usual")).log().mean()).sort("beta")
    assert (relative["price_now"].diff().drop_nulls() < 0).all()


def test_friends_are_more_alike_than_strangers(clean):
    table = counts(clean, 0, END) > 0
    rows = {user: row for row, user in enumerate(clean.truth.users.texts)}
    left, right = (np.array([rows[user] for user in column]) for column in clean.tables.friends)

    def likeness(left: np.ndarray, right: np.ndarray) -> float:
        return float(((table[left] & table[right]).sum(1) / np.maximum((table[left] | table[right]).sum(1), 1)).mean())

    strangers = np.random.default_rng(0).permutation(right)
    assert likeness(left[:3000], right[:3000]) > 2 * likeness(left[:3000], strangers[:3000])


def test_consumables_come_back_after_their_cycle(clean):
    cycles = pl.DataFrame({"category": [d.name for d in DEPARTMENTS], "cycle": [d.cycle_days for d in DEPARTMENTS]})
    bought = text(clean).filter(pl.col("event_type") == "purchase").sort("timestamp")
    gaps = (
        bought.with_columns(gap=pl.col("timestamp").diff().over("user_id", "item_id") / MICROSECONDS_PER_DAY)
        .drop_nulls("gap")
        .join(clean.tables.items.select("item_id", "category"), on="item_id")
        .join(cycles, on="category")
    )
    lasting, consumable = gaps.filter(pl.col("cycle").is_nan()), gaps.filter(~pl.col("cycle").is_nan())
    assert consumable.height > 20 * lasting.height
    found = consumable.group_by("category").agg(pl.col("gap").median(), pl.col("cycle").first())
    assert ((found["gap"] / found["cycle"]).is_between(0.8, 1.2)).all()


def test_taste_matters_more_than_popularity_and_popularity_has_a_long_tail(clean):
    table = counts(clean, 0, END)
    totals = np.sort(table.sum(axis=0))[::-1]
    assert 0.3 < totals[:200].sum() / totals.sum() < 0.7
    by_category = views(clean).group_by("user_id", "category").len()
    favourite = by_category.group_by("user_id").agg(pl.col("len").max() / pl.col("len").sum(), seen=pl.col("len").sum())
    assert favourite.filter(pl.col("seen") >= 20)["len"].mean() > 0.4  # one department of 24 holds 0.1 of the shelf


@pytest.mark.parametrize("week", [10, 51])
def test_truth_is_the_expectation_of_what_happens(clean, everyone, week):
    users, goods = everyone
    begins = END - (52 - week) * WEEK
    expected = clean.truth.scores(users, goods, np.full(len(users), begins)).astype(np.float64)
    happened = counts(clean, begins, begins + WEEK)
    assert happened[expected == 0].sum() == 0
    for low, high in ((0, 1e-3), (1e-3, 1e-2), (1e-2, 0.1), (0.1, 1e9)):
        cell = (expected >= low) & (expected < high)
        assert happened[cell].sum() == pytest.approx(expected[cell].sum(), abs=5 * np.sqrt(expected[cell].sum()))


def test_truth_is_the_same_for_some_rows_columns_and_moments(clean, everyone):
    users, goods = everyone
    rng = np.random.default_rng(1)
    times = rng.integers(END - 60 * WEEK, END + 3 * WEEK, len(users))
    rows, columns = rng.permutation(len(users))[:50], rng.permutation(len(goods))[:40]
    whole = clean.truth.scores(users, goods, times)
    some = clean.truth.scores([users[row] for row in rows], [goods[column] for column in columns], times[rows])
    np.testing.assert_allclose(some, whole[np.ix_(rows, columns)], rtol=1e-4, atol=1e-9)
    repeated = clean.truth.scores(users[:3], [goods[5], goods[2], goods[5]], times[:3])
    np.testing.assert_allclose(repeated, whole[:3][:, [5, 2, 5]], rtol=1e-4, atol=1e-9)


def test_truth_never_looks_ahead(clean, everyone):
    users, goods = everyone
    moment = END - 10 * WEEK
    record = clean.truth.choices
    past = record[clean.truth.calendar.to_micros(record.times) < moment]
    forgetful = dataclasses.replace(clean.truth, choices=past)
    times = np.full(300, moment)
    known, unknown = clean.truth.scores(users[:300], goods, times), forgetful.scores(users[:300], goods, times)
    np.testing.assert_array_equal(known, unknown)


def test_truth_knows_no_strangers(dirty):
    user, item = dirty.tables.users["user_id"][0], dirty.tables.items["item_id"][0]
    asked = [user, "nobody", dirty.truth.bots[0]]
    for scores in (
        dirty.truth.scores(asked, [item, "POSTAGE"], np.full(3, END)),
        dirty.truth.buying(asked, [item, "POSTAGE"], np.full(3, END)),
    ):
        assert scores.dtype == np.float32
        assert np.isnan(scores).tolist() == [[False, True], [True, True], [True, True]]


def test_buying_is_the_share_of_choices_that_end_in_a_purchase(clean, everyone):
    users, goods = everyone
    begins = END - 20 * WEEK
    chances = clean.truth.buying(users, goods, np.full(len(users), begins)).astype(np.float64)
    choices = clean.truth.choices
    free = choices[choices.origins != 4]
    rows = clean.truth.calendar.week_of(clean.truth.calendar.to_micros(free.times)) == 32
    expected = chances[free.people[rows], clean.truth.catalogue.codes[free.items[rows]]]
    assert free.bought[rows].sum() == pytest.approx(expected.sum(), abs=5 * np.sqrt(expected.sum()))


def test_the_truth_ranks_far_better_than_item_neighbours_and_they_than_popularity(clean, everyone):
    users, goods = everyone
    cut = END - 2 * WEEK
    train = (counts(clean, 0, cut) > 0).astype(np.float32)
    relevant = (counts(clean, cut, END) > 0) & (train == 0)
    asked = relevant.any(axis=1)
    together = train.T @ train
    norms = np.sqrt(np.diag(together))
    np.fill_diagonal(together, 0)
    neighbours = together / (np.outer(norms, norms) + 20)
    truth = clean.truth.scores([users[row] for row in np.flatnonzero(asked)], goods, np.full(asked.sum(), cut))
    popularity = np.broadcast_to(train.sum(axis=0), truth.shape)
    found = {}
    for name, scores in (("truth", truth), ("item", train[asked] @ neighbours), ("popularity", popularity)):
        found[name] = ndcg_at_10(np.where(train[asked] > 0, -np.inf, scores), relevant[asked])
    assert found["item"] > 2.5 * found["popularity"]
    assert found["item"] < 0.7 * found["truth"]
    assert found["truth"] < 0.5


def test_weeks_end_at_the_end():
    calendar = Calendar(END)
    moments = np.array([calendar.start - 1, calendar.start, END - 1, END, END + 9 * WEEK])
    assert calendar.week_of(moments).tolist() == [0, 0, 51, 52, 52]
