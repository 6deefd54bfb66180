"""Only the sections that are named change; whatever somebody wrote around them stays, to the letter."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.errors import ConfigError
from zhiyin.registry.rewrite import with_sections

HAND = """# my shop
[data]
events = "events.csv"   # from the till

# what we learn with
[models.ease]
l2 = 3  # too little?

[models.knn]
type = "ItemKNN"

# how it is measured
[split]
test = "14d"

[recipe]
k = 5
"""


def test_the_rest_stays_as_it_was():
    found = with_sections(HAND, {"models": {"ease": {"l2": 300.0}}, "recipe": {"k": 5, "retrievers": ("ease",)}})
    assert (
        found
        == """# my shop
[data]
events = "events.csv"   # from the till

# what we learn with

[models.ease]
l2 = 300.0

[recipe]
k = 5
retrievers = ["ease"]

# how it is measured
[split]
test = "14d"
"""
    )


def test_what_is_not_there_is_added_at_the_end():
    found = with_sections('[data]\nevents = "e.csv"\n', {"models": {"a b": {"type": "EASE", "on": True}}})
    assert found == '[data]\nevents = "e.csv"\n\n[models."a b"]\ntype = "EASE"\non = true\n'


def test_keys_on_top_and_windows_lines_are_understood():
    text = 'models = { ease = { l2 = 1 } }\r\nrecipe.k = 3\r\n[data]\r\nevents = "e.csv"\r\n'
    found = with_sections(text, {"models": {"ease": {"l2": 2.5}}, "recipe": {"k": 4}})
    assert found == '[data]\r\nevents = "e.csv"\r\n\r\n[models.ease]\r\nl2 = 2.5\r\n\r\n[recipe]\r\nk = 4\r\n'


def test_text_that_looks_like_a_section_is_not_torn():
    text = 'models.x = """\n[data]\n"""\n'
    with pytest.raises(ConfigError, match=r"zhiyin.toml says \[models\] in a way that cannot be replaced: write each"):
        with_sections(text, {"models": {}})
    query = '[data]\nevents = { url = "sqlite:///s.db", query = """\nselect 1\n[models]\n""" }\n'
    with pytest.raises(ConfigError, match="cannot be replaced"):
        with_sections(query, {"models": {"ease": {}}})


scalars = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)
)
tables = st.dictionaries(st.text(max_size=6), st.dictionaries(st.text(max_size=6), scalars, max_size=3), max_size=3)


@given(tables)
@settings(deadline=None, max_examples=50)
def test_whatever_is_written_is_read_again(models):
    found = tomllib.loads(with_sections(HAND, {"models": models}))
    assert found == {**tomllib.loads(HAND), "models": models}
