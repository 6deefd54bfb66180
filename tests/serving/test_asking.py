"""A verb answers as the service would, from the store that the service writes, in either database."""

from pathlib import Path

import pytest

from stores import KINDS, address_of, within
from zhiyin.cli.asking import Asker
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.forgotten import plain_digest
from zhiyin.data.store.records import Event, User
from zhiyin.registry.release import Release
from zhiyin.serving.store import Store

LATER = 10**15


def test_without_a_store_only_the_release_is_asked(tmp_path: Path, release: Release) -> None:
    asker = Asker(release, StoreAddress(tmp_path / "none.db"), lambda: plain_digest)
    assert asker.active == []
    assert asker.knows("a000")
    assert not asker.knows("new")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_stored_since_the_training_counts(kind: str, tmp_path: Path, release: Release) -> None:
    address = address_of(kind, tmp_path)

    async def use(store: Store) -> None:
        await store.append([
            Event("new", "b-01", "view", LATER, LATER),
            Event(None, "b-02", "view", LATER, LATER, session_id="s"),
            Event(None, "b-03", "view", LATER, LATER, session_id="t"),
        ])  # fmt: skip
        await store.link("s", "newer")
        await store.put_users([User("a000", personalised=False)])

    within(address, use)
    asker = Asker(release, address, lambda: plain_digest)
    assert asker.active == ["a000", "new", "newer"]
    found = asker.recommend(["a001", "new", "newer", "a000", "nobody"], 12, now=LATER + 1)
    lists = {user: set(rows["item_id"]) for (user,), rows in found.group_by("user_id")}
    assert found["user_id"].unique(maintain_order=True).to_list() == ["a001", "new", "newer", "a000", "nobody"]
    assert "b-01" not in lists["new"]
    assert "b-02" not in lists["newer"]
    assert lists["a000"] == lists["nobody"]
