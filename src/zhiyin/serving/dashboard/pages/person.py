"""One person: what they did, what they get now and would get with another past, and what they have agreed to."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from zhiyin.data.store import finding
from zhiyin.data.store.records import User
from zhiyin.errors import RequestError
from zhiyin.ranking.funnel import Stage
from zhiyin.ranking.funnel_arranging import STAGES as ARRANGING
from zhiyin.ranking.funnel_retrieval import RETRIEVER
from zhiyin.ranking.why import Why
from zhiyin.ranking.wording import Language
from zhiyin.serving.answers import id_in_path
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.columns import told
from zhiyin.serving.dashboard import searching
from zhiyin.serving.dashboard.faces import Face, face, faces
from zhiyin.serving.dashboard.lists_now import Asking, list_now, scenarios_for, wish_for
from zhiyin.serving.dashboard.page import Page, View
from zhiyin.serving.dashboard.preferences import Preferences
from zhiyin.serving.dashboard.trial import Trial
from zhiyin.serving.following import followed
from zhiyin.serving.service import Service

TEMPLATE = "person.html"
MOST_ACTS, MOST_FOUND, MOST_FRIENDS, MOST_SESSIONS = 12, 8, 50, 20
PARTS = ("trial", "found")
"""Of the page, which htmx asks for by the id of what it replaces."""


@dataclass(frozen=True)
class Followed:
    """An item on its way to the list."""

    face: Face
    why: Why

    @property
    def stop(self) -> Stage | None:
        """The stage that says most plainly why it is not there; None if it is."""
        stopped = [one for one in self.why.stages if not one.passed and not one.name.startswith(RETRIEVER)]
        plain = [one for one in stopped if one.name not in ARRANGING]
        return next(iter(plain or stopped), None)


async def show(service: Service, request: Request) -> View:
    """The page, or the part of it that has changed."""
    user_id = id_in_path(request.path_params["id"])
    language = Preferences.of(request).language
    scenarios = scenarios_for(service, request)
    if not scenarios:
        raise RequestError(403, "no scenario answers for a person, or this key is for others: see [scenarios]")
    asked = request.query_params.get("scenario", "")
    trial = Trial.of(request, user_id, asked if asked in scenarios else scenarios[0])
    part = request.headers.get("hx-target", "")
    asking = await Asking.of(service, user_id, trial.changes)
    values = {"trial": trial, "kinds": _kinds(asking), **await _found(service, asking, trial, language)}
    if part == "found":
        return View(TEMPLATE, values, "found")
    values |= await _answers(service, asking, trial, language)
    values |= {"scenarios": scenarios, "is_part": part in PARTS}
    if part == "trial":
        return View(TEMPLATE, values, "trial")
    return View(TEMPLATE, values | await _person(service, request, asking))


async def _found(service: Service, asking: Asking, trial: Trial, language: Language) -> dict[str, Any]:
    """Items that somebody looks for, to add them."""
    if not trial.find:
        return {"found": None}
    release = asking.served.release
    indexes = await service.workers.run(partial(searching.items, release, trial.find, language))
    return {"found": faces(release, indexes[:MOST_FOUND].tolist(), language)}


async def _answers(service: Service, asking: Asking, trial: Trial, language: Language) -> dict[str, Any]:
    """The past and the list beside it."""
    release = asking.served.release
    acts = asking.changed[::-1]
    page = acts[trial.older : trial.older + MOST_ACTS]
    return {
        "acts": list(zip(page, faces(release, [one.item for one in page], language), strict=True)),
        "count": len(acts),
        "older": trial.older + MOST_ACTS if len(acts) > trial.older + MOST_ACTS else None,
        "without": [one for one in asking.acts if one.mark in trial.changes.without],
        "now": await list_now(service, asking, trial.scenario, language),
        **await _why(service, asking, trial, language),
    }


async def _why(service: Service, asking: Asking, trial: Trial, language: Language) -> dict[str, Any]:
    """The funnel of one item; where a text fits several, these are to choose from."""
    if not trial.why:
        return {"why": None, "choices": None}
    release = asking.served.release
    item_id = trial.why
    if item_id not in release.items:
        indexes = await service.workers.run(partial(searching.items, release, trial.why, language))
        if len(indexes) != 1:
            return {"why": None, "choices": faces(release, indexes[:MOST_FOUND].tolist(), language)}
        (item_id,) = release.items.ids(indexes).to_list()
    wish = wish_for(service, asking, trial.scenario, language)
    queries = asking.tried.queries
    found = await service.workers.run(partial(followed, release, wish, queries, item_id, asking.user_id))
    return {"why": Followed(face(release, item_id, language), found), "choices": None}


async def _person(service: Service, request: Request, asking: Asking) -> dict[str, Any]:
    """What is stored of the person beside events."""
    store, person = service.store, asking.served.person(asking.user_id)
    user, friends, sessions = await asyncio.gather(
        store.user(person),
        store.friends(person, most=MOST_FRIENDS),
        store.reading(partial(finding.sessions, user_id=person, most=MOST_SESSIONS)),
    )
    return {
        "user_id": asking.user_id,
        "user": user or User(person),
        "is_described": user is not None,
        "attributes": told(user.attributes) if user else {},
        "friends": friends,
        "most_friends": MOST_FRIENDS,
        "sessions": sessions,
        "most_sessions": MOST_SESSIONS,
        "is_pseudonymous": asking.served.key is not None,
        "is_learnt": person in asking.served.release.users,
        "last": asking.acts[-1].time if asking.acts else None,
        "acts_known": len(asking.acts),
        "release": asking.served.release,
        "is_admin": caller_of(request).role >= Role.ADMIN,
    }


def _kinds(asking: Asking) -> list[str]:
    """Types of events that may be added, those that the release knows first."""
    return list(asking.served.release.histories.kind_names)


PLACES = (Page("/people/{id:path}", show, "person.title"),)
