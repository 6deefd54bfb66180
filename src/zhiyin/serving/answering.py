"""One list for somebody: what a release answers to a wish, with its reasons."""

import time

from zhiyin.serving.answers import age_s, listed, source
from zhiyin.serving.current import stage
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Answer
from zhiyin.serving.sessions import Known
from zhiyin.serving.wish import Wish


def answer_of(served: Served, known: Known, wish: Wish, user_id: str | None, now: int, started: float) -> Answer:
    """The answer; in a thread, it takes milliseconds.

    Parameters
    ----------
    now
        The moment, µs UTC, from which the age of the release is counted.
    started
        When the question came, by `time.perf_counter`.

    Raises
    ------
    RequestError
        422 for a condition or a column that does not fit the items.
    """
    release, queries = served.release, known.queries
    with stage("scoring"):
        found = wish.found(release, queries)
    with stage("reasons"):
        items = listed(found, release, wish.why(release, queries, found)[0])
    made_by = source(found, items, release.pipeline.combine)
    return Answer(
        request_id=wish.request_id,
        version=release.number,
        scenario=wish.scenario,
        variant=wish.variant,
        source=made_by,
        fallback=wish.is_fallback(queries, made_by),
        stale=known.stale,
        age_s=age_s(release, now),
        took_ms=round((time.perf_counter() - started) * 1_000, 3),
        user_id=user_id,
        items=items,
    )
