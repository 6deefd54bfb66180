"""What was shown, written back: each list with its items in order and the probability of each, under the request's id.

Clicks name that id, so that what was shown and what came of it can be joined; see Li et al. 2011 for why the
probabilities are kept.
"""

from collections.abc import Mapping, Sequence

import msgspec

from zhiyin.data.store.records import Impression
from zhiyin.serving.live import Served
from zhiyin.serving.schemas import Recommended
from zhiyin.serving.service import Service


def note(
    service: Service, served: Served, request_id: str, items: Sequence[Recommended], *, scenario: str,
    variant: str | None = None, user_id: str | None = None, session_id: str | None = None,
    context: Mapping[str, object] | None = None,
) -> None:  # fmt: skip
    """Have a list written soon, if the shop wants that; nobody waits for it, and what is dropped is counted."""
    if not items or not service.settings.serve.write_back:
        return
    service.store.note(
        Impression(
            request_id=request_id,
            user_id=None if user_id is None else served.person(user_id),
            session_id=None if session_id is None else served.person(session_id),
            scenario=scenario,
            variant=variant,
            version=served.release.number,
            time=service.clock(),
            items=msgspec.json.encode([(one.item_id, one.probability) for one in items]).decode(),
            context=msgspec.json.encode(context).decode() if context else None,
        )
    )
