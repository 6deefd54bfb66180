"""kill -9 under load, on both databases, with one and two workers: what was acknowledged is there, once."""

import asyncio
import random
from collections import Counter

import pytest

from tests.holding.harness import Process, Record, full, send_events
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables

ROUNDS, EVENTS = full(1, 20), full(3_000, 50_000)
COMBINATIONS = [("sqlite", 1), ("sqlite", 2), ("postgres", 1), ("postgres", 2)]


@pytest.mark.parametrize(("kind", "workers"), COMBINATIONS)
def test_every_acknowledged_event_survives_kill_9_once(kind: str, workers: int, project, store_of) -> None:
    chance = random.Random(workers)
    written = store_of(kind)
    shop, record, sent = project(f"store = {written!r}\nworkers = {workers}"), Record(), 0
    with shop.serving() as service:
        for number in range(ROUNDS):
            again, record.unanswered = record.unanswered, []
            fresh = [event(sent + i) for i in range(EVENTS - len(again))]
            sent += len(fresh)
            before = len(record.acknowledged)
            asyncio.run(killed_midway(service, [*again, *fresh], record, chance.uniform(0.1, 0.9)))
            assert len(record.acknowledged) > before, f"round {number} acknowledged nothing"
            service.start()
        last, record.unanswered = record.unanswered, []
        asyncio.run(send_events(service.port, last, record))
        assert not record.unanswered
        assert service.stop() == 0
    stored = read_tables(StoreAddress.of(written, shop.root)).events
    assert len(record.acknowledged) == sent
    assert Counter(stored["item_id"].to_list()) == Counter(f"i{i}" for i in range(sent))
    print(f"{kind}, {workers} workers: {ROUNDS} kills, {EVENTS:,} events on their way each time, {sent:,} stored once")


async def killed_midway(service: Process, events: list[dict[str, str]], record: Record, share: float) -> None:
    """Kill the service when a share of the events is acknowledged."""
    wanted = len(record.acknowledged) + int(share * len(events))

    async def killer() -> None:
        while len(record.acknowledged) < wanted:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(service.kill)

    await asyncio.gather(killer(), send_events(service.port, events, record, seed=wanted))


def event(number: int) -> dict[str, str]:
    return {"user_id": f"u{number % 97}", "item_id": f"i{number}", "event_id": f"e{number}", "event_type": "view"}
