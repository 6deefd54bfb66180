"""What somebody gets now in a scenario, or would get with another past: the same questions as over HTTP."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from msgspec import UNSET
from starlette.requests import Request

from zhiyin.ranking import explain
from zhiyin.ranking.wording import ITSELF, Language, sentence
from zhiyin.registry.release import Release
from zhiyin.serving.answering import answer_of
from zhiyin.serving.asking import of_history, of_somebody
from zhiyin.serving.caller import caller_of
from zhiyin.serving.current import new_request_id
from zhiyin.serving.dashboard.faces import Face, faces
from zhiyin.serving.dashboard.past import Act, Changes, acts_of
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Answer, Reason, Recommended, Wanted
from zhiyin.serving.service import Service
from zhiyin.serving.sessions import Known
from zhiyin.serving.wish import BASKETS, HOME, Wish, wish_of

MOST_PLACES = 20
"""Of a list on a page."""


@dataclass(frozen=True)
class Asking:
    """Who asks, with which past, at which moment."""

    user_id: str
    served: Served
    known: Known
    """As it is."""
    acts: tuple[Act, ...]
    """What is known of the person, oldest first."""
    changed: tuple[Act, ...]
    """The same with what somebody tries."""
    tried: Known
    """What is known with these changes; the same as `known` without."""
    is_changed: bool
    now: int

    @classmethod
    async def of(cls, service: Service, user_id: str, changes: Changes) -> "Asking":
        """Read what is known of a person now."""
        now = service.clock()
        served, known = await of_somebody(service, user_id, None, now)
        acts = acts_of(served.release, known.queries.histories)
        changed = changes.of_acts(served.release, acts, now)
        asking = cls(user_id, served, known, tuple(acts), tuple(changed), known, bool(changes), now)
        if not changes:
            return asking
        return replace(asking, tried=Known(of_history(service, served, [one.asked() for one in changed], now)))


@dataclass(frozen=True)
class Row:
    """One place of a list."""

    face: Face
    given: Recommended
    reason: str
    """With the titles that the page has."""
    moved: int | None
    """Places up by the changes of the past, negative for down; None for an item that came in by them."""


@dataclass(frozen=True)
class ListNow:
    """The list of a scenario."""

    answer: Answer
    rows: Sequence[Row]
    gone: Sequence[Face]
    """What the changes of the past took away."""
    personal: bool
    """Whether the scenario uses the person at all."""


def scenarios_for(service: Service, request: Request) -> list[str]:
    """Scenarios that answer for a person, and that the caller may ask for; the one that is asked by default first."""
    may_ask = caller_of(request).may_ask
    found = [name for name, one in service.scenarios.items() if one.kind not in BASKETS and may_ask(name)]
    return sorted(found, key=lambda name: name != HOME)


def wish_for(service: Service, asking: Asking, scenario: str, language: Language) -> Wish:
    """What a question of this person in a scenario wants.

    What explores is drawn alike as long as the release stays, so that only what is changed changes a list.
    """
    release = asking.served.release
    wanted = Wanted(scenario=scenario, language=language)
    wish = wish_of(release, service.scenarios, wanted, HOME, new_request_id(), asking.user_id)
    seeds = wish_of(release, service.scenarios, wanted, HOME, f"dashboard-{release.number}", asking.user_id).terms.seeds
    return replace(wish, terms=replace(wish.terms, seeds=seeds), k=min(wish.k, MOST_PLACES))


async def list_now(service: Service, asking: Asking, scenario: str, language: Language) -> ListNow:
    """The list, and how the changes of the past have changed it."""
    wish = wish_for(service, asking, scenario, language)
    return await service.workers.run(partial(_made, asking, wish, language))


def _made(asking: Asking, wish: Wish, language: Language) -> ListNow:
    started, release = time.perf_counter(), asking.served.release
    answer = answer_of(asking.served, asking.tried, wish, asking.user_id, asking.now, started)
    ids = [one.item_id for one in answer.items]
    before = ids
    if asking.is_changed:
        found = wish.found(release, asking.known.queries).items[0]
        before = release.items.ids(found[found >= 0]).to_list()
    ranks = {item_id: rank for rank, item_id in enumerate(before, 1)}
    shown = faces(release, release.items.indexes(ids).tolist(), language)
    said = reasons_in(release, answer.items, language)
    rows = [
        Row(face, one, text, ranks[one.item_id] - one.rank if one.item_id in ranks else None)
        for face, one, text in zip(shown, answer.items, said, strict=True)
    ]
    gone = faces(release, release.items.indexes([one for one in before if one not in set(ids)]).tolist(), language)
    return ListNow(answer, rows, gone, wish.settings.kind == "personal" and wish.terms.personal)


def reasons_in(release: Release, items: Sequence[Recommended], language: Language) -> list[str]:
    """The reason of each item, with titles in a language: an answer has those of the column `title` alone."""
    ids = [because.item_id for one in items if one.reason is not UNSET for because in one.reason.because]
    titles = {one.item_id: one.title for one in faces(release, release.items.indexes(ids).tolist(), language)}
    return ["" if one.reason is UNSET else _sentence(one.item_id, one.reason, titles, language) for one in items]


def _sentence(item_id: str, reason: Reason, titles: Mapping[str, str], language: Language) -> str:
    because = tuple(explain.Because(-1, one.event_type, 0, one.share) for one in reason.because)
    called = [ITSELF[language] if one.item_id == item_id else titles[one.item_id] for one in reason.because]
    return sentence(explain.Reason(reason.kind, because, reason.method), called, language)
