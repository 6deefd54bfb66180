"""The durable store, on SQLite and on a real PostgreSQL: all or nothing, once, in order, whoever writes."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import KINDS, address_of, event, within
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database, migrate_at_once
from zhiyin.data.store.database import Database, T, Work
from zhiyin.data.store.records import Appended, Event, Friend, Impression, Item, News, User
from zhiyin.data.store.training import COLUMNS, read_tables
from zhiyin.errors import RequestError
from zhiyin.serving.store import Store


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
    return address_of(request.param, tmp_path)


def shown(request_id: str, user: str | None = "ann", session: str | None = None, time: int = 1) -> Impression:
    return Impression(request_id, user, session, "home", None, 3, time, '[["mug",1.0]]')


def items_of(news: News) -> list[str]:
    return [one.item_id for _, one in news.events]


def test_what_is_appended_is_read_by_training(address: StoreAddress) -> None:
    bought = Event("ann 'x'/é☕", "mug", "purchase", 7, 9, "e1", 4.5, 12.5, 2.0, "r1", "s", '{"a":1}', '["mug"]')
    assert within(address, lambda store: store.append([bought, event(time=8)])) == Appended(2, 0)
    tables = read_tables(address)
    assert tables.sequence == 2
    assert dict(tables.events.schema) == COLUMNS
    assert tables.events.rows() == [
        ("ann 'x'/é☕", "mug", "purchase", 7, 4.5, 12.5, 2.0),
        ("ann", "mug", "view", 8, None, None, None),
    ]


def test_every_field_of_an_event_comes_back(address: StoreAddress) -> None:
    whole = Event("ann", "mug", "purchase", 7, 9, "e1", 4.5, 12.5, 2.0, "r1", "s", '{"a":1}', '["mug"]')

    async def use(store: Store) -> News:
        await store.append([whole])
        return await store.news("ann", None, 0, 10)

    assert within(address, use).events == [(1, whole)]


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    tables = read_tables(StoreAddress(tmp_path / "none.db"))
    assert (tables.events.height, dict(tables.events.schema), tables.sequence) == (0, COLUMNS, 0)


def test_sequence_numbers_go_on_after_a_restart_and_are_never_given_twice(address: StoreAddress) -> None:
    async def numbers(store: Store) -> list[int]:
        await store.append([event(), event()])
        return [number for number, _ in (await store.news("ann", None, 0, 10)).events]

    assert within(address, numbers) == [1, 2]
    assert within(address, numbers) == [1, 2, 3, 4]
    assert within(address, lambda store: store.erase("ann"))["events"] == 4
    assert within(address, numbers) == [5, 6]


def test_an_event_id_is_stored_once(address: StoreAddress) -> None:
    async def use(store: Store) -> list[Appended]:
        first = await store.append([event(event_id="a"), event(event_id="a"), event(), event()])
        both = await asyncio.gather(store.append([event(event_id="b")]), store.append([event(event_id="b")]))
        return [first, *both, await store.append([event(event_id="a"), event(event_id="c'\n☕")])]

    assert within(address, use) == [Appended(3, 1), Appended(1, 0), Appended(0, 1), Appended(1, 1)]
    assert read_tables(address).events.height == 5
    assert within(address, lambda store: store.append([event(event_id="c'\n☕")])) == Appended(0, 1)


class Twin:
    """The obvious store: a list and a set."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ids: set[str] = set()

    def append(self, given: Sequence[Event]) -> Appended:
        stored = 0
        for one in given:
            if one.event_id is None or one.event_id not in self.ids:
                self.events.append(one)
                self.ids |= {one.event_id} - {None}
                stored += 1
        return Appended(stored, len(given) - stored)

    def news(self, user: str, after: int, most: int) -> list[tuple[int, Event]]:
        found = [(i + 1, one) for i, one in enumerate(self.events) if one.user_id == user and i + 1 > after]
        return found[-most:]


EVENTS = st.lists(
    st.builds(
        event,
        user=st.sampled_from(["ann", "bob"]),
        item=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=3),
        event_id=st.none() | st.sampled_from(["1", "2", "3"]),
        value=st.none() | st.floats(allow_nan=False, width=32),
    ),
    max_size=4,
)


