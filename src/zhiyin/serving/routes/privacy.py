"""DELETE /v1/users/{id} and GET /v1/users/{id}/export: all that is stored of a person."""

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import Role
from zhiyin.serving.catalogue import Erased, Export
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.service import Service

ID = Parameter("id", "path", str, "the person; percent-encoded, slashes too")


async def erase(service: Service, request: Request) -> Response:
    """Delete everything that is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    return answered(Erased(user_id, await service.store.erase(service.live.served.person(user_id))))


async def export(service: Service, request: Request) -> Response:
    """Everything that is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    return answered(Export(user_id, await service.store.export(service.live.served.person(user_id))))


OPERATIONS = (
    Operation(
        "GET",
        "/v1/users/{id:path}/export",
        export,
        "Everything that is stored of a person: attributes, events, shown lists, friends and linked sessions.",
        answers={200: Export},
        refusals=(422,),
        parameters=(ID,),
        role=Role.ADMIN,
    ),
    Operation(
        "DELETE",
        "/v1/users/{id:path}",
        erase,
        "Delete everything that is stored of a person: attributes, events, shown lists, friends and linked sessions. "
        "A release that was trained on the events keeps its numbers until the next training.",
        answers={200: Erased},
        refusals=(422,),
        parameters=(ID,),
        role=Role.ADMIN,
    ),
)
