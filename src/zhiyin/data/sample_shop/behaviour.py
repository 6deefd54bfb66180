"""A year of choices, week by week: what people want, what they take, and what they come back for."""

from dataclasses import dataclass, fields, replace

import numpy as np

from zhiyin.data.sample_shop.catalogue import NEVER, Catalogue
from zhiyin.data.sample_shop.people import People
from zhiyin.data.sample_shop.scale import (
    BUYING,
    COPYING,
    CYCLE_SPREAD,
    FRIEND_WEEKS,
    LOOKED_AT,
    MILLISECONDS_PER_DAY,
    MILLISECONDS_PER_WEEK,
    OWNED,
    REBUYING,
    SENSITIVITIES,
    WEEKS,
    Calendar,
)
from zhiyin.data.sample_shop.wishes import Wishes, wishes
from zhiyin.types import Floats, Indexes, Mask, Times

ORIGINS = ("interest", "browsing", "follow-up", "friend", "rebuy")
FRIEND, REBUY = ORIGINS.index("friend"), ORIGINS.index("rebuy")


@dataclass(frozen=True)
class Choices:
    """What people turned to, one row each; `items` are places on the shelf."""

    people: Indexes
    items: Indexes
    times: Times  # ms since start
    origins: Indexes  # index into ORIGINS
    bought: Mask
    rebuy_times: Times  # when what was bought here is bought again; NEVER

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, rows: Indexes | Mask | Times) -> "Choices":
        return Choices(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: "list[Choices]") -> "Choices":
        """All rows of all parts."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @classmethod
    def none(cls) -> "Choices":
        """No rows."""
        codes, times = np.zeros(0, np.int32), np.zeros(0, np.int64)
        return cls(codes, codes, times, codes, np.zeros(0, np.bool_), times)


def lived(people: People, catalogue: Catalogue, calendar: Calendar, rng: np.random.Generator) -> Choices:
    """The year: each week is drawn from the wishes at its beginning, so that the truth can be computed again."""
    weeks: list[Choices] = []
    memory = _Memory(people, catalogue)
    for week in range(WEEKS):
        chosen = _week(week, people, catalogue, memory, rng)
        chosen = _timed(chosen, week, calendar, rng)
        chosen = _bought(chosen, week, people, catalogue, rng)
        memory.keep(chosen, week)
        weeks.append(chosen)
    return Choices.joined(weeks)


class _Memory:
    """What the coming weeks depend on: each person's last item, the lasting things known, friends' news, rebuys due."""

    def __init__(self, people: People, catalogue: Catalogue) -> None:
        self.last = np.full(len(people), -1, np.int32)
        self._looked_at = np.zeros(0, np.int64)  # person * n + item of lasting things, sorted
        self._owned = np.zeros(0, np.int64)
        self.recent: list[Choices] = []  # purchases of the last weeks
        self.due = Choices.none()
        self._catalogue = catalogue

    def keep(self, chosen: Choices, week: int) -> None:
        """Remember a week."""
        ordered = chosen[np.argsort(chosen.times, kind="stable")]
        self.last[ordered.people] = ordered.items
        bought = chosen[chosen.bought]
        self.recent = [*self.recent, bought][-FRIEND_WEEKS:]
        lasting = chosen[np.isnan(self._catalogue.cycle_days[chosen.items])]
        self._looked_at = _union(self._looked_at, self._keys(lasting))
        self._owned = _union(self._owned, self._keys(lasting[lasting.bought]))
        waiting = [self.due[self.due.rebuy_times >= (week + 1) * MILLISECONDS_PER_WEEK], bought]
        self.due = Choices.joined(waiting)
        self.due = self.due[self.due.rebuy_times < NEVER]

    def appetite(self, chosen: Choices) -> Floats:
        """What is left of the wish for each item: less for a lasting one that the person knows, or has bought."""
        keys = self._keys(chosen)
        known: Floats = np.where(_among(self._looked_at, keys), LOOKED_AT, 1.0)
        return np.where(_among(self._owned, keys), OWNED, known)

    def _keys(self, chosen: Choices) -> Times:
        return chosen.people.astype(np.int64) * len(self._catalogue) + chosen.items


def _union(known: Times, more: Times) -> Times:
    """Both, sorted and once each; linear in what is known, so that a long year stays cheap."""
    new = np.unique(more)
    new = new[~_among(known, new)]
    return np.insert(known, np.searchsorted(known, new), new)


def _among(known: Times, keys: Times) -> Mask:
    if len(known) == 0:
        return np.zeros(len(keys), np.bool_)
    found: Mask = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
    return found


def _week(week: int, people: People, catalogue: Catalogue, memory: _Memory, rng: np.random.Generator) -> Choices:
    """Whom, what and why of one week; `times` are set for rebuys alone."""
    present = np.flatnonzero(people.first_weeks <= week).astype(np.int32)
    wanted = wishes(people, catalogue, present, week, memory.last[present])
    own = _taken(wanted, present, people, catalogue.weights(week), rng)
    copied = _copied(present, people, Choices.joined(memory.recent or [Choices.none()]), rng)
    free = Choices.joined([own, copied])
    free = free[catalogue.on_sale(week)[free.items] & (rng.random(len(free)) < memory.appetite(free))]
    due = memory.due[memory.due.rebuy_times < (week + 1) * MILLISECONDS_PER_WEEK]
    due = due[catalogue.on_sale(week)[due.items]]
    return Choices.joined([free, _choices(due.people, due.items, np.full(len(due), REBUY, np.int32), due.rebuy_times)])


def _taken(wanted: Wishes, present: Indexes, people: People, weights: Floats, rng: np.random.Generator) -> Choices:
    """Poisson many choices from each stretch of shelf, each item by its weight for that kind of buyer."""
    counts = rng.poisson(wanted.rates)
    rows = np.repeat(np.arange(len(counts)), counts)
    persons = present[wanted.rows[rows]]
    items = np.full(len(rows), -1, np.int32)
    draws = rng.random(len(rows))
    for kind, weight in enumerate(weights):
        cumulative = np.concatenate([[0.0], np.cumsum(weight)])
        mine = np.flatnonzero(people.sensitivities[persons] == kind)
        low, high = cumulative[wanted.lows[rows[mine]]], cumulative[wanted.highs[rows[mine]]]
        mine, low, high = mine[high > low], low[high > low], high[high > low]
        targets = np.minimum(low + draws[mine] * (high - low), np.nextafter(high, -np.inf))
        items[mine] = np.searchsorted(cumulative[1:], targets, side="right")
    found = items >= 0
    return _choices(persons[found], items[found], wanted.origins[rows[found]])


def _copied(present: Indexes, people: People, recent: Choices, rng: np.random.Generator) -> Choices:
    """Each copied choice is one of the friends' purchases of the last weeks, all equally likely."""
    recent = recent[np.argsort(recent.people, kind="stable")]
    bounds = np.searchsorted(recent.people, np.arange(len(people) + 1))
    seen = np.concatenate([[0], np.cumsum(np.diff(bounds)[people.friends])])  # purchases before each tie
    low, high = seen[people.friend_offsets[present]], seen[people.friend_offsets[present + 1]]
    counts = rng.poisson(people.rates[present] * COPYING * (high > low))
    rows = np.repeat(np.arange(len(present)), counts)
    draws = rng.integers(low[rows], high[rows])
    ties = np.searchsorted(seen, draws, side="right") - 1
    items = recent.items[bounds[people.friends[ties]] + draws - seen[ties]]
    return _choices(present[rows], items, np.full(len(rows), FRIEND, np.int32))


