"""POST /v1/recommendations/batch: the lists of many people at once."""

import time
from collections.abc import Sequence
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from zhiyin.data.queries import Queries
from zhiyin.errors import RequestError
from zhiyin.registry.release import Release
from zhiyin.serving.answering import lists_of
from zhiyin.serving.answers import age_s
from zhiyin.serving.asking import asked_at
from zhiyin.serving.bodies import body, decoded, names, text_of
from zhiyin.serving.caller import require_scenario
from zhiyin.serving.grouping import Group, groups_of
from zhiyin.serving.impressions import note
from zhiyin.serving.live import Served
from zhiyin.serving.operation import Operation, answered
from zhiyin.serving.schemas import BatchAnswer, BatchQuestion, PersonAnswer, Promoted
from zhiyin.serving.service import Service, new_request_id
from zhiyin.serving.sessions import Known

MOST_ANSWERED = 100_000
"""Items of one answer, people times k: about 10 MB of JSON."""

QUESTION = msgspec.json.Decoder(BatchQuestion)
KNOWN = names(BatchQuestion, Promoted)


async def post(service: Service, request: Request) -> Response:
    """Answer for many."""
    started = time.perf_counter()
    question = decoded(await body(request, service.body_limit), QUESTION, KNOWN)
    served, now = await service.assortment.latest(), asked_at(service, question.now)
    user_ids = [text_of(one, f"user_ids[{i}]") for i, one in enumerate(question.user_ids)]
    groups = groups_of(service, served, question, user_ids, new_request_id())
    if sum(group.wish.k * len(group.places) for group in groups) > MOST_ANSWERED:
        raise RequestError(
            422, f"at most {MOST_ANSWERED:,} items are answered at once: ask for fewer people or a lower k"
        )
    require_scenario(request, groups[0].wish.scenario)
    known = [await service.sessions.queries(served.release, served.person(one), None, now) for one in user_ids]
    made = await service.workers.run(partial(_answer, service, served, groups, known, user_ids, started))
    for one in made.answers:
        note(
            service, served, made.request_id, one.items, scenario=made.scenario, variant=one.variant,
            user_id=one.user_id, context=question.context,
        )  # fmt: skip
    return answered(made)


def _answer(
    service: Service, served: Served, groups: Sequence[Group], known: Sequence[Known], user_ids: Sequence[str],
    started: float,
) -> BatchAnswer:  # fmt: skip
    release, wish = served.release, groups[0].wish
    answers: dict[int, PersonAnswer] = {}
    for group in groups:
        if group.places:
            answers |= _of_group(release, group, [known[place].queries for place in group.places], user_ids)
    return BatchAnswer(
        request_id=wish.request_id,
        version=release.number,
        scenario=wish.scenario,
        stale=any(one.stale for one in known),
        age_s=age_s(release, service.clock()),
        took_ms=round((time.perf_counter() - started) * 1_000, 3),
        answers=[answers[place] for place in range(len(user_ids))],
    )


def _of_group(
    release: Release, group: Group, queries: Sequence[Queries], user_ids: Sequence[str]
) -> dict[int, PersonAnswer]:
    """Place to list."""
    made = lists_of(release, group.wish, queries)
    return {
        place: PersonAnswer(user_ids[place], group.wish.variant, one.fallback, one.items)
        for place, one in zip(group.places, made, strict=True)
    }


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
