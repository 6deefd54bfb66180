"""What a caller sees: answers, the next answer after an event, and a sentence for everything that is wrong."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from worlds import two_tastes
from zhiyin.models.item_knn import ItemKNN
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served

ODD_IDS = [
    "a/b",
    "a/recommendations",
    'it\'s "quoted"',
    "☕🍵",
    "知音",
    "50% off?#x",
    "..",
    "a b",
    "a\nb",
    "1",
    "x" * 1_024,
]


def ids(answer: Any) -> list[str]:
    return [item["item_id"] for item in answer.json()["items"]]


def refused(answer: Any, status: int) -> str:
    """The sentence of a refusal."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["status"] == status
    assert "Traceback" not in answer.text
    return error["message"]


def test_a_person_is_answered_by_both_doors_alike(steady: TestClient) -> None:
    got = steady.get("/v1/users/a000/recommendations", params={"k": 3})
    posted = steady.post("/v1/recommendations", json={"user_id": "a000", "k": 3})
    assert got.status_code == posted.status_code == 200
    assert got.json()["items"] == posted.json()["items"]
    answer = got.json()
    assert {**answer, "items": 0, "took_ms": 0, "request_id": 0, "age_s": 0} == {
        "request_id": 0, "version": 0, "scenario": "home", "variant": None, "source": "fuse", "fallback": False,
        "stale": False, "age_s": 0, "took_ms": 0, "user_id": "a000", "items": 0,
    }  # fmt: skip
    assert answer["age_s"] > 0
    assert {item["probability"] for item in answer["items"]} == {1.0}
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3]
    assert answer["items"][0]["item_id"].startswith("a-")
    assert answer["items"][0]["origin"] in ("item_knn", "popularity")
    assert got.json()["request_id"] != posted.json()["request_id"]


def test_the_release_says_how_many_where_the_caller_does_not(steady: TestClient) -> None:
    assert len(ids(steady.get("/v1/users/a000/recommendations"))) == 5


def test_a_stranger_gets_what_is_popular_and_is_told(steady: TestClient) -> None:
    answer = steady.get("/v1/users/nobody/recommendations").json()
    assert answer["fallback"]
    assert len(answer["items"]) == 5


def test_a_release_of_one_model_names_it_and_says_when_it_fell_back(opens: Any) -> None:
    data = two_tastes()
    alone = Release.of(Pipeline.of(ItemKNN(shrinkage=0.0).fit(data), data, name="knn"), data)
    client = opens(live=Live(Served.of(alone, {})))
    assert client.get("/v1/users/a000/recommendations?k=1").json()["source"] == "knn"
    stranger = client.get("/v1/users/nobody/recommendations?k=1").json()
    assert (stranger["source"], stranger["fallback"]) == ("fallback", True)
    assert stranger["items"][0]["origin"] == "fallback"


@pytest.mark.parametrize("user", ["a000", "a new person"])
def test_an_event_changes_the_very_next_answer(client: TestClient, user: str) -> None:
    ask = {"user_id": user, "k": 12}
    before = client.post("/v1/recommendations", json=ask)
    item = ids(before)[0]
    told = client.post("/v1/events", json={"user_id": user, "item_id": item, "event_type": "purchase"})
    assert (told.status_code, told.json()["accepted"]) == (202, 1)
    after = client.post("/v1/recommendations", json=ask)
    assert item not in ids(after)
    assert not after.json()["fallback"]
    assert ids(client.post("/v1/recommendations", json={**ask, "now": "2001-01-01T00:00:00Z"}))  # as of then


def test_an_event_a_little_in_the_future_counts_as_now(client: TestClient) -> None:
    import time

    event = {"user_id": "new", "item_id": "b-01", "timestamp": time.time() + 100}
    assert client.post("/v1/events", json=event).status_code == 202
    assert "b-01" not in ids(client.post("/v1/recommendations", json={"user_id": "new", "k": 12}))


