"""What the simulator knows and no model does: how much each person really wants each item at a moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from zhiyin.data.sample_shop.behaviour import Choices, buying
from zhiyin.data.sample_shop.catalogue import Catalogue
from zhiyin.data.sample_shop.people import People
from zhiyin.data.sample_shop.scale import (
    COPYING,
    CYCLE_SPREAD,
    FRIEND_WEEKS,
    LOOKED_AT,
    MILLISECONDS_PER_DAY,
    MILLISECONDS_PER_WEEK,
    OWNED,
    REBUYING,
    SENSITIVITIES,
    Calendar,
)
from zhiyin.data.sample_shop.wishes import wishes
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.types import Floats, Indexes, Mask, Offsets, Scores, Times

BLOCK = 4_000_000  # cells of float64[b, m] worked on at once


@dataclass(frozen=True, eq=False)
class Truth:
    """The latent side of a sample shop."""

    people: People
    catalogue: Catalogue
    calendar: Calendar
    choices: Choices  # all of the year, by person and then time
    users: Vocabulary
    items: Vocabulary
    bots: tuple[str, ...]  # user ids that are machines

    def scores(self, user_ids: Sequence[str], item_ids: Sequence[str], times: Times) -> Scores:
        """float32[b, m]; how often each person is expected to choose each item in the week that contains the moment.

        Only what happened before that week is used. After the last week, the week that follows it is meant. A row or
        column that the shop does not know is NaN, and so is a machine's; an item that is not on sale is 0. The last two
        weeks begin at `end` minus 14 days: a ranking for all of them knows no more than a model trained until then if
        that moment is asked for.
        """
        people, places = self.users.indexes(user_ids), self._places(item_ids)
        weeks = self.calendar.week_of(np.asarray(times, np.int64))
        scores = np.full((len(people), len(places)), np.nan, np.float32)
        columns, back = np.unique(places[places >= 0], return_inverse=True)
        for week, rows in _blocks(weeks, people >= 0, len(columns)):
            scores[np.ix_(rows, np.flatnonzero(places >= 0))] = self._week(people[rows], columns, week)[:, back]
        return scores

    def buying(self, user_ids: Sequence[str], item_ids: Sequence[str], times: Times) -> Scores:
        """float32[b, m]; the probability that a choice ends in a purchase at the price of that week; NaN: unknown."""
        people, places = self.users.indexes(user_ids), self._places(item_ids)
        weeks = self.calendar.week_of(np.asarray(times, np.int64))
        chances = np.full((len(people), len(places)), np.nan, np.float32)
        columns = np.flatnonzero(places >= 0)
        for week, rows in _blocks(weeks, people >= 0, len(columns)):
            relative = self.catalogue.relative_prices(week)[places[columns]]
            kinds = self.people.sensitivities[people[rows]]
            chances[np.ix_(rows, columns)] = buying(kinds[:, None], relative[None, :])
        return chances

    def price_sensitivity(self, user_ids: Sequence[str]) -> Floats:
        """float64[b]; beta of each person, NaN for a stranger."""
        people = self.users.indexes(user_ids)
        return np.where(people >= 0, SENSITIVITIES[self.people.sensitivities[people]], np.nan)

    @cached_property
    def _offsets(self) -> Offsets:
        return np.searchsorted(self.choices.people, np.arange(len(self.people) + 1)).astype(np.int64)

    def _places(self, item_ids: Sequence[str]) -> Indexes:
        rows = self.items.indexes(item_ids)
        places: Indexes = np.where(rows >= 0, self.catalogue.places[rows], -1)
        return places

    def _week(self, persons: Indexes, columns: Indexes, week: int) -> Floats:
        """float64[b, m]; columns are ascending places on the shelf."""
        begins = week * MILLISECONDS_PER_WEEK
        rows, past = self._past(persons, begins)
        rates = self._own(persons, columns, week, _last(rows, past, len(persons)))
        self._add_friends(rates, persons, columns, begins)
        at, inside = _columns(columns, past.items)
        rows, at, past = rows[inside], at[inside], past[inside]
        consumable = ~np.isnan(self.catalogue.cycle_days[past.items])
        appetite = np.ones_like(rates)
        for which, left in ((~consumable, LOOKED_AT), (~consumable & past.bought, OWNED)):
            appetite[rows[which], at[which]] = left
        rates *= appetite
        waiting = consumable & past.bought & (past.rebuy_times >= begins)
        np.add.at(rates, (rows[waiting], at[waiting]), self._rebuying(past[waiting], begins))
        rates *= self.catalogue.on_sale(week)[columns] & (self.people.first_weeks[persons] <= week)[:, None]
        return rates

    def _past(self, persons: Indexes, before: int) -> tuple[Indexes, Choices]:
        """The choices of those people before a moment, oldest first, with the position of the person."""
        rows, picked = _slices(self._offsets, persons)
        keep = self.choices.times[picked] < before
        return rows[keep], self.choices[picked[keep]]

    def _own(self, persons: Indexes, columns: Indexes, week: int, last: Indexes) -> Floats:
        """Interests, browsing and follow-ups: the density of every stretch, summed along the shelf."""
        wanted = wishes(self.people, self.catalogue, persons, week, last)
        weights = self.catalogue.weights(week)
        cumulative = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)], axis=1)
        kinds = self.people.sensitivities[persons]
        mass = cumulative[kinds[wanted.rows], wanted.highs] - cumulative[kinds[wanted.rows], wanted.lows]
        density = np.divide(wanted.rates, mass, out=np.zeros_like(mass), where=mass > 0)
        steps = np.zeros((len(persons), len(columns) + 1))
        np.add.at(steps, (wanted.rows, np.searchsorted(columns, wanted.lows)), density)
        np.add.at(steps, (wanted.rows, np.searchsorted(columns, wanted.highs)), -density)
        own: Floats = np.maximum(np.cumsum(steps, axis=1)[:, :-1], 0.0) * weights[:, columns][kinds]
        return own

    def _add_friends(self, rates: Floats, persons: Indexes, columns: Indexes, begins: int) -> None:
        """Every purchase that friends made in the last weeks is equally likely to be copied."""
        rows, ties = _slices(self.people.friend_offsets, persons)
        pairs, past = self._past(self.people.friends[ties], begins)
        recent = past.bought & (past.times >= begins - FRIEND_WEEKS * MILLISECONDS_PER_WEEK)
        owners, items = rows[pairs[recent]], past.items[recent]
        seen = np.bincount(owners, minlength=len(persons))
        at, inside = _columns(columns, items)
        owners, at = owners[inside], at[inside]
        np.add.at(rates, (owners, at), COPYING * self.people.rates[persons[owners]] / seen[owners])

    def _rebuying(self, bought: Choices, begins: int) -> Floats:
        """The chance that each purchase of a consumable, not yet repeated, is repeated in the week."""
        cycles = self.catalogue.cycle_days[bought.items]
        ages = (begins - bought.times) / MILLISECONDS_PER_DAY
        before = REBUYING * ndtr(np.log(ages / cycles) / CYCLE_SPREAD)
        after = REBUYING * ndtr(np.log((ages + 7) / cycles) / CYCLE_SPREAD)
        chance: Floats = (after - before) / (1 - before)
        return chance


def _blocks(weeks: Times, known: Mask, width: int) -> Iterator[tuple[int, Times]]:
    """Rows of one week at a time, no more than a block holds."""
    height = max(1, BLOCK // max(width, 1))
    for week in np.unique(weeks[known]):
        rows = np.flatnonzero(known & (weeks == week))
        for start in range(0, len(rows), height):
            yield int(week), rows[start : start + height]


def _slices(offsets: Offsets, rows: Indexes) -> tuple[Indexes, Times]:
    """All members of some ragged rows: position in `rows`, position in the flat array."""
    counts = offsets[rows + 1] - offsets[rows]
    owners = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    return owners, np.repeat(offsets[rows] - (np.cumsum(counts) - counts), counts) + np.arange(len(owners))


def _last(rows: Indexes, past: Choices, count: int) -> Indexes:
    last = np.full(count, -1, np.int32)
    last[rows] = past.items  # oldest first: the newest is written last
    return last


def _columns(columns: Indexes, items: Indexes) -> tuple[Times, Mask]:
    """Where each item stands in ascending columns, and whether it does."""
    at = np.searchsorted(columns, items)
    inside = at < len(columns)
    inside[inside] = columns[at[inside]] == items[inside]
    return at, inside
