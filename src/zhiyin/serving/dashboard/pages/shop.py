"""The shop as its customers see it: what each page recommends, and what every click changes."""

import asyncio
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from zhiyin.errors import RequestError, UnknownIdError
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import shown
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, Stream, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.shop_events import did
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
from zhiyin.serving.dashboard.shop_people import some_people
from zhiyin.serving.dashboard.shop_shelves import Shelf, Want, asked, categories, in_category, of_kind
from zhiyin.serving.dashboard.shop_ticker import Ticker
from zhiyin.serving.dashboard.shop_visit import COOKIE, Line, Visit
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.service import Service

LIVE = "shop_live.html"
PATH, CART, TITLE = "/shop", "/shop/cart", "shop.title"
MOST_CATEGORIES = 14
PER_PAGE = 24
SIMILAR, TOGETHER = "similar", "cart"
"""Scenarios."""
LONGEST_REQUEST = 200


async def home(service: Service, request: Request) -> View:
    """What the shop shows to who comes in."""
    visit, language = Visit.of(request), Preferences.of(request).language
    for_you, latest = await asyncio.gather(asked(service, visit, language), of_kind(service, visit, language, "latest"))
    shelves = [(Said.of("shop.latest"), latest)]
    if for_you.is_personal:
        popular = of_kind(service, visit, language, "popular")
        if liked := for_you.liked:
            more = of_kind(service, visit, language, "trending", where=in_category(liked))
            shelves.insert(0, (Said.of("shop.more_of", name=liked), await more))
        shelves.insert(0, (Said.of("shop.popular"), await popular))
    else:  # whose list is what is popular
        shelves.insert(0, (Said.of("shop.trending"), await of_kind(service, visit, language, "trending")))
    return await _view(service, request, visit, "shop.html", for_you, shelves=shelves)


async def category(service: Service, request: Request) -> View:
    """What there is of one category, what everybody likes first."""
    visit, language = Visit.of(request), Preferences.of(request).language
    name, page = request.path_params["name"], _number(request.query_params.get("page", ""))
    if name not in categories(service.served.release):
        raise UnknownIdError(f"there is no category {shown(name)}: choose one of the list")
    found, for_you = await asyncio.gather(
        of_kind(service, visit, language, "popular", where=in_category(name), k=PER_PAGE * page + 1),
        asked(service, visit, language),
    )
    address = f"{PATH}/category/{quote(name, safe='')}"
    values = {
        "name": name,
        "shelf": Shelf(found.request_id, found.goods[PER_PAGE * (page - 1) : PER_PAGE * page]),
        "first": address if page > 1 else "",
        "next": f"{address}?page={page + 1}" if len(found.goods) > PER_PAGE * page else "",
    }
    return await _view(service, request, visit, "shop_category.html", for_you, **values)


async def item(service: Service, request: Request) -> View:
    """One item, what is like it, and what goes with it."""
    visit, language = Visit.of(request), Preferences.of(request).language
    goods = _known(service, id_in_path(request.path_params["id"]), language)
    elsewhere = in_category(goods.category, other=True) if goods.category else None
    alike, together, for_you = await asyncio.gather(
        asked(service, visit, language, Want(SIMILAR, (goods.item_id,))),
        asked(service, visit, language, Want(TOGETHER, (goods.item_id,), elsewhere)),
        asked(service, visit, language),
    )
    values = {"goods": goods, "led": request.query_params.get("from", "")[:LONGEST_REQUEST]}
    shelves = [(Said.of("shop.similar"), alike), (Said.of("shop.together"), together)]
    return await _view(service, request, visit, "shop_item.html", for_you, shelves=shelves, **values)


async def cart(service: Service, request: Request) -> View:
    """What is in the cart, and what goes with it."""
    visit, language = Visit.of(request), Preferences.of(request).language
    lines = _lines(service, visit, language)
    basket = tuple(goods.item_id for goods, _ in lines)
    together = asked(service, visit, language, Want(TOGETHER, basket)) if basket else _nothing()
    goes_with, for_you = await asyncio.gather(together, asked(service, visit, language))
    total = sum(goods.price * line.count for goods, line in lines if goods.price is not None)
    values = {"lines": lines, "total": total, "shelves": [(Said.of("shop.goes_with_cart"), goes_with)]}
    return await _view(service, request, visit, "shop_cart.html", for_you, **values)


