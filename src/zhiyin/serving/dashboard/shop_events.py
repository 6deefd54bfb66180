"""What a visitor of the storefront does, stored as events by the same function that takes them over HTTP."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from zhiyin.errors import RequestError
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.shop_goods import Goods
from zhiyin.serving.dashboard.shop_visit import Line, Visit
from zhiyin.serving.event_schemas import NewEvent
from zhiyin.serving.routes.events import checked
from zhiyin.serving.service import Service

Deed: TypeAlias = Literal["view", "cart", "purchase"]
NAMES: dict[Deed, tuple[str, ...]] = {
    "view": ("view", "detail", "click", "pv"),
    "cart": ("cart", "add_to_cart", "addtocart", "add-to-cart"),
    "purchase": ("purchase", "buy", "order", "transaction"),
}
"""What shops call it; the first that the release has learnt from is what is stored."""


def type_of(release: Release, deed: Deed) -> str:
    """What this shop calls it."""
    known = {name.casefold(): name for name in release.histories.kind_names}
    return next((known[name] for name in NAMES[deed] if name in known), deed)


async def did(service: Service, visit: Visit, deed: Deed, goods: Sequence[tuple[Goods, Line]]) -> None:
    """Store that somebody did this with these; it is on the disk when this returns.

    Raises
    ------
    RequestError
        503 if it cannot be stored now.
    """
    kind = type_of(service.served.release, deed)
    new = [
        NewEvent(
            item_id=one.item_id,
            user_id=visit.person,
            session_id=visit.session,
            event_type=kind,
            price=None if deed == "view" else one.price,
            quantity=None if deed == "view" else float(line.count),
            request_id=line.request_id or None,
        )
        for one, line in goods
    ]
    events, refused = await checked(new, "[{}]", service.live.served, service.clock())
    if refused:
        raise RequestError(422, refused[0].message)
    await service.store.append(events)
