"""Items, people, friends and sessions over HTTP: stored, changed, listed, forgotten, on every database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

import postgres
from zhiyin.data.privacy import PseudonymKey
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

ODD = 'a/b?c#☕ "知音"'


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, release: Release) -> Iterator[TestClient]:
    if request.param == "postgres" and (reason := postgres.missing()):
        pytest.skip(reason)
    place = "events.db" if request.param == "sqlite" else postgres.new_database()
    app = create_app(
        Live(Served.of(release, {})), Store.of(place, tmp_path), None, Settings(ServeSettings(open_on_loopback=True))
    )
    with TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as testing:
        yield testing


def refused(answer: Any, status: int) -> tuple[str, str]:
    """The sentence of a refusal, and what is wrong."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["message"], error.get("where", "")


def pages(client: TestClient, path: str, name: str, limit: int) -> list[Any]:
    """All that is listed, read page by page."""
    found, cursor = [], None
    while True:
        page = client.get(path, params={"limit": limit} | ({} if cursor is None else {"cursor": cursor})).json()
        assert len(page[name]) <= limit
        found += page[name]
        if (cursor := page["cursor"]) is None:
            return found


def test_an_item_is_stored_changed_hidden_and_forgotten(shop: TestClient) -> None:
    mug = {"title": "Mug", "price": 9, "tags": ["red", "红"], "created_at": "2026-11-20T12:30:00Z", "fair": True}
    assert shop.post("/v1/items", json={"item_id": ODD, "attributes": mug}).json() == {"stored": 1, "new": 1}
    place = f"/v1/items/{quote(ODD, safe='')}"
    stored = shop.get(place).json()
    assert {**stored, "created": 0, "updated": 0} == {
        "item_id": ODD, "attributes": mug, "hidden": False, "created": 0, "updated": 0,
    }  # fmt: skip
    changed = shop.patch(place, json={"attributes": {"price": 8.5, "fair": None}, "hidden": True}).json()
    left = {name: value for name, value in mug.items() if name != "fair"}
    assert (changed["attributes"], changed["hidden"]) == ({**left, "price": 8.5}, True)
    assert shop.get(place).json() == changed
    assert changed["created"] == stored["created"] < changed["updated"]
    again = shop.post("/v1/items", json={"item_id": ODD, "attributes": {"title": "Cup"}})
    assert again.json() == {"stored": 1, "new": 0}
    assert shop.get(place).json()["attributes"] == {"title": "Cup"}
    assert shop.get(place).json()["hidden"], "the catalogue of every night must not show what was hidden by hand"
    assert shop.delete(place).json() == {"removed": 1}
    for answer in (shop.get(place), shop.delete(place), shop.patch(place, json={"hidden": True})):
        assert "is not stored: check the id" in refused(answer, 404)[0]


def test_a_person_is_stored_changed_and_erased(shop: TestClient) -> None:
    ann = {"user_id": "ann", "attributes": {"city": "Wien", "age": 44}, "personalised": True, "consent": False}
    assert shop.post("/v1/users", json=[ann, {"user_id": 7}]).json() == {"stored": 2, "new": 2}
    assert shop.get("/v1/users/ann").json() == ann
    assert shop.get("/v1/users/7").json()["consent"]
    again = shop.post("/v1/users", json={"user_id": "ann", "attributes": {"city": "Graz"}})
    assert again.json() == {"stored": 1, "new": 0}
    assert shop.get("/v1/users/ann").json() == {**ann, "attributes": {"city": "Graz"}}
    changed = shop.patch("/v1/users/ann", json={"attributes": {"city": None}, "personalised": False}).json()
    assert changed == {"user_id": "ann", "attributes": {}, "personalised": False, "consent": False}
    assert shop.patch("/v1/users/new", json={"consent": False}).json()["consent"] is False
    shop.post("/v1/events", json={"user_id": "ann", "item_id": "a-00"})
    shop.put("/v1/users/bob/friends/ann")
    held = shop.get("/v1/users/ann/export").json()["held"]
    assert {name: len(rows) for name, rows in held.items() if rows} == {"events": 1, "users": 1, "friends": 1}
    removed = shop.delete("/v1/users/ann").json()["content"]["removed"]
    assert {name: rows for name, rows in removed.items() if rows} == {"events": 1, "users": 1, "friends": 1}
    assert "person 'ann' is not stored" in refused(shop.get("/v1/users/ann"), 404)[0]
    assert not any(shop.get("/v1/users/ann/export").json()["held"].values())