async def live(service: Service, request: Request) -> View:
    """What just happened, and the list that came of it."""
    ticker = Ticker.of(request, Visit.of(request), Preferences.of(request).language)
    await ticker.look(service)
    values = {"happenings": ticker.happenings, "for_you": ticker.shelf, "fresh": ticker.fresh}
    return View(LIVE, values, "live")


async def see(service: Service, request: Request) -> View:
    """Somebody has opened the page of an item."""
    visit, goods, line = await _sent(service, request)
    await did(service, visit, "view", [(goods, line)])
    return View(LIVE, {"happenings": [], "for_you": Shelf(), "fresh": ()}, "nothing", title=TITLE)


async def add(service: Service, request: Request) -> Done:
    """Put one more of an item into the cart."""
    visit, goods, line = await _sent(service, request)
    visit = visit.with_one(goods.item_id, line.request_id)
    kept = visit.kept()
    await did(service, visit, "cart", [(goods, line)])
    return Done(CART, Said.of("shop.added", title=goods.title), kept)


async def drop(_: Service, request: Request) -> Done:
    """Take an item out of the cart; that is no event, because no shop would recommend for it."""
    visit = Visit.of(request).without((await form(request)).get("item", ""))
    return Done(CART, Said.of("shop.dropped"), visit.kept())


async def buy(service: Service, request: Request) -> Done:
    """Buy what is in the cart."""
    visit, language = Visit.of(request), Preferences.of(request).language
    lines = _lines(service, visit, language)
    if not lines:
        raise RequestError(422, "the cart is empty: put something into it", "item")
    await did(service, visit, "purchase", lines)
    count = sum(line.count for _, line in lines)
    return Done(PATH, Said.of("shop.bought", count=count), Visit(visit.session, visit.person).kept())


async def become(_: Service, request: Request) -> Done:
    """See the shop as somebody else does."""
    person = (await form(request)).get("person", "").strip()
    visit = Visit.begun(id_in_path(person) if person else None)
    return Done(PATH, Said.of("shop.now_as", name=person) if person else Said.of("shop.now_stranger"), visit.kept())


async def _view(service: Service, request: Request, visit: Visit, template: str, for_you: Shelf, **values: Any) -> View:
    release = service.served.release
    shared = {
        "visit": visit,
        "people": some_people(release),
        "categories": categories(release)[:MOST_CATEGORIES],
        "for_you": for_you,
        "fresh": frozenset(),
        "happenings": [],
        "chosen": request.path_params.get("name", ""),
        "shelves": [],
    }
    kept = visit.kept()
    return View(template, {**shared, **values}, keep={} if kept[COOKIE] == request.cookies.get(COOKIE) else kept)


async def _sent(service: Service, request: Request) -> tuple[Visit, Goods, Line]:
    sent = await form(request)
    visit, goods = Visit.of(request), _known(service, sent.get("item", ""), Preferences.of(request).language)
    return visit, goods, Line(goods.item_id, 1, sent.get("from", "")[:LONGEST_REQUEST])


def _known(service: Service, item_id: str, language: Language) -> Goods:
    found = goods_of(service.served.release, [item_id], language)
    if not found:
        raise UnknownIdError(f"there is no item {shown(item_id)}: it may have been withdrawn")
    return found[0]


def _lines(service: Service, visit: Visit, language: Language) -> list[tuple[Goods, Line]]:
    """What is in the cart, as far as the release knows it."""
    found = {
        one.item_id: one for one in goods_of(service.served.release, [line.item_id for line in visit.cart], language)
    }
    return [(found[line.item_id], line) for line in visit.cart if line.item_id in found]


async def _nothing() -> Shelf:
    return Shelf()


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 4 else 1


PLACES = (
    Page(PATH, home, TITLE, place=60),
    Page("/shop/category/{name:path}", category, TITLE),
    Page("/shop/items/{id:path}", item, TITLE),
    Page(CART, cart, "shop.cart"),
    Stream("/shop/live", live, seconds=1.0),
    Action("/shop/see", see),
    Action("/shop/cart/add", add),
    Action("/shop/cart/drop", drop),
    Action("/shop/cart/buy", buy),
    Action("/shop/become", become),
)
