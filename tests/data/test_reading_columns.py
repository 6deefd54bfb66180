"""Which column is which, frames in memory, and the proposal of a zhiyin.toml."""

import tomllib
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from zhiyin.data.proposal import propose
from zhiyin.data.settings import ColumnMap, DataSettings, Source
from zhiyin.data.sources.columns import recognise
from zhiyin.data.sources.read import read_frames, read_tables
from zhiyin.errors import ConfigError, DataError
from zhiyin.fields import from_table, to_table


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            ["CustomerID", "StockCode", "InvoiceDate", "Quantity", "UnitPrice"],
            "user_id item_id timestamp quantity price",
        ),
        (["userId", "movieId", "rating", "timestamp"], "user_id item_id value timestamp"),
        (["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"], "user_id item_id timestamp event_type"),
        (["visitorid", "itemid", "timestamp", "event"], "user_id item_id timestamp event_type"),
        (["msno", "song_id", "date", "plays"], "user_id item_id timestamp value"),
        (["uid", "asin", "ts", "stars"], "user_id item_id timestamp value"),
        (["Customer Id", "product-id", "Date Time", "action"], "user_id item_id timestamp event_type"),
        (
            ["用户ID", "商品ID", "时间", "行为", "价格", "数量", "评分"],
            "user_id item_id timestamp event_type price quantity value",
        ),
        (["用户", "商品", "日期", "类型"], "user_id item_id timestamp event_type"),
    ],
)
def test_names_of_the_field(found: list[str], expected: str) -> None:
    recognised = recognise("events", found, {}, "a.csv")
    by_theirs = {match.theirs: match.canonical for match in recognised.matches}
    assert [by_theirs[name] for name in found] == expected.split()


def test_chinese_items() -> None:
    recognised = recognise("items", ["商品编号", "标题", "类别", "品牌", "价格", "颜色"], {}, "a.csv")
    assert [m.canonical for m in recognised.matches] == ["item_id", "title", "category", "brand", "price"]
    assert recognised.kept == ("颜色",)


def test_two_columns_for_one_name_are_decided_in_a_stated_order() -> None:
    recognised = recognise("events", ["date", "customer", "item_id", "ts"], {}, "a.csv")
    assert recognised.theirs("timestamp") == "ts"
    assert "'date' could be it too" in recognised.notes[0]
    assert recognise("events", ["uid", "user_id", "item"], {}, "a.csv").theirs("user_id") == "user_id"


def test_a_mapping_wins_and_an_empty_one_forbids() -> None:
    found = ["user", "buyer", "item", "rating", "colour"]
    recognised = recognise("events", found, {"user_id": "buyer", "value": "", "shade": "colour"}, "a.csv")
    assert {m.canonical: (m.theirs, m.how) for m in recognised.matches} == {
        "user_id": ("buyer", "mapped"), "shade": ("colour", "mapped"), "item_id": ("item", "alias"),
    }  # fmt: skip
    assert recognised.ignored == ("user", "rating")


def test_a_mapped_column_that_is_not_there() -> None:
    with pytest.raises(
        DataError, match=r"a.csv has no column 'custmer', which \[columns.events\] user_id .*'customer'"
    ):
        recognise("events", ["customer", "item"], {"user_id": "custmer"}, "a.csv")


EVENTS = {"user_id": [1.0, None, 3.0], "item_id": ["a", " b ", ""], "timestamp": [1, 2, 3], "colour": ["r", "g", "b"]}


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table], ids=["pandas", "polars", "lazy", "arrow"]
)
def test_frames_in_memory(frame: object) -> None:
    reading = read_frames(frame(EVENTS), columns=ColumnMap(events={"colour": "colour"}))  # type: ignore[operator]
    events = reading.tables.events.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    assert events.select("user_id", "item_id", "timestamp", "colour", "row").rows() == [
        ("1", "a", 1_000_000, "r", 1), (None, "b", 2_000_000, "g", 2), ("3", None, 3_000_000, "b", 3),
    ]  # fmt: skip
    again = read_frames(frame(EVENTS), columns=ColumnMap(events={"colour": "colour"}))  # type: ignore[operator]
    assert reading.fingerprint == again.fingerprint
    assert reading.fingerprint != read_frames(frame(EVENTS)).fingerprint  # type: ignore[operator]


