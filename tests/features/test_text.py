import polars as pl
import pytest

from zhiyin.features.text import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red Café mug, 300ml!", ["300ml", "café", "mug", "red"]),
        ("青花瓷茶壶", sorted([*"青花瓷茶壶", "青花", "花瓷", "瓷茶", "茶壶"])),
        ("绿茶 茶壶", sorted([*"绿茶茶壶", "绿茶", "茶壶"])),
        ("茶", ["茶"]),
        ("iPhone手机壳", sorted(["iphone", *"手机壳", "手机", "机壳"])),
        ("Ｔｅａ", ["tea"]),  # full width
        ("हिन्दी में", sorted(["हिन्दी", "में"])),  # signs stay on their letters
        ("tea-cup_blue", ["blue", "cup", "tea"]),
        ("🍵 ☕", []),
        ("", []),
    ],
)
def test_words_of_any_language(text, expected):
    assert sorted(words(pl.Series([text]))["token"]) == expected


def test_a_word_comes_as_often_as_it_occurs_with_the_row_of_its_text():
    found = words(pl.Series([None, "tea Tea", "cup"]))
    assert sorted(found.rows()) == [(1, "tea"), (1, "tea"), (2, "cup")]


def test_a_text_of_any_length_is_read_to_a_bound():
    assert words(pl.Series(["茶" * 1_000_000])).height < 30_000
