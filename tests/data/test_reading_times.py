"""Times in every way of writing become µs UTC."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.data.sources.times import parsed

EPOCH = dt.datetime(1970, 1, 1)


def read(values: list[object], **more: object) -> list[str | None]:
    times = parsed(pl.Series(values, strict=False), **more).values  # type: ignore[arg-type]
    assert times.dtype == pl.Int64
    return [None if t is None else (EPOCH + dt.timedelta(microseconds=t)).isoformat() for t in times.to_list()]


@pytest.mark.parametrize(
    "written",
    [
        1291191960, 1291191960000, 1291191960000000, 1291191960000000000, 1291191960.0, "1291191960", "1291191960000",
        "1291191960.0", "2010-12-01 08:26:00", "2010-12-01T08:26:00", "2010-12-01T08:26:00Z", "2010-12-01T08:26Z",
        "2010-12-01 08:26:00.000", "2010-12-01 08:26:00.000000 UTC", "2010-12-01T16:26:00+08:00",
        "2010-12-01 03:26:00-0500",
        "2010/12/1 8:26", "2010.12.01 08:26", "2010年12月1日 8:26", "2010年12月1日 8时26分", 20101201082600,
        "20101201082600",
        "13/12/2010 8:26", "12/13/2010 8:26", "12/13/2010 8:26 AM", "1-Dec-2010 08:26:00", "Wed, 01 Dec 2010 08:26:00",
        dt.datetime(2010, 12, 1, 8, 26), dt.datetime(2010, 12, 1, 16, 26, tzinfo=dt.timezone(dt.timedelta(hours=8))),
    ],
)  # fmt: skip
def test_one_moment_in_many_ways(written: object) -> None:
    day = "13" if "13" in str(written)[:5] else "01"
    assert read([written]) == [f"2010-12-{day}T08:26:00"]


@pytest.mark.parametrize(
    "written", ["2010-12-01", "2010/12/1", "2010年12月1日", "20101201", 20101201, dt.date(2010, 12, 1)]
)
def test_dates(written: object) -> None:
    assert read([written]) == ["2010-12-01T00:00:00"]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(100_000_000, 4_000_000_000).filter(lambda s: s > 21_001_231), min_size=1),
    st.sampled_from([1, 10**3, 10**6, 10**9]),
)
def test_the_unit_is_found(seconds: list[int], factor: int) -> None:
    times = parsed(pl.Series([second * factor for second in seconds])).values
    assert times.to_list() == [second * 1_000_000 for second in seconds]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)), min_size=1))
def test_iso_texts_round_trip(moments: list[dt.datetime]) -> None:
    assert read([moment.isoformat() for moment in moments]) == [moment.isoformat() for moment in moments]


def test_the_majority_decides_the_unit() -> None:
    times = parsed(pl.Series([1_291_191_960_000, 1_291_191_961_000, 5]))
    assert times.values[0] == 1_291_191_960_000_000
    assert "milliseconds" in times.note
    assert "although 1 of them" in times.note


@pytest.mark.parametrize(
    ("values", "more", "first"),
    [
        (["01/12/2010", "13/12/2010"], {}, "2010-12-01T00:00:00"),
        (["12/1/2010", "12/13/2010"], {}, "2010-12-01T00:00:00"),
        (["12/1/2010", "12/9/2010"], {}, "2010-12-01T00:00:00"),  # nine days, rather than eight months
        (["01/02/2010"], {}, "2010-02-01T00:00:00"),
        (["01/02/2010"], {"day_first": False}, "2010-01-02T00:00:00"),
    ],
)
def test_day_or_month_first(values: list[object], more: dict[str, object], first: str) -> None:
    assert read(values, **more)[0] == first
    assert "first" in parsed(pl.Series(values), **more).note  # type: ignore[arg-type]


def test_noon_and_midnight() -> None:
    assert read(["12/31/2010 12:00 AM", "12/31/2010 12:30 pm"]) == ["2010-12-31T00:00:00", "2010-12-31T12:30:00"]


@pytest.mark.parametrize("rubbish", ["yesterday", "2010-02-30", "2010-01-01 25:00", "", "99/99/9999", "inf"])
def test_the_unreadable_is_null(rubbish: str) -> None:
    assert read([rubbish, "2010-12-01"]) == [None, "2010-12-01T00:00:00"]


def test_numbers_and_texts_in_one_column() -> None:
    assert read(["1291191960", "2010-12-01 08:26", "?"]) == ["2010-12-01T08:26:00", "2010-12-01T08:26:00", None]


@pytest.mark.parametrize("values", [[], [None], [float("nan"), float("inf")], [2**63 - 1, 1, 2]])
def test_nothing_and_nonsense_do_not_fail(values: list[object]) -> None:
    assert len(read(values)) == len(values)


@pytest.mark.parametrize("rows", [3, 20_000])
def test_times_of_several_lengths_in_one_column_are_read_alike(rows: int) -> None:
    start = dt.datetime(2024, 2, 28, 23, 59, 59, 250_000)
    moments = [start + dt.timedelta(milliseconds=250 * row) for row in range(rows)]
    assert read([moment.isoformat() for moment in moments]) == [moment.isoformat() for moment in moments]


@given(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)), st.sampled_from("T "), st.sampled_from(["", "Z"]))
@settings(deadline=None, max_examples=50)
def test_every_moment_of_the_calendar_is_read_exactly(moment: dt.datetime, separator: str, zone: str) -> None:
    texts = [moment.isoformat(separator, how) + zone for how in ("seconds", "milliseconds", "microseconds")]
    cut = [moment.replace(microsecond=0), moment.replace(microsecond=moment.microsecond // 1000 * 1000), moment]
    assert read(texts) == [one.isoformat() for one in cut]


@pytest.mark.parametrize(
    "impossible",
    ["2023-02-29T08:26:00", "2024-13-01T08:26:00", "2024-00-01T08:26:00", "2024-01-00T08:26:00", "2024-01-01T24:26:00",
     "2024-01-01T08:60:00", "2024-01-01T08:26:61", "2024-01-01T08-26-00", "2024-01-01T0x:26:00", "時時時時時時a"],
)  # fmt: skip
def test_an_impossible_time_among_others_is_unknown(impossible: str) -> None:
    assert read(["2024-01-01T08:26:00", impossible]) == ["2024-01-01T08:26:00", None]
