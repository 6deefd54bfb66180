"""What a shop asks for over HTTP: scenarios, carts, lists for everybody, and many people at once."""

from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from worlds import DAY, two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.errors import ConfigError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.config import parsed
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.serving.live import Live, Served

PATH = "/v1/recommendations"
TOML = """
[scenarios.home]
caps = { category = 3 }
[scenarios.home.variants.dear]
share = 0.5
where = "price >= 2"
k = 4
[scenarios.cheap]
where = "price < 3"
k = 3
promotions = [{ where = "price < 1", share = 0.5 }]
[scenarios.hot]
kind = "trending"
[scenarios.shelf]
retrievers = ["popularity"]
explore = 0.5
[scenarios.anybody]
personal = false
[scenarios.similar]
caps = { price = 1 }
k = 2
"""


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in answer.json()["items"]]


def refused(answer: Any, status: int) -> tuple[str, str]:
    """The sentence of a refusal, and what it is about."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["message"], error.get("where", "")


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    return parsed(TOML).scenarios


@pytest.fixture
def shop(opens: Any, scenarios: dict[str, Scenario]) -> TestClient:
    return opens(scenarios=scenarios)


@pytest.fixture
def growing(opens: Any, scenarios: dict[str, Scenario]) -> TestClient:
    """The same shop with three items that nobody has touched."""
    data = two_tastes()
    more = pl.DataFrame({"item_id": [f"z-{i}" for i in range(3)], "category": "z", "created_at": DAY})
    table = data.catalog.frame.drop("available").with_columns(created_at=pl.lit(0, pl.Int64))
    items = replace(data.items, texts=pl.concat([data.items.texts, more["item_id"].rename(data.items.texts.name)]))
    log = replace(data.interactions, n_items=len(items))
    catalog = Catalog.of(items, pl.concat([table, more.cast({"created_at": pl.Int64})], how="diagonal"))
    data = replace(data, items=items, interactions=log, catalog=catalog)
    models = {"item_knn": ItemKNN().fit(data), "popularity": Popularity().fit(data)}
    release = Release.of(Pipeline(models, data.catalog, Popularity().fit(data)), data, {"k": 5})
    return opens(live=Live(Served.of(release, {})), scenarios=scenarios)


def test_a_scenario_shapes_the_list_and_the_answer_names_it(shop: TestClient) -> None:
    answer = shop.post(PATH, json={"user_id": "a000", "scenario": "cheap"})
    assert (answer.json()["scenario"], answer.json()["variant"]) == ("cheap", None)
    assert len(ids(answer)) == 3
    assert ids(answer)[0].endswith("-00")  # promoted
    assert {one[-2:] for one in ids(answer)} <= {"00", "01", "02"}
    assert ids(shop.get("/v1/users/a000/recommendations?scenario=cheap")) == ids(answer)
    assert len(ids(shop.post(PATH, json={"user_id": "a000", "scenario": "cheap", "k": 1}))) == 1


def test_half_of_the_people_see_the_variant_and_keep_it(shop: TestClient) -> None:
    people = [f"somebody {i}" for i in range(300)]
    batch = shop.post(f"{PATH}/batch", json={"user_ids": people}).json()
    assert batch["scenario"] == "home"
    variants = Counter(one["variant"] for one in batch["answers"])
    assert set(variants) == {None, "dear"}
    assert 110 < variants["dear"] < 190
    for one in batch["answers"][:6]:
        alone = shop.get(f"/v1/users/{one['user_id']}/recommendations").json()
        assert (alone["variant"], alone["items"]) == (one["variant"], one["items"])
        dear = one["variant"] == "dear"
        assert len(one["items"]) == (4 if dear else 5)
        assert not dear or all(item["item_id"][-2:] >= "02" for item in one["items"])
    without = shop.post(PATH, json={"user_id": batch["answers"][0]["user_id"], "personal": False}).json()
    assert without["variant"] is None


def test_a_batch_answers_everybody_in_order_as_alone(shop: TestClient) -> None:
    people = ["b001", "nobody", "a000", "b001"]
    told = [{"user_id": "nobody", "item_id": "a-03", "event_type": f"kind {i}"} for i in range(3)]
    assert shop.post("/v1/events", json=told).status_code == 202
    asked = {"scenario": "email", "k": 4, "where": "price < 5", "caps": {"category": 3}}
    batch = shop.post(f"{PATH}/batch", json={"user_ids": people, **asked}).json()
    assert [one["user_id"] for one in batch["answers"]] == people
    for one in batch["answers"]:
        alone = shop.post(PATH, json={"user_id": one["user_id"], **asked}).json()
        assert (one["items"], one["fallback"]) == (alone["items"], alone["fallback"])
    assert shop.post(f"{PATH}/batch", json={"user_ids": []}).json()["answers"] == []


@pytest.mark.parametrize(
    ("body", "says", "where"),
    [
        ({"user_ids": ["a"] * 1_001}, "at most 1,000 entries", "user_ids"),
        ({"user_ids": ["a"] * 11, "k": 10_000}, "at most 100,000 items", ""),
        ({"user_ids": [" "]}, "user_ids[0] must not be empty", "user_ids[0]"),
        ({"user_ids": ["a"], "scenario": "similar"}, "starts from items: ask for one person at a time", ""),
        ({"user_ids": ["a"], "scenario": "nowhere"}, "scenario 'nowhere' is not known", "scenario"),
        ({"user_ids": ["a"], "history": []}, "history is not known", "history"),
        ({"user_ids": ["a"], "where": "prise < 3"}, "did you mean 'price'?", "where"),
    ],
)
def test_a_batch_that_cannot_be_is_a_sentence(shop: TestClient, body: dict[str, Any], says: str, where: str) -> None:
    message, about = refused(shop.post(f"{PATH}/batch", json=body), 422)
    assert says in message
    assert about == where


def test_a_request_adds_its_own_terms(shop: TestClient) -> None:
    plain = {"user_id": "a000", "scenario": "email", "k": 6}
    assert ids(shop.post(PATH, json=plain))[0].startswith("a-")
    boosted = shop.post(PATH, json={**plain, "boosts": {"category = 'b'": 100}})
    assert ids(boosted)[0].startswith("b-")
    capped = Counter(one[0] for one in ids(shop.post(PATH, json={**plain, "caps": {"category": 3}})))
    assert capped == {"a": 2, "b": 3} or capped["a"] == capped["b"] == 3
    promoted = ids(shop.post(PATH, json={**plain, "promotions": [{"where": "item_id = 'b-05'", "share": 0.1}]}))
    assert promoted[0] == "b-05"
    over = {"where": "item_id = 'b-05'", "share": 0.1, "until": "2020-01-01"}
    assert ids(shop.post(PATH, json={**plain, "promotions": [over]})) == ids(shop.post(PATH, json=plain))
    assert ids(shop.post(PATH, json={**plain, "promotions": [over], "now": "2019-06-01"}))[0] == "b-05"
    cheap, without = {"user_id": "b001", "scenario": "cheap"}, {"user_id": "b001", "scenario": "email", "k": 3}
    natural = ids(shop.post(PATH, json={**without, "where": "price < 3"}))
    assert ids(shop.post(PATH, json={**cheap, "promotions": []})) == natural != ids(shop.post(PATH, json=cheap))


def test_what_was_seen_may_come_again_as_the_request_says(shop: TestClient) -> None:
    told = {"user_id": "new", "item_id": "b-01", "event_type": "purchase", "timestamp": "2026-01-01"}
    assert shop.post("/v1/events", json=told).status_code == 202
    ask = {"user_id": "new", "scenario": "email", "k": 12, "now": "2026-01-11"}
    assert "b-01" not in ids(shop.post(PATH, json=ask))
    assert "b-01" in ids(shop.post(PATH, json={**ask, "seen": "keep"}))
    assert "b-01" in ids(shop.post(PATH, json={**ask, "seen_days": 9}))
    assert "b-01" not in ids(shop.post(PATH, json={**ask, "seen_days": 11}))


def test_without_personalisation_everybody_gets_the_same_and_is_told(shop: TestClient) -> None:
    answers = [shop.post(PATH, json={"user_id": one, "scenario": "anybody", "k": 12}).json()
               for one in ("a000", "b001", "nobody")]  # fmt: skip
    asked = shop.post(PATH, json={"user_id": "a000", "scenario": "email", "k": 12, "personal": False}).json()
    assert all(one["items"] == asked["items"] for one in answers)
    assert all(one["fallback"] for one in [*answers, asked])
    assert len(asked["items"]) == 12
    personal = shop.post(PATH, json={"user_id": "a000", "scenario": "anybody", "k": 12, "personal": True}).json()
    assert personal["items"] == asked["items"]  # a request cannot make it personal


def test_a_session_is_a_stranger_for_now(shop: TestClient) -> None:
    answer = shop.post(PATH, json={"session_id": "s1", "scenario": "email"}).json()
    assert answer["fallback"]
    assert answer["user_id"] is None
    assert len(answer["items"]) == 5


def test_new_items_are_explored_with_their_probability(growing: TestClient) -> None:
    ask = {"user_id": "a000", "scenario": "shelf", "k": 4}
    seen = Counter()
    for number in range(30):
        items = growing.post(PATH, json=ask, headers={"x-request-id": f"r{number}"}).json()["items"]
        assert [item["origin"] for item in items] == ["popularity", "explore", "popularity", "explore"]
        assert all(item["probability"] == 1 for item in items[::2])
        assert items[1]["item_id"] != items[3]["item_id"]
        seen[items[1]["item_id"]] += 1
        assert 0 < items[1]["probability"] < 1
    assert len(seen) == 2  # the seed is another for each request
    home = growing.post(PATH, json={"history": ["a-00"], "k": 10, "caps": {"category": 10}}).json()["items"]
    assert home[-1]["origin"] == "explore"  # behind the three of each category that the scenario allows


def test_lists_that_start_from_items(shop: TestClient) -> None:
    one = ids(shop.get("/v1/items/a-00/similar"))
    assert len(one) == 2  # as the scenario says
    assert ids(shop.post(PATH, json={"scenario": "similar", "items": ["a-00"]})) == one
    several = shop.post(PATH, json={"scenario": "similar", "items": ["a-00", "a-01"], "k": 12})
    assert not {"a-00", "a-01"} & set(ids(several))
    assert len({one[-2:] for one in ids(several)}) == len(ids(several))  # no price twice
    assert (several.json()["fallback"], several.json()["scenario"]) == (False, "similar")
    cart = shop.post("/v1/cart/recommendations", json={"items": ["a-00", "b-00", "gone"], "k": 4})
    assert cart.json()["scenario"] == "cart"
    assert not {"a-00", "b-00"} & set(ids(cart))
    assert len(ids(cart)) == 4
    mine = shop.post("/v1/cart/recommendations", json={"items": ["a-00"], "user_id": "a000", "k": 12})
    seen = shop.post("/v1/cart/recommendations", json={"items": ["a-00"], "user_id": "a000", "k": 12, "seen": "keep"})
    assert len(ids(mine)) < len(ids(seen))


def test_lists_for_everybody(shop: TestClient) -> None:
    for name in ("popular", "trending", "latest"):
        answer = shop.get(f"/v1/items/{name}", params={"k": 4, "where": "category = 'b'"})
        assert len(ids(answer)) == 4
        assert all(one.startswith("b-") for one in ids(answer))
        assert answer.json()["source"] == name
        assert len(ids(shop.get(f"/v1/items/{name}"))) == 5
        assert "from 1 to 10,000" in refused(shop.get(f"/v1/items/{name}?k=0"), 422)[0]
    hot = shop.post(PATH, json={"user_id": "nobody", "scenario": "hot"})
    assert ids(hot) == ids(shop.get("/v1/items/trending"))
    assert (hot.json()["source"], hot.json()["fallback"]) == ("trending", False)
    assert ids(shop.post(PATH, json={"scenario": "hot"})) == ids(hot)


def test_similar_people_are_told_only_where_the_shop_allows_it(opens: Any, shop: TestClient) -> None:
    assert "serve.similar_users" in refused(shop.get("/v1/users/a000/similar"), 403)[0]
    allowing = opens(similar_users=True, store_name="other")
    people = allowing.get("/v1/users/a000/similar?k=3").json()["people"]
    assert len(people) == 3
    assert all(one["user_id"].startswith("a") and one["user_id"] != "a000" for one in people)
    cosines = [one["similarity"] for one in people]
    assert cosines == sorted(cosines, reverse=True)
    assert 0 < cosines[-1] <= cosines[0] <= 1.000001
    assert allowing.get("/v1/users/a stranger/similar").json()["people"] == []
    assert allowing.post("/v1/events", json={"user_id": "a stranger", "item_id": "b-02"}).status_code == 202
    alike = allowing.get("/v1/users/a stranger/similar").json()["people"]
    assert alike
    assert all(one["user_id"].startswith("b") for one in alike)


@pytest.mark.parametrize(
    ("body", "status", "says", "where"),
    [
        ({"scenario": "hom"}, 422, "scenario 'hom' is not known: did you mean 'home'?", "scenario"),
        ({"scenario": ""}, 422, "scenario must not be empty", "scenario"),
        ({"items": ["a-00"]}, 422, "items are not for scenario 'home'", "items"),
        ({"scenario": "similar"}, 422, "items are missing", "items"),
        ({"scenario": "similar", "items": []}, 422, "items are missing", "items"),
        ({"scenario": "similar", "items": ["gone"]}, 404, "item 'gone' is not known", ""),
        ({"scenario": "cart", "items": ["gone", "too"]}, 404, "of 2 items none is known", ""),
        ({"scenario": "cart", "items": [" "]}, 422, "items[0] must not be empty", "items[0]"),
        ({"scenario": "cart", "items": ["a"] * 101}, 422, "items must have at most 100 entries", "items"),
        ({"boosts": {"prise < 3": 2}}, 422, "boosts: column prise", "boosts"),
        ({"boosts": {"price < 3": 0}}, 422, "boosts: the factor of 'price < 3' must be from 0.01 to 100", "boosts"),
        ({"boosts": {f"price < {i}": 2 for i in range(33)}}, 422, "boosts has 33 entries: at most 32", "boosts"),
        ({"boosts": {"price < 3": "2"}}, 422, "must be a number", "boosts[...]"),
        ({"promotions": [{"where": "sale", "share": 0.1}]}, 422, "column sale", "promotions[0].where"),
        ({"promotions": [{"where": "price < 3", "share": 2}]}, 422, "above 0 and at most 1", "promotions[0].share"),
        ({"promotions": [{"where": "price < 3", "share": 1, "since": "x"}]}, 422, "no time", "promotions[0].since"),
        ({"promotions": [{"where": "price < 3"}]}, 422, "share is missing", "promotions[0].share"),
        ({"promotions": [{"where": "price < 3", "share": 1, "form": "x"}]}, 422, "not known", "promotions[0].form"),
        ({"caps": {"categry": 1}}, 422, "did you mean 'category'?", "caps"),
        ({"caps": {"category": 0}}, 422, "caps.category must be at least 1", "caps.category"),
        ({"seen": "forget"}, 422, "seen", "seen"),
        ({"seen_days": 0}, 422, "seen_days", "seen_days"),
        ({"context": {"a": [1]}}, 422, "context", "context[...]"),
        ({"context": {str(i): 1 for i in range(51)}}, 422, "context must have at most 50", "context"),
        ({"context": {"a": "x" * 1_025}}, 422, "at most 1,024 characters", "context[...]"),
        ({"history": ["a-01"]}, 422, "give either user_id or history", ""),
        ({"where": "prise < 3"}, 422, "where: column prise", "where"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_sentences(
    shop: TestClient, body: dict[str, Any], status: int, says: str, where: str
) -> None:
    message, about = refused(shop.post(PATH, json={"user_id": "a000", **body}), status)
    assert says in message
    assert about == where


def test_a_context_is_taken(shop: TestClient) -> None:
    context = {"page": "home", "width": 390, "ratio": 1.5, "app": True, "campaign": None}
    assert len(ids(shop.post(PATH, json={"user_id": "a000", "scenario": "email", "context": context}))) == 5


def test_a_scenario_that_does_not_fit_the_release_keeps_the_service_from_starting(opens: Any) -> None:
    with pytest.raises(ConfigError, match=r"scenarios\.home\.where: column prise .* did you mean 'price'"):
        opens(scenarios={"home": Scenario(where="prise < 3")})


def test_a_release_that_does_not_fit_the_scenarios_is_not_taken(
    opens: Any, tmp_path: Any, release: Release, scenarios: dict[str, Scenario]
) -> None:
    store = Store(tmp_path / "releases")
    bare = replace(release.pipeline, catalog=Catalog(release.pipeline.catalog.frame.drop("price")))
    for one in (release, replace(release, pipeline=bare)):
        store.publish(one.write, {"created": 1})
    store.promote(1, 1)
    live = Live.of(store, {})
    client = opens(live=live, scenarios=scenarios)
    store.promote(2, 2)
    assert not live.reload()
    assert client.get("/v1/health").json()["version"] == 1
    assert "scenarios.home.variants.dear.where: column price" in live.problem
    assert len(ids(client.post(PATH, json={"user_id": "a000", "scenario": "cheap"}))) == 3
