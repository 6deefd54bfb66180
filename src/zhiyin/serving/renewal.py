"""What is stored encrypted, under the key that encrypts now."""

from functools import partial
from typing import Any

from zhiyin.data.store import sealing
from zhiyin.serving.store import Store


async def renew(store: Store) -> int:
    """Encrypt anew what another key has encrypted; how many rows."""
    count = 0
    for block in (sealing.renew_people, sealing.renew_events, sealing.renew_shown):
        after: Any = "" if block is sealing.renew_people else 0
        while after is not None:  # in short transactions
            changed, after = await store.writing(partial(block, after=after, renews=store.vault.renewed))
            count += changed
    return count
