"""Rules that look at a person's or an item's events together: bots, endless and short histories, the k-core."""

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.sieve import Sieve
from zhiyin.types import MICROSECONDS_PER_DAY, Mask


def drop_bots(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop everyone who did more than `max_events_per_day` within 24 hours: all that a machine did misleads."""
    if settings.max_events_per_day:
        bots = faster_than(sieve, settings.max_events_per_day)
        sieve.drop(sieve.of_codes("user_id", bots), "bot", people=len(bots))


def faster_than(sieve: Sieve, limit: int) -> NDArray[np.int64]:
    """Codes of the people with more than `limit` events within some 24 hours."""
    lively = np.flatnonzero(sieve.per_user > limit)  # only they can be; mostly nobody
    if not len(lively):
        return lively
    busy = np.flatnonzero(sieve.of_codes("user_id", lively))
    order = busy[np.lexsort((sieve.times[busy], sieve.users[busy]))]
    people, times = sieve.users[order], sieve.times[order]
    fast = (people[limit:] == people[:-limit]) & (times[limit:] - times[:-limit] < MICROSECONDS_PER_DAY)
    return np.unique(people[limit:][fast]).astype(np.int64)


def cut_histories(sieve: Sieve, settings: CleanSettings) -> None:
    """Keep only the newest `max_history` events of each person."""
    if not settings.max_history or not len(sieve):
        return
    long = np.flatnonzero(sieve.per_user > settings.max_history)
    if not len(long):
        return
    concerned = np.flatnonzero(sieve.of_codes("user_id", long))
    order = concerned[np.lexsort((sieve.times[concerned], sieve.users[concerned]))]
    people = sieve.users[order]
    ends = np.searchsorted(people, people, side="right")  # stable: of equal times, the later rows stay
    chosen = np.zeros(len(sieve.users), np.bool_)
    chosen[order[ends - np.arange(len(order)) > settings.max_history]] = True
    sieve.drop(chosen, "history_cut", people=len(long))


def drop_short_histories(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop people with fewer than `min_history` events."""
    if settings.min_history > 1 and len(sieve):
        counts = sieve.per_user
        chosen = counts[sieve.users] < settings.min_history
        people = int(((counts > 0) & (counts < settings.min_history)).sum())
        sieve.drop(chosen, "short_history", people=people)


def drop_outside_k_core(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop people and items with too few events, again and again until all that stay have enough."""
    if max(settings.k_core_users, settings.k_core_items) > 1 and len(sieve):
        chosen = sieve.kept
        inside = k_core(sieve.users[chosen], sieve.items[chosen], settings.k_core_users, settings.k_core_items)
        chosen[chosen] = ~inside
        sieve.drop(chosen, "k_core")


def k_core(users: NDArray[np.uint32], items: NDArray[np.uint32], per_user: int, per_item: int) -> Mask:
    """bool[events]: the largest part in which every user has `per_user` events and every item `per_item`."""
    alive = np.arange(len(users))
    while True:
        of_users, of_items = np.bincount(users[alive]), np.bincount(items[alive])
        stays = (of_users[users[alive]] >= per_user) & (of_items[items[alive]] >= per_item)
        if stays.all():
            break
        alive = alive[stays]
        if not len(alive):
            break
    inside = np.zeros(len(users), np.bool_)
    inside[alive] = True
    return inside
