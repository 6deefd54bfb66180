"""The past of a person as of now: what the release knows, what came since, however little of it is in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds import DAY
from zhiyin.data.queries import Queries
from zhiyin.data.store.records import Event, News, session_name
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import StoreError
from zhiyin.registry.release import Release
from zhiyin.serving.sessions import Sessions
from zhiyin.serving.store import Store

LATER = 100 * DAY


def event(user: str, item: str, time: int = LATER, kind: str = "view", **more: float) -> Event:
    return Event(user, item, kind, time, time, **more)


def within(tmp_path: Path, use: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Store.of("events.db", tmp_path) as store:
            await use(store)

    asyncio.run(run())


async def asked(sessions: Sessions, release: Release, user: str, now: int) -> Queries:
    known = await sessions.queries(release, user, None, now)
    assert not known.stale
    return known.queries


def items(queries: Queries, release: Release) -> list[str]:
    return release.items.ids(queries.histories.items).to_list()


def test_a_person_has_the_past_of_the_release(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        found = await asked(Sessions(store), release, "a000", LATER)
        expected = release.queries(["a000"], LATER)
        np.testing.assert_array_equal(found.histories.items, expected.histories.items)
        np.testing.assert_array_equal(found.people, expected.people)

    within(tmp_path, use)


def test_an_event_is_in_the_very_next_history_of_known_and_new_people(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        for user in ("a000", "stranger"):
            before = items((await asked(sessions, release, user, LATER + 1)), release)
            await store.append([event(user, "b-03")])
            after = await asked(sessions, release, user, LATER + 1)
            assert items(after, release) == [*before, "b-03"]
            assert after.histories.weights[-1] == np.float32(0.2)
            assert after.histories.of_kinds(["view"])[-1]
        assert (await asked(sessions, release, "stranger", LATER)).people[0] == -1

    within(tmp_path, use)


def test_late_events_take_their_place_in_time(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        await store.append([event("a000", "b-01", LATER), event("a000", "b-02", 1)])
        found = (await asked(sessions, release, "a000", LATER + 1)).histories
        assert (np.diff(found.times) >= 0).all()
        assert release.items.ids(found.items)[0] == "b-02"
        assert items((await asked(sessions, release, "a000", LATER)), release)[-1] != "b-01"  # as of before it happened

    within(tmp_path, use)


def test_unknown_items_and_returns_say_nothing(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        await store.append([event("new", "no such item"), event("new", "b-01", quantity=-1.0)])
        assert items((await asked(sessions, release, "new", LATER + 1)), release) == []

    within(tmp_path, use)


def test_what_the_release_has_learnt_from_does_not_count_twice(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        await store.append([event("new", "b-01"), event("new", "b-02")])
        assert items((await asked(sessions, release, "new", LATER + 1)), release) == ["b-01", "b-02"]
        newer = replace(release, details={"store_sequence": 1}, number=2)
        assert items((await asked(sessions, newer, "new", LATER + 1)), newer) == ["b-02"]
        await store.append([event("new", "b-03", LATER + 1)])
        assert items((await asked(sessions, newer, "new", LATER + 2)), newer) == ["b-02", "b-03"]
        assert items((await asked(sessions, release, "new", LATER + 2)), release) == [
            "b-01",
            "b-02",
            "b-03",
        ]  # rolled back

    within(tmp_path, use)


def test_another_release_with_other_indexes_gets_the_same_items(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        await store.append([event("new", "b-01")])
        (await asked(sessions, release, "new", LATER + 1))
        known = Vocabulary.of(["a first one", *release.items.texts])
        other = replace(release, items=known)
        found = await asked(sessions, other, "new", LATER + 1)
        assert items(found, other) == ["b-01"]
        assert found.histories.items[0] == release.items.indexes(["b-01"])[0] + 1

    within(tmp_path, use)


def test_memory_is_bounded_and_nobody_is_lost(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store, most_events_each=3, most_events=20)
        for i in range(5):
            await store.append([event(f"u{user}", f"b-0{i}", LATER + i) for user in range(30)])
            for user in range(30):
                (await asked(sessions, release, f"u{user}", LATER + 10))
                assert len(sessions) <= 20
        for user in range(30):
            assert items((await asked(sessions, release, f"u{user}", LATER + 10)), release) == ["b-02", "b-03", "b-04"]

    within(tmp_path, use)


def test_any_number_of_event_types_is_taken(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        await store.append([event("new", "b-01", kind=f"type {i}") for i in range(400)])
        found = (await asked(sessions, release, "new", LATER + 1)).histories
        assert len(found.kind_names) == 256
        assert found.of_kinds(["type 3"]).sum() == 1

    within(tmp_path, use)


def test_an_event_that_another_worker_took_is_in_the_very_next_history(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        async with Store.of("events.db", tmp_path) as other:
            sessions = Sessions(store)
            for user in ("a000", "stranger"):
                before = items(await asked(sessions, release, user, LATER + 1), release)
                await other.append([event(user, "b-03")])
                assert items(await asked(sessions, release, user, LATER + 1), release) == [*before, "b-03"]

    within(tmp_path, use)


def of_session(item: str, time: int = LATER, session: str = "s") -> Event:
    return Event(None, item, "view", time, time, session_id=session)


async def of(sessions: Sessions, release: Release, user: str | None, session: str | None) -> list[str]:
    return items((await sessions.queries(release, user, session, LATER + 10)).queries, release)


def test_a_session_is_somebody_until_it_is_somebodys(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        assert await of(sessions, release, None, "s") == []
        await store.append([of_session("b-01"), event("new", "b-02", LATER + 1)])
        assert await of(sessions, release, None, "s") == ["b-01"]
        assert await of(sessions, release, "new", None) == await of(sessions, release, "new", "s") == ["b-02"]
        assert await of(sessions, release, "s", None) == []  # a person of that name is another
        async with Store.of("events.db", tmp_path) as other:
            await other.link("s", "new")
        assert await of(sessions, release, "new", None) == ["b-01", "b-02"]
        await store.append([of_session("b-03", LATER + 2)])
        assert await of(sessions, release, "new", None) == ["b-01", "b-02", "b-03"]
        await store.link("s", "newer")
        assert await of(sessions, release, "new", None) == ["b-02"]
        assert await of(sessions, release, "newer", None) == ["b-01", "b-03"]

    within(tmp_path, use)


def test_what_a_release_learnt_of_a_session_is_the_persons_after_login(tmp_path: Path, release: Release) -> None:
    first, *others = release.users.texts  # sorted, and a session's name comes before all others
    trained = replace(release, users=Vocabulary.of([session_name("s"), *others]))

    async def use(store: Store) -> None:
        sessions = Sessions(store)
        past = await of(sessions, release, first, None)
        assert await of(sessions, trained, None, "s") == past
        own = await of(sessions, trained, "b000", None)
        assert await of(sessions, trained, "new", None) == []
        await store.append([event("b000", "b-00", LATER)])
        for user in ("b000", "new"):
            await store.link("s", user)
            known = await sessions.queries(trained, user, None, LATER + 1)
            assert (np.diff(known.queries.histories.times) >= 0).all()
            expected = [*past, *own, "b-00"] if user == "b000" else past
            assert sorted(items(known.queries, trained)) == sorted(expected)

    within(tmp_path, use)


def test_who_wants_no_personal_answers_is_a_stranger(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store)
        assert await of(sessions, release, "a000", None)
        await store.patch_user("a000", {}, personalised=False)
        known = await sessions.queries(release, "a000", None, LATER)
        assert not known.personalised
        assert known.queries.people.tolist() == [-1]
        assert not len(known.queries.histories.items)
        await store.patch_user("a000", {}, personalised=True)
        assert await of(sessions, release, "a000", None)

    within(tmp_path, use)


def test_who_is_erased_is_forgotten_by_every_worker(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        async with Store.of("events.db", tmp_path) as other:
            sessions = Sessions(store)
            await store.append([event("new", "b-01")])
            assert await of(sessions, release, "new", None) == ["b-01"]
            await other.erase("new")
            assert await of(sessions, release, "new", None) == []

    within(tmp_path, use)


class Breakable:
    """A store that can be gone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gone = False

    async def news(self, *asked: Any) -> News:
        if self.gone:
            raise StoreError("the store", "gone", "wait")
        return await self.store.news(*asked)

    async def quiet(self, *asked: Any, held: bool = True) -> bool:
        if self.gone:
            raise StoreError("the store", "gone", "wait")
        return await self.store.quiet(*asked, held=held)

    async def forgotten(self, after: int = 0) -> frozenset[str]:
        return await self.store.forgotten(after)

    def digest(self, user_id: str) -> str:
        return self.store.digest(user_id)


