"""A file of which nobody has said what it is is recognised by its columns, and read as files of zhiyin.toml are."""

from pathlib import Path

import pytest

from zhiyin.data.settings import ColumnMap
from zhiyin.data.upload import Upload, read_upload
from zhiyin.errors import DataError

NOW = 1_790_000_000_000_000


def read(
    folder: Path, content: str, columns: ColumnMap | None = None, name: str = "file.csv", **more: object
) -> Upload:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_upload(path, columns or ColumnMap(), NOW, **more)


@pytest.mark.parametrize(
    ("content", "table"),
    [
        ("user_id,item_id,timestamp\nann,mug,2026-01-01\n", "events"),
        ("用户,商品,时间\nann,mug,2026-01-01\n", "events"),
        ("item_id;title;price\nmug;Mug;3,50\n", "items"),
        ("CustomerID,age\nann,30\n", "users"),
    ],
)
def test_the_columns_say_which_table_it_is(tmp_path: Path, content: str, table: str) -> None:
    found = read(tmp_path, content)
    assert (found.table, found.rows.height, found.rows["row"].to_list()) == (table, 1, [1])


def test_values_are_read_as_those_of_other_files(tmp_path: Path) -> None:
    items = read(tmp_path, "item_id;title;price\nmug;Mug;3,50\n").rows
    assert items.select("title", "price").row(0) == ("Mug", 3.5)
    events = read(tmp_path, "user_id,item_id,timestamp\nann,mug,02/01/2026\n", day_first=True).rows
    assert events["timestamp"].to_list() == [1_767_312_000_000_000]


def test_what_the_shop_calls_its_columns_is_heeded_where_they_are_all_there(tmp_path: Path) -> None:
    columns = ColumnMap(events={"user_id": "wer", "item_id": "was"}, items={"item_id": "was"})
    events = read(tmp_path, "wer,was,timestamp\nann,mug,2026-01-01\n", columns)
    assert events.recognised.theirs("user_id") == "wer"
    assert read(tmp_path, "item_id,title\nmug,Mug\n", columns).table == "items"


def test_another_table_may_be_named_and_must_fit(tmp_path: Path) -> None:
    content = "user_id,item_id,timestamp\nann,mug,2026-01-01\n"
    assert read(tmp_path, content, table="users").table == "users"
    with pytest.raises(DataError, match="has no column for item_id"):
        read(tmp_path, "user_id\nann\n", table="items")


def test_what_is_odd_is_found_and_nothing_is_left_out_of_the_rows(tmp_path: Path) -> None:
    events = read(
        tmp_path, "user_id,item_id,timestamp,price\nann,mug,x,1\nann,mug,2099-01-01,dear\n,mug,2026-01-01,2\n"
    )
    codes = {finding.code for finding in events.findings}
    assert {"unreadable_timestamp", "unreadable_price", "time_in_future", "missing_user_id"} <= codes
    assert events.rows.height == 3
    items = read(tmp_path, "item_id,price\nmug,1\nmug,-2\n")
    assert [finding.code for finding in items.findings] == ["duplicate_item_id", "impossible_price"]
    users = read(tmp_path, "user_id,age\nann,1\nann,2\n")
    assert [finding.code for finding in users.findings] == ["duplicate_user_id"]


def test_a_line_with_too_many_fields_is_left_out_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "user_id,age\nann,1\nbob,2,3,4\n")
    assert found.rows["user_id"].to_list() == ["ann"]
    assert "unreadable_row" in {finding.code for finding in found.findings}


def test_other_formats_are_told_by_their_content(tmp_path: Path) -> None:
    found = read(tmp_path, '{"item_id": "mug", "title": "Mug"}\n', name="file.txt")
    assert (found.table, found.rows["title"].to_list()) == ("items", ["Mug"])
