"""What goes in and out over HTTP; /openapi.json is written from these classes."""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

LONGEST_ID = 1_024
LONGEST_TYPE = 200
MOST_EVENTS = 10_000
MOST_ITEMS = 10_000
MOST_K = 10_000
MOST_CONTEXT = 50
MOST_SHOWN = 1_000

Id: TypeAlias = (
    Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)] | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
)
"""Any text, or a whole number, which is the same id as its digits."""

Moment: TypeAlias = (
    Annotated[str, Meta(max_length=64, description="ISO-8601; UTC where it names no zone")]
    | Annotated[int, Meta(description="seconds, ms, µs or ns since 1970, by magnitude")]
    | float
)
Amount: TypeAlias = Annotated[float, Meta(ge=-3.4e38, le=3.4e38)]
K: TypeAlias = Annotated[int, Meta(ge=1, le=MOST_K)]
EventType: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_TYPE)]

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


class Refusal(Struct, frozen=True):
    """Why one event of several was refused."""

    index: int
    """Its place in the list, from 0."""
    message: str
    where: str


class Accepted(Struct, frozen=True):
    """Events are on the disk."""

    request_id: str
    accepted: int
    """Stored now."""
    repeated: int
    """Not stored again, because their event_id is stored already."""
    refused: list[Refusal]
    """Only with partial=true; without it, one bad event refuses all."""


class PastEvent(Struct, forbid_unknown_fields=True, frozen=True):
    """An event of a history that comes with the question."""

    item_id: Id
    timestamp: Moment | None = None
    event_type: EventType = "interaction"
    value: Amount | None = None


class Question(Struct, forbid_unknown_fields=True, frozen=True):
    """Who asks for what: a person who is known by id, or a history."""

    user_id: Id | None = None
    history: Annotated[list[Id | PastEvent], Meta(max_length=MOST_ITEMS)] | None = None
    """Item ids or events, oldest first; give all of them a timestamp, or none."""
    k: K | None = None
    """How many items; the release's own default if not given."""
    where: str | None = None
    """A condition on item columns: `price < 50 AND category = 'mugs'`."""
    exclude: Annotated[list[Id], Meta(max_length=MOST_ITEMS)] | None = None
    """Items that must not appear."""
    now: Moment | None = None
    """The moment of asking; what happened later does not count."""


class Recommended(Struct, frozen=True):
    """One item of an answer."""

    item_id: str
    score: float
    rank: int
    """From 1."""
    origin: str
    """The model that found it; "fallback" fills a list that would be short."""


class Answer(Struct, frozen=True):
    """The best items for a person, best first."""

    request_id: str
    """Send it with the events that follow from this answer."""
    version: int
    """The number of the release."""
    source: str
    """"blend" or "fuse" of several models, the name of the only one, or "fallback"."""
    fallback: bool
    """Not personal: nothing is known of this person, or no model had an opinion."""
    took_ms: float
    user_id: str | None
    items: list[Recommended]
    stale: bool = False
    """The store could not be read: what this person did last may be missing."""


class Alike(Struct, frozen=True):
    """The items most alike to one, best first; short or empty where no model knows of enough."""

    request_id: str
    version: int
    source: str
    took_ms: float
    item_id: str
    items: list[Recommended]


class Health(Struct, frozen=True):
    """Whether the service answers, and with what."""

    status: str
    """"ok", or "degraded": it answers, and something needs care."""
    version: int
    uptime_s: float
    problem: str | UnsetType = UNSET
    """What needs care; told only to callers with a key."""


class Problem(Struct, frozen=True):
    """Why a request was refused."""

    status: int
    message: str
    where: str | UnsetType = UNSET
    """The part of the request that is wrong."""
    refused: list[Refusal] | UnsetType = UNSET
    """Of several events, those that are wrong."""


class Failure(Struct, frozen=True):
    """The one shape of every error."""

    error: Problem