@pytest.mark.parametrize("kind", KINDS)
def test_appending_agrees_with_a_list_and_a_set(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(deadline=None, max_examples=12)
    @given(calls=st.lists(st.lists(EVENTS, min_size=1, max_size=3), max_size=4), after=st.integers(0, 5))
    def law(calls: list[list[list[Event]]], after: int) -> None:
        async def use(store: Store) -> None:
            twin = Twin()
            for at_once in calls:
                done = await asyncio.gather(*(store.append(one) for one in at_once))
                assert list(done) == [twin.append(one) for one in at_once]
            for user in ("ann", "bob", "nobody"):
                for most in (1, 3, 100):
                    assert (await store.news(user, None, after, most)).events == twin.news(user, after, most)

        within(address_of(kind, tmp_path_factory.mktemp("law")), use)

    law()


def test_the_newest_events_of_a_person_come_oldest_first(address: StoreAddress) -> None:
    async def use(store: Store) -> list[str]:
        await store.append([event("ann", f"i{i}") for i in range(5)] + [event("bob")])
        return items_of(await store.news("ann", None, 1, 3))

    assert within(address, use) == ["i2", "i3", "i4"]


def test_a_session_has_its_own_events_and_gives_them_to_who_logs_in(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        own = [
            event(None, "cup", session_id="s"),
            event("ann", "mug", session_id="s"),
            event(None, "pot", session_id="t"),
        ]
        await store.append(own)
        assert items_of(await store.news(None, "s", 0, 10)) == ["cup"]
        assert items_of(await store.news("ann", None, 0, 10)) == ["mug"]
        before = (await store.news("ann", None, 0, 10)).change
        await store.link("s", "ann")
        news = await store.news("ann", None, 0, 10, before)
        assert items_of(news) == ["cup", "mug"]
        assert news.sessions == ["s"]
        assert [(one.kind, one.id) for one in news.changes] == [("person", "ann")]
        assert news.change == news.changes[0].number > before
        await store.append([event(None, "jar", session_id="s")])
        assert items_of(await store.news("ann", None, 3, 10)) == ["jar"]
        await store.link("s", "bob")  # two people at one machine: who logged in last has it
        assert items_of(await store.news("ann", None, 0, 10)) == ["mug"]
        assert items_of(await store.news("bob", None, 0, 10)) == ["cup", "jar"]

    within(address, use)
    assert read_tables(address).events["user_id"].to_list() == ["bob", "ann", "\0session:t", "bob"]


def test_it_is_quiet_around_somebody_exactly_while_the_news_would_tell_nothing(address: StoreAddress) -> None:
    asked = [("ann", None), ("bob", None), (None, "s"), (None, "t")]

    async def use(store: Store) -> None:
        steps = [
            lambda: store.append([event("ann", "mug")]),
            lambda: store.append([event("ann", "cup", session_id="s")]),  # named: not the session's own
            lambda: store.append([event(None, "pot", session_id="s")]),
            lambda: store.link("s", "bob"),
            lambda: store.append([event(None, "jar", session_id="s")]),  # bob's, too
            lambda: store.put_items([Item("mug")]),
            lambda: store.patch_user("ann", {}, personalised=False),
            lambda: store.erase("ann"),
        ]
        seen = []
        for step in steps:
            before = [await store.news(*one, 0, 10, 0) for one in asked]
            known = [(one.events[-1][0] if one.events else 0, one.change) for one in before]
            assert [await store.quiet(*one, *upto) for one, upto in zip(asked, known, strict=True)] == [True] * 4
            await step()
            quiet = [await store.quiet(*one, *upto) for one, upto in zip(asked, known, strict=True)]
            for one, (after, change), is_quiet in zip(asked, known, quiet, strict=True):
                news = await store.news(*one, after, 10, change)
                assert is_quiet == (not news.events and news.change == change)
                news = await store.news(*one, 0, 10, change)
                silent = not news.events and not news.sessions and news.personalised and news.change == change
                assert await store.quiet(*one, 0, change, held=False) == silent
            seen.append(
                [name or session for (name, session), is_quiet in zip(asked, quiet, strict=True) if not is_quiet]
            )
        all_four = ["ann", "bob", "s", "t"]
        assert seen == [["ann"], ["ann"], ["s"], all_four, ["bob", "s"], all_four, all_four, all_four]

    within(address, use)


def test_shown_lists_are_written_and_belong_to_who_saw_them(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        store.note(shown("r1"))
        store.note(shown("r2", None, "s"))
        store.note(shown("r3", "bob"))
        await store.append([event()])
        await store.link("s", "ann")
        held = await store.export("ann")
        assert {one["request_id"]: one["items"] for one in held["impressions"]} == {
            "r1": [["mug", 1.0]],
            "r2": [["mug", 1.0]],
        }
        store.note(shown("r4"))
        store.note(shown("r5", "bob"))

    within(address, use)

    async def bobs(store: Store) -> list[str]:
        return [one["request_id"] for one in (await store.export("bob"))["impressions"]]

    assert within(address, bobs) == ["r3", "r5"]


def test_items_are_stored_changed_hidden_listed_and_deleted(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        assert (
            await store.put_items([Item("b", {"price": 5}), Item("a"), Item("b", {"price": 6.5, "tags": ["x"]})]) == 2
        )
        found = await store.item("b")
        assert found is not None
        assert (found.attributes, found.hidden) == ({"price": 6.5, "tags": ["x"]}, False)
        assert await store.put_items([Item("b", {"price": 7}), Item("c")]) == 1
        again = await store.item("b")
        assert again is not None
        assert again.created == found.created < again.updated
        patched = await store.patch_item("b", {"price": None, "title": "Böhmisch"}, hidden=True)
        assert patched is not None
        assert (patched.attributes, patched.hidden) == ({"title": "Böhmisch"}, True)
        await store.hide_item("b", hidden=False)
        await store.hide_item("d")
        stored = await store.items()
        assert [(one.item_id, one.hidden) for one in stored] == [("a", False), ("b", False), ("c", False), ("d", True)]
        assert [one.item_id for one in await store.items("a", 1)] == ["b"]
        assert await store.delete_item("a")
        assert not await store.delete_item("a")
        assert await store.patch_item("a", {}) is None
        assert await store.item("a") is None

    within(address, use)


def test_the_log_tells_of_every_item_once_and_in_order(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        await store.put_items([Item("a"), Item("b"), Item("c")])
        found, change = await store.items_since(0, 2)
        assert [one for one, _ in found] == ["a", "b"]
        rest, change = await store.items_since(change)
        assert [one for one, _ in rest] == ["c"]
        await store.delete_item("b")
        await store.hide_item("a")
        await store.hide_item("a")
        found, last = await store.items_since(change)
        assert [(one, item and item.hidden) for one, item in found] == [("b", None), ("a", True)]
        assert await store.items_since(last) == ([], last)
        assert (await store.news("ann", None, 0, 1, 0)).changes == []
        assert (await store.news("ann", None, 0, 1)).change == last

    within(address, use)


def test_people_are_stored_changed_listed_and_known_by_the_news(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        assert await store.put_users([User("bob", {"age": 3}), User("ann", personalised=False)]) == 2
        assert not (await store.news("ann", None, 0, 1)).personalised
        assert (await store.news("bob", None, 0, 1)).personalised
        assert await store.patch_user("bob", {"age": None, "city": "Ulm"}, consent=False) == User(
            "bob", {"city": "Ulm"}, True, False
        )
        assert await store.user("bob") == User("bob", {"city": "Ulm"}, True, False)
        assert await store.patch_user("new", {"x": True}) == User("new", {"x": True})
        assert [one.user_id for one in await store.users("ann", 1)] == ["bob"]
        assert await store.delete_user("ann")
        assert not await store.delete_user("ann")
        assert await store.user("ann") is None
        assert (await store.news("ann", None, 0, 1)).personalised
        await store.put_friends("bob", [Friend("ann"), Friend("cid", 0.5), Friend("ann", 2.0)])
        assert await store.friends("bob") == [Friend("ann", 2.0), Friend("cid", 0.5)]
        assert await store.friends("bob", "ann") == [Friend("cid", 0.5)]
        assert [await store.delete_friend("bob", "ann"), await store.delete_friend("bob", "ann")] == [True, False]

    within(address, use)


def test_erasing_leaves_nothing_of_a_person_and_all_of_the_others(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        await store.append([event("ann"), event(None, session_id="s"), event("bob", session_id="s"), event("bob")])
        store.note(shown("r1"))
        store.note(shown("r2", None, "s"))
        store.note(shown("r3", "bob"))
        await store.put_users([User("ann", {"age": 3}), User("bob")])
        await store.put_friends("ann", [Friend("bob")])
        await store.put_friends("bob", [Friend("ann"), Friend("cid")])
        await store.link("s", "ann")
        change = (await store.news("bob", None, 0, 10)).change
        bob = await store.export("bob")
        assert await store.erase("ann") == {"events": 2, "impressions": 2, "users": 1, "friends": 2, "links": 1}
        assert not any((await store.export("ann")).values())
        left = await store.export("bob")
        assert left == {**bob, "friends": [one for one in bob["friends"] if "ann" not in one.values()]}
        news = await store.news("bob", None, 0, 10, change)
        assert [one.kind for one in news.changes] == ["all"]
        assert len(news.events) == 2
        assert (await store.erase("nobody"))["events"] == 0

    within(address, use)


def test_pruning_deletes_what_is_old(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        await store.append([event()._replace(received=received) for received in (1, 5, 9)])
        for time_ in (1, 5):
            store.note(shown(f"r{time_}", time=time_))
        await store.append([event()._replace(received=9)])
        assert await store.prune(5, 5) == {"events": 1, "impressions": 1}
        assert await store.prune(5, 5) == {"events": 0, "impressions": 0}
        assert len((await store.news("ann", None, 0, 10)).events) == 3

    within(address, use)


def test_who_has_missed_many_changes_is_told_to_forget_everybody(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        await store.put_users([User(f"u{i}") for i in range(1_001)])
        news = await store.news("ann", None, 0, 1, 0)
        assert [one.kind for one in news.changes] == ["all"]
        assert news.changes[0].number == news.change
        assert len((await store.news("ann", None, 0, 1, 1)).changes) == 1_000

    within(address, use)


def test_what_the_store_cannot_hold_is_refused_alone(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        for impossible in (event("\ud800"), event(time=2**70), event(event_id="\ud800")):
            calls = [
                store.append([event("good")]),
                store.append([event("lost"), impossible]),
                store.append([event("well")]),
            ]
            first, refused, last = await asyncio.gather(*calls, return_exceptions=True)
            assert (first, last) == (Appended(1, 0), Appended(1, 0))
            assert isinstance(refused, RequestError)
            assert "nothing was stored" in str(refused)
        store.note(shown("\ud800"))
        store.note(shown("r"))
        assert await store.append([event("after")]) == Appended(1, 0)
        assert store.dropped_impressions == 1
        assert len((await store.export("ann"))["impressions"]) == 1
        with pytest.raises(RequestError, match="cannot hold") as caught:
            await store.put_items([Item("\ud800")])
        assert caught.value.status == 422

    within(address, use)
    assert read_tables(address).events["user_id"].to_list() == [*["good", "well"] * 3, "after"]


def test_too_many_waiting_events_are_refused(address: StoreAddress) -> None:
    async def use(store: Store) -> list[object]:
        calls = [store.append([event()] * 60) for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = within(address, use, most_waiting=100)
    refused = [one for one in outcomes if isinstance(one, RequestError)]
    assert refused
    assert all(one.status == 503 for one in refused)
    assert read_tables(address).events.height == 60 * (4 - len(refused))


def test_a_call_larger_than_the_queue_goes_through_alone(address: StoreAddress) -> None:
    assert within(address, lambda store: store.append([event()] * 500), most_waiting=100) == Appended(500, 0)


def test_a_caller_who_has_gone_harms_nobody(address: StoreAddress) -> None:
    async def use(store: Store) -> None:
        gone = asyncio.ensure_future(store.append([event("gone")]))
        stays = asyncio.ensure_future(store.append([event("stays")]))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == Appended(1, 0)

    within(address, use)


def test_training_reads_beside_a_writing_service(address: StoreAddress) -> None:
    async def use(store: Store) -> int:
        await store.append([event()])
        return (await asyncio.to_thread(read_tables, address)).events.height

    assert within(address, use) == 1


class Counting:
    """A database that counts its transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transactions = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    async def write(self, work: Work[T]) -> T:
        self.transactions += 1
        return await self._database.write(work)


def test_many_callers_share_few_transactions(address: StoreAddress) -> None:
    async def run() -> int:
        counting = Counting(database(address, time.monotonic))
        async with Store(counting) as store:
            await asyncio.gather(*(store.append([event(f"u{i}")]) for i in range(500)))
        return counting.transactions

    assert asyncio.run(run()) < 50
    assert read_tables(address).events["user_id"].to_list() == [f"u{i}" for i in range(500)]


def test_a_store_that_is_closing_takes_nothing(address: StoreAddress) -> None:
    async def use(store: Store) -> Store:
        return store

    store = within(address, use)
    with pytest.raises(RequestError, match="shutting down"):
        asyncio.run(store.append([event()]))
    store.note(shown("r"))
    assert store.dropped_impressions == 1
    assert migrate_at_once(address) == []
