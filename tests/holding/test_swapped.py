"""Fifty swaps and rollbacks under load, with one and two workers: no failed request, no mixed answer."""

import asyncio
import signal
from collections import Counter
from itertools import pairwise

import pytest

from tests.holding.harness import Process, connection, full
from tests.holding.load import Load, loaded
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

SWAPS = full(8, 50)


@pytest.mark.parametrize("workers", [1, 2])
def test_swaps_and_rollbacks_under_load_fail_nobody_and_mix_nothing(
    workers: int, project, two_shops: list[Release]
) -> None:
    shop = project(f"workers = {workers}", releases=two_shops)
    releases = Store(shop.root / "releases")
    with shop.serving() as service:
        load = asyncio.run(swapped(service, releases))
        assert service.stop() == 0
    assert not load.broken
    assert {one.status for one in load.lists} == {200}
    assert {one.status for one in load.events} == {202}
    answers = [one.json() for one in load.lists]
    begins = [(one["version"], {item["item_id"].partition("-")[0] for item in one["items"]}) for one in answers]
    assert [found for found in begins if found[1] != {("one", "two")[found[0] - 1]}] == []
    versions = Counter(version for version, _ in begins)
    assert set(versions) == {1, 2}
    changes = sum(before != after for (before, _), (after, _) in pairwise(begins))
    assert changes >= SWAPS / 2
    print(f"{workers} workers, {SWAPS} swaps: {len(answers):,} lists, of which {dict(versions)}, none failed or mixed")


async def swapped(service: Process, releases: Store) -> Load:
    """Over HTTP, and as `zhiyin promote` and `zhiyin rollback` do it."""
    async with loaded(service.port) as load, connection(service.port) as send:
        await load.well()
        for turn in range(SWAPS):
            wanted, over_http = 2 - turn % 2, turn % 4 < 2
            if over_http:
                answer = await send("POST", "/v1/versions/2/promote" if wanted == 2 else "/v1/versions/rollback")
                assert (answer.status, answer.json()["serving"]) == (200, wanted)
            elif wanted == 2:
                releases.promote(2, turn + 2)
            else:
                assert releases.rollback(turn + 2) == 1
            service.signal(signal.SIGHUP)
            begun = len(load.lists)
            await load.until(lambda: {one.json()["version"] for one in load.lists[begun:]} >= {wanted}, "the release")  # noqa: B023 - awaited within the round
        return load
