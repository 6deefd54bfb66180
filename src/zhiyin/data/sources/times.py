"""Times in whatever way they are written, as Int64 µs UTC; what cannot be read is null.

Numbers   one unit for the whole column, by the majority of magnitudes: below 1e11 seconds (until the year 5138),
          below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds; 20101201 and 20101201082600 are dates
          when nearly all of the column are possible dates.
          (Texts in such a column are read as texts.)
Texts     ISO-8601 with T or space, with or without seconds, fraction and zone; 2010/12/1, 2010年12月1日; 01/12/2010 and
          12/1/2010 8:26 PM; 1-Dec-2010. A time without a zone is UTC.
01/02/03  Day first or month first is one decision for a column: the one that more of its values allow; where all values
          allow both, the one that spans fewer days; where that ties, day first.
"""

from dataclasses import dataclass

import polars as pl

from zhiyin.data.sources.iso import iso_times

SECOND = 1_000_000  # µs
UNITS = (
    ("seconds", 0.0, 1e11),
    ("milliseconds", 1e11, 1e14),
    ("microseconds", 1e14, 1e17),
    ("nanoseconds", 1e17, 1e30),
)
WRITTEN = ((19000101, 21001231, "%Y%m%d"), (19000101000000, 21001231235959, "%Y%m%d%H%M%S"))
NEARLY_ALL = 0.95