def test_a_history_is_answered_without_a_name(steady: TestClient) -> None:
    plain = steady.post("/v1/recommendations", json={"history": ["b-00", "b-01"], "k": 2})
    assert plain.json()["user_id"] is None
    assert not plain.json()["fallback"]
    assert all(one.startswith("b-") for one in ids(plain))
    timed = [{"item_id": "b-00", "timestamp": 1_700_000_000}, {"item_id": "b-01", "timestamp": "2023-11-15"}]
    assert ids(steady.post("/v1/recommendations", json={"history": timed, "k": 2})) == ids(plain)
    later = {"history": timed, "k": 2, "now": 1_700_000_001_000}
    assert "b-01" in ids(steady.post("/v1/recommendations", json=later)) + ids(
        steady.post("/v1/recommendations", json={**later, "k": 12})
    )
    empty = steady.post("/v1/recommendations", json={"history": [], "k": 2})
    assert empty.json()["fallback"]
    assert len(ids(empty)) == 2
    unknown = steady.post("/v1/recommendations", json={"history": ["no such thing"], "k": 2})
    assert unknown.json()["fallback"]


def test_rules_conditions_and_exclusions_hold_before_the_cut(steady: TestClient) -> None:
    ask = {"user_id": "a000", "k": 3, "where": "category = 'b' AND price >= 2", "exclude": ["b-03", "?", 7]}
    assert sorted(ids(steady.post("/v1/recommendations", json=ask))) == ["b-02", "b-04", "b-05"]
    assert ids(steady.get("/v1/users/a000/recommendations", params={"where": "price > 99"})) == []


def test_similar_items_share_people(steady: TestClient) -> None:
    answer = steady.get("/v1/items/a-00/similar", params={"k": 3})
    assert answer.status_code == 200
    assert answer.json()["item_id"] == "a-00"
    assert "a-00" not in ids(answer)
    assert all(one.startswith("a-") for one in ids(answer))
    assert ids(steady.get("/v1/items/a-00/similar", params={"where": "category = 'b'"})) in ([], ids(answer))


def test_k_beyond_the_catalogue_is_a_shorter_list(steady: TestClient) -> None:
    assert len(ids(steady.get("/v1/users/nobody/recommendations?k=10000"))) == 12
    assert len(ids(steady.get("/v1/items/a-00/similar?k=10000"))) < 12


@pytest.mark.parametrize("user", ODD_IDS)
def test_odd_ids_are_ids(client: TestClient, user: str) -> None:
    path = f"/v1/users/{quote(user, safe='')}/recommendations?k=12"
    if user == "..":  # every HTTP client resolves these before it sends
        path = "/v1/users/%2e%2e%20/recommendations?k=12"
    before = client.get(path)
    assert before.json()["user_id"] == user
    assert client.post("/v1/events", json={"user_id": f" {user}"[-1_024:], "item_id": "b-02"}).status_code == 202
    assert "b-02" in ids(before)
    assert "b-02" not in ids(client.get(path))
    assert "b-02" not in ids(client.post("/v1/recommendations", json={"user_id": user, "k": 12}))


def test_a_number_is_the_id_of_its_digits(client: TestClient) -> None:
    assert client.post("/v1/events", json={"user_id": 42, "item_id": "b-02"}).status_code == 202
    assert "b-02" not in ids(client.get("/v1/users/42/recommendations?k=12"))


