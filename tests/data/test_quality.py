"""Cleaning a small shop whose dirt is counted by hand."""

import csv
import datetime as dt
import json

import polars as pl
import pytest

from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.findings import as_json, as_text, raise_if_blocked
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.unreadable import about_unreadable
from zhiyin.data.sources.reading import Unreadable
from zhiyin.data.tables import Tables
from zhiyin.errors import ConfigError, DataError
from zhiyin.fields import from_table

DAY = 86_400_000_000
MONDAY = int(dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
NOW = MONDAY + 30 * DAY


def events(*rows, columns=("user_id", "item_id", "day", "price", "quantity")):
    frame = pl.DataFrame(rows, schema=columns, orient="row", strict=False, infer_schema_length=None)
    return frame.select(
        pl.col("user_id", "item_id").cast(pl.String).cast(pl.Categorical),
        (pl.col("day") * DAY + MONDAY).cast(pl.Int64).alias("timestamp"),
        *(pl.col(name).cast(pl.Float32) for name in ("price", "quantity") if name in columns),
    ).with_row_index("row", offset=1)


def plain(*rows):
    return events(*rows, columns=("user_id", "item_id", "day"))


def dropped(cleaned):
    return {reason: sorted(rows) for reason, rows in cleaned.dropped.group_by("reason").agg("row").rows()}


def finding(cleaned, code, table="events"):
    (found,) = [found for found in cleaned.findings if (found.code, found.table) == (code, table)]
    return found


def codes(cleaned):
    return {found.code for found in cleaned.findings}


DIRTY = events(
    ("ann", "mug", 0, 9.0, 1),  # 1
    ("ann", "mug", 0, 9.0, 1),  # 2 repeats 1
    ("ann", "mug", 0, 9.0, 2),  # 3 another quantity: no repeat
    (None, "mug", 1, 9.0, 1),  # 4 nobody
    ("bob", None, 1, 9.0, 1),  # 5 nothing
    ("bob", "mug", None, 9.0, 1),  # 6 never
    ("bob", "hat", -20_000, 9.0, 1),  # 7 in 1969
    ("bob", "hat", 3_000, 9.0, 1),  # 8 in 2032
    ("bob", "hat", 2, float("nan"), 1),  # 9 price unknown, stays
    ("bob", "mug", 2, float("inf"), 1),  # 10 price unknown, stays
    ("bob", "pen", 2, -3.0, 1),  # 11 price unknown, stays
    ("cat", "hat", 3, 5.0, 4),  # 12 sent back by 13
    ("cat", "hat", 4, 5.0, -4),  # 13 return
    ("cat", "pen", 4, 5.0, -1),  # 14 return of nothing
    ("cat", "POST", 4, 5.0, 1),  # 15 no goods
    (None, None, None, None, None),  # 16 all three missing: counted once
)


def test_each_dropped_row_is_counted_under_its_reason():
    cleaned = clean(Tables(DIRTY), CleanSettings(drop_items=("POST",)), NOW)
    assert dropped(cleaned) == {
        "missing_user_id": [4, 16],
        "missing_item_id": [5],
        "missing_timestamp": [6],
        "time_too_early": [7],
        "time_in_future": [8],
        "duplicate": [2],
        "return": [13, 14],
        "returned": [12],
        "dropped_item": [15],
    }
    assert cleaned.tables.events["row"].to_list() == [1, 3, 9, 10, 11]
    assert cleaned.tables.events["price"].to_list() == [9.0, 9.0, None, None, None]
    assert finding(cleaned, "impossible_price").count == 3
    returned = finding(cleaned, "return")
    assert returned.dropped
    assert (returned.count, returned.share) == (2, 2 / 16)
    assert returned.examples[0] == {
        "row": 13, "user_id": "cat", "item_id": "hat", "timestamp": "2024-01-05T00:00:00", "price": 5.0, "quantity": -4
    }  # fmt: skip
    assert "1 of them without an earlier purchase" in returned.message


def test_settings_turn_each_rule_off():
    settings = CleanSettings(duplicates=False, returns="keep", earliest="1900-01-01", max_history=0)
    kept = clean(Tables(DIRTY), settings, NOW + 4_000 * DAY).tables.events
    assert kept["row"].to_list() == [1, 2, 3, *range(7, 16)]


def test_impossible_prices_can_be_dropped():
    cleaned = clean(Tables(DIRTY), CleanSettings(impossible_prices="drop"), NOW)
    assert dropped(cleaned)["impossible_price"] == [9, 10, 11]
    assert finding(cleaned, "impossible_price").dropped


def test_a_partial_return_leaves_the_purchase_until_the_rest_comes_back():
    bought = ("ann", "mug", 0, 1.0, 12)
    half = ("ann", "mug", 1, 1.0, -6)
    rest = ("ann", "mug", 2, 1.0, -6)
    assert clean(Tables(events(bought, half)), CleanSettings(), NOW).tables.events["row"].to_list() == [1]
    assert len(clean(Tables(events(bought, half, rest)), CleanSettings(), NOW).tables.events) == 0


def test_a_return_takes_back_the_newest_earlier_purchases_only():
    log = events(
        ("ann", "mug", 0, 1.0, 1),  # 1 stays
        ("ann", "mug", 1, 1.0, 2),  # 2 taken back
        ("bob", "mug", 1, 1.0, 2),  # 3 another person
        ("ann", "hat", 1, 1.0, 2),  # 4 another item
        ("ann", "mug", 2, 1.0, -2),  # 5 the return
        ("ann", "mug", 3, 1.0, 2),  # 6 bought again later
    )
    cleaned = clean(Tables(log), CleanSettings(), NOW)
    assert dropped(cleaned) == {"return": [5], "returned": [2]}
    assert dropped(clean(Tables(log), CleanSettings(returns="drop"), NOW)) == {"return": [5]}


def test_bots_go_and_power_users_stay():
    machine = [("bot", f"i{at}", 0.95 + at / 1_000) for at in range(101)]  # over midnight
    reader = [("ann", f"i{at}", at / 50) for at in range(200)]  # 50 a day, more in all
    cleaned = clean(Tables(plain(*machine, *reader)), CleanSettings(max_events_per_day=100), NOW)
    assert cleaned.tables.events["user_id"].unique().to_list() == ["ann"]
    assert "1 person with more than 100 events" in finding(cleaned, "bot").message
    assert finding(cleaned, "fast_person").examples[0]["user_id"] == "ann"
    assert "bot" not in codes(clean(Tables(plain(*machine)), CleanSettings(), NOW))


def test_a_history_of_100_000_events_keeps_the_newest():
    log = pl.DataFrame({"at": range(100_000)}).select(
        pl.lit("ann").cast(pl.Categorical).alias("user_id"),
        (pl.col("at") % 977).cast(pl.String).cast(pl.Categorical).alias("item_id"),
        (MONDAY - pl.col("at") * DAY // 1_000).alias("timestamp"),
    )
    cleaned = clean(Tables(log), CleanSettings(), NOW)
    assert cleaned.tables.events["row"].to_list() == list(range(1, 10_001))
    assert finding(cleaned, "history_cut").count == 90_000


def test_equal_times_keep_the_later_rows():
    log = plain(*(("ann", f"i{at}", 0) for at in range(5)))
    assert clean(Tables(log), CleanSettings(max_history=2), NOW).tables.events["row"].to_list() == [4, 5]


def test_short_histories_and_items_that_nobody_knows_go_where_asked():
    log = plain(("ann", "mug", 0), ("ann", "hat", 1), ("bob", "mug", 1))
    assert dropped(clean(Tables(log), CleanSettings(min_history=2), NOW)) == {"short_history": [3]}
    tables = Tables(log, items=pl.DataFrame({"item_id": ["mug"]}))
    assert finding(clean(tables, CleanSettings(), NOW), "unknown_item").examples == ({"item_id": "hat", "events": 1},)
    assert dropped(clean(tables, CleanSettings(unknown_items="drop"), NOW)) == {"unknown_item": [2]}


def test_k_core_is_a_fixed_point():
    # a square ann, bob × mug, hat, and a tail that unravels: pen has only cat, then cat only hat
    log = plain(
        ("ann", "mug", 0), ("ann", "hat", 0), ("bob", "mug", 0), ("bob", "hat", 0), ("cat", "hat", 0), ("cat", "pen", 0)
    )  # fmt: skip
    cleaned = clean(Tables(log), CleanSettings(k_core_users=2, k_core_items=2), NOW)
    assert dropped(cleaned) == {"k_core": [5, 6]}


def test_patterns_drop_ids_and_refuse_what_is_no_pattern():
    log = plain(("ann", "gift_1", 0), ("ann", "mug", 0), ("bob", "gift_22", 0))
    cleaned = clean(Tables(log), CleanSettings(drop_item_patterns=(r"^gift_\d+$",)), NOW)
    assert dropped(cleaned) == {"dropped_item": [1, 3]}
    with pytest.raises(ConfigError, match="not a regular expression"):
        CleanSettings(drop_item_patterns=("(",))


def test_odd_item_ids_are_pointed_out_with_what_to_write():
    log = plain(
        *(("ann", str(10_000 + at), at / 10) for at in range(100)), ("bob", "POST", 1), (None, "gift_0001_20", 2)
    )
    odd = finding(clean(Tables(log), CleanSettings(), NOW), "odd_item_id")
    assert [example["item_id"] for example in odd.examples] == ["POST", "gift_0001_20"]
    assert 'drop_items = ["POST", "gift_0001_20"]' in odd.advice
    settings = CleanSettings(drop_items=("POST", "gift_0001_20"))
    assert "odd_item_id" not in codes(clean(Tables(log), settings, NOW))


def test_ids_of_every_shape_have_no_odd_ones():
    log = plain(*(("ann", f"{'ab' * (at % 5)}{at}{'-' * (at % 7)}x{at % 3}", at / 10) for at in range(100)))
    assert "odd_item_id" not in codes(clean(Tables(log), CleanSettings(), NOW))


def test_near_twins_long_and_invisible_ids():
    long = "x" * 10_000
    log = plain(("ann", "mug", 0), ("Ann", "mug", 1), ("a\u200bnn", "mug", 2), ("👩‍🚀", "a/b'\"", 3), ("bob", long, 4))
    cleaned = clean(Tables(log), CleanSettings(), NOW)
    assert finding(cleaned, "near_twin_user_id").count == 2
    assert finding(cleaned, "invisible_in_user_id").count == 1
    assert len(finding(cleaned, "long_item_id").examples[0]["item_id"]) == 80
    assert len(cleaned.tables.events) == 5


@pytest.mark.parametrize(
    ("log", "code", "level"),
    [
        (plain(), "no_events", "block"),
        (plain((None, "mug", 0)), "no_events", "block"),
        (plain(("ann", "mug", 0), ("bob", "mug", 1)), "one_item", "block"),
        (plain(("ann", "mug", 0), ("ann", "hat", 1)), "one_user", "warn"),
        (plain(("ann", "mug", 0), ("bob", "hat", 0)), "one_timestamp", "warn"),
        (plain(("ann", "mug", 0), (None, "hat", 0)), "mostly_dropped", "warn"),
    ],
)
def test_logs_from_which_little_can_be_learnt(log, code, level):
    cleaned = clean(Tables(log), CleanSettings(), NOW)
    assert finding(cleaned, code).level == level
    if level == "block":
        with pytest.raises(DataError):
            raise_if_blocked(cleaned.findings)


def test_gaps_and_jumps_of_a_lively_log():
    per_day = [20] * 10 + [0] * 9 + [20] * 9 + [400] + [20] * 5
    rows = [(f"u{at % 7}", f"i{at}", day + at / 1_000) for day, count in enumerate(per_day) for at in range(count)]
    cleaned = clean(Tables(plain(*rows)), CleanSettings(), NOW + 9 * DAY)
    gap, jump = finding(cleaned, "gaps"), finding(cleaned, "volume_jump")
    assert (gap.level, gap.count) == ("warn", 9)
    assert "2024-01-11 to 2024-01-19" in gap.message
    assert jump.examples == ({"day": "2024-01-29", "events": 400, "times_usual": 20.0},)


def test_prices_far_from_the_others_are_shown_and_kept():
    log = events(
        *(("ann", f"i{at}", at / 10, 2.0, 1) for at in range(20)), ("bob", "i1", 1, 9_000, 1), ("bob", "i2", 1, 0, 1)
    )
    cleaned = clean(Tables(log), CleanSettings(), NOW)
    assert finding(cleaned, "dear_price").examples[0]["price"] == 9_000
    assert finding(cleaned, "zero_price").count == 1
    assert len(cleaned.dropped) == 0


def test_the_other_tables_lose_what_is_double_or_nobody():
    tables = Tables(
        plain(("ann", "mug", 0), ("bob", "hat", 1)),
        items=pl.DataFrame(
            {"item_id": ["mug", "mug", None, "pen"], "title": ["old", "new", "x", " "], "price": [1.0, -1.0, 1.0, None]}
        ),
        users=pl.DataFrame({"user_id": ["ann", "ann", "bob"], "age": [1, 2, 3]}),
        friends=pl.DataFrame({"user_id": ["ann", "ann", "ann", "ann"], "friend_id": ["bob", "bob", "ann", "zoe"]}),
    )
    cleaned = clean(tables, CleanSettings(), NOW)
    assert cleaned.tables.items is not None
    assert cleaned.tables.items.rows() == [("mug", "new", None), ("pen", " ", None)]
    assert cleaned.tables.users is not None
    assert cleaned.tables.users.rows() == [("ann", 2), ("bob", 3)]
    assert cleaned.tables.friends is not None
    assert cleaned.tables.friends.rows() == [("ann", "bob"), ("ann", "zoe")]
    assert finding(cleaned, "duplicate_item_id", "items").examples[0]["row"] == 1
    assert finding(cleaned, "unknown_friend", "friends").count == 1
    assert finding(cleaned, "no_title", "items").count == 1
    assert finding(cleaned, "impossible_price", "items").count == 1
    assert finding(cleaned, "item_without_events", "items").count == 1
    assert sorted(cleaned.dropped_entries["reason"]) == [
        "duplicate_friends", "duplicate_item_id", "duplicate_user_id", "missing_item_id", "self_friend"
    ]  # fmt: skip


def test_what_was_dropped_is_written_harmlessly(tmp_path):
    log = events(("=cmd()", "+mug", 0, 1.0, -1), ("@ann", "hat", 0, 1.0, 1))
    items = pl.DataFrame({"item_id": ["-hat", "-hat"]})
    cleaned = clean(Tables(log, items=items), CleanSettings(), NOW)
    assert cleaned.write_dropped(tmp_path / "dropped.csv") == 2
    event, item = csv.DictReader((tmp_path / "dropped.csv").read_text().splitlines())
    assert (event["user_id"], event["item_id"], event["quantity"]) == ("'=cmd()", "'+mug", "-1.0")
    assert (event["table"], event["row"], event["reason"]) == ("events", "1", "return")
    assert event["timestamp"] == "2024-01-01T00:00:00.000000Z"
    assert (item["table"], item["row"], item["item_id"]) == ("items", "1", "'-hat")
    with pytest.raises(DataError, match="can not be written"):
        cleaned.write_dropped(tmp_path / "absent" / "dropped.csv")


def test_clean_data_writes_an_empty_account(tmp_path):
    cleaned = clean(Tables(plain(("ann", "mug", 0), ("bob", "hat", 1))), CleanSettings(), NOW)
    assert cleaned.write_dropped(tmp_path / "dropped.csv") == 0
    assert (tmp_path / "dropped.csv").read_text().startswith("table,row,reason")


def test_findings_as_text_and_json():
    cleaned = clean(Tables(DIRTY), CleanSettings(), NOW)
    text = as_text(cleaned.findings)
    assert "warn   events.missing_user_id: 2 events (12.5 %) do not say who" in text
    assert as_text([]) == "Nothing to remark."
    assert json.loads(json.dumps(as_json(cleaned.findings), allow_nan=False))[0]["level"] in ("block", "warn")


def test_columns_that_are_missing_or_of_another_type_are_refused():
    log = plain(("ann", "mug", 0))
    with pytest.raises(DataError, match="no column item_id"):
        clean(Tables(log.drop("item_id")), CleanSettings(), NOW)
    with pytest.raises(DataError, match="timestamp must be whole µs"):
        clean(Tables(log.with_columns(pl.col("timestamp").cast(pl.Float64))), CleanSettings(), NOW)
    texts = log.drop("row").with_columns(pl.col("user_id").cast(pl.String))
    assert clean(Tables(texts), CleanSettings(), NOW).tables.events["row"].to_list() == [1]


def test_event_types_are_counted_however_many_there_are():
    kinds = ["view"] * 8 + ["buy", None, "a", "b", "c", "d", "e"]
    log = plain(*((f"u{at}", f"i{at}", at) for at in range(len(kinds))))
    log = log.with_columns(pl.Series("event_type", kinds, dtype=pl.Categorical))
    profile = clean(Tables(log), CleanSettings(), NOW).profile
    assert profile.kinds[0] == "view"
    assert len(profile.kinds) == 6
    assert profile.per_day[0].tolist() == [1] * 8 + [0] * 7
    assert profile.per_day.sum() == profile.per_hour.sum() == 15
    assert profile.per_hour[0].sum() == 3  # 1, 8 and 15 January are Mondays


def test_cells_that_could_not_be_read():
    log = plain(("ann", "mug", 0), ("bob", "mug", None))
    cells = [Unreadable("events", "timestamp", 1, ((2, "yesterday"),)), Unreadable("items", "", 3, ())]
    time, rows = about_unreadable(cells, Tables(log))
    assert time.code == "unreadable_timestamp"
    assert time.examples == ({"row": 2, "timestamp": "yesterday"},)
    assert (rows.code, rows.dropped) == ("unreadable_row", True)


def test_settings_from_toml():
    settings = from_table(CleanSettings, {"earliest": dt.date(2020, 5, 1), "drop_items": ["POST"]}, "clean")
    assert settings.earliest == "2020-05-01"
    assert settings.drop_items == ("POST",)
    for table in ({"earliest": "soon"}, {"max_history": -1}, {"returns": "burn"}, {"duplicate": True}):
        with pytest.raises(ConfigError, match=r"clean\."):
            from_table(CleanSettings, table, "clean")
