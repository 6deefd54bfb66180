"""Reading files: every format gives the same tables, and every bad file ends in a sentence or a record."""

import datetime as dt
import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.settings import ColumnMap, DataSettings, Source
from zhiyin.data.sources.read import read_tables
from zhiyin.data.sources.reading import Reading
from zhiyin.errors import DataError

HEADER = "user_id,item_id,timestamp,rating\n"
TWO = HEADER + "ann,mug,1600000000,4\nbob,cup,1600000060,5\n"
RAISED = 1_600_000_000_000_000  # µs


def read(root: Path, **sections: object) -> Reading:
    return read_tables(DataSettings(**sections), ColumnMap(), root)  # type: ignore[arg-type]


def read_text(root: Path, content: str | bytes, name: str = "events.csv", **more: object) -> Reading:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(root, events=name, **more)


def users_of(reading: Reading) -> list[str | None]:
    return reading.tables.events["user_id"].cast(pl.String).to_list()


def test_the_canonical_columns(tmp_path: Path) -> None:
    events = read_text(tmp_path, TWO).tables.events
    assert events.schema == pl.Schema(
        {
            "user_id": pl.Categorical(),
            "item_id": pl.Categorical(),
            "timestamp": pl.Int64(),
            "value": pl.Float32(),
            "row": pl.UInt32(),
        }
    )
    assert events.rows() == [("ann", "mug", RAISED, 4.0, 1), ("bob", "cup", RAISED + 60_000_000, 5.0, 2)]


IDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=8)
ROWS = st.lists(
    st.tuples(
        IDS.map(lambda text: "u" + text),
        IDS.map(lambda text: "i" + text),
        st.integers(1_000_000_000, 2_000_000_000),
        st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 8)),
    ),
    min_size=1,
    max_size=20,
)


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_every_format_reads_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]) -> None:
    root = tmp_path_factory.mktemp("formats")
    frame = pl.DataFrame(
        rows,
        schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64, "value": pl.Float64},
        orient="row",
    )
    frame.write_csv(root / "comma.csv")
    for separator, name in (("\t", "tab.tsv"), (";", "semicolon.csv"), ("|", "pipe.csv")):
        frame.write_csv(root / name, separator=separator, quote_style="always")
    (root / "comma.csv.gz").write_bytes(gzip.compress((root / "comma.csv").read_bytes()))
    frame.write_csv(root / "comma.csv.zst", compression="zstd")
    frame.write_ndjson(root / "lines.jsonl")
    (root / "lines.jsonl.gz").write_bytes(gzip.compress((root / "lines.jsonl").read_bytes()))
    frame.write_parquet(root / "table.parquet")
    (root / "utf16.csv").write_bytes((root / "comma.csv").read_text(encoding="utf-8").encode("utf-16"))
    for file in sorted(root.iterdir()):
        reading = read(root, events=Source(path=file.name, separator=separator_of(file.name)))
        events = reading.tables.events
        assert users_of(reading) == frame["user_id"].to_list(), file.name
        assert events["item_id"].cast(pl.String).to_list() == frame["item_id"].to_list(), file.name
        assert events["timestamp"].to_list() == (frame["timestamp"] * 1_000_000).to_list(), file.name
        assert events["value"].to_list() == frame["value"].to_list(), file.name
        assert not reading.unreadable, file.name


