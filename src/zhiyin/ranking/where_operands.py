"""What stands on either side of a comparison in a `where` condition, and how two of them compare."""

import datetime as dt
import operator
import re
from dataclasses import dataclass, replace
from typing import Self

import polars as pl

from zhiyin.errors import ExpressionError
from zhiyin.ranking.where_tokens import Token
from zhiyin.types import MICROSECONDS_PER_DAY as DAY

WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EPOCH = dt.date(1970, 1, 1)
SPECIAL = frozenset("\\.+*?()|[]{}^$#&-~")
TESTS = {
    "=": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
WORDS = {
    "number": "a number", "text": "a text", "truth": "true or false", "day": "a date",
    "nothing": "empty", "texts": "a list of texts", "other": "a list or structure",
}  # fmt: skip


@dataclass(frozen=True)
class Operand:
    """A column or a literal. Kinds: number, text, truth, day (int64 days since 1970), texts (a list), nothing (all
    null), other.
    """

    token: Token
    kind: str
    expr: pl.Expr
    dtype: pl.DataType | None = None  # of a column; a literal has none

    @classmethod
    def column(cls, token: Token, expr: pl.Expr, dtype: pl.DataType) -> Self:
        """A column, made comparable: NaN is null, categories are text, moments are days."""
        kind = _kind(str(token.value), dtype)
        if dtype.is_float():
            expr = expr.fill_nan(None)
        elif dtype.is_decimal():
            expr = expr.cast(pl.Float64)
        elif kind == "text":
            expr = expr.cast(pl.String)
        elif kind == "day":
            expr = expr.cast(pl.Int32).cast(pl.Int64) if dtype == pl.Date else _microseconds(expr, dtype) // DAY
        return cls(token, kind, expr, dtype)

    @classmethod
    def literal(cls, token: Token) -> Self:
        """A number, a text, TRUE or FALSE."""
        if token.kind == "text":
            return cls(token, "text", pl.lit(token.value, pl.String))
        if token.kind == "number":
            return cls(token, "number", pl.lit(token.value, pl.Int64 if isinstance(token.value, int) else pl.Float64))
        return cls(token, "truth", pl.lit(token.kind == "TRUE"))

    def beside(self, other: "Operand") -> "Operand":
        """The same, fit to be compared with another: dates are read, and decimals rounded as the column rounds them."""
        if self.dtype is not None:
            return self
        if self.kind == "text" and other.kind == "day":
            return replace(self, kind="day", expr=pl.lit(_day(self.token), pl.Int64))
        if self.kind == "number" and other.dtype == pl.Float32:
            return replace(self, expr=self.expr.cast(pl.Float32))  # price = 49.99 must find the float32 of 49.99
        return self


def comparison(left: Operand, sign: str, right: Operand) -> pl.Expr:
    """Whether one stands to the other as the sign says; null where either is null.

    Raises
    ------
    ExpressionError
        If the two are of different kinds, or of one that has no order.
    """
    left, right = left.beside(right), right.beside(left)
    if "nothing" in (left.kind, right.kind):
        return pl.lit(None, pl.Boolean)
    ordered = left.kind in ("number", "text", "day")
    if left.kind != right.kind or left.kind in ("texts", "other") or not (ordered or sign in ("=", "!=", "<>")):
        raise ExpressionError(
            f"where: {left.token} is {WORDS[left.kind]} and {right.token} is {WORDS[right.kind]}: "
            f"{sign} needs {'numbers, texts or dates' if left.kind == right.kind else 'two of one kind'}"
        )
    result: pl.Expr = TESTS[sign](left.expr, right.expr)
    return result


def likeness(left: Operand, pattern: Operand) -> pl.Expr:
    """Whether a text looks like a pattern: % is any text, _ any one character.

    Raises
    ------
    ExpressionError
        If the left side is no text, or the pattern not written out.
    """
    if pattern.kind != "text" or pattern.dtype is not None:
        raise ExpressionError(f"where: LIKE needs a pattern in single quotes, such as '%mug%', not {pattern.token}")
    if left.kind == "nothing":
        return pl.lit(None, pl.Boolean)
    if left.kind != "text":
        raise ExpressionError(f"where: {left.token} is {WORDS[left.kind]}: LIKE needs a text")
    return left.expr.str.contains(_regex(str(pattern.token.value)))


def membership(left: Operand, right: Operand) -> pl.Expr:
    """Whether a text is one of a column's list; null where there is no list.

    Raises
    ------
    ExpressionError
        If the left side is no text, or the right no column of lists of texts.
    """
    if right.kind == "nothing":
        return pl.lit(None, pl.Boolean)
    if right.kind != "texts":
        raise ExpressionError(
            f"where: {right.token} is {WORDS[right.kind]}: IN needs texts in brackets, or a column of lists of texts"
        )
    if left.kind != "text":
        raise ExpressionError(f"where: {left.token} is {WORDS[left.kind]}: IN a list of texts needs a text")
    return right.expr.list.contains(left.expr)


def _kind(name: str, dtype: pl.DataType) -> str:
    if dtype in (pl.Date, pl.Datetime) or (name == "created_at" and dtype == pl.Int64):
        return "day"
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, pl.List) and dtype.inner == pl.String:
        return "texts"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return {pl.Boolean: "truth", pl.Null: "nothing"}.get(dtype.base_type(), "other")


def _microseconds(expr: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return expr.dt.epoch("us") if dtype == pl.Datetime else expr  # an integer is µs already: the item table's rule


def _regex(pattern: str) -> str:
    wild = {"%": ".*", "_": "."}
    return r"(?s)\A" + "".join(wild.get(one, "\\" + one if one in SPECIAL else one) for one in pattern) + r"\z"


def _day(token: Token) -> int:
    text = str(token.value)
    try:
        if not WRITTEN_DAY.fullmatch(text):
            raise ValueError
        return (dt.date.fromisoformat(text) - EPOCH).days
    except ValueError:
        raise ExpressionError(f"where: {token} is no date: write it as 'YYYY-MM-DD'") from None
