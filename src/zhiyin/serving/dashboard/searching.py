"""Items and people by a part of their id or title."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from zhiyin.data.store import finding
from zhiyin.data.store.records import SESSION
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release
from zhiyin.serving.dashboard.erased import without_erased
from zhiyin.serving.dashboard.faces import title_columns
from zhiyin.serving.schemas import LONGEST_ID
from zhiyin.serving.service import Service
from zhiyin.types import Indexes

LONGEST = 200
"""Characters of a text that is looked for."""


@dataclass(frozen=True)
class PeoplePage:
    """Some people in the order of their ids."""

    people: list[str]
    next: str | None
    """Go on after this id; None where there are no more."""


def wanted(text: str) -> str:
    """What is looked for, as somebody typed it."""
    return text.replace("\0", "").strip()[:LONGEST]


def items(release: Release, part: str, language: Language) -> Indexes:
    """int32[_]: the items whose id or title holds a part, in any case; those whose id it is come first. In a thread."""
    frame = release.pipeline.catalog.frame
    names = ["item_id", *title_columns(release.pipeline.catalog, language)]
    lower = part.lower()
    holds = [pl.col(name).cast(pl.String).str.to_lowercase().str.contains(lower, literal=True) for name in names]
    found = frame.select(pl.any_horizontal(holds).fill_null(False)).to_series().arg_true()
    indexes = found.to_numpy().astype(np.int32)
    exact = int(release.items.indexes([part])[0])
    return np.concatenate([[exact], indexes[indexes != exact]]).astype(np.int32) if exact >= 0 else indexes


async def people(service: Service, part: str, after: str, most: int) -> PeoplePage:
    """Of the release and of the store, those whose id holds a part, after an id.

    Where the shop keeps pseudonyms, an id is known only whole: then it is that person or nobody.

    Raises
    ------
    RequestError
        503 if the store cannot be read.
    """
    served = service.served
    if served.key is not None:
        is_known = part != "" and len(part) <= LONGEST_ID and await _is_known(service, served.person(part))
        return PeoplePage([part] if is_known else [], None)
    since = int(served.release.details.get("store_sequence") or 0)
    stored = await service.store.reading(partial(finding.people, part=part, since=since, after=after, most=most + 1))
    learnt = await service.workers.run(partial(_learnt, served.release.users.texts, part.lower(), after, most + 1))
    found = sorted({*stored, *learnt})
    there = await without_erased(service, found[:most])
    return PeoplePage(there, found[most - 1] if len(found) > most else None)


async def _is_known(service: Service, person: str) -> bool:
    if person in service.served.release.users or await service.store.user(person) is not None:
        return True
    return bool(await service.store.reading(partial(finding.activity, user_ids=[person], since=0)))


def _learnt(users: pl.Series, lower: str, after: str, most: int) -> Sequence[str]:
    """People of a release; sessions are nobody yet."""
    found = users.filter(users > after) if after else users
    if lower:
        found = found.filter(found.str.to_lowercase().str.contains(lower, literal=True))
    found = found.filter(~found.str.starts_with(SESSION))
    return found.sort().head(most).to_list()
