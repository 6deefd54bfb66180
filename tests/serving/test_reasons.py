"""Answers say why, in the caller's language, and an operator is told why not."""

from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient

from worlds import DAY, dataset, two_tastes
from zhiyin.models.content import Content
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.user_knn import UserKNN
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.registry.release import Release
from zhiyin.serving.live import Live, Served


def asked(client: TestClient, **question: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/recommendations", json=question)
    assert answer.status_code == 200, answer.text
    return [item["reason"] for item in answer.json()["items"]]


def test_every_item_of_an_answer_has_its_reason(steady: TestClient) -> None:
    history = [{"item_id": "a-01", "event_type": "purchase"}]
    (first, *_) = asked(steady, history=history, k=3)
    assert first == {
        "kind": "history",
        "because": [{"item_id": "a-01", "event_type": "purchase", "share": 1.0}],
        "method": "exact",
        "text": "because you bought tea 1",
    }
    (chinese, *_) = asked(steady, history=["b-02"], k=3, language="zh")
    assert chinese["text"] == "因为你选择过咖啡 2"
    items = steady.get("/v1/users/a000/recommendations").json()["items"]
    assert all(item["reason"]["text"] for item in items)


def test_who_is_not_known_is_told_that_it_is_popular(steady: TestClient) -> None:
    popular = {"kind": "popular", "because": [], "method": None, "text": "popular now"}
    assert asked(steady, user_id="nobody", k=2) == [popular, popular]


def test_an_event_changes_the_reasons_of_the_next_answer(client: TestClient) -> None:
    client.post("/v1/events", json={"user_id": "new", "item_id": "b-03", "event_type": "cart"})
    (first, *_) = asked(client, user_id="new")
    assert first["text"] == "because you put 咖啡 3 in the cart"


def test_leave_one_out_comes_only_when_it_is_asked_for(opens: Any) -> None:
    data = two_tastes()
    release = Release.of(Pipeline.of(UserKNN(neighbours=10).fit(data), data), data)
    client = opens(Live(Served.of(release, {})))
    (plain, *_) = asked(client, history=["a-01"])
    assert (plain["because"], plain["method"], plain["text"]) == ([], None, "fits what you chose")
    (thorough, *_) = asked(client, history=["a-01"], explain=True)
    assert thorough["method"] == "leave_one_out"
    assert thorough["text"] == "because you chose tea 1"


def test_a_get_asks_for_reasons_alike(opens: Any) -> None:
    data = two_tastes()
    release = Release.of(Pipeline.of(UserKNN(neighbours=10).fit(data), data), data)
    client, path = opens(Live(Served.of(release, {}))), "/v1/users/a000/recommendations"
    wish = {"explain": "true", "language": "zh", "k": "1"}
    (item,) = client.get(path, params=wish).json()["items"]
    assert item["reason"]["method"] == "leave_one_out"
    assert item["reason"]["text"].startswith("因为你选择过tea")
    (plain,) = client.get(path, params={"explain": "false", "k": "1"}).json()["items"]
    assert plain["reason"]["text"] == "fits what you chose"
    for name in ("explain", "language"):
        refused = client.get(path, params={name: "other"})
        assert refused.status_code == 422
        assert refused.json()["error"]["where"] == f"query.{name}"


def test_an_item_without_a_title_is_called_by_its_id(opens: Any) -> None:
    log = [(f"u{person}", item, 0.0) for person in range(5) for item in ("i1", "i2")]
    data = dataset(log)
    client = opens(Live(Served.of(Release.of(Pipeline.of(ItemKNN().fit(data), data), data), {})))
    assert asked(client, history=["i1"], k=1)[0]["text"] == "because you chose i1"


def test_an_item_that_comes_again_is_its_own_reason(opens: Any) -> None:
    data = two_tastes()
    pipeline = Pipeline.of(Content().fit(data), data, Rules(seen="keep"))
    client = opens(Live(Served.of(Release.of(pipeline, data), {})))
    assert asked(client, history=["a-01"], k=1)[0]["text"] == "because you chose it"
    assert asked(client, history=["a-01"], k=1, language="zh")[0]["text"] == "因为你选择过它"


@pytest.mark.parametrize(
    ("wrong", "place"), [({"language": "fr"}, "language"), ({"explain": "yes"}, "explain"), ({"langauge": "zh"}, None)]
)
def test_a_wrong_wish_is_refused(steady: TestClient, wrong: dict[str, str], place: str | None) -> None:
    answer = steady.post("/v1/recommendations", json={"user_id": "a000", **wrong})
    assert answer.status_code == 422
    assert answer.json()["error"]["where"] == (place or "langauge")


def why(client: TestClient, **given: Any) -> dict[str, Any]:
    answer = client.get("/v1/debug/why", params=given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_operator_is_told_what_the_person_is_shown(steady: TestClient) -> None:
    items = steady.get("/v1/users/a000/recommendations").json()["items"]
    for item in items:
        found = why(steady, user_id="a000", item_id=item["item_id"])
        assert found["rank"] == item["rank"]
        assert found["verdict"] == f"shown at rank {item['rank']}: found by {item['origin']}"
        assert found["k"] == 5
    seen = pl.Series([one["item_id"] for one in items])
    other = next(one for one in two_tastes().items.texts if one not in seen)
    found = why(steady, user_id="a000", item_id=other)
    assert found["rank"] is None
    assert found["verdict"].startswith("not shown: ")


def test_an_event_of_a_moment_ago_is_the_reason_why_not(client: TestClient) -> None:
    event = {"user_id": "ann", "item_id": "a-02", "event_type": "purchase", "timestamp": 30 * DAY // 1_000_000}
    client.post("/v1/events", json=event)
    found = why(client, user_id="ann", item_id="a-02")
    assert found["verdict"] == "not shown: ann bought it on 31 January 1970 (rules.seen = drop)"
    stage = next(one for one in found["stages"] if not one["passed"])
    assert (stage["name"], stage["remaining"]) == ("seen", 11)


def test_the_list_in_question_has_its_length_and_its_condition(steady: TestClient) -> None:
    found = why(steady, user_id="a000", item_id="a-05", k=12, where="price < 5")
    assert found["k"] == 12
    assert found["verdict"] == "not shown: where does not hold for it: price < 5"
    assert why(steady, user_id="a000", item_id="nothing")["verdict"].startswith("not shown: this release does not know")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"item_id": "a-01"}, "query.user_id"),
        ({"user_id": "ann"}, "query.item_id"),
        ({"user_id": "", "item_id": "a-01"}, "query.user_id"),
        ({"user_id": "ann", "item_id": "x" * 1_025}, "query.item_id"),
        ({"user_id": "ann", "item_id": "a-01", "k": "0"}, "query.k"),
        ({"user_id": "ann", "item_id": "a-01", "where": "price <"}, "where"),
        ({"user_id": "ann", "item_id": "a-01", "who": "me"}, "query.who"),
    ],
)
def test_a_wrong_question_is_refused(steady: TestClient, given: dict[str, str], where: str) -> None:
    answer = steady.get("/v1/debug/why", params=given)
    assert answer.status_code == 422
    assert answer.json()["error"]["where"] == where
