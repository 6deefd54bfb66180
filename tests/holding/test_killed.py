"""kill -9 under load: what was acknowledged is there, once."""

import asyncio
import random
from collections import Counter

from tests.holding.harness import Record, full, send_events
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables

ROUNDS, EVENTS = full(2, 20), full(1_500, 50_000)


def test_every_acknowledged_event_survives_kill_9_once(project) -> None:
    chance = random.Random(0)
    shop, record, sent = project(), Record(), 0
    with shop.serving() as service:
        for number in range(ROUNDS):
            again, record.unanswered = record.unanswered, []
            fresh = [event(sent + i) for i in range(EVENTS)]
            sent += EVENTS
            asyncio.run(killed_midway(service, [*again, *fresh], record, chance.uniform(0.1, 0.9)))
            service.start()
            assert record.acknowledged, f"round {number} acknowledged nothing"
        last, record.unanswered = record.unanswered, []
        asyncio.run(send_events(service.port, last, record))
        assert not record.unanswered
        assert service.stop() == 0
    stored = read_tables(StoreAddress(shop.root / "events.db")).events
    counts = Counter(stored["item_id"].to_list())
    assert len(record.acknowledged) == sent
    assert counts == Counter(f"i{i}" for i in range(sent))


async def killed_midway(service, events, record: Record, share: float) -> None:
    """Kill the service when a share of the events is acknowledged."""
    wanted = len(record.acknowledged) + int(share * len(events))

    async def killer() -> None:
        while len(record.acknowledged) < wanted:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(service.kill)

    await asyncio.gather(killer(), send_events(service.port, events, record))


def event(number: int) -> dict[str, str]:
    return {"user_id": f"u{number % 97}", "item_id": f"i{number}", "event_id": f"e{number}", "event_type": "view"}
