"""From candidates to what a caller reads."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import UNSET

from zhiyin.data.queries import Queries
from zhiyin.errors import RequestError
from zhiyin.ranking.candidates import EXPLORE, FALLBACK, Candidates
from zhiyin.ranking.fuse import Blend, Combines
from zhiyin.registry.release import Release
from zhiyin.serving.bodies import text_of
from zhiyin.serving.schemas import LONGEST_ID, MOST_K, Reason, Recommended


def listed(candidates: Candidates, release: Release, why: Sequence[Reason] = ()) -> list[Recommended]:
    """One answer as a list, best first; without the frame of `slate`, which would cost as much as a model."""
    names, shown = release.items.names, candidates.items[0][candidates.items[0] >= 0].tolist()
    scores, origins = candidates.scores[0].tolist(), candidates.origins[0].tolist()
    drawn = None if candidates.probabilities is None else candidates.probabilities[0].tolist()
    return [
        Recommended(
            names[item],
            scores[place],
            place + 1,
            candidates.origin_names[origins[place]],
            drawn[place] if drawn else 1.0,
            why[place] if why else UNSET,
        )
        for place, item in enumerate(shown)
    ]


def source(candidates: Candidates, items: list[Recommended], combine: Combines) -> str:
    """Who made the list."""
    if items and all(item.origin == FALLBACK for item in items):
        return FALLBACK
    makers = [name for name in candidates.origin_names if name not in (FALLBACK, EXPLORE)]
    if len(makers) == 1:
        return makers[0]
    return "blend" if isinstance(combine, Blend) else "fuse"


def is_fallback(queries: Queries, made_by: str) -> bool:
    """Whether the answer is the same for everyone: nobody is known here, or no model had an opinion."""
    return made_by == FALLBACK or not np.any(queries.histories.items >= 0)


def age_s(release: Release, now: int) -> float:
    """Seconds since the newest event that the release has learnt from."""
    return round(max(0, now - release.last_event) / 1e6, 3)


def length(release: Release, *asked: int | None) -> int:
    """How many items: as the first who says, or as the release."""
    return next((k for k in asked if k), int(release.details.get("k") or 10))


def length_of_text(written: str | None) -> int | None:
    """The k of a query string.

    Raises
    ------
    RequestError
        422 if it is no whole number from 1 to 10,000.
    """
    if written is None:
        return None
    text = written.strip()
    value = int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20 else math.nan
    if not 1 <= value <= MOST_K:
        raise RequestError(422, f"query.k must be a whole number from 1 to {MOST_K:,}, got {text[:40]!r}", "query.k")
    return int(value)


def id_in_path(text: str) -> str:
    """An id that stands in the path.

    Raises
    ------
    RequestError
        422 if it is empty or too long.
    """
    if len(text) > LONGEST_ID:
        raise RequestError(422, f"path.id must have at most {LONGEST_ID:,} characters, got {len(text):,}", "path.id")
    return text_of(text, "path.id")
