"""The storefront: what a visitor sees, and that every click is an event which the next list knows."""

import base64
import html
import json
import re
from collections.abc import Iterator
from itertools import takewhile

import httpx2
import polars as pl
import pytest
from starlette.testclient import TestClient

from worlds import dataset, two_tastes
from zhiyin.data.store.records import SESSION
from zhiyin.errors import RequestError, StoreError
from zhiyin.serving.dashboard.shop_events import type_of
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
from zhiyin.serving.dashboard.shop_people import some_people
from zhiyin.serving.dashboard.shop_shelves import categories, in_category
from zhiyin.serving.dashboard.shop_visit import COOKIE, Line, Visit

from .conftest import Shop, release_of
from .signing_in import sign_in, token
from .test_overview import text


@pytest.fixture
def visitor(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["operator"])
    client.headers["accept-language"] = "en"
    return client


def send(client: TestClient, path: str, **fields: str) -> httpx2.Response:
    return client.post(f"/shop/{path}", data={"csrf": token(client)} | fields)


def visit(client: TestClient) -> dict[str, object]:
    """What the cookie of the browser holds."""
    return json.loads(base64.urlsafe_b64decode(client.cookies[COOKIE]))


def shelf(page: str, name: str) -> list[str]:
    """The ids on a shelf, in order."""
    start = page.index(name)
    part = page[start : page.index("</ul>", start)]
    return [html.unescape(one) for one in re.findall(r'<li class="card[^>]*><a href="/shop/items/([^"?]+)', part)]


def held(client: TestClient, quiet: Shop, user_id: str) -> dict[str, list[dict[str, object]]]:
    """What is stored of a person, as the API exports it."""
    answer = client.get(f"/v1/users/{user_id}/export", headers={"authorization": f"Bearer {quiet.keys['admin']}"})
    return answer.json()["held"]


def test_a_stranger_sees_what_everybody_likes_and_a_person_what_suits(visitor: TestClient) -> None:
    page = visitor.get("/shop").text
    assert "A demo of your shop, seen as <b>a stranger</b>" in page
    assert "We do not know you yet." in page
    assert {one[0] for one in shelf(page, "Liked by everybody")} == {"a", "b"}
    assert send(visitor, "become", person="a000").headers["location"] == "/shop"
    page = visitor.get("/shop").text
    assert "seen as <b>a000</b>" in page
    assert shelf(page, "Recommended for you")[0][0] == "a"
    assert "because you" in page


def test_a_stranger_becomes_known_by_looking(visitor: TestClient) -> None:
    visitor.get("/shop")
    send(visitor, "see", item="b-00")
    page = visitor.get("/shop").text
    assert "We do not know you yet." not in page
    assert shelf(page, "Recommended for you")[0][0] == "b"
    send(visitor, "become", person="")
    assert "We do not know you yet." in visitor.get("/shop").text, "a new stranger is another one"


def test_an_item_is_told_with_what_is_like_it(visitor: TestClient) -> None:
    page = visitor.get("/shop/items/a-03").text
    assert "<h1>tea 3</h1>" in page
    assert '<span class="price">3.00</span>' in page
    assert set(shelf(page, "Similar items")) <= {f"a-{i:02d}" for i in range(6)}
    assert 'href="/items/a-03"' in page
    assert visitor.get("/shop/items/none").status_code == 404


def test_what_goes_with_an_item_is_of_another_category(visitor: TestClient) -> None:
    page = visitor.get("/shop/items/a-03").text
    assert "Goes with it" not in page or {one[0] for one in shelf(page, "Goes with it")} == {"b"}


