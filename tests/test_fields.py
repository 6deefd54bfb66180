"""Tables and dataclasses: what is allowed comes back the same, what is not is named with what is near."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyin.errors import ConfigError
from zhiyin.fields import from_table, to_table, unfitted


@dataclass
class Inner:
    name: str = "x"


@dataclass
class Settings:
    count: int = 1
    share: float = 0.5
    on: bool = True
    mode: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    numbers: list[int] = field(default_factory=list)
    table: Mapping[str, float] = field(default_factory=dict)
    either: str | int | None = None
    inner: Inner = field(default_factory=Inner)
    anything: dict[str, Any] = field(default_factory=dict)
    learnt_: int = field(default=0, init=False)


@dataclass
class Needy:
    must: int


@given(st.integers(), st.floats(allow_nan=False), st.lists(st.text()), st.one_of(st.none(), st.text(), st.integers()))
def test_settings_survive_being_a_table(count: int, share: float, names: list[str], either: str | int | None) -> None:
    given_ = Settings(count, share, names=tuple(names), either=either, inner=Inner("y"), table={"k": 1.5})
    assert from_table(Settings, to_table(given_), "s") == given_


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"cuont": 1}, r"s\.cuont is not known: did you mean 'count'\?"),
        ({"zzzzzz": 1}, "known here: anything, count, either"),
        ({"count": "1"}, r"s\.count must be a whole number, got '1'"),
        ({"count": True}, "must be a whole number, got True"),
        ({"share": "x"}, "must be a number"),
        ({"on": 1}, "must be true or false"),
        ({"mode": "c"}, "must be one of 'a', 'b', got 'c'"),
        ({"names": "abc"}, "must be a list, got 'abc'"),
        ({"names": [1]}, r"s\.names\[0\] must be a text, got 1"),
        ({"table": {"k": "v"}}, r"s\.table\.k must be a number"),
        ({"either": 1.5}, r"s\.either must be"),
        ({"inner": {"nam": 1}}, r"s\.inner\.nam is not known: did you mean 'name'"),
        ({"inner": 1}, r"s\.inner must be a table"),
        ({"learnt_": 1}, r"s\.learnt_ is not known"),
    ],
)
def test_what_does_not_belong_is_refused_in_one_sentence(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        from_table(Settings, table, "s")
    assert "\n" not in str(caught.value)


def test_whole_numbers_are_numbers_and_lists_become_what_is_declared() -> None:
    found = from_table(Settings, {"share": 1, "names": ["a"], "numbers": [1], "anything": {"x": [1]}}, "")
    assert (found.share, found.names, found.numbers, found.anything) == (1.0, ("a",), [1], {"x": [1]})
    assert isinstance(found.share, float)


def test_a_required_key_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"needy\.must is missing"):
        from_table(Needy, {}, "needy")


def test_an_unfitted_copy_keeps_settings_and_forgets_what_was_learnt() -> None:
    model = Settings(count=7)
    model.learnt_ = 9
    assert unfitted(model) == Settings(count=7)
    assert unfitted(model).learnt_ == 0
