"""The two languages say the same things, and nothing is said that nobody asks for."""

import re
import string
from pathlib import Path

import pytest

import zhiyin.serving.dashboard
from zhiyin.serving.dashboard.page import Page
from zhiyin.serving.dashboard.pages.known import PLACES
from zhiyin.serving.dashboard.words import LANGUAGES, Said, words

PACKAGE = Path(zhiyin.serving.dashboard.__file__).parent
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in [*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.py")])
EN, ZH = words("en").texts, words("zh").texts
ASKED = set(re.findall(r"""\bt\(\s*"([a-z_]+\.[a-z0-9_]+)"|Said\.of\(\s*"([a-z_]+\.[a-z0-9_]+)""", SOURCES))
PREFIXES = set(re.findall(r"""\bt\("([a-z_]+\.)" ~ """, SOURCES))


def fields(text: object) -> set[str]:
    texts = text.values() if isinstance(text, dict) else [text]
    return {name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name}


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    assert EN.keys() == ZH.keys()
    differing = {key for key in EN if fields(EN[key]) != fields(ZH[key])}
    assert not differing


def test_every_text_that_is_asked_for_exists() -> None:
    asked = {one or other for one, other in ASKED}
    assert len(asked) > 30
    titles = {place.title for place in PLACES if isinstance(place, Page)}
    assert not (asked | titles) - EN.keys()


def test_no_text_is_there_for_nobody() -> None:
    used = {key for key in EN if f'"{key}"' in SOURCES or key.startswith(tuple(PREFIXES))}
    assert not EN.keys() - used


def test_no_template_speaks_a_language_of_its_own() -> None:
    for path in PACKAGE.rglob("*.html"):
        text = re.sub(
            r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>|<pre.*?</pre>", "", path.read_text(encoding="utf-8")
        )
        spoken = re.sub(r"&\w+;|[\s·–●▲■()]+", "", text)
        assert spoken in ("", "-->"), (path.name, spoken)


@pytest.mark.parametrize(("count", "said"), [(1, "1 hour:"), (1_234, "1,234 hours:")])
def test_a_count_decides_between_one_and_many(count: int, said: str) -> None:
    assert said in words("en").say(Said.of("attention.quiet", count=count))


def test_a_sentence_may_be_a_value_of_another() -> None:
    inner = Said.of("overview.title")
    assert words("zh").say(Said.of("attention.store", problem=inner)) == "存储出现问题：总览"


def test_all_languages_are_there() -> None:
    assert [words(language).language for language in LANGUAGES] == ["en", "zh"]
