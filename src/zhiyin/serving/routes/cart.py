"""POST /v1/cart/recommendations: what goes with the items of a cart."""

import time

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.serving.bodies import body, decoded, names
from zhiyin.serving.operation import Operation
from zhiyin.serving.routes.recommendations import answer
from zhiyin.serving.schemas import Answer, CartQuestion, Promoted, Question
from zhiyin.serving.service import Service

CART = "cart"
"""The scenario of a cart that names none."""

QUESTION = msgspec.json.Decoder(CartQuestion)
KNOWN = names(CartQuestion, Promoted)


async def post(service: Service, request: Request) -> Response:
    """Answer for a cart."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    return await answer(service, request, Question(**msgspec.structs.asdict(question)), CART, started)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/cart/recommendations",
        post,
        "The items that go with all items of a cart.",
        answers={200: Answer},
        refusals=(400, 404, 413, 415, 422),
        body=CartQuestion,
    ),
)
