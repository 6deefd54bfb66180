"""DELETE /v1/users/{id} and GET /v1/users/{id}/export: all that is stored of a person."""

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.catalogue import Export, Receipt
from zhiyin.serving.erasure import erased
from zhiyin.serving.exporting import exported
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.service import Service, new_request_id

ID = Parameter("id", "path", str, "the person; percent-encoded, slashes too")


async def erase(service: Service, request: Request) -> Response:
    """Delete everything that is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    return answered(await erased(service, user_id, caller_of(request), new_request_id()))


async def export(service: Service, request: Request) -> Response:
    """Everything that is stored of a person."""
    query(request, ())
    user_id = id_in_path(request.path_params["id"])
    return answered(await exported(service, user_id, caller_of(request), new_request_id()))


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
        "No answer uses what a release knows of the person from now on, and a training is asked for. The answer is a "
        "receipt, signed with the shop's key.",
        answers={200: Receipt},
        refusals=(422,),
        parameters=(ID,),
        role=Role.ADMIN,
    ),
)