def test_a_category_lists_its_items_and_pages(visitor: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.dashboard.pages.shop.PER_PAGE", 4)
    first = visitor.get("/shop/category/b").text
    second = visitor.get("/shop/category/b?page=2").text
    ids = shelf(first, "<h1>b</h1>") + shelf(second, "<h1>b</h1>")
    assert sorted(ids) == [f"b-{i:02d}" for i in range(6)]
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    assert visitor.get("/shop/category/none").status_code == 404


def test_a_view_is_an_event_that_names_the_list_it_came_from(visitor: TestClient, quiet: Shop) -> None:
    send(visitor, "become", person="a000")
    link = html.unescape(re.search(r'href="(/shop/items/[^"]+\?from=[^"]+)"', visitor.get("/shop").text)[1])
    page = visitor.get(link).text
    led = re.search(r'name="from" value="([0-9a-f]{24})"', page)[1]
    item_id = re.search(r'name="item" value="([^"]+)"', page)[1]
    sent = {"csrf": token(visitor), "item": item_id, "from": led}
    answer = visitor.post("/shop/see", data=sent, headers={"hx-request": "true"})
    assert (answer.status_code, answer.text.strip()) == (200, "")
    (event,) = held(visitor, quiet, "a000")["events"]
    assert (event["item_id"], event["request_id"], event["session_id"]) == (item_id, led, visit(visitor)["session"])
    assert led in {one["request_id"] for one in held(visitor, quiet, "a000")["impressions"]}, "a click on that list"


def test_the_cart_is_filled_bought_and_empty(visitor: TestClient, quiet: Shop) -> None:
    send(visitor, "become", person="a000")
    for item in ("a-03", "a-03", "b-02"):
        assert send(visitor, "cart/add", item=item).headers["location"] == "/shop/cart"
    said = text(visitor, "/shop/cart")
    assert "tea 3 2 pieces × 3.00 6.00" in said
    assert "Together 8.00" in said
    assert "Cart 3" in said
    send(visitor, "cart/drop", item="b-02")
    assert "Together 6.00" in text(visitor, "/shop/cart")
    assert send(visitor, "cart/buy").headers["location"] == "/shop"
    assert "2 pieces were bought." in text(visitor, "/shop")
    assert "Your cart is empty." in text(visitor, "/shop/cart")
    told = [
        (one["event_type"], one["item_id"], one["price"], one["quantity"])
        for one in held(visitor, quiet, "a000")["events"]
    ]
    carted = [("cart", "a-03", 3.0, 1.0), ("cart", "a-03", 3.0, 1.0), ("cart", "b-02", 2.0, 1.0)]
    assert told == [*carted, ("purchase", "a-03", 3.0, 2.0)]
    assert send(visitor, "cart/buy").status_code == 422


def test_something_goes_well_with_the_cart(visitor: TestClient) -> None:
    send(visitor, "cart/add", item="a-03")
    found = shelf(visitor.get("/shop/cart").text, "Goes well with your cart")
    assert found
    assert "a-03" not in found


def test_what_is_bought_does_not_come_again(visitor: TestClient, quiet: Shop) -> None:
    send(visitor, "become", person="new")
    send(visitor, "cart/add", item="a-03")
    send(visitor, "cart/buy")
    assert "a-03" not in shelf(visitor.get("/shop").text, "Recommended for you")


def test_an_item_that_is_not_there_is_not_sold(visitor: TestClient, quiet: Shop) -> None:
    assert send(visitor, "cart/add", item="none").status_code == 404
    assert send(visitor, "see", item="none").status_code == 404


def test_a_cart_has_an_end(visitor: TestClient) -> None:
    crowded = Visit.begun()
    for number in range(10):
        crowded = crowded.with_one(f"item-{number:04d}", "0" * 24)
    assert len(crowded.kept()[COOKIE]) < 2_000
    for number in range(10, 60):
        crowded = crowded.with_one(f"item-{number:04d}", "0" * 24)
    with pytest.raises(RequestError, match="the cart is full"):
        crowded.kept()


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "e30=", base64.urlsafe_b64encode(b'{"session":"mine"}').decode(),
     base64.urlsafe_b64encode(b'{"session":"storefront-1","cart":[{"item_id":"a","count":100}]}').decode()],
)  # fmt: skip
def test_a_cookie_that_is_none_begins_a_new_visit(visitor: TestClient, cookie: str) -> None:
    visitor.cookies.set(COOKIE, cookie)
    answer = visitor.get("/shop")
    assert answer.status_code == 200
    assert COOKIE in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_a_visit_that_is_known_sets_no_cookie(visitor: TestClient) -> None:
    visitor.get("/shop")
    assert "set-cookie" not in visitor.get("/shop").headers


def test_it_needs_a_session_of_the_dashboard(client: TestClient, quiet: Shop) -> None:
    assert client.get("/shop").headers["location"] == "/sign-in?next=%2Fshop"
    sign_in(client, quiet.keys["operator"])
    assert client.post("/shop/become", data={"person": "a000"}).status_code == 403, "without the token of the session"


def event_of(lines: Iterator[str]) -> str:
    """The next event of a stream."""
    for line in lines:
        if line.startswith("event: live"):
            return "\n".join(one.removeprefix("data: ") for one in takewhile(bool, lines))
    raise AssertionError("the stream has ended")


def test_the_ticker_tells_an_event_and_what_it_changed(quiet: Shop, quiet_url: str) -> None:
    with httpx2.Client(base_url=quiet_url, headers={"accept-language": "en"}, timeout=30) as client:
        cookie = client.post("/sign-in", data={"key": quiet.keys["operator"]}).headers["set-cookie"]
        client.cookies.set(*cookie.partition(";")[0].split("=", 1))
        client.get("/shop")
        with client.stream("GET", "/shop/live") as answer:
            lines = answer.iter_lines()
            first = event_of(lines)
            assert "Nothing yet" in first
            assert 'id="for-you-shelf" hx-swap-oob="innerHTML"' in first
            session = json.loads(base64.urlsafe_b64decode(client.cookies[COOKIE]))["session"]
            event = {"session_id": session, "item_id": "b-00", "event_type": "view"}
            sent = client.post("/v1/events", json=event, headers={"authorization": f"Bearer {quiet.keys['writer']}"})
            assert sent.status_code == 202, "from anywhere, not only from the storefront"
            second = event_of(lines)
    assert "<b>view</b>" in second
    assert "咖啡 0" in second
    assert "Recommended for you" in second
    assert "moved" in second or "came in:" in second


