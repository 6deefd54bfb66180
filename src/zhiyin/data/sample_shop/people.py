"""Who shops: how often, for what, how carefully they look at prices, and whom they know."""

from dataclasses import dataclass

import numpy as np

from zhiyin.data.sample_shop.catalogue import Catalogue
from zhiyin.data.sample_shop.scale import (
    BROWSING,
    COPYING,
    FOLLOWING_UP,
    MILLISECONDS_PER_WEEK,
    SENSITIVITIES,
    WEEKS,
    Calendar,
)
from zhiyin.data.sample_shop.words import DEPARTMENTS
from zhiyin.types import Floats, Indexes, Offsets, Times

INTERESTS = 6  # the most that one person has
FRIENDS = 3  # ties that each person looks for; twice as many on average are found


@dataclass(frozen=True)
class Interests:
    """Places on the shelf that people are drawn to; person i has the rows offsets[i]:offsets[i + 1]."""

    offsets: Offsets
    people: Indexes
    centres: Indexes  # place on the shelf
    shares: Floats  # of the person's choices while it lasts
    first_weeks: Times
    last_weeks: Times  # the first week without it


@dataclass(frozen=True)
class People:
    """People in the order of their arrival."""

    joined: Times  # int64[people], ms since start; negative: before
    first_weeks: Times  # the first whole week of each
    rates: Floats  # choices a week
    sensitivities: Indexes  # which of SENSITIVITIES
    ages: Indexes
    interests: Interests
    friend_offsets: Offsets  # person i knows friends[friend_offsets[i]:friend_offsets[i + 1]]; both directions
    friends: Indexes

    def __len__(self) -> int:
        return len(self.joined)


def arrived(
    people: int, catalogue: Catalogue, calendar: Calendar, *, choices: float, rng: np.random.Generator
) -> People:
    """That many people: half of them there from the beginning, who will make about that many choices."""
    year = WEEKS * MILLISECONDS_PER_WEEK
    joined = np.where(rng.random(people) < 0.65, -rng.integers(1, year, people), rng.integers(0, year, people))
    joined = np.sort(joined)
    if people:
        joined[0] = -year  # somebody must be there when the shop opens
    first_weeks = calendar.first_week_after(joined)
    ages = np.clip(np.round(rng.gamma(6.0, 4.0, people) + 16), 18, 85).astype(np.int32)
    interests = _interests(ages, first_weeks, catalogue, rng)
    offsets, friends = _friends(interests, people, rng)
    activity = rng.lognormal(0.0, 0.9, people)
    expected = float((activity * _choices_at_rate_one(interests, first_weeks, catalogue)).sum())
    return People(
        joined=joined,
        first_weeks=first_weeks,
        rates=activity * (choices / max(expected, 1e-9)),
        sensitivities=rng.integers(0, len(SENSITIVITIES), people).astype(np.int32),
        ages=ages,
        interests=interests,
        friend_offsets=offsets,
        friends=friends,
    )


def _interests(ages: Indexes, first_weeks: Times, catalogue: Catalogue, rng: np.random.Generator) -> Interests:
    """One to six interests each; the first lasts, of the others two in five begin or end within the year."""
    people = len(ages)
    counts = np.minimum(1 + rng.poisson(1.2, people), INTERESTS)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    owners = np.repeat(np.arange(people, dtype=np.int32), counts)
    departments = _departments(ages[owners], catalogue, rng)
    low, high = catalogue.starts[departments], catalogue.starts[departments + 1]
    draws = rng.gamma(1.2, 1.0, len(owners)) + 0.05
    totals = np.bincount(owners, weights=draws, minlength=people)
    share = (1 - BROWSING - FOLLOWING_UP - COPYING) * draws / totals[owners]
    turn = rng.integers(first_weeks[owners], WEEKS + 1)
    fate = rng.random(len(owners))
    fate[offsets[:-1]] = 1.0
    return Interests(
        offsets=offsets,
        people=owners,
        centres=(low + np.floor(rng.random(len(owners)) * (high - low))).astype(np.int32),
        shares=share,
        first_weeks=np.where(fate < 0.15, turn, first_weeks[owners]),
        last_weeks=np.where((fate >= 0.15) & (fate < 0.3), turn, WEEKS + 1),
    )


def _departments(ages: Indexes, catalogue: Catalogue, rng: np.random.Generator) -> Indexes:
    """A department for each age, more often a large one and one that is liked at that age."""
    favourite = np.array([department.age for department in DEPARTMENTS])
    table = np.arange(100)[:, None]
    liking = 0.25 + np.exp(-(((table - favourite) / 12.0) ** 2) / 2)  # [ages, departments]
    cumulative = np.cumsum(liking * np.diff(catalogue.starts), axis=1)
    chosen = np.empty(len(ages), np.int32)
    draws = rng.random(len(ages))
    for age in np.unique(ages):
        rows = ages == age
        chosen[rows] = np.searchsorted(cumulative[age], draws[rows] * cumulative[age, -1], side="right")
    return chosen


def _friends(interests: Interests, people: int, rng: np.random.Generator) -> tuple[Offsets, Indexes]:
    """Each person knows some whose first interest is near on the shelf, and some by chance (one in four)."""
    if people < 2:
        return np.zeros(people + 1, np.int64), np.zeros(0, np.int32)
    order = np.argsort(interests.centres[interests.offsets[:-1]], kind="stable")
    rank = np.tile(np.arange(people), FRIENDS)
    near = rank + rng.geometric(0.15, len(rank))
    chance = rng.integers(0, people, len(rank))
    other = np.where(rng.random(len(rank)) < 0.25, chance, near) % people
    left, right = order[rank], order[other]
    low, high = np.minimum(left, right), np.maximum(left, right)
    ties = np.unique(low[low < high] * people + high[low < high])
    low, high = ties // people, ties % people
    both = np.sort(np.concatenate([low * people + high, high * people + low]))
    offsets = np.searchsorted(both, np.arange(people + 1) * people).astype(np.int64)
    return offsets, (both % people).astype(np.int32)


def _choices_at_rate_one(interests: Interests, first_weeks: Times, catalogue: Catalogue) -> Floats:
    """float64[people]; the choices of the year that a rate of one a week would give."""
    sums = np.concatenate([np.zeros((len(DEPARTMENTS), 1)), np.cumsum(catalogue.season[:, :WEEKS], axis=1)], axis=1)
    departments = catalogue.departments[interests.centres]
    last = np.minimum(interests.last_weeks, WEEKS)
    first = np.minimum(interests.first_weeks, last)
    weight = interests.shares * (sums[departments, last] - sums[departments, first])
    wanted = np.bincount(interests.people, weights=weight, minlength=len(first_weeks))
    others: Floats = wanted + (BROWSING + FOLLOWING_UP + COPYING) * (WEEKS - np.minimum(first_weeks, WEEKS))
    return others
