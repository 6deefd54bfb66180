"""POST /v1/sessions/{id}/login: an anonymous session turns out to be a person's."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.answers import id_in_path
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.caller import Role
from zhiyin.serving.catalogue import Linked, Login
from zhiyin.serving.operation import Operation, Parameter, answered, query
from zhiyin.serving.service import Service

LOGIN = msgspec.json.Decoder(Login)
KNOWN = names(Login)
ID = Parameter("id", "path", str, "the session; percent-encoded, slashes too")


async def login(service: Service, request: Request) -> Response:
    """What the session did counts for the person from now on, in training too."""
    query(request, ())
    session_id = id_in_path(request.path_params["id"])
    user_id = text_of(decoded(await body(request, service.body_limit), LOGIN, KNOWN).user_id, "user_id")
    await service.store.link(service.served.person(session_id), service.served.person(user_id))
    return answered(Linked(session_id, user_id))


OPERATIONS = (
    Operation(
        "POST",
        "/v1/sessions/{id:path}/login",
        login,
        "Say who a session belongs to. What it did counts for the person from now on, in training too.",
        answers={200: Linked},
        refusals=(400, 413, 415, 422),
        body=Login,
        parameters=(ID,),
        role=Role.WRITER,
    ),
)
