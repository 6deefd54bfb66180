"""A route and its description in one: what is served is what /openapi.json says."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError
from zhiyin.fields import unknown
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.service import Service


class _Anything(PathConvertor):
    """Part of a path with slashes and line breaks in it: ids may hold both."""

    regex = r"[\s\S]*"


register_url_convertor("path", _Anything())

Handler: TypeAlias = Callable[[Service, Request], Awaitable[Response]]


@dataclass(frozen=True)
class Parameter:
    """A part of the path or the query."""

    name: str
    place: str  # "path" or "query"
    kind: Any  # a type that msgspec describes
    about: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str  # as Starlette reads it; {id:path} takes slashes
    handler: Handler
    about: str
    answers: Mapping[int, Any]  # status to type
    refusals: tuple[int, ...] = ()  # statuses of errors beside those of every route
    body: Any = None
    parameters: tuple[Parameter, ...] = field(default=())
    media_type: str = "application/json"
    """Of the answers."""
    role: Role | None = Role.READER
    """The least that a caller must be; None needs no key."""

    slashed: bool = False
    """Answers with a slash at the end of the path, too."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Under which it is found."""
        return (self.path, f"{self.path}/") if self.slashed else (self.path,)

    async def answer(self, service: Service, request: Request) -> Response:
        """Answer a caller whose role is high enough.

        Raises
        ------
        RequestError
            403 if it is too low.
        """
        if self.role is not None and (caller := caller_of(request)).role < self.role:
            raise RequestError(
                403, f"this needs the role {self.role}, and the key of {caller.name} has {caller.role}: ask for another"
            )
        return await self.handler(service, request)


def query(request: Request, parameters: Sequence[Parameter]) -> dict[str, str]:
    """The query of a request by name.

    Raises
    ------
    RequestError
        422 for a parameter that is not known, or that comes twice.
    """
    if not request.scope["query_string"]:
        return {}
    known = [one.name for one in parameters if one.place == "query"]
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        where = f"query.{name[:100]}"
        if name not in known:
            raise RequestError(422, unknown(where, name[:100], known), where)
        if name in given:
            raise RequestError(422, f"{where} is given twice: give it once", where)
        given[name] = value
    return given


def answered(content: Any, status: int = 200) -> Response:
    """A Struct as JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")
