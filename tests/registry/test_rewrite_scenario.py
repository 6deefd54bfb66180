"""One scenario written anew: what is not its own stays to the letter."""

import tomllib
from typing import Any

import pytest

from zhiyin.errors import ConfigError
from zhiyin.registry.rewrite_scenario import with_scenario

HOME: dict[str, Any] = {
    "explore": 0.2,
    "where": "price < 5",
    "boosts": {"category = 'a'": 2.0},
    "promotions": [{"where": "x", "share": 0.2}],
    "variants": {"b": {"share": 0.1}},
}
TEXT = """\
# the shop
[data]
events = "e.csv"

# how the first page looks
[scenarios.home]
explore = 0.2  # a fifth
# a remark
where = "price < 5"
boosts = { "category = 'a'" = 2.0 }

[[scenarios.home.promotions]]
where = "x"  # as long as stocks last
share = 0.2

# a tenth of the people
[scenarios.home.variants.b]
share = 0.1

# mails
[scenarios.email]
k = 6

[serve]
port = 1
"""


def test_the_same_is_written_to_the_letter() -> None:
    assert with_scenario(TEXT, "home", HOME) == TEXT
    assert with_scenario(TEXT.replace("\n", "\r\n"), "home", HOME) == TEXT.replace("\n", "\r\n")


def test_a_changed_key_keeps_its_place_and_its_remark() -> None:
    assert with_scenario(TEXT, "home", HOME | {"explore": 0.3}) == TEXT.replace("explore = 0.2", "explore = 0.3")


def test_a_key_goes_and_others_come() -> None:
    table = {key: value for key, value in HOME.items() if key != "where"} | {"caps": {"brand": 2}}
    written = with_scenario(TEXT, "home", table)
    assert written == TEXT.replace('where = "price < 5"\n', "").replace("2.0 }\n", "2.0 }\ncaps = { brand = 2 }\n")


def test_promotions_of_sections_are_replaced_by_one_line() -> None:
    promotions = [{"where": "name = 'it''s \"new\"'", "share": 0.5, "until": "2026-12-24"}]
    written = with_scenario(TEXT, "home", HOME | {"promotions": promotions})
    assert tomllib.loads(written)["scenarios"]["home"]["promotions"] == promotions
    assert "as long as stocks last" not in written
    assert "# a tenth of the people\n[scenarios.home.variants.b]" in written


def test_taken_out_it_leaves_the_others_as_they_are() -> None:
    written = with_scenario(TEXT, "home", None)
    assert written == TEXT[: TEXT.index("[scenarios.home]")] + "\n" + TEXT[TEXT.index("# mails") :]


def test_a_new_one_stands_behind_the_other_scenarios() -> None:
    written = with_scenario(TEXT, "a b", {"k": 3})
    assert written == TEXT.replace("[serve]", '[scenarios."a b"]\nk = 3\n\n[serve]')
    assert with_scenario("[data]\nevents = 1\n", "home", {"k": 3}) == "[data]\nevents = 1\n\n[scenarios.home]\nk = 3\n"


def test_a_value_of_several_lines_is_replaced_whole() -> None:
    text = '[scenarios.home]\nseen_types = [\n  "a",\n  "b",\n]\nk = 3\n'
    assert with_scenario(text, "home", {"k": 4}) == "[scenarios.home]\nk = 4\n"


@pytest.mark.parametrize(
    "text", ["scenarios = { home = { k = 3 }, email = { k = 6 } }\n", "[scenarios]\nhome = { k = 3 }\nemail.k = 6\n"]
)
def test_scenarios_in_another_form_are_written_as_sections(text: str) -> None:
    written = with_scenario(text, "home", {"k": 4})
    assert tomllib.loads(written) == {"scenarios": {"home": {"k": 4}, "email": {"k": 6}}}


def test_what_cannot_be_replaced_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[scenarios\]"):
        with_scenario('text = """\n[scenarios.home]\nk = 3\n"""\n', "home", {"k": 4})


def test_what_only_looks_like_a_header_is_none() -> None:
    text = "[scenarios.home]\nseen_types = [\n  [1],\n]\n"
    assert tomllib.loads(with_scenario(text, "email", {"k": 4}))["scenarios"]["home"] == {"seen_types": [[1]]}
