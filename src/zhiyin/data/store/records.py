"""What the store takes and gives, as plain rows."""

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

Attributes: TypeAlias = dict[str, Any]
"""Names to texts, numbers, true or false, or lists of texts."""

Kind: TypeAlias = Literal["item", "person", "all"]


SESSION = "\0session:"
"""Before a session's id where people's ids stand: no id of a person holds the character NUL."""


def session_name(session_id: str) -> str:
    """The id under which a release knows a session that nobody has logged in to."""
    return SESSION + session_id


def is_session(user_id: str) -> bool:
    """Whether this stands for an anonymous session."""
    return user_id.startswith(SESSION)


class Event(NamedTuple):
    """One thing that happened, as the table has it; the sequence number comes with storing."""

    user_id: str | None  # None: an anonymous session did it
    item_id: str
    event_type: str
    timestamp: int  # µs UTC
    received: int  # µs UTC
    event_id: str | None = None
    value: float | None = None
    price: float | None = None
    quantity: float | None = None
    request_id: str | None = None
    session_id: str | None = None
    context: str | None = None  # JSON, an object of scalars
    impressions: str | None = None  # JSON, item ids that were shown


Stored: TypeAlias = tuple[int, Event]
"""A sequence number and its event."""


class Impression(NamedTuple):
    """A list that was shown."""

    request_id: str
    user_id: str | None
    session_id: str | None
    scenario: str | None
    variant: str | None
    version: int
    time: int  # µs UTC
    items: str  # JSON, [[item_id, probability], …] in order of position
    context: str | None = None  # JSON, an object of scalars


@dataclass(frozen=True)
class Appended:
    """What became of the events of one call."""

    stored: int
    repeated: int  # their event_id was stored before


@dataclass(frozen=True)
class Item:
    """What there is to recommend, as the shop describes it."""

    item_id: str
    attributes: Attributes = field(default_factory=dict)
    hidden: bool = False
    created: int = 0  # µs UTC
    updated: int = 0  # µs UTC


@dataclass(frozen=True)
class User:
    """What is known of a person beside events."""

    user_id: str
    attributes: Attributes = field(default_factory=dict)
    personalised: bool = True  # False: answers must use nothing of the person
    consent: bool = True  # False: training must leave the person's events out


@dataclass(frozen=True)
class Friend:
    """Somebody whom a person knows."""

    friend_id: str
    weight: float = 1.0


class Change(NamedTuple):
    """What a worker must forget or read anew; "all" is every person."""

    number: int
    kind: Kind
    id: str


@dataclass(frozen=True)
class News:
    """What happened around one person or session since somebody looked."""

    events: list[Stored]  # the newest last
    changes: list[Change]  # of people, ascending
    change: int  # the number of the latest change of any kind
    sessions: list[str] = field(default_factory=list)  # linked to the person, the newest link first
    personalised: bool = True