@pytest.mark.parametrize("k", ["0", "-1", "10001", "1" * 5_000, "abc", "", "1.5", "NaN", "１", "²"])
def test_a_bad_k_is_a_sentence(steady: TestClient, k: str) -> None:
    for path in ("/v1/users/a000/recommendations", "/v1/items/a-00/similar"):
        assert "from 1 to 10,000" in refused(steady.get(path, params={"k": k}), 422)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("", 400, "empty"),
        ("   ", 400, "empty"),
        ("{", 400, "byte 1"),
        ('{"user_id": "a",}', 400, "byte"),
        ("not json", 400, "byte"),
        ('{"user_id": "a"} trailing', 400, "byte"),
        ('{"user_id": NaN}', 400, "byte"),
        ('{"user_id": "a", "now": Infinity}', 400, "byte"),
        ('{"user_id": "\\ud800"}', 400, "JSON"),
        (b'{"user_id": "\xff"}', 400, "byte 13"),
        ('{"history": ' + "[" * 100_000, 400, "nested deeper than 32 levels"),
        ('{"history": ' + "[" * 31, 422, "history[0]"),
        ('{"history": ' + '[{"item_id":' * 10 + "1", 422, "history[0]"),
        ('{"now": 1e999, "user_id": "a"}', 422, "now"),
        ("[]", 422, "must be an object, got a list"),
        ("null", 422, "must be an object"),
        ("{}", 422, "either user_id or history"),
        ('{"user_id": "a", "history": []}', 422, "either user_id or history"),
        ('{"user_id": ""}', 422, "user_id must not be empty"),
        ('{"user_id": "  "}', 422, "user_id must not be empty"),
        ('{"user_id": "a\\u0000b"}', 422, "NUL"),
        ('{"user_id": 1.5}', 422, "user_id must be a whole number or a text, got a number"),
        ('{"user_id": true}', 422, "got true or false"),
        ('{"user_id": "' + "x" * 10_000 + '"}', 422, "user_id must have at most 1,024 characters"),
        ('{"user_id": ' + "9" * 10_000 + "}", 422, "user_id"),
        ('{"user_id": "a", "k": 0}', 422, "k must be at least 1"),
        ('{"user_id": "a", "k": -5}', 422, "k must be at least 1"),
        ('{"user_id": "a", "k": 10001}', 422, "k must be at most 10,000"),
        ('{"user_id": "a", "k": ' + "9" * 40 + "}", 422, "k must be at most 10,000"),
        ('{"user_id": "a", "k": "ten"}', 422, "k must be a whole number, got a text"),
        ('{"user_id": "a", "k": 2.5}', 422, "k must be a whole number, got a number"),
        ('{"user_id": "a", "kk": 1}', 422, "did you mean 'k'?"),
        ('{"user": "a"}', 422, "did you mean 'user_id'?"),
        ('{"user_id": "a", "where": "price <"}', 422, "where"),
        ('{"user_id": "a", "where": "prise < 3"}', 422, "price"),
        ('{"user_id": "a", "where": "' + "(" * 3_000 + '"}', 422, "2,000"),
        ('{"user_id": "a", "where": 3}', 422, "where must be a text, got a whole number"),
        ('{"user_id": "a", "exclude": [""]}', 422, "exclude[0] must not be empty"),
        ('{"user_id": "a", "now": "tomorrow"}', 422, "now is no time"),
        ('{"user_id": "a", "now": -1}', 422, "now lies outside"),
        ('{"user_id": "a", "now": "0001-01-01T00:00:00+23:00"}', 422, "now lies outside"),
        ('{"history": [{"item": "b"}]}', 422, "history[0].item is not known"),
        ('{"history": [{"item_id": "b", "timestamp": 1}, "c"]}', 422, "all of its events"),
        ('{"history": [null]}', 422, "history[0]"),
        (json.dumps({"history": ["b"] * 100_000}), 422, "history must have at most 10,000 entries"),
    ],
)
def test_a_bad_question_is_a_sentence(steady: TestClient, body: str | bytes, status: int, says: str) -> None:
    answer = steady.post("/v1/recommendations", content=body, headers={"content-type": "application/json"})
    assert says in refused(answer, status)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"item_id": None}, "item_id must be a whole number or a text, got null"),
        ({"user_id": " "}, "user_id must not be empty"),
        ({"item_id": "x" * 1_025}, "item_id must have at most 1,024 characters"),
        ({"event_type": ""}, "event_type must not be empty"),
        ({"event_type": "x" * 201}, "event_type must have at most 200"),
        ({"timestamp": "yesterday"}, "timestamp is no time"),
        ({"timestamp": 0}, "timestamp lies outside"),
        ({"timestamp": 10**30}, "timestamp lies outside"),
        ({"timestamp": "2999-01-01"}, "in the future"),
        ({"price": -1}, "price must be at least 0"),
        ({"price": "12"}, "price must be a number, got a text"),
        ({"value": 1e39}, "value must be at most"),
        ({"quantity": [1]}, "quantity must be a number, got a list"),
        ({"event_id": 7}, "event_id must be a text, got a whole number"),
        ({"prise": 3}, "prise is not known: did you mean 'price'?"),
    ],
)
def test_a_bad_event_is_a_sentence_alone_and_in_a_list(client: TestClient, change: dict[str, Any], says: str) -> None:
    good = {"user_id": "new", "item_id": "b-01"}
    assert says in refused(client.post("/v1/events", json=good | change), 422)
    for body, place in (([good, good | change], "[1]"), ({"events": [good, good | change]}, "events[1]")):
        answer = client.post("/v1/events", json=body)
        assert "1 of 2 events were refused and nothing was stored" in refused(answer, 422)
        (refusal,) = answer.json()["error"]["refused"]
        assert refusal["index"] == 1
        assert refusal["message"].startswith(place)
        assert says in refusal["message"]
    assert "b-01" in ids(client.post("/v1/recommendations", json={"user_id": "new", "k": 12}))  # nothing was stored
    partial = client.post("/v1/events?partial=true", json=[good, good | change])
    assert (partial.status_code, partial.json()["accepted"], len(partial.json()["refused"])) == (202, 1, 1)
    assert "b-01" not in ids(client.post("/v1/recommendations", json={"user_id": "new", "k": 12}))