def test_pages_together_hold_everything_once_in_order(shop: TestClient) -> None:
    names = [f"i{place:02d}" for place in range(25)]
    shop.post("/v1/items", json=[{"item_id": name} for name in reversed(names)])
    shop.post("/v1/users", json=[{"user_id": name} for name in reversed(names)])
    for name in names:
        shop.put(f"/v1/users/ann/friends/{name}", params={"weight": 0.5})
    assert [one["item_id"] for one in pages(shop, "/v1/items", "items", 10)] == names
    assert [one["user_id"] for one in pages(shop, "/v1/users", "users", 5)] == names
    assert pages(shop, "/v1/users/ann/friends", "friends", 7) == [{"friend_id": name, "weight": 0.5} for name in names]
    shop.post("/v1/events", json=[{"user_id": "ann", "item_id": name, "event_id": name} for name in names])
    assert [one["event_id"] for one in pages(shop, "/v1/users/ann/events", "events", 4)] == names[::-1]


def test_friends_are_stored_weighed_and_forgotten(shop: TestClient) -> None:
    assert shop.put("/v1/users/ann/friends/bob").json() == {"friend_id": "bob", "weight": 1.0}
    assert shop.put("/v1/users/ann/friends/bob?weight=2.5").json()["weight"] == 2.5
    assert shop.get("/v1/users/ann/friends").json() == {
        "friends": [{"friend_id": "bob", "weight": 2.5}], "cursor": None,
    }  # fmt: skip
    assert shop.get("/v1/users/bob/friends").json()["friends"] == []
    assert shop.delete("/v1/users/ann/friends/bob").json() == {"removed": 1}
    assert "'bob' is no stored friend of 'ann'" in refused(shop.delete("/v1/users/ann/friends/bob"), 404)[0]


