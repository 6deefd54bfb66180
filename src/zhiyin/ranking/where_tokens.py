"""The words of a `where` condition, each with its place."""

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from zhiyin.errors import ExpressionError

KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"})
SIGNS = ("<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ",")  # longest first
DIGITS = frozenset("0123456789")
LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Token:
    """One word: its kind is itself for keywords and signs, else name, quoted, number, text or end."""

    kind: str
    value: str | int | float
    written: str
    position: int  # of its first character, from 1

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the condition"
        written = " ".join(self.written.split())
        written = written if len(written) <= 40 else written[:37] + "..."
        return f"{written} at character {self.position}"


def tokens(text: str) -> list[Token]:
    """All words of a condition, in order, with an `end` behind the last.

    Raises
    ------
    ExpressionError
        For a character that begins no word, a quote that is not closed, or a number that is none.
    """
    found = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _token(text, place)
        found.append(token)
        place += len(token.written)
    return [*found, Token("end", "", "", len(text) + 1)]


def _token(text: str, start: int) -> Token:
    first = text[start]
    if first in "'\"":
        return _quotation(text, start)
    if _starts_number(text, start):
        return _number(text, start)
    if first == "_" or first.isalpha():
        word = _while(text, start, _in_name)
        upper = word.upper()
        return Token(upper if upper in KEYWORDS else "name", word, word, start + 1)
    for sign in SIGNS:
        if text.startswith(sign, start):
            return Token(sign, sign, sign, start + 1)
    raise ExpressionError(
        f"where: {first!r} at character {start + 1} begins neither a column, a number, a 'text' nor a comparison: "
        'put a column name with unusual characters in "double quotes"'
    )


def _quotation(text: str, start: int) -> Token:
    quote = text[start]
    end = text.find(quote, start + 1)
    while end >= 0 and text.startswith(quote * 2, end):  # a doubled quote stands for itself
        end = text.find(quote, end + 2)
    if end < 0:
        raise ExpressionError(f"where: the {quote} at character {start + 1} is never closed: add another {quote}")
    written = text[start : end + 1]
    value = written[1:-1].replace(quote * 2, quote)
    if any(unicodedata.category(one) == "Cs" for one in value):
        raise ExpressionError(f"where: the quotation at character {start + 1} holds half a character: send valid UTF-8")
    return Token("text" if quote == "'" else "quoted", value, written, start + 1)


def _starts_number(text: str, start: int) -> bool:
    place = start + (text[start] in "+-")
    place += text.startswith(".", place)
    return place < len(text) and text[place] in DIGITS


def _number(text: str, start: int) -> Token:
    sign = text[start] if text[start] in "+-" else ""
    written = sign + _while(text, start + len(sign), _in_number)
    if written[-1] in "eE" and text[start + len(written) : start + len(written) + 1] in ("+", "-"):
        written += text[start + len(written)]
        written += _while(text, start + len(written), _in_number)
    try:
        value = float(written.replace("_", "?"))  # float() alone would allow 1_000
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ExpressionError(
            f"where: {written[:40]} at character {start + 1} is not a finite number: write it like 49.90 or 1e6"
        )
    whole = all(one in DIGITS for one in written[len(sign) :])
    exact = whole and abs(int(written)) <= LARGEST_INTEGER
    return Token("number", int(written) if exact else value, written, start + 1)


def _in_name(one: str) -> bool:
    return one == "_" or one.isalnum() or unicodedata.category(one).startswith("M")  # marks: Hindi and Thai vowels


def _in_number(one: str) -> bool:
    return one == "." or _in_name(one)


def _while(text: str, start: int, belongs: Callable[[str], bool]) -> str:
    end = start
    while end < len(text) and belongs(text[end]):
        end += 1
    return text[start:end]
