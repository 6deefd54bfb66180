"""Scenarios: what is written, what a request adds, and who belongs to which variant."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import two_tastes
from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.errors import ConfigError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario
from zhiyin.ranking.terms import Terms
from zhiyin.registry.config import Config, parsed

SALE, NEWS = Promotion("price < 3", 0.2), Promotion("category = 'b'", 0.5)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return two_tastes()


@pytest.fixture(scope="module")
def pipeline(data: Dataset) -> Pipeline:
    models = {"item_knn": ItemKNN().fit(data), "popularity": Popularity().fit(data)}
    return Pipeline(models, data.catalog, Popularity().fit(data))


def test_four_scenarios_exist_and_are_overridden_key_by_key():
    assert parsed("").scenarios == Config().scenarios
    known = parsed(
        "[scenarios.home]\nk = 3\n[scenarios.cart]\nexplore = 0.2\n[scenarios.mine]\nkind = 'latest'"
    ).scenarios
    assert known["home"] == Scenario(k=3, explore=0.1)
    assert known["cart"] == Scenario(kind="cart", explore=0.2)
    assert known["similar"] == Scenario(kind="similar")
    assert known["email"] == Scenario()
    assert known["mine"] == Scenario(kind="latest")


def test_everything_that_can_be_written_is_read():
    (scenario,) = [parsed(
        """
        [scenarios.shelf]
        kind = "personal"
        retrievers = ["ease"]
        k = 7
        where = "price < 9"
        seen = "drop"
        seen_types = ["purchase"]
        seen_days = 30
        boosts = { "category = 'mugs'" = 1.5, "margin < 0.1" = 0.5 }
        promotions = [{ where = "new", share = 0.2, since = "2026-01-01", until = "2027-01-01" }]
        caps = { brand = 2 }
        explore = 0.3
        personal = true
        [scenarios.shelf.variants.b]
        share = 0.1
        k = 8
        personal = false
        """
    ).scenarios["shelf"]]  # fmt: skip
    assert vars(scenario.terms()) == vars(Terms(
        where=("price < 9",), boosts=(("category = 'mugs'", 1.5), ("margin < 0.1", 0.5)),
        promotions=(Promotion("new", 0.2, "2026-01-01", "2027-01-01"),), caps=(("brand", 2),), seen="drop",
        seen_types=("purchase",), seen_days=30.0, retrievers=("ease",), explore=0.3,
    ))  # fmt: skip
    varied = scenario.varied["b"]
    assert (varied.k, varied.personal, varied.caps, varied.variants) == (8, False, {"brand": 2}, {})
    assert fields.from_table(Scenario, fields.to_table(scenario), "again") == scenario


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[scenarios.home]\ncap = 1", r"scenarios\.home\.cap is not known: did you mean 'caps'\?"),
        ("[scenarios.home]\nkind = 'personl'", r"scenarios\.home\.kind must be one of"),
        ("[scenarios.hot]\nkind = 'trending'\nretrievers = ['ease']", r"scenarios\.hot\.retrievers are not for kind"),
        ("[scenarios.home]\nk = 0", r"scenarios\.home\.k must be from 1 to 10,000, got 0"),
        ("[scenarios.home]\nexplore = 0.6", r"scenarios\.home\.explore must be from 0 to 0\.5, got 0\.6"),
        ("[scenarios.home]\nseen_days = 0", r"scenarios\.home\.seen_days must be above 0"),
        ("[scenarios.home]\nboosts = { x = 0 }", r"scenarios\.home\.boosts: the factor of 'x' must be"),
        ("[scenarios.home]\ncaps = { brand = 0 }", r"scenarios\.home\.caps\.brand must be at least 1, got 0"),
        ("[scenarios.home]\npromotions = [{ share = 1 }]", r"scenarios\.home\.promotions\[0\]\.where is missing"),
        ("[scenarios.home]\npromotions = [{ where = 'x', share = 2 }]", r"promotions\[0\]\.share must be above 0"),
        ("[scenarios.home.variants.b]\nk = 3", r"scenarios\.home\.variants\.b\.share must be above 0"),
        ("[scenarios.home.variants.b]\nshare = true", r"variants\.b\.share must be"),
        ("[scenarios.home.variants.b]\nshare = 0.1\nkk = 3", r"scenarios\.home\.variants\.b\.kk is not known"),
        ("[scenarios.home.variants.b]\nshare = 0.1\nk = 0", r"scenarios\.home\.variants\.b\.k must be from 1"),
        ("[scenarios.home.variants.b]\nshare = 0.1\nvariants = {}", r"variants\.b\.variants is not allowed"),
        ("[scenarios.home.variants]\nb = { share = 0.6 }\nc = { share = 0.6 }", "shares of 1.2 together"),
        ("[scenarios.home]\npersonal = false\nvariants = { b = { share = 0.5 } }", r"home\.variants need the person"),
        ("[scenarios]\nhome = 3", r"scenarios\.home must be a table"),
        ("scenarios = 3", "scenarios must be a table"),
        ("[scenarios.home.caps]\n" + "\n".join(f"c{i} = 1" for i in range(9)), "caps has 9 entries: at most 8"),
        ("[scenarios.home.variants]\n" + "\n".join(f"v{i} = {{ share = 0.01 }}" for i in range(17)), "at most 16"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_key(toml: str, says: str):
    with pytest.raises(ConfigError, match=says):
        parsed(toml)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"where": "prise < 3"}, r"scenarios\.x\.where: column prise at character 1 is not known: did you"),
        ({"where": "x" * 2_001}, r"scenarios\.x\.where has 2,001 characters"),
        ({"boosts": {"price <": 2.0}}, r"scenarios\.x\.boosts: expected"),
        ({"promotions": [{"where": "shop", "share": 0.1}]}, r"scenarios\.x\.promotions\[0\]\.where: column shop"),
        ({"caps": {"catgory": 2}}, r"scenarios\.x\.caps: the item column 'catgory' is not known: did"),
        ({"retrievers": ["ease"]}, r"scenarios\.x\.retrievers: 'ease' is not known: known here: item_knn, popularity"),
        ({"variants": {"b": {"share": 0.1, "where": "no"}}}, r"scenarios\.x\.variants\.b\.where: column no"),
    ],
)  # fmt: skip
def test_what_the_release_does_not_have_is_refused_with_its_key(pipeline: Pipeline, table: dict[str, Any], says: str):
    scenario = fields.from_table(Scenario, table, "scenarios.x")
    scenario.check("scenarios.x")
    with pytest.raises(ConfigError, match=says):
        scenario.fit("scenarios.x", pipeline)


def test_what_fits_is_accepted(pipeline: Pipeline):
    scenario = Scenario(
        where="price < 3",
        boosts={"category = 'a'": 2.0},
        promotions=(SALE,),
        caps={"category": 2},
        retrievers=("item_knn",),
        variants={"b": {"share": 1, "where": "price > 1"}},
    )
    scenario.fit("x", pipeline)


def test_a_request_narrows():
    shop = Scenario(where="price < 9", boosts={"a": 2.0}, caps={"brand": 2, "category": 3}, personal=False, explore=0.1)
    own = Terms(
        ("category = 'b'",), None, (("b", 3.0),), (), (("brand", 1), ("category", 5), ("colour", 1)), seeds=(4,)
    )
    asked = shop.terms(own)
    assert asked.where == ("price < 9", "category = 'b'")
    assert asked.boosts == (("a", 2.0), ("b", 3.0))
    assert dict(asked.caps) == {"brand": 1, "category": 3, "colour": 1}
    assert not asked.personal
    assert (asked.explore, asked.seeds) == (0.1, (4,))
    assert not Scenario().terms(Terms(personal=False)).personal


def test_a_request_overrides_promotions_and_seen_items():
    shop = Scenario(promotions=(SALE,), seen="drop", seen_types=("buy",), seen_days=3.0, retrievers=("a",))
    assert shop.terms().promotions == (SALE,)
    assert shop.terms(Terms(promotions=(NEWS,))).promotions == (NEWS,)
    assert shop.terms(Terms(), promotions=True).promotions == ()
    asked = shop.terms(Terms(seen="keep", seen_days=9.0))
    assert (asked.seen, asked.seen_types, asked.seen_days, asked.retrievers) == ("keep", ("buy",), 9.0, ("a",))
    assert shop.terms(Terms(retrievers=("b",), seen_types=())).seen_types == ()


@given(st.floats(0.05, 0.45), st.floats(0.05, 0.45), st.text(max_size=8))
@settings(deadline=None, max_examples=25)
def test_each_variant_has_its_share_of_the_people(one: float, two: float, salt: str):
    scenario = Scenario(variants={"b": {"share": one}, "c": {"share": two}})
    people = 4_000
    found = [scenario.variant_of(f"user {i}", salt) for i in range(people)]
    for name, share in (("b", one), ("c", two), (None, 1 - one - two)):
        assert abs(found.count(name) / people - share) < 5 * (share * (1 - share) / people) ** 0.5


def test_a_person_stays_in_a_variant_and_scenarios_choose_apart():
    half = Scenario(variants={"b": {"share": 0.5}})
    people = [f"user {i}" for i in range(1_000)]
    home = [half.variant_of(one, "home") for one in people]
    assert home == [half.variant_of(one, "home") for one in people]
    grown = Scenario(variants={"b": {"share": 0.6}})
    assert all(grown.variant_of(one, "home") == "b" for one, now in zip(people, home, strict=True) if now == "b")
    both = sum(here == there == "b" for here, there in zip(home, (half.variant_of(one, "email") for one in people),
                                                           strict=True))  # fmt: skip
    assert 180 < both < 320
    assert half.variant_of(None, "home") is None
    assert Scenario().variant_of("ann", "home") is None
    assert Scenario(variants={"b": {"share": 1}}).variant_of("ann \ud800", "home") == "b"