def test_what_a_session_did_is_the_persons_after_login(shop: TestClient) -> None:
    whole = {
        "session_id": "s-1", "item_id": "b-01", "event_type": "cart", "price": 3.5, "quantity": 2.0,
        "event_id": "e-1", "request_id": "r-1", "context": {"page": "home"}, "impressions": ["b-01", "b-02"],
    }  # fmt: skip
    assert shop.post("/v1/events", json=whole).status_code == 202
    assert shop.get("/v1/users/new/events").json()["events"] == []
    assert shop.post("/v1/sessions/s-1/login", json={"user_id": "new"}).json() == {
        "session_id": "s-1", "user_id": "new",
    }  # fmt: skip
    (event,) = shop.get("/v1/users/new/events").json()["events"]
    assert event.pop("timestamp").startswith("20")
    assert event == whole
    answer = shop.post("/v1/recommendations", json={"user_id": "new", "k": 12}).json()
    assert "b-01" not in {one["item_id"] for one in answer["items"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence", "where"),
    [
        ("POST", "/v1/items", {}, "item_id is missing: add it", "item_id"),
        ("POST", "/v1/items", [{"item_id": "a"}, {"item_id": " "}], "[1].item_id must not be empty", "[1].item_id"),
        ("POST", "/v1/items", [{"item_id": "a", "title": "b"}], "title is not known", "[0].title"),
        ("POST", "/v1/items", {"item_id": "a", "attributes": {"x": {}}}, "must be", "attributes[...]"),
        (
            "POST",
            "/v1/items",
            {"item_id": "a", "attributes": {"hidden": 1}},
            "a name that is taken",
            "attributes.hidden",
        ),
        ("POST", "/v1/items", {"item_id": "a", "attributes": {" ": 1}}, "has a blank name", "attributes. "),
        ("POST", "/v1/items", {"item_id": "a", "attributes": {"price": "3"}}, "must be a number", "attributes.price"),
        (
            "POST",
            "/v1/items",
            {"item_id": "a", "attributes": {"available": 1}},
            "true or false",
            "attributes.available",
        ),
        ("POST", "/v1/items", {"item_id": "a", "attributes": {"created_at": True}}, "moment", "attributes.created_at"),
        ("POST", "/v1/items", {"item_id": "a", "attributes": {"created_at": "x"}}, "no time", "attributes.created_at"),
        (
            "POST",
            "/v1/items",
            {"item_id": "a", "attributes": {f"c{n}": n for n in range(201)}},
            "at most 200",
            "attributes",
        ),
        ("POST", "/v1/items?x=1", {"item_id": "a"}, "query.x", "query.x"),
        ("POST", "/v1/items", [{"item_id": "a"}] * 10_001, "at most 10,000 items are taken at once, got 10,001", ""),
        ("POST", "/v1/users", [{"user_id": "a"}] * 10_001, "at most 10,000 people are taken at once", ""),
        ("POST", "/v1/users", {"user_id": "a", "consent": "no"}, "consent must be true or false", "consent"),
        ("PATCH", "/v1/users/a", {"attributes": {"user_id": "b"}}, "a name that is taken", "attributes.user_id"),
        ("PATCH", "/v1/items/a", {"hide": True}, "did you mean 'hidden'?", "hide"),
        (
            "GET",
            "/v1/items?limit=0",
            None,
            "query.limit must be a whole number from 1 to 1,000, got '0'",
            "query.limit",
        ),
        ("GET", "/v1/items?cursor=" + "x" * 1_025, None, "query.cursor is none of this service", "query.cursor"),
        (
            "GET",
            "/v1/users/a/events?cursor=x",
            None,
            "query.cursor must be the cursor of the page before",
            "query.cursor",
        ),
        ("PUT", "/v1/users/a/friends/b?weight=nan", None, "query.weight must be a number, got 'nan'", "query.weight"),
        ("PUT", "/v1/users/a/friends/b?weight=much", None, "query.weight must be a number", "query.weight"),
        ("POST", "/v1/sessions/s/login", {"user_id": ""}, "user_id must not be empty", "user_id"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    steady: TestClient, method: str, path: str, body: Any, sentence: str, where: str
) -> None:
    answer = steady.request(method, path, **({} if body is None else {"json": body}))
    message, place = refused(answer, 422)
    assert sentence in message
    assert place == where


def test_nothing_is_stored_if_one_of_many_is_wrong(client: TestClient) -> None:
    client.post("/v1/items", json=[{"item_id": "a"}, {"item_id": "b", "attributes": {"price": "x"}}])
    client.post("/v1/users", json=[{"user_id": "a"}, {"user_id": "\0"}])
    assert client.get("/v1/items").json()["items"] == client.get("/v1/users").json()["users"] == []


def test_where_people_have_pseudonyms_the_caller_still_sees_the_own_id(opens: Any, release: Release) -> None:
    client = opens(live=Live(Served(release, PseudonymKey(b"0123456789abcdef"))))
    client.post("/v1/users", json={"user_id": "ann", "attributes": {"city": "Wien"}})
    assert client.get("/v1/users/ann").json()["user_id"] == "ann"
    (listed,) = client.get("/v1/users").json()["users"]
    assert listed["user_id"] != "ann"
    client.post("/v1/events", json={"user_id": "ann", "item_id": "a-00"})
    assert len(client.get("/v1/users/ann/events").json()["events"]) == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e30, 1e30) | TEXTS | st.lists(TEXTS, max_size=3)
NAMES = TEXTS.filter(lambda name: name.strip() and "\0" not in name and name not in {"item_id", "hidden", "user_id"})


@given(st.dictionaries(NAMES.map(lambda name: f"x{name}"), VALUES, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_attributes_come_back_as_they_were_sent(steady: TestClient, attributes: dict[str, Any]) -> None:
    answer = steady.post("/v1/items", json={"item_id": "law", "attributes": attributes})
    assert answer.status_code == 200, answer.text
    assert steady.get("/v1/items/law").json()["attributes"] == attributes
