"""How often a caller may ask: never more than the law, never less."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyin.errors import ConfigError
from zhiyin.registry.rate import Rate
from zhiyin.serving.rates import Rates


def granted_slowly(times: list[Fraction], rate: Rate, burst: int) -> list[bool]:
    """The law itself: in no stretch of time are more granted than `burst` and what came back within it."""
    past: list[Fraction] = []
    answers = []
    for now in times:
        allowed = all(
            len(past) - i + 1 <= burst + (now - since) * Fraction(rate.amount, rate.seconds)
            for i, since in enumerate(past)
        )
        answers.append(allowed)
        if allowed:
            past.append(now)
    return answers


@given(
    st.lists(st.integers(0, 64), max_size=60),
    st.sampled_from([Rate(1), Rate(2), Rate(4), Rate(16)]),
    st.integers(1, 8),
)
def test_a_bucket_is_the_law(pauses: list[int], rate: Rate, burst: int) -> None:
    times, now = [], Fraction(0)
    for pause in pauses:
        now += Fraction(pause, 32)  # halves of halves: exact in floating point, so that both sides see the same time
        times.append(now)
    rates = Rates()
    found = [rates.take("ann", rate, burst, float(time)) for time in times]
    assert [one.granted for one in found] == granted_slowly(times, rate, burst)
    assert all(0 <= one.left < burst for one in found)


def test_who_waits_as_long_as_told_is_granted() -> None:
    rates, rate = Rates(), Rate(2)
    assert [rates.take("ann", rate, 3, 0.0).granted for _ in range(4)] == [True, True, True, False]
    refused = rates.take("ann", rate, 3, 0.0)
    assert refused.wait_s == 0.5
    assert not rates.take("ann", rate, 3, 0.49).granted
    assert rates.take("ann", rate, 3, 0.5).granted


def test_the_headers_say_what_is_left() -> None:
    rates, rate = Rates(), Rate(30, 60)
    assert rates.take("ann", rate, 3, 0.0).headers() == {
        "RateLimit-Policy": '"key";q=3;w=6', "RateLimit": '"key";r=2;t=0',
    }  # fmt: skip
    for _ in range(2):
        rates.take("ann", rate, 3, 0.0)
    assert rates.take("ann", rate, 3, 0.0).headers() == {
        "RateLimit-Policy": '"key";q=3;w=6', "RateLimit": '"key";r=0;t=2', "Retry-After": "2",
    }  # fmt: skip


def test_callers_do_not_share_a_bucket_and_a_token_can_be_given_back() -> None:
    rates, rate = Rates(), Rate(1)
    assert rates.take("ann", rate, 1, 0.0).granted
    assert rates.take("bob", rate, 1, 0.0).granted
    rates.give_back("ann", rate, 1, 0.0)
    assert rates.take("ann", rate, 1, 0.0).granted
    rates.give_back("ann", rate, 1, 100.0)
    assert [rates.take("ann", rate, 1, 100.0).granted for _ in range(2)] == [True, False]


def test_the_table_is_bounded_and_forgets_who_asked_longest_ago() -> None:
    rates, rate = Rates(most=2), Rate(1)
    for who in ("ann", "bob", "ann", "cat"):
        rates.take(who, rate, 1, 0.0)
    assert not rates.take("ann", rate, 1, 0.0).granted
    assert rates.take("bob", rate, 1, 0.0).granted


def test_time_that_goes_back_gives_nothing() -> None:
    rates = Rates()
    assert rates.take("ann", Rate(1), 1, 10.0).granted
    assert not rates.take("ann", Rate(1), 1, 0.0).granted
    assert rates.take("ann", Rate(1), 1, 1.0).granted


@pytest.mark.parametrize(
    ("text", "rate"), [("100/s", Rate(100)), (" 600/min ", Rate(600, 60)), ("1/h", Rate(1, 3_600))]
)
def test_a_rate_is_read(text: str, rate: Rate) -> None:
    assert Rate.read(text, "access.rate") == rate


@pytest.mark.parametrize("text", ["", "100", "0/s", "-1/s", "1.5/s", "100/day", "1/s\nx", "9" * 40 + "/s", "１/s/"])
def test_what_is_no_rate_is_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"access\.rate must be a number and /s, /min or /h"):
        Rate.read(text, "access.rate")