def test_without_its_store_an_answer_goes_on_from_what_is_held_and_says_so(tmp_path: Path, release: Release) -> None:
    async def use(store: Store) -> None:
        breakable = Breakable(store)
        sessions = Sessions(breakable)
        await store.append([event("new", "b-01")])
        assert await of(sessions, release, "new", None) == ["b-01"]
        breakable.gone = True
        await store.append([event("new", "b-02", LATER + 1)])
        held = await sessions.queries(release, "new", None, LATER + 10)
        assert held.stale
        assert items(held.queries, release) == ["b-01"]
        unheard = await sessions.queries(release, "a000", None, LATER)
        assert unheard.stale
        np.testing.assert_array_equal(unheard.queries.histories.items, release.queries(["a000"], LATER).histories.items)
        breakable.gone = False
        assert await of(sessions, release, "new", None) == ["b-01", "b-02"]

    within(tmp_path, use)


class Slow:
    """A store whose answers are on their way for a while, so that the world moves on meanwhile."""

    def __init__(self, store: Store, waits: Iterator[int]) -> None:
        self.store = store
        self.waits = waits

    async def news(self, *asked: Any) -> News:
        found = await self.store.news(*asked)
        for _ in range(next(self.waits, 0)):
            await asyncio.sleep(0)
        return found

    async def quiet(self, *asked: Any, held: bool = True) -> bool:
        found = await self.store.quiet(*asked, held=held)
        for _ in range(next(self.waits, 0)):
            await asyncio.sleep(0)
        return found

    async def forgotten(self, after: int = 0) -> frozenset[str]:
        found = await self.store.forgotten(after)
        for _ in range(next(self.waits, 0)):
            await asyncio.sleep(0)
        return found

    def digest(self, user_id: str) -> str:
        return self.store.digest(user_id)


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["ask", "tell", "tell session", "link", "erase"]), st.sampled_from("xy")),
            max_size=6,
        ),
        max_size=6,
    ),
    waits=st.lists(st.integers(0, 30), max_size=60),
)
def test_nothing_is_missed_or_counted_twice_whatever_comes_in_between(
    release: Release, steps: list[list[tuple[str, str]]], waits: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(Slow(store, iter(waits)), most_events_each=5, most_events=40)

        async def do(step: str, name: str) -> None:
            if step == "ask":
                await sessions.queries(release, name, None, LATER + 10)
            elif step == "tell":
                await store.append([event(name, "b-01")])
            elif step == "tell session":
                await store.append([of_session("b-02", session=f"of {name}")])
            elif step == "link":
                await store.link(f"of {name}", name)
            else:
                await store.erase(name)

        for at_once in steps:
            await asyncio.gather(*(do(*step) for step in at_once))
            for name in "xy":
                held = await of(sessions, release, name, None)
                assert held == await of(Sessions(store, most_events_each=5), release, name, None)

    within(tmp_path_factory.mktemp("law"), use)


@settings(deadline=None, max_examples=15)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["a000", "b001", "new", "newer"]),
            st.sampled_from(["a-00", "b-01", "b-02", "?"]),
            st.integers(0, 5),
            st.sampled_from(["ask", "tell", "tell"]),
        ),
        max_size=40,
    )
)
def test_memory_and_disk_agree_whatever_happens(
    release: Release, steps: list[tuple[str, str, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def use(store: Store) -> None:
        sessions = Sessions(store, most_events_each=4, most_events=30)
        for user, item, time, step in steps:
            if step == "tell":
                await store.append([event(user, item, LATER + time)])
            held = (await asked(sessions, release, user, LATER + 10)).histories
            read = (await asked(Sessions(store, most_events_each=4), release, user, LATER + 10)).histories
            for column in ("items", "times", "weights", "values", "kinds"):
                np.testing.assert_array_equal(getattr(held, column), getattr(read, column))

    within(tmp_path_factory.mktemp("law"), use)
