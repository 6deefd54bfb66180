"""Items and people stored whole, but for what a shop decided about them and does not say again.

A catalogue is sent every night; who was hidden by hand, or has withdrawn consent, must stay so.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from zhiyin.data.store import items, people
from zhiyin.data.store.records import Attributes, Item, User


class GivenItem(NamedTuple):
    """An item as a shop sends it."""

    item_id: str
    attributes: Attributes
    hidden: bool | None = None  # None: as it is stored, not hidden where it is new


class GivenUser(NamedTuple):
    """A person as a shop sends it; `None`: as it is stored, true where it is new."""

    user_id: str
    attributes: Attributes
    personalised: bool | None = None
    consent: bool | None = None


def put_items(connection: Connection, given: Sequence[GivenItem], now: int) -> int:
    """Store items; how many are new. A later one of the same id wins."""
    known = {one.item_id: one.hidden for one in items.several(connection, list({row.item_id for row in given}))}
    rows = []
    for row in given:
        hidden = known.get(row.item_id, False) if row.hidden is None else row.hidden
        rows.append(Item(row.item_id, row.attributes, hidden))
    return items.put(connection, rows, now)


def put_users(connection: Connection, given: Sequence[GivenUser]) -> int:
    """Store people; how many are new. A later one of the same id wins."""
    known = {one.user_id: one for one in people.several(connection, list({row.user_id for row in given}))}
    rows = []
    for row in given:
        before = known.get(row.user_id, User(row.user_id))
        personalised = before.personalised if row.personalised is None else row.personalised
        consent = before.consent if row.consent is None else row.consent
        rows.append(User(row.user_id, row.attributes, personalised, consent))
    return people.put(connection, rows)
