"""The quick way through the times that most logs hold: 2010-12-01 08:26:00 or 2010-12-01T08:26:00.123Z.

Texts of one length are a matrix of bytes. Each place of the form is one row of it, so that many times are read at once.
"""

import functools

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.compute.threads import over_blocks
from zhiyin.types import Mask, Times

ROWS = 8_192  # at a time: they stay in the processor's cache
SHORTEST, LONGEST = 19, 30  # characters: to the second; with nine digits of a fraction and a Z
PLAIN = "YYYY-MM-DD?hh:mm:ss"  # ? is a T or a space; a fraction is written f
_MONTHS = np.arange("0000-01", "10000-02", dtype="datetime64[M]")
FIRST_DAYS = _MONTHS.astype("datetime64[D]").astype(np.int32)  # of each month since the year 0, in days since 1970
DAYS = np.diff(FIRST_DAYS).astype(np.uint8)  # of each month since the year 0


def iso_times(texts: pl.Series) -> pl.Series:
    """Int64 µs UTC of the texts in the usual forms; null for all others, whatever they may mean."""
    lengths = texts.str.len_bytes()
    usual = [one for one in lengths.unique().drop_nulls() if SHORTEST <= one <= LONGEST]
    if len(usual) == 1 and (lengths == usual[0]).all(ignore_nulls=False):
        return _of_one_length(texts)
    times = pl.repeat(None, len(texts), dtype=pl.Int64, eager=True)
    for length in usual:
        rows = (lengths == length).arg_true()
        times = times.scatter(rows, _of_one_length(texts.gather(rows)))
    return times


def _of_one_length(texts: pl.Series) -> pl.Series:
    """Int64 µs UTC of texts that have as many bytes as the first, and are written like it."""
    form = _form(texts[0])
    times, wrong = np.zeros(len(texts), np.int64), np.ones(len(texts), np.bool_)

    def read(first: int, last: int) -> None:
        block = texts[first:last].cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, len(form))).to_numpy()
        for start in range(first, last, ROWS):
            rows = slice(start, min(start + ROWS, last))
            places = np.ascontiguousarray(block[start - first : rows.stop - first].T)
            times[rows], wrong[rows] = _read(places, form)

    if form:
        over_blocks(len(texts), read, serial_below=ROWS)
    found = pl.Series(times)
    return found.set(pl.Series(wrong), None) if wrong.any() else found


def _form(example: str) -> str:
    """The form that a text seems to have, empty for no usual one."""
    zone = "Z" if example.endswith("Z") else ""
    digits = len(example) - len(PLAIN) - len(zone) - 1
    if digits == 0 or digits > 9 or not example.isascii():
        return ""
    return PLAIN.replace("?", "T" if example[10] == "T" else " ") + ("." + "f" * digits if digits > 0 else "") + zone


def _read(places: NDArray[np.uint8], form: str) -> tuple[Times, Mask]:
    """int64[rows] µs UTC, and bool[rows]: those that are no such times; from bytes[places, rows]."""
    digits = places - np.uint8(ord("0"))  # [places, rows]; what is below "0" turns large
    is_digit = [letter in "YMDhmsf" for letter in form]
    odd = [digits[i] > 9 if is_digit[i] else places[i] != ord(form[i]) for i in range(len(form))]
    year, month, day, hour, minute, second, fraction = (_number(digits, form, part) for part in "YMDhmsf")
    months = year * 12 + month - 1  # since the year 0
    odd += [month < 1, month > 12, day < 1, day > DAYS.take(months, mode="clip"), hour > 23, minute > 59, second > 59]
    days = FIRST_DAYS.take(months, mode="clip") + day - 1
    times: Times = days.astype(np.int64) * 86_400 + (hour * 3600 + minute * 60 + second)
    times *= 1_000_000
    times += fraction * int(10 ** max(6 - form.count("f"), 0))
    return times, functools.reduce(np.bitwise_or, odd)


def _number(digits: NDArray[np.uint8], form: str, part: str) -> NDArray[np.int32]:
    """int32[rows]: the number that is written at the places of a part, for a fraction the first six."""
    number = np.zeros(digits.shape[1], np.int32)
    for place in [place for place, letter in enumerate(form) if letter == part][:6]:
        number *= 10
        number += digits[place]
    return number
