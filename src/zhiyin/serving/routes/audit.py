"""GET /v1/audit: what was done by whom, newest first."""

import asyncio
from functools import partial
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.serving.audit import Entry
from zhiyin.serving.audit_trail import Page, newest
from zhiyin.serving.caller import Role
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.service import Service

MOST, USUAL = 1_000, 100
LARGEST_CURSOR = 2**62


class Audited(Struct, frozen=True):
    """Entries of the audit, newest first."""

    entries: list[Entry]
    cursor: str | UnsetType = UNSET
    """For those before these; missing when there are none."""


PARAMETERS = (
    Parameter("limit", "query", Annotated[int, Meta(ge=1, le=MOST)], f"how many entries; {USUAL} if not given"),
    Parameter("cursor", "query", str, "of the answer before, to go on from there"),
)


async def audit(service: Service, request: Request) -> Response:
    """Answer with a page."""
    given = query(request, PARAMETERS)
    limit = _number(given, "limit", MOST)
    cursor = _number(given, "cursor", LARGEST_CURSOR)
    page = Page([], None)
    if service.audit.path is not None:
        page = await asyncio.to_thread(partial(newest, service.audit.path, limit or USUAL, cursor))
    return answered(Audited(page.entries, UNSET if page.cursor is None else str(page.cursor)))


def _number(given: dict[str, str], name: str, most: int) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    if not 1 <= value <= most:
        raise RequestError(
            422, f"query.{name} must be a whole number from 1 to {most:,}, got {text[:40]!r}", f"query.{name}"
        )
    return value


OPERATIONS = (
    Operation(
        "GET",
        "/v1/audit",
        audit,
        "What was done by whom, newest first: administrative acts, and how many requests were refused.",
        answers={200: Audited},
        refusals=(422,),
        parameters=PARAMETERS,
        role=Role.ADMIN,
    ),
)
