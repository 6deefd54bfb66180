"""What just happened to one visitor, and what each event changed in the list made for them.

The past can be asked again: the list of the moment before an event beside that of the moment after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from zhiyin.data.store.records import Event
from zhiyin.errors import StoreError
from zhiyin.ranking.wording import Language
from zhiyin.serving.dashboard.shop_goods import Goods, goods_of
from zhiyin.serving.dashboard.shop_shelves import Shelf, Want, asked
from zhiyin.serving.dashboard.shop_visit import Visit
from zhiyin.serving.service import Service

SCOPE = "zhiyin.shop.ticker"
MOST = 5
"""Events that are told."""


@dataclass(frozen=True)
class Happening:
    """An event, and what came of it."""

    time: int
    """µs UTC."""
    event_type: str
    goods: Goods
    entered: tuple[Goods, ...]
    """Into the list."""
    left: tuple[Goods, ...]
    moved: int


@dataclass
class Ticker:
    """Of one open page: kept as long as it looks."""

    visit: Visit
    language: Language
    happenings: list[Happening] = field(default_factory=list)
    """The newest first; of events of one moment, the first tells what all of them changed."""
    shelf: Shelf = field(default_factory=Shelf)
    fresh: frozenset[str] = frozenset()
    """Items that came into it since the page was opened."""
    _last: int = -1  # the sequence number of the newest event that is known
    _events: list[Event] = field(default_factory=list)
    _before: dict[int, Shelf] = field(default_factory=dict)  # by the moment of an event: the list without it

    @classmethod
    def of(cls, request: Request, visit: Visit, language: Language) -> "Ticker":
        """That of this stream."""
        found: Ticker = request.scope.setdefault(SCOPE, cls(visit, language))
        return found

    async def look(self, service: Service) -> None:
        """Take in what is new; where the store cannot be read, nothing is.

        Raises
        ------
        RequestError
            503 if too many wait for an answer.
        """
        served, visit, is_first = service.served, self.visit, self._last < 0
        person = None if visit.person is None else served.person(visit.person)
        session = None if person else served.person(visit.session)
        try:
            news = await service.store.news(person, session, max(self._last, 0), MOST)
        except StoreError:
            return
        if not news.events and not is_first:
            return
        self._last = max([self._last, 0, *(number for number, _ in news.events)])
        self._events = [*self._events, *(event for _, event in news.events)][-MOST:]
        before, self.shelf = self.shelf, await asked(service, visit, self.language, Want(is_shown=not is_first))
        await self._tell(service)
        self.fresh = frozenset() if is_first else frozenset(self.shelf.item_ids).difference(before.item_ids)

    async def _tell(self, service: Service) -> None:
        moments = sorted({event.timestamp for event in self._events})
        for moment in moments:
            if moment not in self._before:
                self._before[moment] = await self._as_of(service, moment)
        lists = [*(self._before[moment] for moment in moments), await self._as_of(service, service.clock())]
        told: list[Happening] = []
        for place, moment in enumerate(moments):
            done = [event for event in self._events if event.timestamp == moment]
            told += self._happenings(service, done, *_changes(*lists[place : place + 2]))
        self.happenings = told[::-1]

    async def _as_of(self, service: Service, moment: int) -> Shelf:
        """With the same chance each time: what moves was moved by events."""
        want = Want(moment=moment, request_id=self.visit.session, is_shown=False)
        return await asked(service, self.visit, self.language, want)

    def _happenings(
        self, service: Service, done: Sequence[Event], entered: tuple[Goods, ...], left: tuple[Goods, ...], moved: int
    ) -> list[Happening]:
        found = []
        for place, event in enumerate(done):
            changed = (entered, left, moved) if place == len(done) - 1 else ((), (), 0)
            goods = goods_of(service.served.release, [event.item_id], self.language)
            found += [Happening(event.timestamp, event.event_type, one, *changed) for one in goods]
        return found


def _changes(was: Shelf, now: Shelf) -> tuple[tuple[Goods, ...], tuple[Goods, ...], int]:
    """What came into a list, what went out of it, and how many of the others moved."""
    before, after = was.item_ids, now.item_ids
    moved = sum(one in before and before.index(one) != place for place, one in enumerate(after))
    return (
        tuple(one for one in now.goods if one.item_id not in before),
        tuple(one for one in was.goods if one.item_id not in after),
        moved,
    )
