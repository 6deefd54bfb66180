"""What each person wants in a week: stretches of shelf with a rate each.

Both the simulation and the truth read this file, so that what is drawn and what is known cannot differ.
"""

import math
from dataclasses import dataclass

import numpy as np

from zhiyin.data.sample_shop.catalogue import Catalogue
from zhiyin.data.sample_shop.people import Interests, People
from zhiyin.data.sample_shop.scale import BROWSING, FOLLOWING_UP, PER_INTEREST
from zhiyin.types import Floats, Indexes


@dataclass(frozen=True)
class Wishes:
    """Stretches lows:highs of the shelf and the expected number of choices there in the week."""

    rows: Indexes  # position in the people asked about
    lows: Indexes
    highs: Indexes
    rates: Floats
    origins: Indexes  # 0 interest · 1 browsing · 2 follow-up


def reach(items: int) -> tuple[int, int]:
    """How many neighbours to each side the narrow and the wide box take in; both grow with the root of the shelf."""
    return max(1, round(5 * math.sqrt(items / 2000))), max(2, round(14 * math.sqrt(items / 2000)))


def wishes(people: People, catalogue: Catalogue, persons: Indexes, week: int, last: Indexes) -> Wishes:
    """The wishes of some people at the beginning of a week; `last` is the place of their last item, or -1."""
    narrow, wide = reach(len(catalogue))
    rates = people.rates[persons] * (people.first_weeks[persons] <= week)
    rows, picked = _active(people.interests, persons, week)
    centres = people.interests.centres[picked]
    departments = catalogue.departments[centres]
    wanted = rates[rows] * people.interests.shares[picked] * catalogue.season[departments, week]
    everyone = np.arange(len(persons), dtype=np.int32)
    followers = np.flatnonzero(last >= 0).astype(np.int32)
    targets = np.minimum(catalogue.companions[last[followers]], len(catalogue) - 1)
    parts = [
        (rows, *_box(catalogue, centres, narrow), wanted * PER_INTEREST[0], 0),
        (rows, *_box(catalogue, centres, wide), wanted * PER_INTEREST[1], 0),
        (rows, *_box(catalogue, centres, len(catalogue)), wanted * PER_INTEREST[2], 0),
        (everyone, np.zeros_like(everyone), np.full_like(everyone, len(catalogue)), rates * BROWSING, 1),
        (followers, *_box(catalogue, targets, narrow), rates[followers] * FOLLOWING_UP, 2),
    ]
    row_parts, lows, highs, rate_parts, origins = zip(*parts, strict=True)
    return Wishes(
        rows=np.concatenate(row_parts),
        lows=np.concatenate(lows),
        highs=np.concatenate(highs),
        rates=np.concatenate(rate_parts),
        origins=np.repeat(np.array(origins, np.int32), [len(part) for part in row_parts]),
    )


def _active(interests: Interests, persons: Indexes, week: int) -> tuple[Indexes, Indexes]:
    """Which interests of those people are alive: position of the person, row of the interest."""
    first, last = interests.offsets[persons], interests.offsets[persons + 1]
    counts = last - first
    rows = np.repeat(np.arange(len(persons), dtype=np.int32), counts)
    picked = np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(len(rows))
    alive = (interests.first_weeks[picked] <= week) & (week < interests.last_weeks[picked])
    return rows[alive], picked[alive].astype(np.int32)


def _box(catalogue: Catalogue, centres: Indexes, half: int) -> tuple[Indexes, Indexes]:
    """The stretch around each place that stays within its department."""
    departments = catalogue.departments[centres]
    low = np.maximum(catalogue.starts[departments], centres - half)
    high = np.minimum(catalogue.starts[departments + 1], centres + half + 1)
    return low.astype(np.int32), high.astype(np.int32)