def _choices(people: Indexes, items: Indexes, origins: Indexes, times: Times | None = None) -> Choices:
    count = len(people)
    never = np.full(count, NEVER)
    return Choices(people, items, never if times is None else times, origins, origins == REBUY, never)


def _timed(chosen: Choices, week: int, calendar: Calendar, rng: np.random.Generator) -> Choices:
    """Moments within the week: more at weekends and in the evening; a rebuy keeps its own."""
    weekday = (np.arange(7) + calendar.start // (86_400 * 1_000_000) + 3) % 7  # 1970-01-01 was a Thursday
    share = np.where(weekday >= 5, 1.5, 1.0)
    days = rng.choice(7, len(chosen), p=share / share.sum())
    hours = rng.normal(20.0, 3.5, len(chosen)) % 24
    inside = days * MILLISECONDS_PER_DAY + (hours * 3_600_000).astype(np.int64)
    inside %= MILLISECONDS_PER_WEEK - 3_600_000  # an hour is left for the cart and the purchase
    times = np.where(chosen.origins == REBUY, chosen.times, week * MILLISECONDS_PER_WEEK + inside)
    return replace(chosen, times=times)


def _bought(chosen: Choices, week: int, people: People, catalogue: Catalogue, rng: np.random.Generator) -> Choices:
    """Which choices end in a purchase, and when a consumable runs out."""
    relative = catalogue.relative_prices(week)[chosen.items]
    bought = chosen.bought | (rng.random(len(chosen)) < buying(people.sensitivities[chosen.people], relative))
    cycles = catalogue.cycle_days[chosen.items]
    again = bought & ~np.isnan(cycles) & (rng.random(len(chosen)) < REBUYING)
    days = np.maximum(np.nan_to_num(cycles) * np.exp(CYCLE_SPREAD * rng.normal(size=len(chosen))), 7.0)
    rebuys = np.where(again, chosen.times + (days * MILLISECONDS_PER_DAY).astype(np.int64), NEVER)
    return replace(chosen, bought=bought, rebuy_times=rebuys)


def buying(sensitivities: Indexes, relative_prices: Floats) -> Floats:
    """The probability that a choice ends in a purchase at that price over the usual one."""
    probability: Floats = 1 / (1 + np.exp(-(BUYING - SENSITIVITIES[sensitivities] * np.log(relative_prices))))
    return probability
