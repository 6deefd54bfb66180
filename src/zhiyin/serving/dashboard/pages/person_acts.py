"""What an operator does with a person: what they agree to, the export of what is held, and its end."""

import msgspec
from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Download, View
from zhiyin.serving.dashboard.templates import quoted
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.erasure import erased
from zhiyin.serving.exporting import exported
from zhiyin.serving.service import Service, new_request_id

SAID = {
    ("personalised", "yes"): "person.now_personal",
    ("personalised", "no"): "person.now_not_personal",
    ("consent", "yes"): "person.now_consents",
    ("consent", "no"): "person.now_refuses",
}
JSON = "application/json"
ACT = "change person"


async def agree(service: Service, request: Request) -> Done:
    """Switch personal answers, or learning from the person, on or off."""
    sent = await form(request)
    user_id, wanted = id_in_path(sent.get("id", "")), (sent.get("name", ""), sent.get("value", ""))
    if wanted not in SAID:
        raise RequestError(422, "the form does not say what to switch: open the page again and repeat it there")
    name, value = wanted
    person, agreed = service.served.person(user_id), value == "yes"
    digest = service.store.digest(person)[:16]
    async with service.audit.acting(ACT, digest, caller_of(request), request_id=new_request_id()):
        if name == "personalised":
            await service.store.patch_user(person, {}, personalised=agreed)
        else:
            await service.store.patch_user(person, {}, consent=agreed)
    return Done(f"/people/{quoted(user_id)}", Said(SAID[wanted]))


async def export(service: Service, request: Request) -> Download:
    """Everything that is stored, as a file."""
    user_id = id_in_path((await form(request)).get("id", ""))
    found = await exported(service, user_id, caller_of(request), new_request_id())
    content = msgspec.json.format(msgspec.json.encode(found), indent=1)
    return Download(f"person-{service.store.digest(service.served.person(user_id))[:12]}.json", JSON, content)


async def erase(service: Service, request: Request) -> View:
    """Delete everything, and show the receipt."""
    sent = await form(request)
    user_id = id_in_path(sent.get("id", ""))
    if sent.get("typed", "").strip() != user_id:
        raise RequestError(
            422, "nothing was deleted, because what was typed is not the id of the person: go back and type it again"
        )
    receipt = await erased(service, user_id, caller_of(request), new_request_id())
    written = msgspec.json.format(msgspec.json.encode(receipt), indent=1).decode()
    return View("receipt.html", {"receipt": receipt, "written": written}, title="receipt.title")


PLACES = (
    Action("/person/agreements", agree),
    Action("/person/export", export, Role.ADMIN),
    Action("/person/erase", erase, Role.ADMIN),
)
