"""Paths without parameters are found by one look, and mean what they mean by the order of all routes."""

import pytest
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.operation import Operation
from zhiyin.serving.resources import OPERATIONS
from zhiyin.serving.routing import Endpoint, Fixed, routes_of

ALL = (*OPERATIONS, *gorse.OPERATIONS)
PLAIN = [(one, path) for one in ALL for path in one.paths if "{" not in path]


@pytest.mark.parametrize(("operation", "path"), PLAIN, ids=[f"{one.method} {path}" for one, path in PLAIN])
def test_a_plain_path_means_what_the_order_of_all_routes_says(
    steady: TestClient, operation: Operation, path: str
) -> None:
    routes = routes_of(ALL, steady.app.state.service)  # type: ignore[attr-defined]  # TestClient holds any ASGI application
    scope = {"type": "http", "method": operation.method, "path": path}
    quick, slow = ([one.matches(scope) for one in part] for part in ([routes[0]], routes[1:]))
    assert isinstance(routes[0], Fixed)
    by_order = next(child for match, child in slow if match is Match.FULL)
    assert quick == [(Match.FULL, by_order)]
    assert isinstance(by_order["endpoint"], Endpoint)
    assert by_order["endpoint"].template == operation.path


def test_paths_with_parameters_and_other_methods_are_left_to_the_order() -> None:
    async def nothing(_: object) -> None:
        return None

    fixed = Fixed([Route("/a/{id}", nothing), Route("/a", nothing, methods=["POST"])])  # type: ignore[arg-type]  # never asked
    for method, path in (("GET", "/a/{id}"), ("GET", "/a/1"), ("GET", "/a"), ("POST", "/a/")):
        assert fixed.matches({"type": "http", "method": method, "path": path}) == (Match.NONE, {})
    assert fixed.matches({"type": "websocket", "path": "/a"}) == (Match.NONE, {})


def test_the_head_of_a_plain_path_is_answered(steady: TestClient) -> None:
    answer = steady.head("/v1/health")
    assert (answer.status_code, answer.content) == (200, b"")
