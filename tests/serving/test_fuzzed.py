"""schemathesis against the live service: whatever is sent, it answers as its document says, and never with a 500."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from live_server import running
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Registry
from zhiyin.serving.app import OPERATIONS, create_app
from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.live import Live
from zhiyin.serving.openapi import described
from zhiyin.serving.operation import Operation
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
    allow_header_conformance,
]
MANY = int(os.environ.get("ZHIYIN_FUZZ", "8"))
"""Requests of each kind to each route; set it higher to search longer."""

FEW = settings(
    max_examples=MANY,
    derandomize=True,
    phases=[Phase.generate],  # a failure is told as it was found, and soon
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def url(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("fuzzed")
    registry = Registry(folder / "releases")
    for _ in range(2):
        registry.publish(release.write, {"created": 1})
    registry.promote(1, 1)
    store = Store.of("events.db", folder)
    app = create_app(Live.of(registry, {}), store, None, Settings(ServeSettings(open_on_loopback=True)))
    with running(app) as place:
        yield place


@pytest.fixture(scope="module")
def ours(url: str) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


@pytest.fixture(scope="module")
def gorses(url: str) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_dict(described(gorse.OPERATIONS))
    schema.config.update(base_url=url)
    return schema


def fuzz(schema: schemathesis.BaseSchema, operation: Operation, mode: GenerationMode, checks: list[Any]) -> None:
    described_operation = schema[operation.path.replace(":path}", "}")][operation.method]

    @given(described_operation.as_strategy(generation_mode=mode))
    @FEW
    def asks(case: schemathesis.Case) -> None:
        forgiving = "partial" in (
            case.query or {}
        )  # then the wrong events of a list are refused, and the answer is 202
        case.call_and_validate(checks=[one for one in checks if not (forgiving and one is negative_data_rejection)])

    asks()


POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def asked(operations: Sequence[Operation]) -> list[Any]:
    """Every operation, with what its description allows; and with what it forbids, where it asks for anything."""
    return [
        pytest.param(one, mode, id=f"{one.method} {one.path} {mode.value}")
        for one in operations
        for mode in (POSITIVE, NEGATIVE)
        if mode == POSITIVE or one.parameters or one.body
    ]


@pytest.mark.parametrize(("operation", "mode"), asked(OPERATIONS))
def test_the_service_does_what_its_document_says(
    ours: schemathesis.BaseSchema, operation: Operation, mode: GenerationMode
) -> None:
    fuzz(ours, operation, mode, CHECKS)


@pytest.mark.parametrize(("operation", "mode"), asked(gorse.OPERATIONS))
def test_the_routes_of_gorse_never_fail(
    gorses: schemathesis.BaseSchema, operation: Operation, mode: GenerationMode
) -> None:
    fuzz(gorses, operation, mode, [not_a_server_error])
