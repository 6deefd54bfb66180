"""What just happened to one visitor, and what it changed in the list made for them: kept as long as somebody looks."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from starlette.requests import Request

from zhiyin.data.store.records import Event
from zhiyin.errors import StoreError
from zhiyin.ranking.wording import Language
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
from zhiyin.serving.dashboard.shop_shelves import Shelf, asked
from zhiyin.serving.dashboard.shop_visit import Visit
from zhiyin.serving.service import Service

SCOPE = "zhiyin.shop.ticker"
MOST = 6
"""Happenings that are shown."""


@dataclass(frozen=True)
class Happening:
    """An event, and what came of it."""

    time: int
    """µs UTC."""
    event_type: str
    goods: Goods
    entered: tuple[Goods, ...] = ()
    """Into the list; those of events that came together stand at the last of them."""
    left: tuple[Goods, ...] = ()
    moved: int = 0
    is_watched: bool = False
    """The list was looked at before and after."""


@dataclass
class Ticker:
    """Of one open page."""

    visit: Visit
    language: Language
    last: int = 0
    """The sequence number of the newest event that is known."""
    shelf: Shelf = field(default_factory=Shelf)
    fresh: frozenset[str] = frozenset()
    """Items that have just come into the list."""
    happenings: deque[Happening] = field(default_factory=lambda: deque(maxlen=MOST))
    is_begun: bool = False

    @classmethod
    def of(cls, request: Request, visit: Visit, language: Language) -> "Ticker":
        """That of this stream."""
        found: Ticker = request.scope.setdefault(SCOPE, cls(visit, language))
        return found

    async def look(self, service: Service) -> None:
        """Take in what is new.

        Raises
        ------
        RequestError
            503 if too many wait for an answer.
        """
        person = None if self.visit.person is None else service.served.person(self.visit.person)
        session = service.served.person(self.visit.session)
        try:
            news = await service.store.news(person, None if person else session, self.last, MOST)
        except StoreError:
            return
        if self.is_begun and not news.events:
            return
        before, self.shelf = self.shelf, await asked(service, self.visit, self.language, is_shown=self.is_begun)
        self._tell(service, [event for _, event in news.events], before)
        self.last = max([self.last, *(number for number, _ in news.events)])
        self.is_begun = True

    def _tell(self, service: Service, events: Sequence[Event], before: Shelf) -> None:
        was, now = before.item_ids, self.shelf.item_ids
        entered = tuple(one for one in self.shelf.goods if one.item_id not in was)
        left = tuple(one for one in before.goods if one.item_id not in now)
        moved = sum(one in was and was.index(one) != now.index(one) for one in now)
        self.fresh = frozenset(one.item_id for one in entered) if self.is_begun else frozenset()
        for i, event in enumerate(events):
            is_last = i == len(events) - 1
            for goods in goods_of(service.served.release, [event.item_id], self.language):
                found = Happening(event.timestamp, event.event_type, goods)
                if is_last and self.is_begun:
                    found = replace(found, entered=entered, left=left, moved=moved, is_watched=True)
                self.happenings.appendleft(found)
