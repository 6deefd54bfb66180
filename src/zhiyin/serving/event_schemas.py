"""Events as they come in over HTTP, and what became of them."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from zhiyin.serving.schemas import (
    LONGEST_ID,
    LONGEST_TYPE,
    MOST_CONTEXT,
    MOST_EVENTS,
    MOST_SHOWN,
    Amount,
    EventType,
    Id,
    Moment,
    Refusal,
)

ContextName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_TYPE)]
ContextValue: TypeAlias = Annotated[str, Meta(max_length=LONGEST_ID)] | bool | int | float | None


class NewEvent(Struct, forbid_unknown_fields=True, frozen=True):
    """Something that a person did with an item."""

    item_id: Id
    user_id: Id | None = None
    """Who did it; may be missing when session_id is given."""
    session_id: Id | None = None
    """The visit in which it happened; without user_id, an anonymous one."""
    event_type: EventType = "interaction"
    timestamp: Moment | None = None
    """Now if not given; at most five minutes in the future, which then counts as now."""
    value: Amount | None = None
    """A rating, a number of plays, …"""
    price: Annotated[float, Meta(ge=0, le=3.4e38)] | None = None
    """Paid per unit."""
    quantity: Amount | None = None
    """Negative for a return."""
    event_id: Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)] | None = None
    """An event with an id that is stored already is not stored again, so that a caller may send twice."""
    request_id: Annotated[str, Meta(max_length=LONGEST_ID)] | None = None
    """The answer that led to this event."""
    context: Annotated[dict[ContextName, ContextValue], Meta(max_length=MOST_CONTEXT)] | None = None
    """What was so when it happened, flat: {"device": "phone", "page": 3}."""
    impressions: Annotated[list[Id], Meta(max_length=MOST_SHOWN)] | None = None
    """The items that were shown when it happened, in order of position."""


class NewEvents(Struct, forbid_unknown_fields=True, frozen=True):
    """Several events."""

    events: Annotated[list[NewEvent], Meta(max_length=MOST_EVENTS)]


class Accepted(Struct, frozen=True):
    """Events are on the disk."""

    request_id: str
    accepted: int
    """Stored now."""
    repeated: int
    """Not stored again, because their event_id is stored already."""
    refused: list[Refusal]
    """Only with partial=true; without it, one bad event refuses all."""
