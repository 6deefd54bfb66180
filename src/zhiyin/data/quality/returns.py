"""Goods sent back: an event with a negative quantity, and the purchases that it takes back."""

import numpy as np
import polars as pl

from zhiyin.data.quality.keys import among, keys_of
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.quality.sieve import KEPT, Sieve


def drop_returns(sieve: Sieve, settings: CleanSettings) -> None:
    """Drop returns; with "cancel" also the purchases of the same person and item that they fully take back."""
    quantity = sieve.column("quantity")
    if settings.returns == "keep" or quantity is None or not len(sieve):
        return
    returned = (quantity < 0).fill_null(False).to_numpy() & sieve.kept
    if not returned.any():
        return
    purchases, unmatched = (np.empty(0, np.int64), 0)
    if settings.returns == "cancel":
        purchases, unmatched = _taken_back(sieve, quantity, returned)
    reasons = np.zeros(len(quantity), np.uint8)
    reasons[purchases] = 2
    reasons[returned] = 1
    sieve.drop(reasons == 1, "return", unmatched=unmatched)
    sieve.drop(reasons == 2, "returned")


def _taken_back(
    sieve: Sieve, quantity: pl.Series, returned: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """Positions of the purchases that returns cancel, and how many returns found none to cancel at all.

    The newest purchase goes first. A return of less than was bought leaves the purchase in, remembering what is left,
    so that 6 and 6 sent back cancel 12.
    """
    keys = keys_of(sieve.users, sieve.items)  # [rows]
    touched = among(keys, np.unique(keys[returned]))
    touched = touched[sieve.reasons[touched] == KEPT]
    pairs = (sieve.users[touched].astype(np.uint64) << np.uint64(32)) | sieve.items[touched]
    exactly = np.isin(pairs, pairs[returned[touched]])
    touched, pairs = touched[exactly], pairs[exactly]
    order = np.lexsort((returned[touched], sieve.times[touched], pairs))
    touched, pairs = touched[order], pairs[order]
    amounts = quantity.gather(touched).fill_null(0).to_list()
    cancelled: list[int] = []
    unmatched, current, bought = 0, -1, list[tuple[int, float]]()  # bought: (position, what is left), newest last
    for position, pair, amount in zip(touched.tolist(), pairs.tolist(), amounts, strict=True):
        if pair != current:
            current, bought = pair, []
        if amount > 0:
            bought.append((position, amount))
        elif amount < 0:
            unmatched += not bought
            cancelled += _cancelled(bought, -amount)
    return np.array(cancelled, np.int64), unmatched


def _cancelled(bought: list[tuple[int, float]], amount: float) -> list[int]:
    """Take `amount` off the newest purchases, in place; the positions of those that are used up."""
    gone = []
    while bought and amount > 0:
        position, left = bought.pop()
        if left > amount:
            bought.append((position, left - amount))
            break
        gone.append(position)
        amount -= left
    return gone