def test_what_is_no_frame() -> None:
    with pytest.raises(DataError, match="the events are not a frame"):
        read_frames([1, 2, 3])
    with pytest.raises(DataError, match="user_id of the events holds List"):
        read_frames(pl.DataFrame({"user_id": [[1]], "item_id": [1], "timestamp": [1]}))


def test_a_column_of_the_wrong_type_is_recorded() -> None:
    reading = read_frames(pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"], "timestamp": ["soon", "later"]}))
    assert reading.tables.events["timestamp"].null_count() == 2
    assert reading.unreadable[0].examples == ((1, "soon"), (2, "later"))


def test_settings_from_toml() -> None:
    table = tomllib.loads(
        'events = ["a.csv", "b.csv"]\n'
        'items = {path = "u.item", header = false, columns = ["item_id"], separator = "|"}\n'
        'users = {url = "sqlite:///shop.db", query = "select 1"}\nfriends = "f.csv"'
    )
    settings = from_table(DataSettings, table, "data")
    assert settings.source("events") == Source(path=("a.csv", "b.csv"))
    assert settings.source("items") == Source("u.item", header=False, columns=("item_id",), separator="|")
    assert settings.source("friends") == Source("f.csv")
    assert from_table(DataSettings, to_table(settings), "data") == settings
    assert from_table(ColumnMap, {"events": {"user_id": "CustomerID"}}, "columns").of("events") == {
        "user_id": "CustomerID"
    }


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"events": {"pth": "a.csv"}}, "data.events.pth is not known: did you mean 'path'"),
        ({"events": {"path": "a.csv", "url": "sqlite:///x"}}, "either path or url"),
        ({"events": {"url": "sqlite:///x"}}, "url and query together"),
        ({"events": {"path": "a.csv", "header": False}}, "needs columns"),
        ({"evnts": "a.csv"}, "did you mean 'events'"),
    ],
)
def test_settings_that_cannot_be(table: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        from_table(DataSettings, table, "data")


def test_no_events_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.events is missing"):
        read_tables(DataSettings(), ColumnMap(), tmp_path)


def proposed(text: str, root: Path) -> tuple[DataSettings, ColumnMap]:
    config = tomllib.loads(text)
    return from_table(DataSettings, config["data"], "data"), from_table(ColumnMap, config["columns"], "columns")


def test_a_proposal_can_be_read_and_reads_the_same(tmp_path: Path) -> None:
    events, users = tmp_path / "e.csv", tmp_path / "u.csv"
    events.write_text(
        'CustomerID,"Stock ""Code""",sku,InvoiceDate,Country,event\n'
        "1,x,A,2020-01-01,UK,view\n2,x,B,2020-01-02,UK,purchase\n"
    )
    users.write_text("id,age,email\n1,30,a@example.org\n2,40,b@example.org\n")
    proposal = propose(events, users=users)
    settings, columns = proposed(proposal.text, tmp_path)
    reading = read_tables(settings, columns, tmp_path)
    assert reading.tables.events["item_id"].cast(pl.String).to_list() == ["A", "B"]
    assert reading.tables.users is not None
    config = tomllib.loads(proposal.text)
    assert config["weights"] == {"purchase": 1.0, "view": 0.2}
    assert config["privacy"]["sensitive"] == ["email"]
    assert "Country" in proposal.text
    assert [one.table for one in proposal.recognised] == ["events", "users"]


def test_a_proposal_for_a_file_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    settings, columns = proposed(propose(tmp_path / "u.data").text, tmp_path)
    events = read_tables(settings, columns, tmp_path).tables.events
    assert events["value"].to_list() == [3.0, 3.0]
    assert events["timestamp"][0] == 881_250_949_000_000


def test_a_proposal_without_times_says_so(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("user,item\na,b\n")
    assert proposed(propose(tmp_path / "e.csv").text, tmp_path)[0].order_is_time


def test_columns_that_are_no_plain_values() -> None:
    items = pl.DataFrame({"item_id": [1], "genres": [["drama", "noir"]], "title": [1984], "size": [{"cm": 3}]})
    reading = read_frames(pl.DataFrame(EVENTS), items=items)
    assert reading.tables.items is not None
    assert reading.tables.items.to_dicts() == [{"item_id": "1", "title": "1984", "category": "drama|noir"}]
    assert any("column 'size' is left out" in note for note in reading.recognised[1].notes)
    with pytest.raises(DataError, match="price of the events holds Struct"):
        read_frames(pl.DataFrame({**EVENTS, "price": [{"a": 1}] * 3}))
