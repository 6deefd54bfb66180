"""The filter on item columns: what it allows, and how it refuses."""

import datetime as dt
import fnmatch
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhiyin.errors import ExpressionError
from zhiyin.ranking.where import parse, where

DAY = 86_400_000_000
SHOP = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "price": pl.Series([12.5, 49.99, None, float("nan")], dtype=pl.Float32),
        "category": pl.Series(["mugs", "cups", "mugs", None], dtype=pl.Categorical),
        "title": ["It's 100% mug", "mug_1\nblue", "蓝色杯子", "Mug"],
        "stock": pl.Series([0, 200, 3, 4], dtype=pl.UInt8),
        "big": pl.Series([0, 2**64 - 1, 3, None], dtype=pl.UInt64),
        "available": [True, False, None, True],
        "created_at": [0, DAY - 1, DAY, None],
        "made": [dt.date(2024, 1, 1), dt.date(1969, 12, 31), None, dt.date(2024, 2, 29)],
        "seen": [dt.datetime(2024, 1, 1, 23, 59), dt.datetime(1969, 12, 31, 1), None, dt.datetime(2024, 2, 29)],
        "cost": pl.Series(["1.10", "2.20", None, "4.40"]).cast(pl.Decimal(10, 2)),
        "价格": [1, 2, 3, None],
        "दाम": [1, 2, 3, 4],
        "*": [1, 2, 3, 4],
        "^t.*$": [1, 2, 3, 4],
        'odd "name"': [1, 2, 3, 4],
        "blank": [None] * 4,
        "tags": [["x"], [], None, ["y"]],
        "pairs": [[1, 2], [], None, [3]],
    }
)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("price < 50", "ab"),
        ("price = 49.99", "b"),
        ("price >= 1e1 and price <= +4.999e1", "ab"),
        ("price > .5", "ab"),
        ("price <> 12.5", "b"),
        ("NOT price < 20", "b"),
        ("price IS NULL", "cd"),
        ("price is not null", "ab"),
        ("price < 50 AND category = 'mugs'", "a"),
        ("category = 'cups' OR category = 'mugs' AND price < 50", "ab"),
        ("(category = 'cups' OR category = 'mugs') AND price < 20", "a"),
        ("category != 'cups'", "ac"),
        ("category IN ('mugs', 'cups')", "abc"),
        ("category NOT IN ('cups')", "ac"),
        ("'x' IN tags", "a"),
        ("'x' NOT IN tags", "bd"),
        ("category IN tags", ""),
        ("'x' IN blank", ""),
        ("'mugs' = category", "ac"),
        ("stock between 3 and 4", "cd"),
        ("stock not between 3 and 4", "ab"),
        ("stock < 300 AND stock > -1", "abcd"),
        ("stock = 3.0", "c"),
        ("stock = 3.5", ""),
        ("big > 9223372036854775807", "b"),
        ("big < 99999999999999999999999", "abc"),
        ("title LIKE '%mug%'", "ab"),
        ("title LIKE '____ __0% %'", "a"),
        ("title LIKE '%100\\%'", ""),
        ("title LIKE 'mug%blue'", "b"),
        ("title LIKE '蓝色__'", "c"),
        ("title NOT LIKE '%mug%'", "cd"),
        ("title = 'It''s 100% mug'", "a"),
        ("available", "ad"),
        ("NOT available", "b"),
        ("available = false OR available IS NULL", "bc"),
        ("created_at = '1970-01-01'", "ab"),
        ("created_at <= '1970-01-01'", "ab"),
        ("created_at > '1970-01-01'", "c"),
        ("created_at BETWEEN '1970-01-02' AND '2000-02-29'", "c"),
        ("made = '2024-02-29'", "d"),
        ("seen <= '2024-01-01'", "ab"),
        ("seen = made", "abd"),
        ("cost > 1.1", "bd"),
        ("价格 >= 2", "bc"),
        ("दाम = 1", "a"),
        ('"*" = 2', "b"),
        ('"^t.*$" = 3', "c"),
        ('"odd ""name""" = 4', "d"),
        ("blank = 1", ""),
        ("blank IS NULL", "abcd"),
        ("blank LIKE '%'", ""),
        ("tags IS NOT NULL", "abd"),
        ("stock = 价格", "c"),
        ("1 = 1", "abcd"),
        ("false", ""),
    ],
)
def test_a_condition_allows(text: str, allowed: str) -> None:
    assert "".join(SHOP["item_id"].filter(pl.Series(where(text, SHOP)))) == allowed


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected a column or a number or a 'text' or TRUE or FALSE but found the end of the condition"),
        ("prise < 5", "column prise at character 1 is not known: did you mean 'price'?"),
        ('category = "mugs"', '"mugs" at character 12 (in double quotes, so a column: a text takes single quotes)'),
        ("price < 'a'", "price at character 1 is a number and 'a' at character 9 is a text"),
        ("available < true", "< needs numbers, texts or dates"),
        ("tags = 'x'", "tags at character 1 is a list of texts"),
        ("price IN tags", "price at character 1 is a number: IN a list of texts needs a text"),
        ("'x' IN category", "category at character 8 is a text: IN needs texts in brackets, or a column of lists"),
        ("pairs = 1", "pairs at character 1 is a list or structure"),
        ("tags = tags", "= needs numbers, texts or dates"),
        ("price = NULL", "found NULL at character 9: write IS NULL or IS NOT NULL"),
        ("price == 5", "found = at character 8"),
        ("price 5", "expected = or < or IN or BETWEEN or LIKE or IS NULL but found 5 at character 7"),
        ("price NOT 5", "expected IN or BETWEEN or LIKE but found 5"),
        ("price", "expected ="),
        ("price < 5 AND", "the end of the condition"),
        ("price < 5 price", "expected AND or OR or the end but found price at character 11"),
        ("(price < 5", "expected ) but found the end"),
        ("price IN ()", "found ) at character 11"),
        ("price IS 5", "expected NULL but found 5"),
        ("price < 5;", "';' at character 10 begins neither"),
        ("title = 'a", "the ' at character 9 is never closed"),
        ("title = 'a\ud800'", "holds half a character"),
        ("price < 1_000", "1_000 at character 9 is not a finite number"),
        ("price < 1.2.3", "not a finite number"),
        ("price < 1e", "not a finite number"),
        ("price < 1e+999", "not a finite number"),
        ("price < ١٢", "begins neither"),
        ("created_at > '2024-02-30'", "'2024-02-30' at character 14 is no date: write it as 'YYYY-MM-DD'"),
        ("created_at > 'yesterday'", "write it as 'YYYY-MM-DD'"),
        ("created_at > 5", "created_at at character 1 is a date and 5"),
        ("price LIKE '5%'", "LIKE needs a text"),
        ("title LIKE category", "LIKE needs a pattern in single quotes"),
        ("title = '" + "x" * 2_000 + "'", "where has 2,010 characters: at most 2,000"),
        ("(" * 33 + "available" + ")" * 33, "nested deeper than 32 levels at character 33"),
        ("NOT " * 33 + "available", "nested deeper than 32 levels"),
        ("stock IN (" + ",".join("1" * 256) + ")", "more than 256 terms at character 521"),
    ],
)
def test_a_refusal_says_what_where_and_what_was_expected(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        where(text, SHOP)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_largest_conditions_allowed_work() -> None:
    assert where("(" * 32 + "available" + ")" * 32, SHOP).sum() == 2
    assert where("stock IN (" + ",".join("3" * 255) + ")", SHOP).sum() == 1
    assert where(" OR ".join(["价格=1"] * 128), SHOP).sum() == 1
    assert where("title LIKE '" + "%_" * 980 + "'", SHOP).sum() == 0


def test_the_mask_has_a_place_for_each_row_and_no_rows_are_fine() -> None:
    assert where("true", SHOP).dtype == np.bool_
    assert where("price < 5 OR true", SHOP.clear()).shape == (0,)


# Random conditions, against a twin that walks the rows in Python.

FRAME = {"p": pl.Float64, "q": pl.Int64, "name": pl.String, "ok": pl.Boolean, "created_at": pl.Int64}
TESTS = {
    "=": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Truth = bool | None
Slow = Callable[[dict[str, Any]], Any]
Condition = tuple[str, Slow]  # as written, and what it means for a row

letters = st.text("ab%_'. ", max_size=3)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "p": st.none() | st.floats(width=32) | st.sampled_from([0.0, 1.0, 1.5]),
            "q": st.none() | st.integers(-3, 3),
            "name": st.none() | letters,
            "ok": st.none() | st.booleans(),
            "created_at": st.none() | st.integers(-3 * DAY, 3 * DAY),
        }
    ),
    max_size=6,
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def number(row: dict[str, Any], name: str) -> Any:
    value = row[name]
    return None if value is not None and value != value else value


