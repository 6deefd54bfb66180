"""Who is stored and what was shown, as pages look for it, on SQLite and on PostgreSQL alike."""

from pathlib import Path

import msgspec
import pytest

from stores import KINDS, address_of, within
from zhiyin.data.store import exposure, finding
from zhiyin.data.store.exposure import Shown
from zhiyin.data.store.finding import Activity
from zhiyin.data.store.records import Event, Impression, User
from zhiyin.serving.store import Store


def seen(user_id: str, time: int, item_id: str = "x", **more: str) -> Event:
    return Event(user_id, item_id, "view", time, time, **more)


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    return address_of(request.param, tmp_path)


def test_people_are_found_by_a_part_of_their_id_in_the_order_of_ids(address: object) -> None:
    async def use(store: Store) -> None:
        visitor = Event(None, "x", "view", 7, 7, session_id="an")
        await store.append([seen("An_n", 5), seen("bob", 7), seen("anna", 9), visitor])
        await store.put_users([User("zed"), User("Ánn"), User("50%"), User("bob")])

        async def found(part: str, after: str = "", most: int = 10, since: int = 0) -> list[str]:
            return await store.reading(lambda c: finding.people(c, part, since, after, most))

        assert await found("") == ["50%", "An_n", "anna", "bob", "zed", "Ánn"]
        assert await found("AN") == ["An_n", "anna"]
        assert await found("n_n") == ["An_n"]
        assert await found("%") == ["50%"]
        assert await found("/") == []
        assert await found("Á") == ["Ánn"]
        assert await found("", "An_n", 2) == ["anna", "bob"]
        assert await found("", since=2) == ["50%", "anna", "bob", "zed", "Ánn"], "events that a release knows"

    within(address, use)


def test_activity_is_what_happened_since_a_number_and_who_did_it_last(address: object) -> None:
    async def use(store: Store) -> None:
        await store.append([seen("ann", 9), seen("bob", 5), seen("bob", 7), seen("cid", 7)])
        lately = await store.reading(lambda c: finding.lately(c, 0, 10))
        assert lately == [Activity("ann", 1, 9), Activity("bob", 2, 7), Activity("cid", 1, 7)]
        assert await store.reading(lambda c: finding.lately(c, 0, 1)) == lately[:1]
        assert await store.reading(lambda c: finding.lately(c, 2, 10)) == [Activity("bob", 1, 7), Activity("cid", 1, 7)]
        some = await store.reading(lambda c: finding.activity(c, ["bob", "none"], 0))
        assert some == [Activity("bob", 2, 7)]
        assert await store.reading(lambda c: finding.activity(c, [], 0)) == []

    within(address, use)


def test_sessions_of_a_person_are_told_the_newest_link_first(address: object) -> None:
    async def use(store: Store) -> None:
        for name, owner in (("s1", "ann"), ("s2", "bob"), ("s3", "ann")):
            await store.link(name, owner)
        found = await store.reading(lambda c: finding.sessions(c, "ann", 10))
        assert [name for name, _ in found] == ["s3", "s1"]
        assert found[0][1] >= found[1][1] > 0
        assert len(await store.reading(lambda c: finding.sessions(c, "ann", 1))) == 1

    within(address, use)


@pytest.mark.parametrize("item_id", ["x", 'a"b', "50%", "a_b", "啡\\1"])
def test_lists_with_an_item_are_found_with_its_place_and_what_followed(address: object, item_id: str) -> None:
    async def use(store: Store) -> None:
        others = ["y", item_id + "z", "z" + item_id, "aXb", "500"]
        for number, ids in enumerate([[*others, item_id], others, [item_id], [item_id]]):
            items = msgspec.json.encode([(one, 1.0) for one in ids]).decode()
            store.note(Impression(f"r{number}", "ann", None, "home", None, 1, 10 + number, items))
        await store.append(
            [
                seen("ann", 20, item_id, request_id="r0"),
                Event("ann", item_id, "buy", 21, 21, request_id="r0"),
                seen("ann", 22, "y", request_id="r2"),
                seen("ann", 23, item_id),
            ]
        )
        found = await store.reading(lambda c: exposure.shown(c, item_id, 0))
        assert sorted((one.time, one.place, sorted(one.followed)) for one in found) == [
            (10, 6, ["buy", "view"]), (12, 1, []), (13, 1, []),
        ]  # fmt: skip
        assert sorted(await store.reading(lambda c: exposure.shown(c, item_id, 13))) == [Shown(13, 1, ())]

    within(address, use)