def test_events_come_in_three_shapes_and_once(client: TestClient) -> None:
    event = {"user_id": "new", "item_id": "b-01", "event_id": "e1", "value": 4, "price": 2.5, "quantity": -1}
    shapes = [event, [event, event | {"event_id": "e2"}], {"events": [event, event | {"event_id": "e3"}]}]
    counts = [client.post("/v1/events", json=shape).json() for shape in shapes]
    assert [(one["accepted"], one["repeated"]) for one in counts] == [(1, 0), (1, 1), (1, 1)]
    assert client.post("/v1/events", json=[]).json()["accepted"] == 0


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ('{"events": 3}', 422, "events must be a list"),
        ('{"events": [], "more": 1}', 422, "more is not known"),
        ('[{"user_id": "a"', 400, "byte"),
        ('{"events": [{"user_id": "a", "item_id": "b"}', 400, "byte"),
        (b'[{"user_id": "\xff", "item_id": "b"}]', 400, "byte 14"),
        (b'{"events": [{"user_id": "\xff", "item_id": "b"}]}', 400, "byte 25"),
        ("[" * 100_000, 400, "nested"),
        ('[{"user_id": ' + "[" * 100_000, 400, "nested"),
        ("3", 422, "must be an object"),
        (json.dumps([{"user_id": "a", "item_id": "b"}] * 10_001), 422, "at most 10,000 events"),
    ],
)
def test_a_bad_list_of_events_is_a_sentence(steady: TestClient, body: str | bytes, status: int, says: str) -> None:
    answer = steady.post("/v1/events", content=body, headers={"content-type": "application/json"})
    assert says in refused(answer, status)


def test_a_bad_query_is_a_sentence(steady: TestClient) -> None:
    path = "/v1/users/a000/recommendations"
    assert "did you mean 'where'?" in refused(steady.get(path + "?were=price<3"), 422)
    assert "given twice" in refused(steady.get(path + "?k=1&k=2"), 422)
    assert "where" in refused(steady.get(path, params={"where": "price <> <>"}), 422)
    assert "true or false" in refused(steady.post("/v1/events?partial=maybe", json=[]), 422)


def test_long_and_empty_ids_in_the_path_are_sentences(steady: TestClient) -> None:
    assert "10,000" in refused(steady.get(f"/v1/users/{'x' * 10_000}/recommendations"), 422)
    assert "empty" in refused(steady.get("/v1/users//recommendations"), 422)
    assert "empty" in refused(steady.get("/v1/users/%20/recommendations"), 422)
    assert "NUL" in refused(steady.get("/v1/users/a%00b/recommendations"), 422)


def test_unknown_routes_items_and_methods_are_sentences(steady: TestClient) -> None:
    assert "/openapi.json" in refused(steady.get("/v2/nothing"), 404)
    assert "no such" in refused(steady.get("/v1/items/no%20such/similar"), 404)
    wrong = steady.delete("/v1/events")
    assert "POST" in refused(wrong, 405)
    assert wrong.headers["allow"] == "POST"
    assert refused(steady.get("/v1/events/"), 404)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
def test_a_body_that_is_not_declared_as_json_is_refused(steady: TestClient, kind: str) -> None:
    answer = steady.post("/v1/events", content="{}", headers={"content-type": kind})
    assert "application/json" in refused(answer, 415)


