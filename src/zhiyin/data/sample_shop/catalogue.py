"""What the shop sells: items on a shelf, where neighbours are alike, and how much each is worth choosing in a week."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.sample_shop.scale import (
    APPEAL_SPREAD,
    MILLISECONDS_PER_WEEK,
    NEWNESS,
    NEWNESS_WEEKS,
    SENSITIVITIES,
    WEEKS,
    Calendar,
)
from zhiyin.data.sample_shop.words import DEPARTMENTS
from zhiyin.types import Floats, Indexes, Mask, Times

NEVER = np.int64(2**62)


@dataclass(frozen=True)
class Catalogue:
    """n items in shelf order: departments are contiguous, and inside one the place is the style."""

    departments: Indexes  # int32[n]
    starts: Indexes  # int32[departments + 1], the shelf of each department
    appeal: Floats  # float64[n], logarithm of popularity
    list_prices: Floats  # float64[n]
    discounts: NDArray[np.uint8]  # uint8[53, n], per cent off in a week
    created: Times  # int64[n], ms since start; negative: before
    withdrawn: Times  # int64[n], ms since start; NEVER
    cycle_days: Floats  # float64[n], until used up; NaN: it lasts
    companions: Indexes  # int32[n], the place on the shelf that goes with this item
    season: Floats  # float64[departments, 53]
    codes: Indexes  # int32[n], row of each item in the public table

    def __len__(self) -> int:
        return len(self.departments)

    @cached_property
    def styles(self) -> Floats:
        """float64[n] in (0, 1): where in its department an item stands."""
        first = self.starts[self.departments]
        sizes = np.diff(self.starts)[self.departments]
        place: Floats = (np.arange(len(self)) - first + 0.5) / sizes
        return place

    @cached_property
    def places(self) -> Indexes:
        """int32[n]; the place on the shelf of each row of the public table."""
        places = np.empty(len(self), np.int32)
        places[self.codes] = np.arange(len(self), dtype=np.int32)
        return places

    def prices(self, week: int) -> Floats:
        """float64[n]; what one unit costs in a week, the discount taken off."""
        return np.round(self.list_prices * (1 - self.discounts[week] / 100), 2)

    def relative_prices(self, week: int) -> Floats:
        """float64[n]; the price of a week over what is usual in the department."""
        usual = np.array([department.usual_price for department in DEPARTMENTS])
        return self.prices(week) / usual[self.departments]

    def on_sale(self, week: int) -> Mask:
        """bool[n]; there from the first to the last moment of a week."""
        begins = week * MILLISECONDS_PER_WEEK
        return (self.created <= begins) & (self.withdrawn >= begins + MILLISECONDS_PER_WEEK)

    def weights(self, week: int) -> Floats:
        """float64[4, n]; how much each kind of buyer is drawn to each item; 0 for what is not on sale."""
        age = np.maximum(week - self.created / MILLISECONDS_PER_WEEK, 0.0)
        drawn = np.exp(self.appeal + NEWNESS * np.exp(-age / NEWNESS_WEEKS)) * self.season[self.departments, week]
        drawn *= self.on_sale(week)
        weights: Floats = drawn * np.exp(-SENSITIVITIES[:, None] * np.log(self.relative_prices(week)))
        return weights


def stocked(items: int, calendar: Calendar, rng: np.random.Generator) -> Catalogue:
    """A catalogue of that many items: 70 % there from the beginning, the rest arriving evenly until the end."""
    departments, starts = _shelves(items)
    year = WEEKS * MILLISECONDS_PER_WEEK
    created = rng.integers(-2 * year, 0, items)
    arriving = rng.random(items) < 0.3
    created[arriving] = rng.integers(0, year, int(arriving.sum()))
    if items:
        created[rng.integers(items)] = -year  # somebody must have opened the shop
    leaving = (rng.random(items) < 0.12) & ~arriving
    withdrawn = np.where(leaving, rng.integers(year // 4, year, items), NEVER)
    usual = np.array([department.usual_price for department in DEPARTMENTS])[departments]
    cycles = np.array([department.cycle_days for department in DEPARTMENTS])[departments]
    return Catalogue(
        departments=departments,
        starts=starts,
        appeal=rng.normal(0.0, APPEAL_SPREAD, items),
        list_prices=np.maximum(np.round(usual * np.exp(rng.normal(0.0, 0.45, items)), 1) - 0.01, 0.5),
        discounts=_discounts(items, rng),
        created=created,
        withdrawn=withdrawn,
        cycle_days=cycles * np.exp(rng.normal(0.0, 0.1, items)),
        companions=_companions(departments, starts),
        season=_season(calendar),
        codes=np.argsort(np.argsort(created, kind="stable"), kind="stable").astype(np.int32),
    )


def _shelves(items: int) -> tuple[Indexes, Indexes]:
    shares = 1.0 / (np.arange(len(DEPARTMENTS)) + 6.0)
    starts = np.round(np.concatenate([[0.0], np.cumsum(shares) / shares.sum()]) * items).astype(np.int32)
    departments = np.repeat(np.arange(len(DEPARTMENTS), dtype=np.int32), np.diff(starts))
    return departments, starts


def _discounts(items: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each item is reduced by 10 to 30 per cent in one week of ten."""
    depths = rng.integers(2, 7, (WEEKS + 1, items), dtype=np.uint8) * np.uint8(5)
    return np.where(rng.random((WEEKS + 1, items), dtype=np.float32) < 0.1, depths, np.uint8(0))


def _companions(departments: Indexes, starts: Indexes) -> Indexes:
    """The same relative place on the shelf of the department that people visit next."""
    rows = {department.name: row for row, department in enumerate(DEPARTMENTS)}
    target = np.array([rows[department.companion] for department in DEPARTMENTS])[departments]
    sizes = np.diff(starts)
    inside = (np.arange(len(departments)) - starts[departments]) / np.maximum(sizes[departments], 1)
    places: Indexes = (starts[target] + np.floor(inside * sizes[target])).astype(np.int32)
    return places


def _season(calendar: Calendar) -> Floats:
    peaks = np.array([department.peak_day for department in DEPARTMENTS])
    strengths = np.array([department.season for department in DEPARTMENTS])
    return calendar.season(peaks, strengths)
