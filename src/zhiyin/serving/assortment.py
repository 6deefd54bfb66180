"""The release over the items of now: what the shop stored since the training is recommendable at once."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from zhiyin.data.store.records import Item
from zhiyin.errors import StoreError
from zhiyin.registry.growth import Growth, grown
from zhiyin.registry.stored import items_table
from zhiyin.serving.live import Live, Served
from zhiyin.serving.store import MOST_ROWS, Store

MOST_SINCE = 100_000
"""Items stored since the training that count; of more, those that changed longest ago wait for the next training."""

PAUSE = 4.0
"""Times as long as taking items in took last, nothing is taken in again: a catalogue that is sent item by item leaves
four fifths of the time to answers."""

log = logging.getLogger(__name__)


class Assortment:
    """Used from the event loop; a release that was swapped in begins with what it was trained on."""

    def __init__(self, live: Live, store: Store, seconds: Callable[[], float] = time.monotonic) -> None:
        self._live = live
        self._store = store
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._wait_until = 0.0
        self._begin(live.served)

    @property
    def served(self) -> Served:
        """What answers now."""
        base = self._live.served
        return self._grown if base is self._base else base

    @property
    def change(self) -> int:
        """The number of the last change that `served` knows of."""
        base = self._live.served
        return self._change if base is self._base else _trained_on(base)

    async def latest(self) -> Served:
        """What answers, with all that is stored now; where the store cannot be read, with what is known."""
        try:
            change = await self._store.latest_change()
        except StoreError:
            return self.served
        return await self.since(change)

    async def since(self, change: int) -> Served:
        """What answers, with all that was stored up to a change; but shortly after items were taken in, as it is."""
        if change <= self.change:
            return self.served
        async with self._turn:
            if self._base is not self._live.served:
                self._begin(self._live.served)
            if change > self._change and self._seconds() >= self._wait_until:
                await self._take_in()
        return self.served

    def _begin(self, base: Served) -> None:
        self._base = self._grown = base
        self._change = _trained_on(base)
        self._items: OrderedDict[str, Item | None] = OrderedDict()  # None: deleted

    async def _take_in(self) -> None:
        began = self._seconds()
        try:
            latest, fresh = await self._store.latest_change(), await self._read()
        except StoreError:
            return
        if fresh:
            base, items = self._base, dict(self._items)
            growth = await asyncio.to_thread(_grown, base, items)
            for sentence in growth.unread:
                log.warning("stored items: %s", sentence)
            self._grown = replace(base, release=growth.release)
        self._change = max(latest, self._change)
        ended = self._seconds()
        self._wait_until = ended + PAUSE * (ended - began) if fresh else 0.0

    async def _read(self) -> int:
        """Note the items that have changed; how many they are."""
        count = 0
        while True:
            found, self._change = await self._store.items_since(self._change)
            for item_id, item in found:
                self._items[item_id] = item
                self._items.move_to_end(item_id)
            count += len(found)
            while len(self._items) > MOST_SINCE:
                self._items.popitem(last=False)
            if len(found) < MOST_ROWS:
                return count


def _grown(base: Served, items: dict[str, Item | None]) -> Growth:
    """In a thread: the release with these items, asked once, so that no caller waits for what is made at first."""
    known = base.release.items
    rows = [item or Item(item_id, hidden=True) for item_id, item in items.items() if item or item_id in known]
    growth = grown(base.release, items_table(rows))
    growth.release.recommend(growth.release.users.texts.head(1).to_list())
    return growth


def _trained_on(served: Served) -> int:
    return int(served.release.details.get("store_change") or 0)