def test_a_compressed_body_is_refused(steady: TestClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert "Content-Encoding" in refused(steady.post("/v1/events", content=b"x", headers=headers), 415)


def test_a_body_with_a_byte_order_mark_is_read(steady: TestClient) -> None:
    body = b'\xef\xbb\xbf{"user_id": "a000"}'
    headers = {"content-type": "application/json; charset=utf-8"}
    assert steady.post("/v1/recommendations", content=body, headers=headers).status_code == 200


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(opens: Any) -> None:
    client = opens(body_limit_mb=1)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 2**20
            yield b" " * 2**20

    headers = {"content-type": "application/json"}
    assert "1,048,576 bytes" in refused(client.post("/v1/events", content=endless(), headers=headers), 413)
    assert "1,048,576 bytes" in refused(client.post("/v1/events", content=b" " * (2**20 + 1), headers=headers), 413)


def test_answers_tell_browsers_to_keep_their_hands_off(steady: TestClient) -> None:
    for answer in (steady.get("/v1/health"), steady.get("/nothing"), steady.get("/v1/users/a/recommendations")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pseudonyms_hide_who_is_who_and_callers_see_their_own_ids(opens: Any, release: Release, tmp_path: Any) -> None:
    from dataclasses import replace

    from zhiyin.data.store.address import StoreAddress
    from zhiyin.data.store.training import read_tables

    details = {"pseudonymised": True, "key_env": "SHOP_KEY"}
    served = Served.of(replace(release, details=details), {"SHOP_KEY": "0123456789abcdef"})
    client = opens(live=Live(served))
    ask = {"user_id": "ann@example.com", "k": 12}
    assert "b-01" in ids(client.post("/v1/recommendations", json=ask))
    assert client.post("/v1/events", json={"user_id": ask["user_id"], "item_id": "b-01"}).status_code == 202
    answer = client.post("/v1/recommendations", json=ask)
    assert answer.json()["user_id"] == "ann@example.com"
    assert "b-01" not in ids(answer)
    assert read_tables(StoreAddress(tmp_path / "events.db")).events["user_id"].to_list() == [
        served.person("ann@example.com")
    ]
    assert b"ann@" not in (tmp_path / "events.db").read_bytes()


def test_an_event_of_a_session_waits_for_its_person(client: TestClient, tmp_path: Any) -> None:
    from zhiyin.data.store.address import StoreAddress
    from zhiyin.data.store.connect import read_at_once
    from zhiyin.data.store.tables import events

    told = client.post("/v1/events", json=[
        {"session_id": 7, "item_id": "b-01", "context": {"device": "phone", "page": 3, "new": True, "from": None}},
        {"user_id": "new", "session_id": "7", "item_id": "b-02", "impressions": ["b-02", 3], "context": {}},
    ])  # fmt: skip
    assert told.json()["accepted"] == 2
    query = events.select().order_by(events.c.sequence)
    rows = read_at_once(StoreAddress(tmp_path / "events.db"), lambda one: one.execute(query).fetchall())
    assert [(row.user_id, row.session_id) for row in rows] == [(None, "7"), ("new", "7")]
    assert [row.context for row in rows] == ['{"device":"phone","page":3,"new":true,"from":null}', None]
    assert [row.impressions for row in rows] == [None, '["b-02","3"]']
    assert "b-02" not in ids(client.post("/v1/recommendations", json={"user_id": "new", "k": 12}))
    assert "b-01" in ids(client.post("/v1/recommendations", json={"user_id": "new", "k": 12}))


@pytest.mark.parametrize(
    ("more", "where", "sentence"),
    [
        ({}, "user_id", "user_id is missing: add it, or a session_id"),
        ({"session_id": " "}, "session_id", "must not be empty"),
        ({"session_id": "s", "context": {"deep": {"er": 1}}}, "context", "must be"),
        ({"session_id": "s", "context": {"long": "x" * 1_025}}, "context", "at most 1,024"),
        ({"session_id": "s", "context": {f"n{i}": 1 for i in range(51)}}, "context", "at most 50"),
        ({"session_id": "s", "context": [1]}, "context", "must be an object"),
        ({"session_id": "s", "impressions": ["i"] * 1_001}, "impressions", "at most 1,000"),
        ({"session_id": "s", "impressions": ["i", " "]}, "impressions[1]", "must not be empty"),
        ({"session_id": "s", "request_id": "a\0b"}, "request_id", "NUL"),
    ],
)
def test_what_an_event_may_not_say_is_a_sentence(
    steady: TestClient, more: dict[str, object], where: str, sentence: str
) -> None:
    answer = steady.post("/v1/events", json={"item_id": "b-01", **more})
    assert sentence in refused(answer, 422)
    assert answer.json()["error"]["where"].startswith(where)


def test_a_full_queue_asks_to_come_back(opens: Any, tmp_path: Any) -> None:
    import sqlite3
    import time
    from contextlib import closing

    from zhiyin.data.store.sqlite import SqliteDatabase
    from zhiyin.serving.store import Store

    client = opens(store=Store(SqliteDatabase(tmp_path / "events.db", time.monotonic, lock_seconds=0.05)))
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/events", json={"user_id": "a", "item_id": "b-01"})
    assert "nothing was stored" in refused(answer, 503)
    assert answer.headers["retry-after"]
    assert client.get("/v1/health").json()["status"] == "degraded"
    assert "locked" in client.get("/v1/health").json()["problem"]
    assert client.post("/v1/events", json={"user_id": "a", "item_id": "b-01"}).status_code == 202
    assert client.get("/v1/health").json()["status"] == "ok"


def test_without_a_key_nobody_enters(opens: Any, tmp_path: Any) -> None:
    keys = Keys(tmp_path / "keys.json")
    key = keys.create("shop")
    client = opens(keys=keys, open_on_loopback=False)
    path = "/v1/users/a000/recommendations"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": key + "x"}, {"Authorization": f"Basic {key}"}):
        answer = client.get(path, headers=headers)
        assert "key" in refused(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert refused(client.get("/no/such/route"), 401)
    assert client.get("/v1/health").status_code == 200
    for headers in ({"Authorization": f"Bearer {key}"}, {"x-api-key": key}):
        assert client.get(path, headers=headers).status_code == 200
    keys.revoke("shop")
    assert refused(client.get(path, headers={"x-api-key": key}), 401)


def test_keys_that_cannot_be_read_let_nobody_in_and_show_no_path(opens: Any, tmp_path: Any) -> None:
    path = tmp_path / "keys.json"
    keys = Keys(path)
    headers = {"x-api-key": keys.create("shop")}
    client = opens(keys=keys, open_on_loopback=False)
    assert client.get("/v1/users/a000/recommendations", headers=headers).status_code == 200
    path.write_text("{")
    sentence = refused(client.get("/v1/users/a000/recommendations", headers=headers), 503)
    assert str(tmp_path) not in sentence
    assert refused(client.get("/v1/users/a000/recommendations", headers={"x-api-key": "x" * 5_000}), 401)


@pytest.mark.parametrize(
    ("client_address", "settings", "headers", "status"),
    [
        ("127.0.0.1", {}, {}, 200),
        ("::1", {"host": "::1"}, {"host": "[::1]:8000"}, 200),
        ("127.0.0.1", {}, {"host": "localhost:8000"}, 200),
        ("192.0.2.1", {}, {}, 401),
        ("127.0.0.1", {"host": "0.0.0.0"}, {}, 401),
        ("127.0.0.1", {}, {"host": "evil.example"}, 401),
        ("127.0.0.1", {}, {"x-forwarded-for": "192.0.2.1"}, 401),
    ],
)
def test_only_this_machine_enters_an_open_service(
    opens: Any, tmp_path: Any, client_address: str, settings: Any, headers: Any, status: int
) -> None:
    client = opens(client=client_address, keys=Keys(tmp_path / "keys.json"), **settings)
    assert client.get("/v1/users/a000/recommendations", headers=headers).status_code == status


def test_a_service_that_nobody_could_enter_or_everybody_is_not_made(opens: Any) -> None:
    from zhiyin.errors import ConfigError

    for settings in ({"open_on_loopback": False}, {"host": "0.0.0.0"}):
        with pytest.raises(ConfigError, match="API key"):
            opens(keys=None, **settings)
