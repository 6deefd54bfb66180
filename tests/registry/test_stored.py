"""What the service has stored is trained on: events, items, people and friends, from either database."""

from pathlib import Path

import polars as pl
import pytest

from stores import KINDS, address_of, event, within
from zhiyin.data.privacy import PrivacySettings, Protected
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import migrate_at_once
from zhiyin.data.store.records import Event, Friend, Item, User
from zhiyin.data.store.training import read_tables
from zhiyin.data.tables import Tables
from zhiyin.registry.config import parsed
from zhiyin.registry.prepare import prepare
from zhiyin.registry.stored import with_stored
from zhiyin.serving.store import Store

NOW = 1_800_000_000_000_000


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
    found = address_of(request.param, tmp_path)
    migrate_at_once(found)
    return found


def put(address: StoreAddress, *calls) -> None:
    """Let a service store things: `put(address, lambda store: store.put_items([...]), ...)`."""

    async def use(store: Store) -> None:
        for call in calls:
            await call(store)

    within(address, use)


def added(known: Tables, address: StoreAddress, settings: PrivacySettings | None = None) -> Protected:
    return with_stored(Protected(known, (), ()), read_tables(address), settings or PrivacySettings())


EVENTS = pl.DataFrame(
    {"user_id": ["ann", "bob"], "item_id": ["mug", "cup"], "event_type": ["view", "view"], "timestamp": [1, 2]},
    schema_overrides={name: pl.Categorical for name in ("user_id", "item_id", "event_type")},
).with_row_index("row", 1)


def rows(frame: pl.DataFrame | None, *columns: str) -> list[tuple[object, ...]]:
    assert frame is not None
    return frame.select(pl.col(columns).cast(pl.String) if columns[0] == "user_id" else columns).rows()


def test_events_of_people_and_sessions_follow_those_of_the_files(address: StoreAddress) -> None:
    put(
        address,
        lambda store: store.append([event("cid"), event(None, session_id="s"), event(None, session_id="t")]),
        lambda store: store.link("s", "ann"),
    )
    found = added(Tables(EVENTS), address).tables
    assert found.events["user_id"].cast(pl.String).to_list() == ["ann", "bob", "cid", "ann", "\0session:t"]
    assert found.events["user_id"].dtype == pl.Categorical
    assert (found.items, found.users, found.friends) == (None, None, None)


def test_nothing_is_learnt_from_who_has_not_consented(address: StoreAddress) -> None:
    put(
        address,
        lambda store: store.append([event("cid"), event("bob"), event(None, session_id="s")]),
        lambda store: store.put_users([User("bob", {"age": 3}, consent=False), User("cid", personalised=False)]),
        lambda store: store.put_friends("bob", [Friend("ann")]),
        lambda store: store.put_friends("cid", [Friend("ann"), Friend("bob")]),
        lambda store: store.link("s", "bob"),
    )
    found = added(Tables(EVENTS), address).tables
    assert found.events["user_id"].cast(pl.String).to_list() == ["ann", "cid"]
    assert rows(found.users, "user_id", "age") == [("cid", None)]
    assert rows(found.friends, "user_id", "friend_id") == [("cid", "ann")]


def test_of_what_both_describe_the_store_is_right(address: StoreAddress) -> None:
    known = pl.DataFrame(
        {
            "item_id": ["mug", "cup", "jar"],
            "price": pl.Series([1.0, 2.0, 3.0], dtype=pl.Float32),
            "size": [1, 2, None],
            "shelf": [1, 2, 3],
            "available": [True, False, True],
        }
    )
    stored = [
        Item("mug", {"price": "1.5", "size": 2.5, "colours": ["red", "blue"], "shelf": "top"}),
        Item("jar", {"title": 7}, hidden=True),
        Item("new", {"price": 9, "available": False, "shelf": ["a", "b"]}),
    ]
    put(address, lambda store: store.put_items(stored))
    found = added(Tables(EVENTS, items=known), address).tables.items
    assert found is not None
    assert {row["item_id"]: row for row in found.to_dicts()} == {
        "mug": {
            "item_id": "mug", "price": 1.5, "size": 2.5, "shelf": "top", "available": True,
            "colours": "red|blue", "title": None,
        },
        "cup": {
            "item_id": "cup", "price": 2.0, "size": 2.0, "shelf": "2", "available": False, "colours": None,
            "title": None,
        },
        "jar": {
            "item_id": "jar", "price": 3.0, "size": None, "shelf": "3", "available": False, "colours": None,
                "title": 7,
        },
        "new": {
            "item_id": "new", "price": 9.0, "size": None, "shelf": "a|b", "available": False, "colours": None,
            "title": None,
        },
    }  # fmt: skip


def test_people_and_friends_are_added(address: StoreAddress) -> None:
    put(
        address,
        lambda store: store.put_users([User("ann", {"age": 30, "odd": {"deep": 1}, "e-mail": "ann@example.com"})]),
        lambda store: store.put_friends("ann", [Friend("bob"), Friend("cid")]),
    )
    alone = added(Tables(EVENTS), address)
    assert alone.tables.users is not None
    assert alone.tables.users.to_dicts() == [{"user_id": "ann", "age": 30, "odd": '{"deep":1}'}]
    assert [one.column for one in alone.removed] == ["e-mail"]
    assert [one.code for one in alone.findings] == ["sensitive_column"]
    users = pl.DataFrame({"user_id": ["bob"], "age": [3]})
    friends = pl.DataFrame({"user_id": ["ann", "dan"], "friend_id": ["bob", "ann"]})
    both = added(Tables(EVENTS, users=users, friends=friends), address).tables
    assert rows(both.users, "user_id", "age") == [("bob", "3"), ("ann", "30")]
    assert rows(both.friends, "user_id", "friend_id") == [("ann", "bob"), ("dan", "ann"), ("ann", "cid")]


def test_many_blocks_are_read_in_order(address: StoreAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.data.store.training.BLOCK_ROWS", 3)
    put(address, lambda store: store.append([event("ann", f"i{i}", time=i) for i in range(10)]))
    assert read_tables(address).events["timestamp"].to_list() == list(range(10))


def test_training_reads_the_store_that_the_service_is_configured_with(address: StoreAddress, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp\nann,mug,2025-01-01\nbob,cup,2025-01-02\n")
    bought = Event("new", "pot", "purchase", NOW - 10**12, NOW)
    put(address, lambda store: store.append([bought]), lambda store: store.put_items([Item("pot", {"price": 3})]))
    place = address.url or address.path
    config = parsed(f'[data]\nevents = "events.csv"\n[serve]\nstore = "{place}"')
    prepared = prepare(config, tmp_path, now=NOW, environment={})
    assert prepared.store_sequence == 1
    dataset = prepared.dataset()
    assert "new" in dataset.users
    assert dataset.catalog.frame.filter(item_id="pot")["price"].to_list() == [3.0]
