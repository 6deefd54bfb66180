"""Gorse's clients from PyPI, unchanged, against a live server: every method of both, on every database."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import gorse
import httpx2
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import postgres
from live_server import running
from worlds import two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.where import where
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.caller import Role
from zhiyin.serving.gorse import lists as lists_of_gorse
from zhiyin.serving.gorse.labels import columns, labels, others, packed, unpacked
from zhiyin.serving.gorse.routes import OPERATIONS
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

CLIENTS = (gorse.Gorse, gorse.AsyncGorse)
DAY = 86_400_000_000


def methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


class Caller:
    """Calls either client alike, and remembers which methods were called."""

    def __init__(self, kind: type, url: str, key: str = "") -> None:
        self.kind = kind
        self.client = kind(url, key)
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.called.add(name)

        def call(*given: Any, **named: Any) -> Any:
            answer = getattr(self.client, name)(*given, **named)
            return asyncio.run(answer) if inspect.iscoroutine(answer) else answer

        return call


@pytest.fixture(scope="module")
def shop() -> Release:
    """Two tastes; the items belong to categories, and came a day apart."""
    data = two_tastes()
    frame = data.catalog.frame.with_columns(
        pl.Series("categories", [[taste, "all"] for taste in data.catalog.frame["category"]]),
        pl.Series("created_at", [DAY * (place + 1) for place in range(len(data.items))]),
    )
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, Catalog(frame), Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "weights": {}})


def served(shop: Release, store: Store) -> AbstractContextManager[str]:
    return running(create_app(Live(Served.of(shop, {})), store, None, Settings(ServeSettings(open_on_loopback=True))))


@pytest.fixture
def url(shop: Release, store: Store) -> Iterator[str]:
    with served(shop, store) as place:
        yield place


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.of("events.db", tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return Store.of("events.db", tmp_path)
    if reason := postgres.missing():
        pytest.skip(reason)
    return Store.of(postgres.new_database(), tmp_path)


def people(client: Caller) -> None:
    ann = {"UserId": "ann", "Labels": {"vip": True, "tastes": ["tea"]}, "Subscribe": ["news"], "Comment": "first"}
    assert client.insert_user(ann) == {"RowAffected": 1}
    assert client.get_user("ann") == ann
    bob = {"UserId": "bob", "Labels": ["x"], "Subscribe": [], "Comment": ""}
    assert client.insert_users([bob, {"UserId": "cid"}]) == {"RowAffected": 2}
    first, cursor = client.get_users(2)
    assert [user["UserId"] for user in first] == ["ann", "bob"]
    assert first[1] == bob
    last, cursor = client.get_users(2, cursor)
    assert ([user["UserId"] for user in last], cursor) == (["cid"], "")
    assert client.insert_user({"UserId": "ann"}) == {"RowAffected": 1}  # written over
    assert client.get_user("ann")["Labels"] is None


def items(client: Caller) -> None:
    pot = {
        "ItemId": "pot", "IsHidden": False, "Categories": ["kitchen"], "Timestamp": "2022-02-02T10:00:00Z",
        "Labels": {"colour": "red", "embedding": [0.5, -1.0]}, "Comment": "A Red Pot",
    }  # fmt: skip
    assert client.insert_item(pot) == {"RowAffected": 1}
    assert client.get_item("pot") == pot
    for name in ("cup", "jug"):
        client.insert_item({"ItemId": name, "Comment": f"a red {name}"})
    first, cursor = client.get_items(2)
    assert [item["ItemId"] for item in first] == ["cup", "jug"]
    last, cursor = client.get_items(2, cursor)
    assert ([item["ItemId"] for item in last], cursor) == (["pot"], "")
    assert [item["ItemId"] for item in client.search_items("RED pot")] == ["pot"]
    assert [item["ItemId"] for item in client.search_items("red", 2)] == ["cup", "jug"]
    assert client.search_items("blue") == []
    assert client.update_item("pot", is_hidden=True, categories=["shed"], labels=["old"]) == {"RowAffected": 1}
    assert client.get_item("pot") == {**pot, "IsHidden": True, "Categories": ["shed"], "Labels": ["old"]}
    client.update_item("pot", timestamp="2023-01-01", comment="Pot")
    assert client.get_item("pot")["Timestamp"] == "2023-01-01T00:00:00Z"
    assert client.get_item("pot")["Labels"] == ["old"]
    assert client.delete_item("pot") == {"RowAffected": 1}
    with pytest.raises(gorse.GorseException) as refusal:
        client.get_item("pot")
    assert (refusal.value.status_code, refusal.value.message) == (404, "item 'pot' not found")


def feedback(client: Caller) -> None:
    row = {"FeedbackType": "star", "UserId": "dan", "ItemId": "a-00", "Timestamp": "2022-02-01T00:00:00Z"}
    assert client.insert_feedback("star", "dan", "a-00", "2022-02-01") == {"RowAffected": 1}
    others = [{**row, "ItemId": "a-01", "Value": 2.5, "Comment": "nice"}, {**row, "FeedbackType": "view"}]
    assert client.insert_feedbacks(others) == {"RowAffected": 2}
    assert client.insert_feedbacks([{**row, "Value": 4.0}]) == {"RowAffected": 1}  # once more
    found = client.list_feedbacks("star", "dan")
    seen = [{name: one[name] for name in ("ItemId", "Value", "Timestamp", "Comment")} for one in found]
    time = row["Timestamp"]
    assert seen == [
        {"ItemId": "a-00", "Value": 4.0, "Timestamp": time, "Comment": ""},
        {"ItemId": "a-01", "Value": 2.5, "Timestamp": time, "Comment": "nice"},
    ]
    first, cursor = client.get_feedbacks(2)
    last, end = client.get_feedbacks(2, cursor)
    keys = [(one["FeedbackType"], one["ItemId"]) for one in [*first, *last]]
    assert (keys, end) == ([("star", "a-00"), ("view", "a-00"), ("star", "a-01")], "")
    assert client.get_user("dan") == {"UserId": "dan", "Labels": None, "Subscribe": [], "Comment": ""}
    assert client.delete_feedback("dan", "a-00") == {"RowAffected": 2}
    assert [one["ItemId"] for one in client.list_feedbacks("star", "dan")] == ["a-01"]
    assert client.list_feedbacks("view", "dan") == []


def lists(client: Caller) -> None:
    client.insert_feedback("star", "eve", "b-00", "2022-02-01")
    best = client.get_recommend("eve", n=4)
    assert [one.id[0] for one in best[:3]] == ["b"] * 3
    assert [one.score for one in best] == sorted([one.score for one in best], reverse=True)
    assert "b-00" not in {one.id for one in best}
    assert [one.id for one in client.get_recommend("eve", n=2, offset=1)] == [one.id for one in best[1:3]]
    only = client.get_recommend("eve", "a", n=3, write_back_type="read", write_back_delay="1h")
    assert {one.id[0] for one in only} == {"a"}
    assert client.list_feedbacks("read", "eve") == []  # not before the hour is over
    again = client.get_recommend("eve", "a", n=3, write_back_type="read")
    assert [one.id for one in again] == [one.id for one in only]
    assert {one["ItemId"] for one in client.list_feedbacks("read", "eve")} == {one.id for one in only}
    assert not {one.id for one in only} & {one.id for one in client.get_recommend("eve", "a", n=3)}
    session = [{"FeedbackType": "star", "UserId": "", "ItemId": "a-02", "Timestamp": "2022-01-01"}]
    told = client.session_recommend(session, n=3)
    assert [one["Id"][0] for one in told] == ["a"] * 3
    assert set(told[0]) == {"Id", "Score"}
    near = client.get_neighbors("a-02", n=3)
    assert [one["Id"][0] for one in near] == ["a"] * 3
    assert client.get_neighbors("a-02", n=2, offset=1) == near[1:]
    assert client.get_neighbors("nothing") == []


def farewell(client: Caller) -> None:
    assert client.delete_user("dan") == {"RowAffected": 1}
    with pytest.raises(gorse.GorseException) as refusal:
        client.get_user("dan")
    assert (refusal.value.status_code, refusal.value.message) == (404, "user 'dan' not found")
    assert client.get_feedbacks(10)[0][0]["UserId"] == "eve"


@pytest.mark.parametrize("kind", CLIENTS)
def test_every_method_of_the_clients_works_unchanged(kind: type, shop: Release, any_store: Store) -> None:
    with served(shop, any_store) as url:
        client = Caller(kind, url)
        for part in (people, items, feedback, lists, farewell):
            part(client)
    assert client.called == methods(kind)


def test_feedback_is_found_and_deleted_alike_on_every_database(shop: Release, any_store: Store) -> None:
    with served(shop, any_store) as url, httpx2.Client(base_url=url) as http:
        finds_by_type_person_and_item(http)


@pytest.fixture
def http(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url) as asking:
        yield asking


def rows(count: int = 3) -> list[dict[str, Any]]:
    time = "2022-02-01T00:00:00Z"
    return [
        {"FeedbackType": kind, "UserId": user, "ItemId": item, "Timestamp": time, "Value": 1.0}
        for kind, user, item in [("star", "ann", "a-00"), ("view", "ann", "a-00"), ("star", "bob", "a-00")][:count]
    ]


def keys(answer: httpx2.Response) -> set[tuple[str, str, str]]:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    listed = found["Feedback"] if isinstance(found, dict) else found
    return {(one["FeedbackType"], one["UserId"], one["ItemId"]) for one in listed}


def finds_by_type_person_and_item(http: httpx2.Client) -> None:
    assert http.put("/api/feedback", json=rows()).json() == {"RowAffected": 3}
    star_ann, view_ann, star_bob = (("star", "ann", "a-00"), ("view", "ann", "a-00"), ("star", "bob", "a-00"))
    assert keys(http.get("/api/feedback")) == {star_ann, view_ann, star_bob}
    assert keys(http.get("/api/feedback/star")) == {star_ann, star_bob}
    assert keys(http.get("/api/feedback/ann/a-00")) == {star_ann, view_ann}
    assert keys(http.get("/api/user/ann/feedback")) == {star_ann, view_ann}
    assert keys(http.get("/api/user/ann/feedback/view")) == {view_ann}
    assert keys(http.get("/api/item/a-00/feedback")) == {star_ann, view_ann, star_bob}
    assert keys(http.get("/api/item/a-00/feedback/star/")) == {star_ann, star_bob}
    assert http.get("/api/feedback/star/ann/a-00").json()["UserId"] == "ann"
    assert http.get("/api/feedback/star/cid/a-00").json() == {}
    assert http.delete("/api/feedback/star/ann/a-00").json() == {"RowAffected": 1}
    assert http.delete("/api/feedback/star/ann/a-00").json() == {"RowAffected": 0}
    assert keys(http.get("/api/feedback")) == {view_ann, star_bob}
    http.delete("/api/item/a-00")
    assert keys(http.get("/api/feedback")) == set()


def test_what_was_written_last_is_shown_and_the_log_keeps_both(http: httpx2.Client) -> None:
    newer, older = {**rows(1)[0], "Timestamp": "2023-01-01T00:00:00Z"}, rows(1)[0]
    http.post("/api/feedback", json=[newer])
    http.put("/api/feedback", json=[{**older, "Value": 7.0}])
    shown = http.get("/api/feedback/star/ann/a-00").json()
    assert (shown["Timestamp"], shown["Value"]) == (older["Timestamp"], 7.0)
    assert len(http.get("/v1/users/ann/events").json()["events"]) == 2


def test_deleted_feedback_no_longer_counts_in_the_next_answer(http: httpx2.Client) -> None:
    before = http.get("/api/recommend/new?n=12").json()
    http.post("/api/feedback", json=[{**rows(1)[0], "UserId": "new", "ItemId": before[0]}])
    assert before[0] not in http.get("/api/recommend/new?n=12").json()
    http.delete(f"/api/feedback/new/{before[0]}")
    assert http.get("/api/recommend/new?n=12").json() == before


def test_lists_that_are_the_same_for_everybody(http: httpx2.Client) -> None:
    latest = http.get("/api/latest?n=3").json()
    assert [one["Id"] for one in latest] == ["b-05", "b-04", "b-03"]
    assert [one["Score"] for one in latest] == [12 * 86_400, 11 * 86_400, 10 * 86_400]
    assert [one["Id"] for one in http.get("/api/latest/a?n=2&offset=1").json()] == ["a-04", "a-03"]
    both = http.get("/api/latest", params=[("category", "b"), ("category", "all"), ("n", 1)])
    assert [one["Id"] for one in both.json()] == ["b-05"]
    assert http.get("/api/latest", params=[("category", "a"), ("category", "b")]).json() == []
    popular = http.get("/api/popular?n=12").json()
    assert len(popular) == 12
    assert http.get("/api/non-personalized/popular?n=12").json() == popular
    assert [one["Id"][0] for one in http.get("/api/popular/b?n=4").json()] == ["b"] * 4
    http.post("/api/feedback", json=[{**rows(1)[0], "UserId": "new", "ItemId": popular[0]["Id"]}])
    left = [one["Id"] for one in http.get("/api/popular?n=12&user-id=new").json()]
    assert left == [one["Id"] for one in popular[1:]]
    assert http.get("/api/item/a-02/neighbors?n=5&user-id=new").status_code == 200
    assert http.get("/api/non-personalized/best").status_code == 404
    assert http.get("/api/user/a000/neighbors").text == "user-to-user recommendation is not enabled"


def test_a_search_goes_through_all_items(http: httpx2.Client) -> None:
    http.post("/api/items", json=[{"ItemId": f"i{place:04d}", "Labels": ["x"]} for place in range(1_500)])
    http.post("/api/item", json={"ItemId": "zz", "Comment": "the last One", "Labels": {"n": 1}})
    found = http.get("/api/items", params={"q": "ONE last"}).json()
    assert [item["ItemId"] for item in found["Items"]] == ["zz"]
    assert found["Cursor"] == ""


def test_a_category_is_looked_for_where_the_shop_keeps_it() -> None:
    ids = pl.Series("item_id", ["a", "b"])
    texts = Catalog(pl.DataFrame([ids, pl.Series("category", ["it's", "x"])]))
    texts_and_lists = Catalog(texts.frame.with_columns(pl.Series("categories", [[], ["it's"]])))
    for catalog, allowed in (
        (texts, [True, False]),
        (texts_and_lists, [True, True]),
        (Catalog(ids.to_frame()), [False] * 2),
    ):
        condition = lists_of_gorse.condition(["it's"], catalog)
        assert condition is not None
        assert where(condition, catalog.frame).tolist() == allowed
    assert lists_of_gorse.condition([], texts) is None


def test_people_and_items_are_changed_in_part(http: httpx2.Client) -> None:
    http.post("/api/user", json={"UserId": "ann", "Labels": {"a": 1, "b": 2}, "Comment": "x"})
    assert http.patch("/api/user/ann", json={"Labels": {"b": 3}, "Subscribe": ["s"]}).json() == {"RowAffected": 1}
    assert http.get("/api/user/ann").json() == {
        "UserId": "ann", "Labels": {"b": 3}, "Subscribe": ["s"], "Comment": "x",
    }  # fmt: skip
    http.patch("/api/user/ann", json={"Comment": "y"})
    assert http.get("/api/user/ann").json()["Comment"] == "y"
    http.post("/api/items", json=[{"ItemId": "pot", "Categories": ["a"]}, {"ItemId": "cup"}])
    assert http.put("/api/item/pot/category/b").json() == {"RowAffected": 1}
    http.put("/api/item/pot/category/b")
    assert http.get("/api/item/pot").json()["Categories"] == ["a", "b"]
    http.delete("/api/item/pot/category/a")
    assert http.get("/api/item/pot").json()["Categories"] == ["b"]
    assert http.get("/api/item/cup").json()["Timestamp"] == "0001-01-01T00:00:00Z"
    assert http.put("/api/item/nothing/category/a").status_code == 404


def test_a_person_who_withdrew_consent_stays_so_when_written_over(http: httpx2.Client) -> None:
    http.patch("/v1/users/ann", json={"consent": False})
    http.post("/api/user", json={"UserId": "ann", "Comment": "x"})
    stored = http.get("/v1/users/ann").json()
    assert (stored["consent"], stored["attributes"]) == (False, {"comment": "x"})


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "/api/user", {}, "UserId is missing: add it"),
        ("POST", "/api/user", [], "the body must be an object"),
        ("POST", "/api/users", [{"UserId": " "}], "UserId must not be empty"),
        ("POST", "/api/items", {"ItemId": "a"}, "the body must be a list"),
        ("POST", "/api/item", {"ItemId": "a", "Timestamp": "soon"}, "Timestamp is no time, got 'soon'"),
        ("POST", "/api/item", {"ItemId": "a", "Labels": {"x" * 300: 1}}, "Labels has the name"),
        ("POST", "/api/item", {"ItemId": "a", "Labels": ["x" * 20_001]}, "Labels is longer than 20,000"),
        ("POST", "/api/user", {"UserId": "a", "Labels": {str(n): n for n in range(191)}}, "at most 190 members"),
        ("POST", "/api/feedback", [{"UserId": "a", "ItemId": "b"}], "[0].FeedbackType is missing"),
        ("POST", "/api/feedback", [{**rows(1)[0], "Timestamp": "2999-01-01"}], "a year in the future"),
        ("POST", "/api/feedback", [{**rows(1)[0], "ItemId": " "}], "ItemId must not be empty"),
        ("POST", "/api/session/recommend?n=0", [], "n must be a whole number from 1 to 10,000, got '0'"),
        ("GET", "/api/items?n=ten", None, "n must be a whole number from 1 to 10,000, got 'ten'"),
        ("GET", "/api/latest?offset=-1", None, "offset must be a whole number from 0 to 10,000, got '-1'"),
        ("GET", "/api/feedback?cursor=x", None, "cursor is none of this service, got 'x'"),
        ("GET", f"/api/users?cursor={'x' * 1_025}", None, "cursor is none of this service"),
        ("GET", f"/api/items?q={'x' * 201}", None, "q must have at most 200 characters"),
        ("GET", "/api/recommend/a?write-back-delay=soon", None, "write-back-delay is no duration, got 'soon'"),
        ("GET", "/api/recommend/a?write-back-delay=9999h", None, "write-back-delay must be at most a year"),
        ("GET", f"/api/recommend/a?write-back-type={'x' * 201}", None, "write-back-type must have at most 200"),
        ("GET", "/api/latest?" + "category=x&" * 21, None, "at most 20 categories"),
        ("POST", "/api/users", [{"UserId": "a"}] * 10_001, "at most 10,000 users are taken at once, got 10,001"),
        ("POST", "/api/items", [{"ItemId": "a"}] * 10_001, "at most 10,000 items are taken at once"),
        ("POST", "/api/feedback", rows(1) * 10_001, "at most 10,000 feedbacks are taken at once"),
        ("POST", "/api/session/recommend", rows(1) * 10_001, "at most 10,000 feedbacks make a session"),
        ("GET", "/api/latest/" + "'" * 1_000, None, "where has 4,0"),
        ("GET", "/api/user/%20", None, "user_id must have from 1 to 1,024 characters"),
    ],
)
def test_a_refusal_is_a_sentence_in_plain_text(
    http: httpx2.Client, method: str, path: str, body: Any, sentence: str
) -> None:
    answer = http.request(method, path, **({} if body is None else {"json": body}))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert sentence in answer.text


def test_a_key_is_needed_and_can_be_the_clients(shop: Release, store: Store, tmp_path: Path) -> None:
    known = Keys(tmp_path / "keys.json")
    key = known.create("gorse")
    with running(create_app(Live(Served.of(shop, {})), store, known, Settings())) as url:
        assert gorse.Gorse(url, key).get_users(1) == ([], "")
        with pytest.raises(gorse.GorseException) as refusal:
            gorse.Gorse(url, "wrong").get_users(1)
        assert (refusal.value.status_code, refusal.value.message[:16]) == (401, "this API key is ")
        for probe in ("live", "ready"):
            answer = httpx2.get(f"{url}/api/health/{probe}")
            assert answer.json() == {
                "Ready": True, "DataStoreError": None, "CacheStoreError": None, "DataStoreConnected": True,
                "CacheStoreConnected": True,
            }  # fmt: skip


def test_a_key_opens_no_more_here_than_elsewhere(shop: Release, store: Store, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    reader, mails = keys.create("reader", role=Role.READER), keys.create("mails", scenarios=["email"])
    settings = Settings(ServeSettings())
    with running(create_app(Live(Served.of(shop, {})), store, keys, settings)) as url:
        client = gorse.Gorse(url, reader)
        assert client.get_recommend("ann", n=1)
        for call in (
            lambda: client.get_recommend("ann", n=1, write_back_type="read"),
            lambda: client.insert_feedback("star", "ann", "a-00", "2022-01-01"),
            lambda: gorse.Gorse(url, mails).delete_user("ann"),
            lambda: gorse.Gorse(url, mails).get_recommend("ann"),
            lambda: gorse.Gorse(url, mails).session_recommend([]),
            lambda: gorse.Gorse(url, mails).get_neighbors("a-00"),
        ):
            with pytest.raises(gorse.GorseException) as refusal:
                call()
            assert refusal.value.status_code == 403
            assert not refusal.value.message.startswith("{")
        for path in ("latest", "popular", "non-personalized/popular"):
            assert httpx2.get(f"{url}/api/{path}", headers={"X-API-Key": mails}).status_code == 403
        assert gorse.Gorse(url, mails).get_feedbacks(10) == ([], "")


def test_the_routes_can_be_turned_off(shop: Release, store: Store) -> None:
    app = create_app(
        Live(Served.of(shop, {})), store, None, Settings(ServeSettings(open_on_loopback=True, gorse=False))
    )
    with running(app) as url:
        assert httpx2.get(f"{url}/api/users").status_code == 404
        assert httpx2.get(f"{url}/v1/users").status_code == 200


def test_every_route_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "gorse.md").read_text(encoding="utf-8")
    for operation in OPERATIONS:
        assert f"`{operation.method} {operation.path}`" in page
        assert operation.about.endswith(".")


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES | st.sampled_from(["json:", "json:1", "labels."]),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(NAMES, inside, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_labels_of_any_shape_come_back_as_they_were(written: Any) -> None:
    made = columns(written)
    assert labels({**made, "title": "x"}) == written
    assert others({**made, "title": "x"}) == {"title": "x"}
    for value in made.values():
        assert isinstance(value, str | int | float) or all(isinstance(one, str) for one in value)


@given(JSON)
def test_a_packed_value_is_unpacked(value: Any) -> None:
    assert unpacked(packed(value, "Labels")) == value
