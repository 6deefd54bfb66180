"""Who asks: the queries of a person, a session or a history as of a moment."""

from collections.abc import Sequence

import numpy as np

from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event
from zhiyin.errors import RequestError
from zhiyin.serving.bodies import text_of
from zhiyin.serving.live import Served
from zhiyin.serving.moments import moment
from zhiyin.serving.schemas import Id, Moment, PastEvent
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Known

APART = 1_000_000
"""µs between the events of a history that names no times."""


def asked_at(service: Service, now: Moment | None) -> int:
    """The moment of a question, µs UTC."""
    return service.clock() if now is None else moment(now, "now")


async def of_somebody(service: Service, user_id: str | None, session_id: str | None, now: int) -> tuple[Served, Known]:
    """What answers, and what is known of a person, or of a session where there is no person."""
    served = service.served
    person = None if user_id is None else served.person(user_id)
    session = None if session_id is None else served.person(session_id)
    known = await service.sessions.queries(served.release, person, session, now)
    if service.sessions.change > service.assortment.change:  # that reading told of items, too
        newer = await service.assortment.since(service.sessions.change)
        if newer is not served:
            return newer, await service.sessions.queries(newer.release, person, session, now)
    return served, known


def of_nobody(now: int) -> Queries:
    """The question of a stranger."""
    return Queries.of(Histories.empty(1), None, now)


def of_history(service: Service, served: Served, history: Sequence[Id | PastEvent], now: int) -> Queries:
    """A history that comes with the question.

    Raises
    ------
    RequestError
        422 if only some of its events have a time, or an id or a time is none.
    """
    past = service.sessions.history(served.release, _events(history, now))
    return Queries.of(past.before(np.array([now])), None, now)


def joined(parts: Sequence[Queries]) -> Queries:
    """Questions of one moment each as one batch; the names of event types grow, so that the longest are all of them."""
    pasts = [one.histories for one in parts]
    lengths = np.concatenate([past.lengths for past in pasts])
    columns = {
        name: np.concatenate([getattr(past, name) for past in pasts])
        for name in ("items", "times", "weights", "values", "kinds")
    }
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    histories = Histories(offsets, **columns, kind_names=max((past.kind_names for past in pasts), key=len))
    people, times = (np.concatenate([getattr(one, name) for one in parts]) for name in ("people", "times"))
    return Queries(histories, people, times)


def _events(history: Sequence[Id | PastEvent], now: int) -> list[Event]:
    """A history of the question as events, oldest first; without times they end just before `now`."""
    past = [one if isinstance(one, PastEvent) else PastEvent(one) for one in history]
    timed = sum(one.timestamp is not None for one in past)
    if timed not in (0, len(past)):
        raise RequestError(422, "history must give all of its events a timestamp, or none of them", "history")
    events = []
    for i, one in enumerate(past):
        place = f"history[{i}]"
        time = now - (len(past) - i) * APART if one.timestamp is None else moment(one.timestamp, f"{place}.timestamp")
        item_id, kind = text_of(one.item_id, f"{place}.item_id"), text_of(one.event_type, f"{place}.event_type")
        events.append(Event(None, item_id, kind, time, now, value=one.value))
    return events
