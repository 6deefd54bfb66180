"""How deep JSON is nested, seen on the bytes."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zhiyin.serving.depth import is_deeper

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text(alphabet='"\\[]{}\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a"\\[{', max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def depth(value: Any) -> int:
    """The obvious way."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.booleans(), st.integers(0, 2))
@example(["\\"], False, 0)
@example(['\\\\"[[['], True, 0)
@example({'"[': {"\\": ["]}"]}}, False, 2)
def test_it_is_the_depth_of_what_json_reads(value: Any, is_ascii: bool, indent: int) -> None:
    content = json.dumps(value, ensure_ascii=is_ascii, indent=indent or None).encode("utf-8", "surrogatepass")
    found = depth(json.loads(content))
    assert not is_deeper(content, found)
    assert found == 0 or is_deeper(content, found - 1)


@given(VALUES, st.integers(0, 200), st.text(alphabet='[]{}"\\,:a1 ', max_size=20), st.integers(0, 4))
def test_what_is_no_json_is_never_called_shallower_than_its_sound_beginning(
    value: Any, cut: int, rest: str, limit: int
) -> None:
    """A decoder stops at the first fault: however a text goes on, up to there it has gone no deeper than this says."""
    sound = json.dumps(value)[:cut]
    if reached(sound) > limit:
        assert is_deeper((sound + rest).encode(), limit)


def reached(sound: str) -> int:
    """How deep a decoder was, letter by letter."""
    deepest = level = 0
    inside = escaped = False
    for letter in sound:
        if escaped:
            escaped = False
        elif inside:
            escaped, inside = letter == "\\", letter != '"'
        else:
            inside = letter == '"'
            level += (letter in "[{") - (letter in "]}")
            deepest = max(deepest, level)
    return deepest


@pytest.mark.parametrize(
    ("content", "deeper"),
    [
        (b"[" * 33, True),
        (b"[" * 32, False),
        (b'{"a":' * 40, True),
        (b"[]" * 1_000, False),
        (b'["' + b"[" * 1_000 + b'"]', False),
        (b'["\\"' + b"[" * 1_000 + b'"]', False),
        (b'["\\\\"' + b"[" * 1_000, True),
        (b"", False),
        (b"\xff[" * 33, True),
    ],
)
def test_texts_do_not_count_and_lists_that_end_do_not_either(content: bytes, deeper: bool) -> None:
    assert is_deeper(content, 32) is deeper
