"""What an operator does with an item: says something else of it, hides it, or shows it again."""

from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import caller_of
from zhiyin.serving.catalogue import ItemChange
from zhiyin.serving.dashboard.attribute_fields import change_of
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done
from zhiyin.serving.dashboard.templates import quoted
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.describing import changed_item
from zhiyin.serving.service import Service, new_request_id


async def change(service: Service, request: Request) -> Done:
    """Write other attributes."""
    sent = await form(request)
    item_id, given = id_in_path(sent.get("id", "")), change_of(sent)
    if not given.attributes:
        return Done(_address(item_id), Said.of("item.unchanged"))
    async with service.audit.acting("change item", item_id, caller_of(request), request_id=new_request_id()):
        await changed_item(service, item_id, given)
    return Done(_address(item_id), Said.of("item.changed", count=len(given.attributes)))


async def hide(service: Service, request: Request) -> Done:
    """Take an item out of every list at once, or let it in again."""
    sent = await form(request)
    item_id, hidden = id_in_path(sent.get("id", "")), sent.get("hidden", "")
    if hidden not in ("yes", "no"):
        raise RequestError(422, "the form does not say whether to hide: open the page again and repeat it there")
    act = "hide item" if hidden == "yes" else "show item"
    async with service.audit.acting(act, item_id, caller_of(request), request_id=new_request_id()):
        await changed_item(service, item_id, ItemChange(hidden=hidden == "yes"))
    return Done(_address(item_id), Said.of("item.now_hidden") if hidden == "yes" else Said.of("item.now_shown"))


def _address(item_id: str) -> str:
    return f"/items/{quoted(item_id)}"


PLACES = (
    Action("/item/change", change),
    Action("/item/hide", hide),
)
