"""Request bodies: bounded, JSON, of the right shape, or a sentence that says what is wrong and where."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.fields import unknown
from zhiyin.serving.depth import DEEP, SCOPE, is_deeper
from zhiyin.serving.headers import header

T = TypeVar("T")

WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
PLACE = re.compile(r" - at `\$(.*)`$")
EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
BOUND = re.compile(r"Expected `(\w+)` (of length )?(<=|>=) (\S+)")
FIELD = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")


async def body(request: Request, limit: int) -> bytes:
    """The body, read no further than `limit` bytes.

    Raises
    ------
    RequestError
        413 if it is longer, 415 if it is not declared as JSON, 400 if it is nested too deeply.
    """
    scope = request.scope
    declared = header(scope, b"content-length")
    if declared.isdecimal() and int(declared) > limit:
        raise too_long(limit)
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(415, f"the body must be sent as Content-Type: application/json, got {kind[:80] or 'none'}")
    coding = header(scope, b"content-encoding", "identity")
    if coding.strip().lower() != "identity":
        raise RequestError(415, f"the body must be sent without Content-Encoding, got {coding[:80]}")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_long(limit)
        chunks.append(chunk)
    content = b"".join(chunks).removeprefix(b"\xef\xbb\xbf")
    deepest = scope.get(SCOPE, DEEP)
    if is_deeper(content, deepest):
        raise RequestError(400, f"the body is nested deeper than {deepest} levels: send flatter JSON")
    return content


def too_long(limit: int) -> RequestError:
    """The refusal of a body over the limit."""
    return RequestError(413, f"the body is longer than {limit:,} bytes: send it in several parts")


def decoded(content: bytes, decoder: msgspec.json.Decoder[T], known: Sequence[str], place: str = "") -> T:
    """The content as the decoder's type.

    Parameters
    ----------
    known
        The names of all fields, to suggest one where a name is not known.
    place
        Where the content stands in the body: "events[3]"; empty for all of it.

    Raises
    ------
    RequestError
        400 for what is not JSON, 422 for JSON of another shape.
    """
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        message, where = sentence(str(error), known, place)
        raise RequestError(422, message, where) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, not_json(content, error)) from None


def one_or_many(
    content: bytes, one: msgspec.json.Decoder[T], several: msgspec.json.Decoder[list[T]], known: Sequence[str]
) -> tuple[list[T], str]:
    """The rows of a body that is one object or a list of them, and how the place of a row begins.

    Raises
    ------
    RequestError
        400 for what is not JSON, 422 for JSON of another shape.
    """
    if content.lstrip()[:1] == b"[":
        return decoded(content, several, known), "[{}]."
    return [decoded(content, one, known)], ""


def not_json(content: bytes, error: Exception) -> str:
    """The sentence for a body that is not JSON, with the position."""
    if isinstance(error, RecursionError):
        return "the body is nested too deeply: send flat JSON"
    if not content.strip():
        return "the body is empty: send JSON"
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        return f"the body is not valid JSON: not UTF-8 at byte {wrong.start}"
    reason = str(error).removeprefix("JSON is malformed: ")
    if reason == "Input data was truncated":
        reason = f"it ends too early (byte {len(content)})"
    return f"the body is not valid JSON: {reason}"


def sentence(reason: str, known: Sequence[str], place: str = "") -> tuple[str, str]:
    """What msgspec says, as a sentence of ours, and the place that it is about."""
    found = PLACE.search(reason)
    where = (place + (found.group(1) if found else "")).lstrip(".")
    reason = PLACE.sub("", reason)
    subject = where or "the body"
    if match := FIELD.match(reason):
        missing, name = match.group(1).startswith("missing"), match.group(2)
        where = f"{where}.{name}".lstrip(".")
        return (f"{where} is missing: add it" if missing else unknown(where[:200], name, known)), where[:200]
    if match := EXPECTED.match(reason):
        wanted = [WORDS.get(word, word) for word in match.group(1).split(" | ") if word != "null"]
        return f"{subject} must be {' or '.join(wanted)}, got {WORDS.get(match.group(2), match.group(2))}", where
    if match := BOUND.match(reason):
        kind, length, sign, bound = match.groups()
        side = "at most" if sign == "<=" else "at least"
        amount = f"{int(bound):,}" if bound.lstrip("-").isdecimal() else bound
        if length and (sign, bound) == (">=", "1"):
            return f"{subject} must not be empty", where
        if length:
            return f"{subject} must have {side} {amount} {'characters' if kind == 'str' else 'entries'}", where
        return f"{subject} must be {side} {amount}", where
    return f"{subject} is not allowed: {reason}", where


def text_of(id_: str | int, where: str) -> str:
    """An id as text, without blanks around it.

    Raises
    ------
    RequestError
        422 if nothing is left, or it holds the character NUL, which no store keeps.
    """
    text = str(id_).strip()
    if not text or "\0" in text:
        raise RequestError(
            422, f"{where} must not be {'empty' if not text else 'a text with the character NUL'}", where
        )
    return text


def names(*classes: Any) -> list[str]:
    """The fields of these classes."""
    return [field for cls in classes for field in cls.__struct_fields__]