def day(row: dict[str, Any], name: str) -> Any:
    return None if row[name] is None else dt.date(1970, 1, 1) + dt.timedelta(days=row[name] // DAY)


def column(name: str, read: Callable[[dict[str, Any], str], Any] = dict.get) -> Condition:
    return name, lambda row: read(row, name)


def constant(written: str, value: Any) -> Condition:
    return written, lambda _: value


numbers = st.sampled_from([column("p", number), column("q", number), column('"q"', lambda row, _: row["q"])]) | (
    st.integers(-3, 3) | st.sampled_from([0.5, 1.5, -2.0])
).map(lambda value: constant(str(value), value))
texts = st.just(column("name")) | letters.map(lambda text: constant(quoted(text), text))
days = st.dates(dt.date(1969, 12, 28), dt.date(1970, 1, 4)).map(lambda value: constant(f"'{value}'", value))
truths = st.sampled_from([column("ok"), constant("TRUE", True), constant("false", False)])


def compared(left: Condition, sign: str, right: Condition) -> Condition:
    def slow(row: dict[str, Any]) -> Truth:
        one, other = left[1](row), right[1](row)
        return None if one is None or other is None else TESTS[sign](one, other)

    return f"{left[0]} {sign} {right[0]}", slow


def negated(inside: Condition) -> Condition:
    def slow(row: dict[str, Any]) -> Truth:
        value = inside[1](row)
        return None if value is None else not value

    return f"NOT ({inside[0]})", slow


def joined(word: str, one: Condition, other: Condition) -> Condition:
    winner = word.upper() == "OR"

    def slow(row: dict[str, Any]) -> Truth:
        values = [one[1](row), other[1](row)]
        if winner in values:
            return winner
        return None if None in values else not winner

    return f"({one[0]}) {word} ({other[0]})", slow


def within(left: Condition, members: list[Condition], word: str) -> Condition:
    written = f"{left[0]} {word} (" + ", ".join(text for text, _ in members) + ")"
    found = compared(left, "=", members[0])
    for member in members[1:]:
        found = joined("or", found, compared(left, "=", member))
    return written, (negated(found) if "not" in word.lower() else found)[1]


def between(left: Condition, low: Condition, high: Condition) -> Condition:
    slow = joined("and", compared(left, ">=", low), compared(left, "<=", high))[1]
    return f"{left[0]} BETWEEN {low[0]} and {high[0]}", slow


def like(pattern: str) -> Condition:
    shell = "".join({"%": "*", "_": "?"}.get(one, one) for one in pattern)
    found = re.compile(fnmatch.translate(shell))
    return f"name like {quoted(pattern)}", lambda row: None if row["name"] is None else bool(found.match(row["name"]))


def null(operand: Condition, word: str) -> Condition:
    return f"{operand[0]} {word}", lambda row: (operand[1](row) is None) == (word.lower() == "is null")


signs = st.sampled_from(sorted(TESTS))
moment = st.just(column("created_at", day))
terms = (
    st.builds(compared, numbers, signs, numbers)
    | st.builds(compared, texts, signs, texts)
    | st.builds(compared, moment, signs, days)
    | st.builds(compared, truths, st.sampled_from(["=", "!=", "<>"]), truths)
    | truths
    | st.builds(between, numbers, numbers, numbers)
    | st.builds(between, moment, days, days)
    | st.builds(within, numbers, st.lists(numbers, min_size=1, max_size=3), st.sampled_from(["IN", "not in"]))
    | st.builds(within, texts, st.lists(texts, min_size=1, max_size=3), st.sampled_from(["in", "NOT IN"]))
    | letters.map(like)
    | st.builds(
        null,
        st.sampled_from([column("p", number), column("name"), column("ok")]),
        st.sampled_from(["IS NULL", "is not null"]),
    )
)
conditions = st.recursive(
    terms,
    lambda inner: inner.map(negated) | st.builds(joined, st.sampled_from(["AND", "or", "And"]), inner, inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=50)
@given(conditions, rows)
def test_any_condition_means_what_its_slow_twin_says(condition: Condition, table: list[dict[str, Any]]) -> None:
    written, slow = condition
    frame = pl.DataFrame(table, schema=FRAME)
    assert where(written, frame).tolist() == [slow(row) is True for row in table], written


words = st.sampled_from(
    [*FRAME, "AND", "OR", "NOT", "IN", "(", ")", ",", "=", "<", "<>", "BETWEEN", "LIKE", "IS", "NULL", "'a'",
     "'1970-01-01'", "1", "-1.5", '"p"', "true", "'", '"', "%", "x", " "]
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=50) | st.lists(words, max_size=12).map(" ".join) | st.lists(words, max_size=12).map("".join))
@example("\ud800")
@example("\0")
@example("'" * 1_999)
@example("1" * 2_000)
@example("- 1")
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    frame = pl.DataFrame([{"p": 1.0, "q": 1, "name": "a", "ok": True, "created_at": 0}], schema=FRAME)
    refused = None
    try:
        assert where(text, frame).shape == (1,)
        assert isinstance(parse(text, frame.schema), pl.Expr)
    except ExpressionError as refusal:
        refused = str(refusal)
    assert refused is None or (refused.startswith("where") and "\n" not in refused)
