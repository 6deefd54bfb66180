"""POST /v1/recommendations/batch: the lists of many people at once."""

import time
from collections.abc import Sequence
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.errors import RequestError
from zhiyin.serving.answers import age_s, is_fallback, listed, source
from zhiyin.serving.asking import asked_at, joined, of_somebody
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.caller import require_scenario
from zhiyin.serving.live import Served
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.schemas import BatchAnswer, BatchQuestion, PersonAnswer, Promoted
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.wish import BASKETS, HOME, Wish, wish_of

MOST_ANSWERED = 100_000
"""Items of one answer, people times k: about 10 MB of JSON."""

QUESTION = msgspec.json.Decoder(BatchQuestion)
KNOWN = names(BatchQuestion, Promoted)


async def post(service: Service, request: Request) -> Response:
    """Answer for many."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    served, now = service.live.served, asked_at(service, question.now)
    user_ids = [text_of(one, f"user_ids[{i}]") for i, one in enumerate(question.user_ids)]
    request_id = new_request_id()
    nobody = wish_of(served.release, service.scenarios, question, HOME, request_id)
    require_scenario(request, nobody.scenario)
    wishes: dict[str | None, Wish] = {None: nobody}
    scenario = service.scenarios[nobody.scenario]
    if scenario.kind in BASKETS:
        raise RequestError(422, f"a scenario of kind {scenario.kind!r} starts from items: ask for one person at a time")
    members: dict[str | None, list[int]] = {}
    for place, user_id in enumerate(user_ids):
        variant = scenario.variant_of(user_id, nobody.scenario)
        if variant not in wishes:
            wishes[variant] = wish_of(served.release, service.scenarios, question, HOME, request_id, user_id)
        members.setdefault(variant, []).append(place)
    if sum(wishes[variant].k * len(places) for variant, places in members.items()) > MOST_ANSWERED:
        raise RequestError(
            422, f"at most {MOST_ANSWERED:,} items are answered at once: ask for fewer people or a lower k"
        )
    known = [await of_somebody(service, served, user_id, None, now) for user_id in user_ids]
    work = partial(_answers, served, [one.queries for one in known], user_ids, wishes, members)
    people = await service.workers.run(work)
    took_ms = round((time.perf_counter() - started) * 1_000, 3)
    age = age_s(served.release, service.clock())
    return answered(
        BatchAnswer(
            request_id, served.release.number, nobody.scenario, any(one.stale for one in known), age, took_ms, people
        )
    )


def _answers(
    served: Served, queries: Sequence[Queries], user_ids: Sequence[str], wishes: dict[str | None, Wish],
    members: dict[str | None, list[int]],
) -> list[PersonAnswer]:  # fmt: skip
    """Each variant is one block through the pipeline."""
    release = served.release
    answers: dict[int, PersonAnswer] = {}
    for variant, places in members.items():
        wish = wishes[variant]
        asked = joined([queries[place] for place in places])
        found = wish.found(release, asked)
        reasons = wish.why(release, asked, found)
        for row, place in enumerate(places):
            items = listed(found.row(row), release, reasons[row])
            made_by = source(found, items, release.pipeline.combine)
            fallback = is_fallback(queries[place], made_by) or not wish.terms.personal
            answers[place] = PersonAnswer(user_ids[place], variant, fallback, items)
    return [answers[place] for place in range(len(user_ids))]


OPERATIONS = (
    Operation(
        "POST",
        "/v1/recommendations/batch",
        post,
        "Recommend items for up to 1,000 people at once, on the same terms.",
        answers={200: BatchAnswer},
        refusals=(400, 413, 415, 422),
        body=BatchQuestion,
    ),
)
