"""/openapi.json, written from the operations and the classes that they read and write."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import zhiyin
from zhiyin.serving.operation import Operation, Parameter
from zhiyin.serving.schemas import Failure

REFERENCE = "#/components/schemas/{name}"
MEANINGS = {
    200: "The answer.",
    202: "Taken.",
    400: "The body is not JSON.",
    401: "A key is missing or not known.",
    403: "This is switched off, the role or the scenarios of the key do not allow it, or this address may not ask.",
    404: "Nothing of this id is known.",
    409: "It cannot be done as things are; the sentence says why.",
    413: "The body is too long.",
    415: "The body is not declared as JSON.",
    422: "Something in the request is not allowed; the sentence says what.",
    429: "Asked too often; Retry-After says when to try again.",
    500: "A fault of the service.",
    503: "The service cannot do it now; Retry-After says when to try again.",
}


def described(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document."""
    types = [kind for operation in operations for kind in _types(operation)]
    found, components = msgspec.json.schema_components([*types, Failure], ref_template=REFERENCE)
    schemas = dict(zip([id(kind) for kind in [*types, Failure]], found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "zhiyin",
            "version": zhiyin.__version__,
            "description": "Personal recommendations. Every error is {error: {status, message, where?}}.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _types(operation: Operation) -> list[Any]:
    body = [] if operation.body is None else [operation.body]
    return [*(one.kind for one in operation.parameters), *body, *operation.answers.values()]


def _operation(operation: Operation, schemas: Mapping[int, Any]) -> dict[str, Any]:
    refused = {*operation.refusals, *(() if operation.role is None else (401, 403, 429)), 500, 503}
    failures = sorted(refused - operation.answers.keys())
    responses = {
        **{
            str(status): _content(MEANINGS[status], schemas[id(kind)], operation.media_type)
            for status, kind in operation.answers.items()
        },
        **{str(status): _content(MEANINGS[status], schemas[id(Failure)]) for status in failures},
    }
    description: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{operation.handler.__module__.rpartition('.')[2]}_"
        f"{operation.handler.__name__}",
        "summary": operation.about.partition(". ")[0].rstrip(".") + ".",
        "description": operation.about,
        "tags": [operation.handler.__module__.rpartition(".")[2]],
        "responses": responses,
        "security": [] if operation.role is None else [{"bearer": []}, {"key": []}],
    }
    if operation.role is not None:
        description["x-role"] = str(operation.role)
    if operation.parameters:
        description["parameters"] = [_parameter(one, schemas[id(one.kind)]) for one in operation.parameters]
    if operation.body is not None:
        content = {"application/json": {"schema": schemas[id(operation.body)]}}
        description["requestBody"] = {"required": True, "content": content}
    return description


def _content(meaning: str, schema: Mapping[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {"description": meaning, "content": {media_type: {"schema": schema}}}


def _parameter(parameter: Parameter, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.about,
        "schema": schema,
    }