def test_a_ticker_waits_for_a_store_that_is_away(visitor: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    service = visitor.app.state.service

    async def away(*_: object) -> None:
        service.readiness.end()  # the stream, after this look
        raise StoreError("the store", "no route", "try again")

    monkeypatch.setattr(service.store, "news", away)
    assert "Nothing yet" in visitor.get("/shop/live").text


def test_chinese_titles_are_shown_to_who_reads_chinese() -> None:
    items = pl.DataFrame(
        {"item_id": ["x"], "title": ["tea, blue"], "title_zh": ["茶（蓝色）"], "price": [1.25], "tags": [["a", "b"]]}
    )
    release = release_of(dataset([("u", "x", 1.0), ("v", "x", 2.0)], items=items))
    (english,), (chinese,) = goods_of(release, ["x", "none"]), goods_of(release, ["x"], "zh")
    assert (english.title, chinese.title) == ("tea, blue", "茶（蓝色）")
    assert (english.price, english.facts) == (1.25, {"tags": "a, b"})
    assert english.drawing.colour == chinese.drawing.colour == "blue"


@pytest.mark.parametrize(
    ("title", "colour"), [("rose mug, green", "green"), ("杯子（红色）", "red"), ("Redwood chair, black", "black")]
)
def test_a_drawing_has_the_colour_that_the_title_names_last(title: str, colour: str) -> None:
    assert Goods("x", title, None, "", "").drawing.colour == colour


@pytest.mark.parametrize(
    ("category", "motif"), [("coats", "coat"), ("pet food", "house"), ("图书", "book"), ("hair care", "bottle")]
)
def test_a_drawing_suits_its_category(category: str, motif: str) -> None:
    assert Goods("x", "thing", None, category, "").drawing.motif == motif


def test_a_drawing_is_always_the_same_and_of_its_category() -> None:
    one, two = Goods("x", "mug", None, "curiosities", ""), Goods("y", "cup", None, "curiosities", "")
    assert one.drawing == Goods("x", "mug", 2.0, "curiosities", "").drawing
    assert (one.drawing.motif, one.drawing.ground) == (two.drawing.motif, two.drawing.ground)


def test_only_pictures_over_https_are_shown() -> None:
    items = pl.DataFrame({"item_id": ["x", "y"], "image": ["https://shop.example/x.jpg", "http://shop.example/y.jpg"]})
    release = release_of(dataset([("u", "x", 1.0), ("v", "y", 2.0)], items=items))
    assert [one.picture for one in goods_of(release, ["x", "y"])] == ["https://shop.example/x.jpg", ""]


def test_a_shop_that_knows_nothing_of_its_items_has_a_storefront_all_the_same() -> None:
    release = release_of(dataset([("u", "x", 1.0), ("v", "y", 2.0)]))
    (goods,) = goods_of(release, ["x"])
    assert (goods.title, goods.price, goods.category) == ("x", None, "")
    assert categories(release) == []
    assert [one.likes for one in some_people(release)] == [(), ()]


def test_some_people_are_offered_with_what_they_like() -> None:
    release = release_of(two_tastes())
    people = some_people(release)
    assert len(people) == 6
    assert all(one.likes == (one.person[0],) and one.events >= 4 for one in people)
    assert some_people(release) is people


def test_sessions_are_nobody_to_borrow() -> None:
    release = release_of(dataset([(f"{SESSION}s", "x", 1.0), ("v", "y", 2.0)]))
    assert [one.person for one in some_people(release)] == ["v"]


def test_events_are_called_as_the_shop_calls_them() -> None:
    log = [("u", "x", 1.0), ("v", "y", 2.0), ("v", "x", 3.0)]
    release = release_of(dataset(log, kinds=["pv", "Order", "pv"]))
    assert [type_of(release, deed) for deed in ("view", "cart", "purchase")] == ["pv", "cart", "Order"]


def test_a_category_with_a_quote_is_a_condition_all_the_same() -> None:
    assert in_category("men's") == "category = 'men''s'"
    assert in_category("men's", other=True) == "category != 'men''s'"


def test_a_line_counts_to_ninety_nine() -> None:
    found = Visit("storefront-1", None, (Line("a", 99),)).with_one("a", "")
    assert found.count == 99