def separator_of(name: str) -> str:
    """A few random lines are no basis to look for a separator: ids may hold any of them."""
    kinds = {"comma": ",", "utf16": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
    return kinds.get(name.split(".", 1)[0], "")


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    assert users_of(read_text(tmp_path, TWO.replace(",", separator))) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("change", "users"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), ["ann", "bob"]),
        (lambda text: text.encode("utf-16"), ["ann", "bob"]),
        (lambda text: text.replace("\n", "\r\n").encode(), ["ann", "bob"]),
        (lambda text: text.replace("\n", "\r").encode(), ["ann", "bob"]),
        (lambda text: text.replace("\n", "\r\n", 2).encode(), ["ann", "bob"]),
        (lambda text: text.replace("ann", '"ann, ""the"" first"').encode(), ['ann, "the" first', "bob"]),
        (lambda text: text.replace("ann", "/a\\b?c=d").encode(), ["/a\\b?c=d", "bob"]),
        (lambda text: text.replace("ann", "👩‍🚀").encode(), ["👩‍🚀", "bob"]),
        (lambda text: text.replace("ann", "x" * 10_000).encode(), ["x" * 10_000, "bob"]),
        (lambda text: text.replace("ann", "  ann ").encode(), ["ann", "bob"]),
        (lambda text: text.replace("ann", "007").encode(), ["007", "bob"]),
        (lambda text: text.replace("ann", "").encode(), [None, "bob"]),
        (lambda text: text.replace("ann", "17850.0").replace("bob", "12.0").encode(), ["17850", "12"]),
        (lambda text: text.replace("ann", "用户甲").encode("gb18030"), ["用户甲", "bob"]),
        (lambda text: text.replace("ann", "José").encode("latin-1"), ["José", "bob"]),
    ],
)
def test_texts_as_they_come(tmp_path: Path, change: object, users: list[str | None]) -> None:
    assert users_of(read_text(tmp_path, change(TWO))) == users  # type: ignore[operator]


def test_what_was_decoded_is_said(tmp_path: Path) -> None:
    reading = read_text(tmp_path, TWO.replace("ann", "用户甲").encode("gb18030"))
    assert any("GB18030" in note for note in reading.recognised[0].notes)


def test_a_wrong_byte_far_into_the_file(tmp_path: Path) -> None:
    rows = "".join(f"user{i},mug,1600000000,4\n" for i in range(10_000))
    reading = read_text(tmp_path, (HEADER + rows).encode() + b"Jos\xe9,cup,1600000000,4\n")
    assert users_of(reading)[-1] == "José"
    assert len(users_of(reading)) == 10_001


def test_ragged_rows_are_refused_by_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    reading = read_text(
        tmp_path, HEADER + "ann,mug,1600000000,4\nbob,cup\nbob,cup,1600000000,4,5\nzoe,cup,1600000000,5\n"
    )
    assert users_of(reading) == ["ann", "zoe"]
    assert reading.tables.events["row"].to_list() == [1, 4]
    (refused,) = reading.unreadable
    assert (refused.column, refused.count) == ("", 2)
    assert refused.examples == ((2, "bob,cup"), (3, "bob,cup,1600000000,4,5"))


def test_a_short_row_is_told_from_an_empty_last_field(tmp_path: Path) -> None:
    text = HEADER + 'ann,mug,1600000000,\nbob,cup,1600000000\n\n"zoe",cup,1600000000,\n'
    reading = read_text(tmp_path, text)
    assert users_of(reading) == ["ann", "zoe"]
    assert reading.unreadable[0].examples == ((2, "bob,cup,1600000000"),)


def test_a_stray_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEADER + '"ann,mug,1600000000,4\nbob,5" pipe,1600000000,5\n')
    assert len(users_of(reading)) == 2
    assert users_of(reading)[1] == "bob"


def test_unreadable_values_become_null_and_are_recorded(tmp_path: Path) -> None:
    text = HEADER + "ann,mug,1600000000,4\nbob,cup,yesterday," + "x" * 200 + "\nzoe,cup,,NA\n"
    reading = read_text(tmp_path, text)
    events = reading.tables.events
    assert events["timestamp"].to_list() == [RAISED, None, None]
    assert events["value"].to_list() == [4.0, None, None]
    found = {one.column: one for one in reading.unreadable}
    assert found["timestamp"].examples == ((2, "yesterday"),)
    assert found["value"].examples == ((2, "x" * 80),)
    assert found["value"].count == 1  # NA is missing, not unreadable


def test_numbers_as_shops_write_them(tmp_path: Path) -> None:
    text = "user;item;time;price\n" + "".join(
        f"ann;mug;2020-01-01;{price}\n" for price in ("1.5", "£2.55", "1,234.50", "2,55", "free", "inf", "NaN")
    )
    prices = read_text(tmp_path, text).tables.events["price"].to_list()
    assert prices[:6] == pytest.approx([1.5, 2.55, 1234.5, 2.55, 0.0, float("inf")])


