"""The shop's calendar and the constants of its formulas; the package docstring says what each one does."""

import math
from dataclasses import dataclass

import numpy as np

from zhiyin.types import MICROSECONDS_PER_DAY, Floats, Times

WEEKS = 52  # the simulated time, in weeks that end exactly at `end`
MILLISECONDS_PER_DAY = 86_400_000
MILLISECONDS_PER_WEEK = 7 * MILLISECONDS_PER_DAY

SENSITIVITIES = np.array([0.0, 0.5, 1.1, 2.0])  # beta of the four kinds of buyer
PER_INTEREST = (0.55, 0.35, 0.10)  # narrow box, wide box, whole department
BROWSING = 0.08  # share of choices made by popularity alone
FOLLOWING_UP = 0.07  # share of choices that go with the last item
COPYING = 0.06  # share of choices that copy what friends bought
LOOKED_AT = 0.35  # what is left of the wish for a lasting item that one has looked at before
OWNED = 0.05  # what is left of the wish for a lasting item that one has already bought
REBUYING = 0.65  # chance that a consumable is bought again when used up
CYCLE_SPREAD = 0.2  # standard deviation of the logarithm of the time until then
NEWNESS = 0.4  # logarithm of the boost of an item on its first day
NEWNESS_WEEKS = 4.0
APPEAL_SPREAD = 1.3  # standard deviation of the logarithm of an item's appeal
FRIEND_WEEKS = 2  # how long friends' purchases are seen
CARTING = 0.15  # share of unbought choices that are put in the cart
BUYING = -1.9  # log-odds of buying at the usual price
EVENTS_PER_CHOICE = 1.2  # measured; turns the events asked for into choices


@dataclass(frozen=True)
class Calendar:
    """Weeks 0 … 51 before `end`, and week 52 that begins at `end`, for questions about what comes next."""

    end: int  # µs UTC

    @property
    def start(self) -> int:
        """µs UTC; the first moment of week 0."""
        return self.end - WEEKS * 7 * MICROSECONDS_PER_DAY

    def week_of(self, times: Times) -> Times:
        """The week of each moment (µs UTC), before the first and after the last counted to them."""
        return np.clip((times - self.start) // (7 * MICROSECONDS_PER_DAY), 0, WEEKS)

    def to_micros(self, milliseconds: Times) -> Times:
        """From ms since `start`, the clock inside the simulation, to µs UTC."""
        return self.start + milliseconds * 1000

    def first_week_after(self, milliseconds: Times) -> Times:
        """The first whole week that begins at or after each moment (ms since `start`)."""
        return np.maximum(-(-milliseconds // MILLISECONDS_PER_WEEK), 0)

    def season(self, peak_days: Floats, strengths: Floats) -> Floats:
        """float64[departments, 53]; how much more or less is wanted in each week, 1 on average over the year."""
        middles = (self.start / MICROSECONDS_PER_DAY + 7 * np.arange(WEEKS + 1) + 3.5) % 365.2425
        phase = 2 * math.pi * (middles[None, :] - peak_days[:, None]) / 365.2425
        wave = np.exp(strengths[:, None] * np.cos(phase))
        season: Floats = wave / wave[:, :WEEKS].mean(axis=1, keepdims=True)
        return season
