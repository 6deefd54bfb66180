"""What a release answers to wishes, with reasons: those that wait together and are alike are one batch."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from zhiyin.data.queries import Queries
from zhiyin.registry.release import Release
from zhiyin.serving.answers import age_s, listed, source
from zhiyin.serving.asking import joined
from zhiyin.serving.current import Noted, current, stages
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Answer, Recommended
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Known
from zhiyin.serving.wish import Wish


class Asked(NamedTuple):
    """Somebody's wish."""

    known: Known
    wish: Wish
    user_id: str | None
    now: int
    """The moment, µs UTC, from which the age of the release is counted."""
    started: float
    """When the question came, by `time.perf_counter`."""
    noted: Noted


class Made(NamedTuple):
    """A list."""

    items: list[Recommended]
    source: str
    fallback: bool


async def answered_soon(service: Service, served: Served, asked: Asked) -> Answer:
    """The answer; who asks the same way and waits for a thread, too, is answered in the same batch.

    Raises
    ------
    RequestError
        422 for a condition or a column that does not fit the items, 503 if too many wait already.
    """
    noted = asked.noted
    noted.version, noted.scenario = served.release.number, asked.wish.scenario
    work, alike = partial(answers_of, served), asked.wish.alike
    if alike is None:
        (made,) = await service.workers.run(partial(work, [asked]))
    else:
        made = await service.workers.together((id(served), alike), asked, work)
    noted.source, noted.fallback, noted.stale = made.source, made.fallback, made.stale
    return made


def answer_of(served: Served, known: Known, wish: Wish, user_id: str | None, now: int, started: float) -> Answer:
    """The answer to one; in a thread, it takes milliseconds. See `Asked`, and `answered_soon` for what it raises."""
    (made,) = answers_of(served, [Asked(known, wish, user_id, now, started, current())])
    return made


def answers_of(served: Served, asked: Sequence[Asked]) -> list[Answer]:
    """The answers to wishes that are alike."""
    release, first = served.release, asked[0].wish
    seeds = tuple(seed for one in asked for seed in one.wish.terms.seeds)
    wish = replace(first, terms=replace(first.terms, seeds=seeds))
    noted = [one.noted for one in asked]
    made = lists_of(release, wish, [one.known.queries for one in asked], noted)
    return [
        Answer(
            request_id=one.wish.request_id,
            version=release.number,
            scenario=one.wish.scenario,
            variant=one.wish.variant,
            source=of_one.source,
            fallback=of_one.fallback,
            stale=one.known.stale,
            age_s=age_s(release, one.now),
            took_ms=round((time.perf_counter() - one.started) * 1_000, 3),
            user_id=one.user_id,
            items=of_one.items,
        )
        for one, of_one in zip(asked, made, strict=True)
    ]


def lists_of(release: Release, wish: Wish, queries: Sequence[Queries], noted: Sequence[Noted] = ()) -> list[Made]:
    """The lists of one wish for each of some people."""
    batch = queries[0] if len(queries) == 1 else joined(queries)
    with stages("scoring", noted):
        found = wish.found(release, batch)
    with stages("reasons", noted):
        why = wish.why(release, batch, found)
        lists = [listed(found.row(row), release, why[row]) for row in range(len(queries))]
    made = []
    for row, items in enumerate(lists):
        made_by = source(found, items, release.pipeline.combine)
        made.append(Made(items, made_by, wish.is_fallback(queries[row], made_by)))
    return made
