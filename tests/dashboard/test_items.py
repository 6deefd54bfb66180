"""Items on their pages: found, seen with what goes with them, changed and hidden."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from worlds import dataset
from zhiyin.data.store.exposure import Shown
from zhiyin.data.store.records import Event, Impression, Item
from zhiyin.errors import RequestError
from zhiyin.serving.dashboard.attribute_fields import change_of, fields_of
from zhiyin.serving.dashboard.company import in_common
from zhiyin.serving.dashboard.faces import Face, faces, picture_of
from zhiyin.serving.dashboard.pages.item import exposed
from zhiyin.serving.dashboard.wanted_items import counted
from zhiyin.serving.live import Served
from zhiyin.serving.service import Service

from .conftest import DAY, Shop, release_of, service_in
from .signing_in import sign_in, token
from .test_overview import text
from .test_people import api, listed, post, service_of

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def put(client: TestClient, item_id: str, **attributes: object) -> None:
    client.portal.call(service_of(client).store.put_items, [Item(item_id, attributes)])


def names(html: str) -> list[str]:
    """The items of the table, in their order."""
    return re.findall(r'class="goods-name" href="/items/([^"]+)"', html)


def home(client: TestClient, shop: Shop, user_id: str) -> list[str]:
    answer = api(client, shop, f"/v1/users/{user_id}/recommendations?k=5&scenario=email")
    return [one["item_id"] for one in answer["items"]]


async def noted(service: Service, shown: Impression) -> None:
    service.store.note(shown)


# Finding an item.


def test_the_most_wanted_items_come_first(operator: TestClient) -> None:
    release = service_of(operator).served.release
    recent = release.histories.items[release.histories.times >= release.last_event - 30 * DAY]
    counts = np.bincount(recent, minlength=len(release.items))
    found = names(operator.get("/items").text)
    assert sorted(found) == release.items.texts.to_list()
    ordered = [int(counts[index]) for index in release.items.indexes(found)]
    assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("TEA 3", {"a-03"}),
        ("啡 1", {"b-01"}),
        ("-05", {"a-05", "b-05"}),
        ("a-00", {"a-00"}),
        (".*", set()),
    ],
)
def test_items_are_found_by_a_part_of_their_id_or_title(operator: TestClient, part: str, found: set[str]) -> None:
    answer = operator.get("/items", params={"find": part})
    assert set(names(answer.text)) == found
    assert ("Try a shorter part." in answer.text) == (not found)


def test_an_item_that_was_stored_a_moment_ago_is_found(operator: TestClient) -> None:
    put(operator, "new<1>", title="A <b>new</b> mug")
    page = operator.get("/items?find=new").text
    assert "A &lt;b&gt;new&lt;/b&gt; mug" in page
    assert names(page) == ["new%3C1%3E"]
    assert "A <b>new" not in page


def test_items_are_listed_page_by_page_each_once(operator: TestClient) -> None:
    rows = [Item(f"more-{i:03d}", {"title": f"more {i}"}) for i in range(90)]
    operator.portal.call(service_of(operator).store.put_items, rows)
    address, found = "/items", []
    while address:
        page = operator.get(address).text
        found += names(page)
        following = re.findall(r'href="([^"]+)" rel="next"', page)
        address = following[0].replace("&amp;", "&") if following else ""
    assert len(found) == len(set(found)) == 102
    assert operator.get("/items?page=0").status_code == 200
    assert operator.get("/items?page=9999").status_code == 200


def test_a_part_of_the_page_is_enough_while_somebody_types(operator: TestClient) -> None:
    part = operator.get("/items?find=tea", headers={"hx-request": "true", "hx-target": "found"}).text
    assert "<html" not in part
    assert len(names(part)) == 6
    assert "6 items are found." in part


# Seeing an item.


def test_an_item_shows_what_the_api_calls_alike(operator: TestClient, quiet: Shop) -> None:
    page = operator.get("/items/a-00").text
    answer = api(operator, quiet, "/v1/items/a-00/similar?k=8")
    assert answer["items"]
    assert listed(page) == [one["item_id"] for one in answer["items"]]
    assert "A cart with this item alone gets the same list." in page


def test_what_goes_with_an_item_stands_apart_where_it_is_another_list(quiet: Shop, tmp_path: Path) -> None:
    app = service_in(tmp_path)
    app.state.service.settings.scenarios["cart"].__dict__["where"] = "category = 'b'"
    with TestClient(app, "http://127.0.0.1:8000") as client:
        sign_in(client, quiet.keys["operator"])
        page = client.get("/items/a-00").text
    lists = re.findall(r'(?s)<ol class="goods ranked" aria-labelledby="(\w+)">(.*?)</ol>', page)
    assert "both" not in dict(lists)
    assert all(one.startswith("a-") for one in names(dict(lists)["similar"]))
    assert all(one.startswith("b-") for one in names(dict(lists).get("cart", "")))


def test_why_two_items_are_alike_is_told_by_people_and_by_what_the_shop_says(operator: TestClient) -> None:
    release = service_of(operator).served.release
    past = [set(release.histories[row : row + 1].items.tolist()) for row in range(len(release.users))]
    first, second = release.items.indexes(["a-00", "a-01"]).tolist()
    people, (both,) = in_common(release, first, [second])
    assert people == sum(first in one for one in past)
    assert both == sum({first, second} <= one for one in past)
    page = text(operator, "/items/a-00")
    assert f"{people} people have this item in their past." in page
    assert "same: a" in page


def test_an_item_that_nobody_touched_has_nobody_in_common() -> None:
    release = release_of(dataset([("ann", "x", 1.0), ("bob", "y", 2.0)], items=pl.DataFrame({"item_id": ["z"]})))
    assert in_common(release, int(release.items.indexes(["z"])[0]), [0]) == (0, [0])
    assert in_common(release, 0, []) == (1, [])


def test_who_gets_an_item_are_those_in_whose_list_it_is(operator: TestClient, quiet: Shop) -> None:
    asked = operator.get("/items/a-02?scenario=email&ask=yes").text
    reached = re.findall(r'href="/people/(\w+)\?[^"]+">\w+</a> <span class="about">at (\d+)<', asked)
    release = service_of(operator).served.release
    last = release.histories.times[release.histories.offsets[1:] - 1]
    active = release.users.texts.filter(pl.Series(last >= release.last_event - 7 * DAY)).to_list()
    truth = {}
    for user_id in active:
        found = home(operator, quiet, user_id)
        if "a-02" in found:
            truth[user_id] = found.index("a-02") + 1
    assert truth
    assert {user_id: int(rank) for user_id, rank in reached} == dict(
        sorted(truth.items(), key=lambda one: (one[1], one[0]))[:40]
    )
    assert f"for the {len(active)} people who were active last" in asked
    assert f"{len(truth)} of them have it" in asked


def test_who_gets_it_is_asked_after_the_page_is_there(operator: TestClient) -> None:
    page = operator.get("/items/a-02").text
    assert 'hx-trigger="load"' in page
    assert "were active last" not in page
    part = operator.get("/items/a-02?ask=yes", headers={"hx-request": "true", "hx-target": "reach"}).text
    assert "<html" not in part
    assert "were active last" in part


def test_showing_and_clicking_is_counted_by_day(operator: TestClient) -> None:
    service: Service = service_of(operator)
    now = service.clock()
    for i, items in enumerate(['[["a-00",1.0],["a-01",1.0]]', '[["a-01",1.0]]', '[["a-000",1.0]]', '[["a-00",0.5]]']):
        operator.portal.call(noted, service, Impression(f"r{i}", "ann", None, "home", None, 0, now - i * DAY, items))
    events = [
        Event("ann", item_id, "purchase", now, now, request_id=request_id)
        for item_id, request_id in [("a-00", "r0"), ("a-01", "r3")]
    ]
    operator.portal.call(service.store.append, events)
    page = text(operator, "/items/a-00")
    assert "Shown 2 times in 14 days" in page
    assert "Clicked 50.0 % 1 time" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Bought 50.0 % 1 time" in page.replace("\N{NO-BREAK SPACE}", " ")


def test_lists_are_counted_by_the_day_on_which_they_were_shown() -> None:
    lists = [Shown(DAY, 1, ("click",)), Shown(DAY + 5, 2, ()), Shown(3 * DAY, 1, ("view", "buy"))]
    assert exposed(lists).by_day == {1: [2, 1, 0], 3: [1, 1, 1]}
    assert exposed(lists).total == [3, 2, 1]
    assert exposed([]).total == [0, 0, 0]


def test_a_shop_without_lists_says_that_none_had_the_item(operator: TestClient) -> None:
    assert "No list of the last 14 days had this item." in text(operator, "/items/a-00")


def test_an_unknown_item_says_what_to_do(operator: TestClient) -> None:
    answer = operator.get("/items/none")
    assert answer.status_code == 404
    assert "check the id, or store it with POST /v1/items" in answer.text


def test_an_item_that_answers_do_not_know_yet_says_so(operator: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_of(operator)

    async def as_it_is() -> Served:  # as shortly after other items were taken in
        return service.assortment.served

    monkeypatch.setattr(service.assortment, "latest", as_it_is)
    put(operator, "new", title="A new mug")
    page = text(operator, "/items/new?ask=yes")
    assert "Answers do not know this item yet" in page
    assert "Item · zhiyin" not in page
    assert "Items A A new mug new" in page, "its title is that of the store"
    assert "It is in nobody's list." in page.replace("&#39;", "'")


def test_a_picture_is_shown_if_a_browser_may_load_it() -> None:
    assert picture_of("https://shop.example/mug.jpg") == "https://shop.example/mug.jpg"
    assert picture_of(PIXEL) == PIXEL
    for other in ("http://shop.example/mug.jpg", "javascript:alert(1)", "/mug.jpg", 7, None, PIXEL + "A" * 30_000):
        assert picture_of(other) is None


def test_a_face_has_the_title_of_the_language_and_else_the_id() -> None:
    table = pl.DataFrame(
        {
            "item_id": ["x", "y"],
            "title": ["mug", None],
            "title_zh": ["杯子", None],
            "image_url": [PIXEL, None],
            "price": [9.5, None],
            "category": [["cups", "gifts"], None],
        }
    )
    release = release_of(dataset([("ann", "x", 1.0), ("bob", "y", 2.0)], items=table))
    found = faces(release, [0, -1, 1], "zh")
    assert found == [Face("x", "杯子", PIXEL, "cups, gifts", 9.5), Face("y", "y")]
    assert faces(release, [0], "en")[0].title == "mug"
    assert [one.letter for one in found] == ["杯", "Y"]
    assert faces(release, [], "en") == []


def test_only_the_last_days_make_an_item_wanted() -> None:
    release = release_of(dataset([("ann", "x", 0.0), ("ann", "y", 50.0), ("bob", "y", 60.0)]))
    wanted = counted(release)
    assert wanted.of(np.array([0, 1, 7], np.int32)).tolist() == [0, 2, 0]
    assert wanted.best_first(np.array([0, 1, 7], np.int32)).tolist() == [1, 0, 7]


# Changing an item.


def test_attributes_are_changed_added_and_removed(operator: TestClient, quiet: Shop, tmp_path: Path) -> None:
    put(operator, "mug", title="A mug", price=9.5, tags=["blue", "new"], fragile=True)
    page = operator.get("/items/mug").text
    fields = dict(re.findall(r'name="((?:name|kind|was)-\d+)" value="([^"]*)"', page))
    place = {value: key.removeprefix("name-") for key, value in fields.items() if key.startswith("name-")}
    sent = {**fields, **{f"value-{n}": fields[f"was-{n}"] for n in place.values()}}
    sent |= {f"value-{place['price']}": "12", f"value-{place['tags']}": "blue\r\nround\r\n"}
    sent |= {f"value-{place['fragile']}": "no", f"remove-{place['title']}": "yes"}
    sent |= {"new-name": "weight", "new-kind": "number", "new-value": "0.3"}
    done = post(operator, "/item/change", id="mug", **sent)
    assert (done.status_code, done.headers["location"]) == (303, "/items/mug")
    stored = api(operator, quiet, "/v1/items/mug")
    assert stored["attributes"] == {"price": 12, "tags": ["blue", "round"], "fragile": False, "weight": 0.3}
    assert "5 attributes are changed." in text(operator, "/items/mug")
    acts = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(one["object"], one["outcome"]) for one in acts if one["act"] == "change item"] == [
        ("mug", "begun"),
        ("mug", "done"),
    ]


def test_a_form_that_changes_nothing_writes_nothing(operator: TestClient, quiet: Shop) -> None:
    put(operator, "mug", title="A mug")
    before = api(operator, quiet, "/v1/items/mug")
    done = post(operator, "/item/change", id="mug", **{"name-0": "title", "value-0": "A mug", "was-0": "A mug"})
    assert done.status_code == 303
    assert "Nothing was changed." in text(operator, "/items/mug")
    assert api(operator, quiet, "/v1/items/mug") == before


def test_what_only_the_files_say_is_changed_in_the_store(operator: TestClient, quiet: Shop) -> None:
    fields = {"name-0": "title", "kind-0": "text", "was-0": "tea 0", "value-0": "best tea"}
    post(operator, "/item/change", id="a-00", **fields)
    assert api(operator, quiet, "/v1/items/a-00")["attributes"] == {"title": "best tea"}
    page = operator.get("/items/a-00").text
    assert "<h1>best tea</h1>" in page
    assert 'name="remove-' in page


def test_a_value_of_another_kind_is_told_in_place(operator: TestClient) -> None:
    sent = {"name-0": "price", "kind-0": "text", "was-0": "9", "value-0": "cheap", "id": "a-00"}
    headers = {"hx-request": "true", "x-csrf-token": token(operator)}
    answer = operator.post("/item/change", data=sent, headers=headers)
    assert answer.status_code == 422
    assert answer.text.startswith("<p")
    assert "attributes.price must be a number" in answer.text


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("text", " two words ", "two words"),
        ("number", "12", 12),
        ("number", "1e3", 1_000),
        ("number", "-0.5", -0.5),
        ("truth", "yes", True),
        ("truth", "no", False),
        ("texts", "a\n\n b ", ["a", "b"]),
        ("texts", "", []),
    ],
)
def test_a_new_attribute_is_of_the_kind_that_is_said(kind: str, value: str, read: object) -> None:
    given = change_of({"new-name": " x ", "new-kind": kind, "new-value": value}).attributes
    assert given == {"x": read}
    assert type(given["x"]) is type(read)


@pytest.mark.parametrize("value", ["", "twelve", "nan", "inf", "1e400"])
def test_a_number_is_a_number(value: str) -> None:
    with pytest.raises(RequestError, match=r"attributes\.x must be"):
        change_of({"new-name": "x", "new-kind": "number", "new-value": value})


def test_fields_say_first_what_is_stored_and_what_of_it_can_go() -> None:
    found = fields_of(
        {"price": 8.25, "on": True}, {"item_id": "x", "price": 12.59000015258789, "brand": None, "w": 0.1}
    )
    assert [(one.name, one.kind, one.written, one.is_stored) for one in found] == [
        ("price", "number", "8.25", True), ("w", "number", "0.1", False), ("on", "truth", "yes", True),
    ]  # fmt: skip
    (moment,) = fields_of({}, {"created_at": 86_400_000_000})
    assert (moment.kind, moment.written, moment.moment) == ("moment", "1970-01-02T00:00:00Z", 86_400_000_000)


def test_hiding_takes_an_item_out_of_every_list_at_once_and_is_audited(
    operator: TestClient, quiet: Shop, tmp_path: Path
) -> None:
    assert "a-02" in {one for i in range(30) for one in home(operator, quiet, f"a{i:03d}")}
    done = post(operator, "/item/hide", id="a-02", hidden="yes")
    assert (done.status_code, done.headers["location"]) == (303, "/items/a-02")
    assert "a-02" not in {one for i in range(30) for one in home(operator, quiet, f"a{i:03d}")}
    page = text(operator, "/items/a-02")
    assert "The item is hidden" in page
    assert "Show again" in page
    assert post(operator, "/item/hide", id="a-02", hidden="no").status_code == 303
    assert api(operator, quiet, "/v1/items/a-02")["hidden"] is False
    acts = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [one["act"] for one in acts if one["object"] == "a-02" and one["outcome"] == "done"] == [
        "hide item",
        "show item",
    ]
    assert {one["actor"] for one in acts} == {"operator"}


def test_what_is_not_there_cannot_be_hidden_and_is_told(operator: TestClient) -> None:
    assert post(operator, "/item/hide", id="none", hidden="yes").status_code == 404
    assert post(operator, "/item/hide", id="a-00", hidden="perhaps").status_code == 422


@pytest.mark.parametrize("path", ["/item/change", "/item/hide"])
def test_no_other_site_can_act(operator: TestClient, path: str) -> None:
    assert operator.post(path, data={"id": "a-00", "hidden": "yes"}).status_code == 403