CLOCK = r"(?:[T ,]+(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:[.,](\d{1,9}))?)?秒?分?\s*([AaPp])?\.?(?:[Mm]\.?)?)?"
ZONE = r"\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{0,2})?"
YEAR_FIRST = rf"^(\d{{4}})[-/.年](\d{{1,2}})[-/.月](\d{{1,2}})日?{CLOCK}{ZONE}$"
YEAR_LAST = rf"^(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}|\d{{2}}){CLOCK}{ZONE}$"
NAMED = (
    *("%d-%b-%Y", "%d %b %Y", "%d-%B-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
    *("%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y"),
)


@dataclass(frozen=True)
class Times:
    """Int64 µs UTC, null where unreadable or missing, and one sentence on how they were read."""

    values: pl.Series
    note: str


ISO = "ISO-8601 times, UTC where they name no zone"


def parsed(column: pl.Series, day_first: bool | None = None) -> Times:
    """The times of a column of any type; `day_first` settles 01/02/2010 instead of the column."""
    dtype = column.dtype
    if isinstance(dtype, (pl.Datetime, pl.Date)):
        return Times(_stamped(column), "dates and times of the source, UTC where they name no zone")
    if dtype.is_numeric():
        return _numbers(column)
    if dtype != pl.String:
        column = column.cast(pl.String, strict=False)
    common = iso_times(column)
    if common.null_count() == column.null_count() < len(column):
        return Times(common, ISO)
    numbers = column.cast(pl.Int64, strict=False)
    if numbers.null_count() > column.null_count():
        stripped = column.str.strip_chars()
        floats = stripped.cast(pl.Float64, strict=False)
        numbers = floats if floats.null_count() < numbers.null_count() else numbers
        column = stripped.set(stripped == "", None)
    if numbers.null_count() == column.null_count():
        return _numbers(numbers)
    if numbers.null_count() == numbers.len():
        return _texts(column, common, day_first)
    first, second = _numbers(numbers), _texts(column.set(numbers.is_not_null(), None), common, day_first)
    return Times(_either(first.values, second.values), f"{first.note}; {second.note}" if second.note else first.note)


def _stamped(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column.cast(pl.Datetime("us"), strict=False).to_physical().cast(pl.Int64)


def _numbers(column: pl.Series) -> Times:
    if column.dtype.is_float() or column.dtype.is_decimal():
        column = column.cast(pl.Float64)
        column = column.set(~column.is_finite(), None)
        whole = column.cast(pl.Int64, strict=False)
    else:
        column = whole = column.cast(pl.Int64, strict=False)
    low, high = whole.min(), whole.max()
    if isinstance(low, int) and isinstance(high, int) and (unit := _one_unit(low, high)):
        return Times(_scaled(column, unit), f"numbers read as {unit} since 1970")
    written = _written_dates(whole)
    if written is not None:
        return written
    votes = {name: int(((column >= low) & (column < high) & (column > 0)).sum()) for name, low, high in UNITS}
    unit = max(votes, key=lambda name: votes[name])
    others = sum(votes.values()) - votes[unit]
    note = f"numbers read as {unit} since 1970"
    if others:
        note += f", although {others} of them have the magnitude of another unit"
    return Times(_scaled(column, unit), note)


def _one_unit(low: int, high: int) -> str | None:
    """The unit of a column whose values are all in one band, and no written dates."""
    if low <= 0 or any(high >= first and low <= last for first, last, _ in WRITTEN):
        return None
    return next((name for name, first, last in UNITS if first <= low and high < last), None)


def _scaled(column: pl.Series, unit: str) -> pl.Series:
    if column.dtype == pl.Int64 and unit in ("microseconds", "nanoseconds"):
        return column if unit == "microseconds" else column // 1000
    if unit == "nanoseconds":
        return (column / 1000).round().cast(pl.Int64, strict=False)
    factor = {"seconds": SECOND, "milliseconds": 1000, "microseconds": 1}[unit]
    if column.dtype == pl.Int64:
        limit = (2**63 - 1) // factor
        if column.len() > column.null_count() and not column.is_between(-limit, limit).all():
            column = column.set(~column.is_between(-limit, limit).fill_null(True), None)  # would wrap around
        return column * factor
    return (column * factor).round().cast(pl.Int64, strict=False)


def _written_dates(whole: pl.Series) -> Times | None:
    """20101201 or 20101201082600 as dates, if nearly all of the column can be."""
    present = whole.drop_nulls()
    for low, high, form in WRITTEN:
        if present.is_empty() or float(present.is_between(low, high).mean() or 0) < NEARLY_ALL:  # type: ignore[arg-type]  # a mean of booleans is a float
            continue
        texts = whole.cast(pl.String)
        stamps = (
            texts.str.to_datetime(form, time_unit="us", strict=False)
            if "H" in form
            else texts.str.to_date(form, strict=False)
        )
        if stamps.len() - stamps.null_count() >= NEARLY_ALL * present.len():
            return Times(_stamped(stamps), "numbers read as written dates, such as 20101201")
    return None


def _texts(column: pl.Series, common: pl.Series, day_first: bool | None) -> Times:
    """The times of texts, of which `common` holds those that the quick way has read."""
    distinct = column.filter(common.is_null()).drop_nulls().unique(maintain_order=True)
    texts = distinct.str.strip_chars()
    stamps, notes = _year_first(texts), [ISO]
    if stamps.null_count():
        last, note = _year_last(texts, day_first)
        notes = [*(notes if stamps.null_count() < stamps.len() else []), *([note] if note else [])]
        stamps = _either(stamps, last)
    for form in NAMED if stamps.null_count() else ():
        stamps = _either(stamps, _stamped(texts.str.to_datetime(form, time_unit="us", strict=False)))
    table = pl.DataFrame({"text": distinct, "µs": stamps})
    joined = pl.DataFrame({"text": column}).join(table, on="text", how="left", maintain_order="left")
    named = "texts read as dates with named months" if stamps.null_count() < stamps.len() else ""
    return Times(_either(common, joined["µs"]), "; ".join(notes) or named)


def _either(first: pl.Series, second: pl.Series) -> pl.Series:
    return first.zip_with(first.is_not_null(), second)


def _year_first(texts: pl.Series) -> pl.Series:
    return _assembled(_groups(texts, YEAR_FIRST), "1", "2", "3")


def _year_last(texts: pl.Series, day_first: bool | None) -> tuple[pl.Series, str]:
    groups = _groups(texts, YEAR_LAST)
    if groups["1"].null_count() == groups.height:
        return _assembled(groups, "3", "2", "1"), ""
    by_day, by_month = _assembled(groups, "3", "2", "1"), _assembled(groups, "3", "1", "2")
    reason = "as the settings say"
    if day_first is None:
        days, months = by_day.len() - by_day.null_count(), by_month.len() - by_month.null_count()
        reason = "because more of the values allow it"
        day_first = days > months
        if days == months:
            reason = "because that spans fewer days (set data.day_first to decide)"
            day_first = _span(by_day) <= _span(by_month)
    order, example = ("day first", "1 February") if day_first else ("month first", "January 2")
    return (by_day if day_first else by_month), f"dates read {order} (01/02/2010 is {example}) {reason}"


def _span(times: pl.Series) -> int:
    low, high = times.min(), times.max()
    return int(high) - int(low) if isinstance(low, int) and isinstance(high, int) else 0


def _groups(texts: pl.Series, pattern: str) -> pl.DataFrame:
    """Columns "1" to "9": three parts of the date, hour, minute, second, fraction, a or p, zone; null when unlike."""
    return pl.select(pl.lit(texts).str.extract_groups(pattern).alias("groups")).unnest("groups")


def _assembled(groups: pl.DataFrame, year: str, month: str, day: str) -> pl.Series:
    century = pl.when(pl.col(year).str.len_chars() == 2).then(pl.lit("20")).otherwise(pl.lit(""))
    date = pl.concat_str(century + pl.col(year), pl.col(month).str.zfill(2), pl.col(day).str.zfill(2), separator="-")
    hour = pl.col("4").cast(pl.Int64).fill_null(0)
    half = pl.col("8").str.to_lowercase()
    hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    minute, second = (pl.col(name).cast(pl.Int64).fill_null(0) for name in ("5", "6"))
    fraction = pl.col("7").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64).fill_null(0)
    digits = pl.col("9").str.replace_all(r"[^0-9]", "").str.pad_end(4, "0").fill_null("0000")
    offset = digits.str.slice(0, 2).cast(pl.Int64, strict=False).fill_null(0) * 60 + digits.str.slice(2, 2).cast(
        pl.Int64, strict=False
    ).fill_null(0)
    signed = pl.when(pl.col("9").str.starts_with("-")).then(-offset).otherwise(offset)  # minutes east of Greenwich
    day_start = date.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).to_physical().cast(pl.Int64)
    clock = ((hour * 60 + minute - signed) * 60 + second) * SECOND + fraction
    possible = (hour < 24) & (minute < 60) & (second <= 60)
    return groups.select(pl.when(possible).then(day_start + clock).alias("µs"))["µs"]
