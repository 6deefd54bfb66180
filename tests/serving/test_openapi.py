"""/openapi.json is true: every route is in it, and every live answer is what it says."""

import re
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from starlette.routing import Route
from starlette.testclient import TestClient

TYPES = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
    "null": type(None),
}  # fmt: skip

EVERYTHING = {
    "user_id": "a000", "scenario": "email", "k": 3, "where": "price < 5", "exclude": ["a-00", 7],
    "boosts": {"category = 'a'": 2}, "promotions": [{"where": "price < 2", "share": 0.2, "until": "2030-01-01"}],
    "caps": {"category": 2}, "seen": "keep", "seen_days": 3, "personal": False, "context": {"page": "x", "n": 1},
    "now": 1_700_000_000,
}  # fmt: skip


def conforms(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> bool:
    """JSON Schema, as far as the document uses it."""
    if "$ref" in schema:
        return conforms(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "anyOf" in schema:
        return any(conforms(value, one, document) for one in schema["anyOf"])
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return False
    if kind == "array":
        return all(conforms(one, schema.get("items", {}), document) for one in value)
    if kind == "object":
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        required = all(name in value for name in schema.get("required", []))
        return required and all(
            (name in known or isinstance(others, dict)) and conforms(one, known.get(name, others), document)
            for name, one in value.items()
        )
    return True


@pytest.fixture
def document(steady: TestClient) -> dict[str, Any]:
    return steady.get("/openapi.json").json()


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r"#/components/schemas/([^']+)'", str(document)))
    assert names == set(document["components"]["schemas"])


def test_every_route_is_described_and_nothing_else(steady: TestClient, document: dict[str, Any]) -> None:
    routes = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in steady.app.routes  # type: ignore[attr-defined]  # TestClient holds any ASGI application
        if isinstance(route, Route) and not route.path.startswith("/api/")  # Gorse's; see docs/gorse.md
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert described == routes - {("/openapi.json", "get")}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            inside = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert inside == set(re.findall(r"{(\w+)}", path))
            assert operation["summary"]
    identifiers = [one["operationId"] for operations in document["paths"].values() for one in operations.values()]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize(
    ("method", "path", "url", "body", "statuses"),
    [
        ("post", "/v1/events", "/v1/events", {"user_id": "a", "item_id": "b"}, {202}),
        ("post", "/v1/events", "/v1/events?partial=true", [{"user_id": "a", "item_id": "b"}, {}], {202}),
        ("post", "/v1/events", "/v1/events", [{"user_id": "a"}], {422}),
        ("post", "/v1/recommendations", "/v1/recommendations", {"user_id": "a000"}, {200}),
        ("post", "/v1/recommendations", "/v1/recommendations", {"history": ["a-00"]}, {200}),
        ("post", "/v1/recommendations", "/v1/recommendations", {"k": 0}, {422}),
        ("post", "/v1/recommendations", "/v1/recommendations", EVERYTHING, {200}),
        ("post", "/v1/recommendations/batch", "/v1/recommendations/batch", {"user_ids": ["a000", 7]}, {200}),
        ("post", "/v1/recommendations/batch", "/v1/recommendations/batch", {"user_ids": 3}, {422}),
        ("post", "/v1/cart/recommendations", "/v1/cart/recommendations", {"items": ["a-00", "b-00"]}, {200}),
        ("post", "/v1/cart/recommendations", "/v1/cart/recommendations", {"items": ["nothing"]}, {404}),
        ("get", "/v1/items/popular", "/v1/items/popular?k=2", None, {200}),
        ("get", "/v1/items/trending", "/v1/items/trending", None, {200}),
        ("get", "/v1/items/latest", "/v1/items/latest", None, {200}),
        ("get", "/v1/users/{id}/similar", "/v1/users/a000/similar", None, {403}),
        ("get", "/v1/users/{id}/recommendations", "/v1/users/a000/recommendations?k=2", None, {200}),
        ("get", "/v1/users/{id}/recommendations", "/v1/users/a000/recommendations?k=x", None, {422}),
        ("get", "/v1/items/{id}/similar", "/v1/items/a-00/similar", None, {200}),
        ("get", "/v1/items/{id}/similar", "/v1/items/nothing/similar", None, {404}),
        ("post", "/v1/items", "/v1/items", {"item_id": "a", "attributes": {"b": ["c"], "d": 1}}, {200}),
        ("post", "/v1/items", "/v1/items", [{"item_id": 1}], {200}),
        ("get", "/v1/items", "/v1/items?limit=1", None, {200}),
        ("get", "/v1/items/{id}", "/v1/items/a", None, {200, 404}),
        ("patch", "/v1/items/{id}", "/v1/items/a", {"attributes": {"b": None}}, {200, 404}),
        ("delete", "/v1/items/{id}", "/v1/items/nothing", None, {404}),
        ("post", "/v1/users", "/v1/users", {"user_id": "a", "consent": None}, {200}),
        ("get", "/v1/users", "/v1/users", None, {200}),
        ("patch", "/v1/users/{id}", "/v1/users/a", {"personalised": True}, {200}),
        ("get", "/v1/users/{id}", "/v1/users/a", None, {200}),
        ("get", "/v1/users/{id}/events", "/v1/users/a/events", None, {200}),
        ("put", "/v1/users/{id}/friends/{friend}", "/v1/users/a/friends/b", None, {200}),
        ("get", "/v1/users/{id}/friends", "/v1/users/a/friends", None, {200}),
        ("delete", "/v1/users/{id}/friends/{friend}", "/v1/users/a/friends/b", None, {200, 404}),
        ("post", "/v1/sessions/{id}/login", "/v1/sessions/s/login", {"user_id": "a"}, {200}),
        ("get", "/v1/health", "/v1/health", None, {200}),
    ],
)
def test_a_live_answer_is_what_the_document_says(
    steady: TestClient, document: dict[str, Any], method: str, path: str, url: str, body: Any, statuses: set[int]
) -> None:
    operation = document["paths"][path][method]
    answer = steady.request(method, url, **({} if body is None else {"json": body}))
    assert answer.status_code in statuses
    content = operation["responses"][str(answer.status_code)]["content"]["application/json"]
    assert answer.headers["content-type"] == "application/json"
    assert conforms(answer.json(), content["schema"], document)
    assert not conforms({"nonsense": 1}, content["schema"], document)
    if body is not None and answer.status_code < 300 and "partial" not in url:
        assert conforms(body, operation["requestBody"]["content"]["application/json"]["schema"], document)
