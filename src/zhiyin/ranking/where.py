"""Which items a shop's own condition allows: `price < 50 AND category = 'mugs'`, the filters of SQL on item columns.

    condition  = all { OR all }                  all       = one { AND one }
    one        = NOT one | "(" condition ")" | test
    test       = operand ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) operand
               | operand [ NOT ] IN "(" operand { "," operand } ")"
           | operand [ NOT ] IN column                 (a column of lists of texts)
               | operand [ NOT ] BETWEEN operand AND operand
               | operand [ NOT ] LIKE operand    (% is any text, _ any one character; upper and lower case differ)
               | operand IS [ NOT ] NULL
               | operand                         (a column of true and false)
    operand    = column | "column" | number | 'text' | TRUE | FALSE

Logic is SQL's, with three values: what is null or NaN makes a test unknown, and an item whose condition is unknown is
not allowed. A moment (`created_at`) is compared by its day in UTC, so `<= '2024-12-31'` includes all of that day.
"""

from collections.abc import Mapping
from functools import reduce

import polars as pl
from polars import selectors

from zhiyin.errors import ExpressionError
from zhiyin.fields import unknown
from zhiyin.ranking.where_operands import Operand, comparison, likeness, membership
from zhiyin.ranking.where_tokens import Token, tokens
from zhiyin.types import Mask

MOST_CHARACTERS = 2_000
MOST_LEVELS = 32
MOST_TERMS = 256

COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")


def where(text: str, frame: pl.DataFrame) -> Mask:
    """bool[n]: the rows of an item table for which a condition holds.

    Raises
    ------
    ExpressionError
        If the condition cannot be read, or does not fit the columns.
    """
    allowed = parse(text, frame.schema).alias("allowed")
    return frame.with_columns(allowed)["allowed"].to_numpy()  # with_columns: a condition without columns is spread


def parse(text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """A condition as an expression that is true or false for each row, never null.

    Raises
    ------
    ExpressionError
        For what cannot be read, an unknown column, a comparison of different types, or a condition beyond
        2,000 characters, 256 terms or 32 levels of brackets.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(
            f"where has {len(text):,} characters: at most {MOST_CHARACTERS:,} are allowed, shorten it"
        )
    parser = _Parser(tokens(text), columns)
    condition = parser.condition()
    parser.expect("end")
    return condition.fill_null(value=False)


class _Parser:
    """Recursive descent: each method reads one line of the grammar and stands behind what it has read."""

    def __init__(self, read: list[Token], columns: Mapping[str, pl.DataType]) -> None:
        self._tokens = read
        self._columns = columns
        self._place = 0
        self._levels = 0
        self._terms = 0

    def condition(self) -> pl.Expr:
        parts = [self._all()]
        while self._take("OR"):
            parts.append(self._all())
        return reduce(pl.Expr.__or__, parts)

    def expect(self, *kinds: str) -> Token:
        token = self._take(*kinds)
        if token is None:
            raise self._surprise(*kinds)
        return token

    def _all(self) -> pl.Expr:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return reduce(pl.Expr.__and__, parts)

    def _one(self) -> pl.Expr:
        if not (opening := self._take("NOT", "(")):
            return self._test()
        self._levels += 1
        if self._levels > MOST_LEVELS:
            place = f"at character {opening.position}"
            raise ExpressionError(f"where is nested deeper than {MOST_LEVELS} levels {place}: simplify it")
        if opening.kind == "NOT":
            inside = ~self._one()
        else:
            inside = self.condition()
            self.expect(")")
        self._levels -= 1
        return inside

    def _test(self) -> pl.Expr:
        left = self._operand()
        if operator := self._take(*COMPARISONS):
            return comparison(left, operator.kind, self._operand())
        if self._take("IS"):
            negated = self._take("NOT")
            self.expect("NULL")
            return left.expr.is_not_null() if negated else left.expr.is_null()
        negated = self._take("NOT")
        if self._take("IN"):
            found = self._within(left)
        elif self._take("BETWEEN"):
            found = self._between(left)
        elif self._take("LIKE"):
            found = likeness(left, self._operand())
        elif left.kind == "truth" and not negated:
            return left.expr
        else:
            tests = ("IN", "BETWEEN", "LIKE")
            raise self._surprise(*(tests if negated else ("=", "<", *tests, "IS NULL")))
        return ~found if negated else found

    def _within(self, left: Operand) -> pl.Expr:
        if not self._take("("):
            return membership(left, self._operand())
        found = [comparison(left, "=", self._operand())]
        while self._take(","):
            found.append(comparison(left, "=", self._operand()))
        self.expect(")")
        return pl.any_horizontal(found)

    def _between(self, left: Operand) -> pl.Expr:
        low = comparison(left, ">=", self._operand())
        self.expect("AND")
        return low & comparison(left, "<=", self._operand())

    def _operand(self) -> Operand:
        token = self._take("name", "quoted", "number", "text", "TRUE", "FALSE")
        if token is None:
            raise self._surprise("a column", "a number", "a 'text'", "TRUE", "FALSE")
        self._terms += 1
        if self._terms > MOST_TERMS:
            place = f"at character {token.position}"
            raise ExpressionError(f"where has more than {MOST_TERMS} terms {place}: shorten it")
        if token.kind not in ("name", "quoted"):
            return Operand.literal(token)
        name = token.value
        if name not in self._columns:
            hint = " (in double quotes, so a column: a text takes single quotes)" if token.kind == "quoted" else ""
            raise ExpressionError(unknown(f"where: column {token}{hint}", str(name)[:100], self._columns))
        # by_name, because pl.col reads "*" and "^…$" as patterns
        return Operand.column(token, selectors.by_name(str(name)).as_expr(), self._columns[str(name)])

    def _take(self, *kinds: str) -> Token | None:
        token = self._tokens[self._place]
        if token.kind not in kinds:
            return None
        self._place += token.kind != "end"
        return token

    def _surprise(self, *expected: str) -> ExpressionError:
        token = self._tokens[self._place]
        if expected == ("end",):
            expected = ("AND", "OR", "the end")
        advice = ": write IS NULL or IS NOT NULL" if token.kind == "NULL" else ""
        return ExpressionError(f"where: expected {' or '.join(expected)} but found {token}{advice}")