def test_files_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    (tmp_path / "u.item").write_bytes(
        "242|Café (1997)|01-Jan-1997||x\n302|L.A. (1997)|01-Jan-1997||y\n".encode("latin-1")
    )
    reading = read(
        tmp_path,
        events=Source("u.data", header=False, columns=("user_id", "item_id", "rating", "timestamp")),
        items=Source(
            "u.item", header=False, columns=("item_id", "title", "released"), separator="|", encoding="latin-1"
        ),
    )
    assert users_of(reading) == ["196", "186"]
    assert reading.tables.items is not None
    assert reading.tables.items["title"][0] == "Café (1997)"
    assert reading.tables.items["created_at"][0] == 852_076_800_000_000
    with pytest.raises(DataError, match=r"seems to have no header.*header = false"):
        read(tmp_path, events="u.data")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "events.csv is empty"),
        (b" \n\n", "events.csv is empty"),
        (HEADER.encode(), "has columns but no rows"),
        (bytes(range(256)) * 50, "not a table but binary data"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"SQLite format 3\0" + bytes(100), "is an SQLite database"),
        (gzip.compress(TWO.encode(), mtime=0)[:-12], "damaged gzip"),
        (b"PAR1 and then nothing", "cannot be read as parquet"),
        (b'{"user_id": \n{"x\n', "no line that is a JSON object"),
        (b"usr_idd,item_id,timestamp\na,b,1\n", r"no column for user_id .* it has 'usr_idd', 'item_id', 'timestamp'"),
        (b"usr_idd,item_id,timestamp\na,b,1\n", r"nearest is 'usr_idd'; name it in .* under \[columns.events\]"),
        (b"user_id,item_id,whenn\na,b,1\n", "no column for timestamp .* data.order_is_time = true"),
        (b"user_id,item_id,timestamp\na,b,1,9\nc,d,2,9\n", "has 4 fields in row 1 but 3 columns in its header"),
    ],
)  # fmt: skip
def test_bad_files_end_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        read_text(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(TWO)
    with pytest.raises(DataError, match=r"there is no file event.csv: did you mean 'events.csv'\?"):
        read(tmp_path, events="event.csv")
    with pytest.raises(DataError, match="nor its folder logs"):
        read(tmp_path, events="logs/events.csv")


@pytest.mark.parametrize("where", ["logs", "logs/*.csv*", ("logs/a.csv", "logs/b.csv.gz")])
def test_several_files_are_one_table(tmp_path: Path, where: str | tuple[str, ...]) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.csv").write_text(TWO)
    (tmp_path / "logs/b.csv.gz").write_bytes(gzip.compress(b"customer,sku,ts\nzoe,mug,1600000120\n"))
    reading = read(tmp_path, events=where)
    assert users_of(reading) == ["ann", "bob", "zoe"]
    assert reading.tables.events["row"].to_list() == [1, 2, 3]
    assert reading.place("events", 3) == "logs/b.csv.gz, row 1"
    assert any("b.csv.gz has other columns" in note for note in reading.recognised[0].notes)


def test_bad_json_lines_are_refused_by_number(tmp_path: Path) -> None:
    good = '{"user_id": 1, "item_id": "a", "timestamp": 1600000000}\n'
    text = good + "not json\n" + good.replace("1,", '"2",', 1)
    reading = read_text(tmp_path, text, "events.jsonl")
    assert users_of(reading) == ["1", "2"]
    assert reading.tables.events["row"].to_list() == [1, 3]
    assert reading.unreadable[0].examples == ((2, "not json"),)


def test_order_is_time_only_when_said(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "user,item\nann,mug\nann,cup\n", order_is_time=True)
    assert reading.tables.events["timestamp"].is_sorted()
    assert any("order of the rows" in note for note in reading.recognised[0].notes)


def test_items_derived_from_event_lines(tmp_path: Path) -> None:
    text = (
        "CustomerID,StockCode,Description,UnitPrice,InvoiceDate\n"
        "1,A,red mug,2.0,2020-01-01\n1,A,red mug,3.0,2020-01-01\n2,A,?,0,2020-01-02\n2,B,,1.5,2020-01-02\n"
    )
    reading = read_text(tmp_path, text)
    assert reading.tables.items is not None
    assert reading.tables.items.rows() == [("A", "red mug", 2.5), ("B", None, 1.5)]
    assert "title" not in reading.tables.events.columns
    assert any("derived from the events" in note for one in reading.recognised for note in one.notes)
    assert read_text(tmp_path, text, items_from_events=False).tables.items is None


def test_the_other_tables(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(
        "id,name,genres,Price,in_stock,release date,colour,weight_g\n"
        "mug,Mug,kitchen,£2.50,yes,2020-01-01,red,300\ncup,Cup,,3,no,,007,\n"
    )
    (tmp_path / "users.jsonl").write_text('{"uid": 1, "age": 30}\n{"uid": 2, "age": null}\n')
    (tmp_path / "friends.tsv").write_text("userID\tfriendID\n1\t2\n")
    (tmp_path / "events.csv").write_text(TWO)
    tables = read(tmp_path, events="events.csv", items="items.csv", users="users.jsonl", friends="friends.tsv").tables
    assert tables.items is not None
    assert tables.items.to_dicts()[0] == {
        "item_id": "mug", "title": "Mug", "category": "kitchen", "price": pytest.approx(2.5), "available": True,
        "created_at": 1_577_836_800_000_000, "colour": "red", "weight_g": 300,
    }  # fmt: skip
    assert tables.items["colour"].to_list() == ["red", "007"]
    assert tables.users is not None
    assert tables.users.rows() == [("1", 30), ("2", None)]
    assert tables.friends is not None
    assert tables.friends.rows() == [("1", "2")]


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    first = read_text(tmp_path, TWO).fingerprint
    assert read_text(tmp_path, TWO).fingerprint == first
    assert read_text(tmp_path, TWO.replace("ann", "amy")).fingerprint != first


def test_times_of_parquet(tmp_path: Path) -> None:
    moment = dt.datetime(2020, 1, 1, 8, tzinfo=dt.UTC)
    frame = pl.DataFrame({"user_id": [1.0], "item_id": [2], "timestamp": [moment]})
    frame.write_parquet(tmp_path / "events.parquet")
    events = read(tmp_path, events="events.parquet").tables.events
    assert events.select("user_id", "item_id", "timestamp").rows() == [("1", "2", 1_577_865_600_000_000)]


@pytest.mark.parametrize("odd", ["free", "1,5", "NULL", "£2.50", "", "nan"])
def test_a_word_far_down_a_column_of_numbers_changes_no_other_row(tmp_path: Path, odd: str) -> None:
    rows = [f"u{row},m,{1_600_000_000 + row},{row}.5" for row in range(5_000)]
    rows[4_000] = f'u4000,m,1600004000,"{odd}"' if "," in odd else f"u4000,m,1600004000,{odd}"
    found = read_text(tmp_path, "user_id,item_id,timestamp,price\n" + "\n".join(rows)).tables.events
    assert found.drop("price").with_columns(pl.col("user_id", "item_id").cast(pl.String)).rows() == [
        (f"u{row}", "m", RAISED + row * 1_000_000, row + 1) for row in range(5_000)
    ]
    others = found.filter(pl.col("row") != 4_001)["price"].to_list()
    assert others == [row + 0.5 for row in range(5_000) if row != 4_000]


def test_a_time_far_down_a_column_of_numbers_may_be_written_otherwise(tmp_path: Path) -> None:
    rows = [f"u,m,{1_600_000_000 + row}" for row in range(5_000)]
    rows[4_000] = "u,m,2020-09-13T13:33:20Z"
    found = read_text(tmp_path, "user_id,item_id,timestamp\n" + "\n".join(rows)).tables.events
    assert found["timestamp"].to_list() == [RAISED + row * 1_000_000 for row in range(5_000)]


def test_a_short_line_is_found_among_lines_whose_last_field_is_empty(tmp_path: Path) -> None:
    rows = [f"u{row},m,{1_600_000_000 + row}," for row in range(100)]
    assert read_text(tmp_path, HEADER + "\n".join(rows)).tables.events.height == 100
    rows[50] = "u50,m"
    reading = read_text(tmp_path, HEADER + "\n".join(rows))
    assert reading.tables.events.height == 99
    assert [(one.count, one.examples) for one in reading.unreadable if not one.column] == [(1, ((51, "u50,m"),))]
