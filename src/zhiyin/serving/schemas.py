"""What goes in and out over HTTP; /openapi.json is written from these classes."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from zhiyin.ranking.bounds import MOST_BASKET

LONGEST_ID = 1_024
LONGEST_TYPE = 200
MOST_EVENTS = 10_000
MOST_ITEMS = 10_000
MOST_K = 10_000
MOST_PEOPLE = 1_000
MOST_CONTEXT = 50
MOST_SHOWN = 1_000
LONGEST_CONTEXT = 1_024

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
Days: TypeAlias = Annotated[float, Meta(gt=0, le=36_500)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_TYPE)]
Context: TypeAlias = Annotated[
    dict[Name, Annotated[str, Meta(max_length=LONGEST_CONTEXT)] | int | float | bool | None],
    Meta(max_length=MOST_CONTEXT),
]
"""What else is known of the moment, such as the page or the device; flat."""
Basket: TypeAlias = Annotated[list[Id], Meta(max_length=MOST_BASKET)]


class Refusal(Struct, frozen=True):
    """Why one event of several was refused."""

    index: int
    """Its place in the list, from 0."""
    message: str
    where: str


class PastEvent(Struct, forbid_unknown_fields=True, frozen=True):
    """An event of a history that comes with the question."""

    item_id: Id
    timestamp: Moment | None = None
    event_type: EventType = "interaction"
    value: Amount | None = None


class Promoted(Struct, forbid_unknown_fields=True, frozen=True):
    """At least a share of the places for items that a condition holds for."""

    where: str
    share: float
    """Above 0, at most 1."""
    since: str | None = None
    until: str | None = None


class Wanted(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a list should be like, on top of its scenario."""

    scenario: Name | None = None
    """A name of [scenarios] in zhiyin.toml: "home" if not given, "cart" for a cart."""
    k: K | None = None
    """How many items; as the scenario says, or the release, if not given."""
    where: str | None = None
    """A condition on item columns: `price < 50 AND category = 'mugs'`; that of the scenario holds, too."""
    exclude: Annotated[list[Id], Meta(max_length=MOST_ITEMS)] | None = None
    """Items that must not appear."""
    boosts: dict[str, float] | None = None
    """Condition to factor, from 0.01 to 100; those of the scenario count, too."""
    promotions: list[Promoted] | None = None
    """In place of those of the scenario."""
    caps: dict[str, int] | None = None
    """Item column to the most items with the same value; where the scenario has one, too, the lower counts."""
    seen: Literal["drop", "keep"] | None = None
    """Whether items of the person's past may come again; in place of the scenario's."""
    seen_days: Days | None = None
    """What was seen longer ago may come again; in place of the scenario's."""
    personal: bool = True
    """false: nothing of the person is used."""
    context: Context | None = None
    """What else is known of the moment; it is kept with the list that was shown, and changes nothing in it."""
    now: Moment | None = None
    """The moment of asking; what happened later does not count."""
    explain: bool = False
    """Ask models that do not tell which events speak for an item again without each of them; takes longer."""
    language: Literal["en", "zh"] = "en"
    """Of the sentences that give reasons."""


class Because(Struct, frozen=True):
    """An event of the history that speaks for an item."""

    item_id: str
    event_type: str
    share: float
    """Of all that speaks for the item, from 0 to 1."""


class Reason(Struct, frozen=True):
    """Why an item is shown."""

    kind: Literal["history", "popular", "new", "content", "fallback"]
    because: list[Because]
    """At most three, the strongest first."""
    method: Literal["exact", "leave_one_out"] | None
    """How it is known which events speak for the item; null where none is named."""
    text: str
    """A sentence for the person who reads the list."""


class Question(Wanted, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who asks for what: a person who is known by id, a session, or a history."""

    user_id: Id | None = None
    session_id: Id | None = None
    """A visitor without an account."""
    history: Annotated[list[Id | PastEvent], Meta(max_length=MOST_ITEMS)] | None = None
    """Item ids or events, oldest first; give all of them a timestamp, or none."""
    items: Basket | None = None
    """What a list of kind "similar" or "cart" starts from."""


class CartQuestion(Wanted, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What goes with the items of a cart."""

    items: Basket
    user_id: Id | None = None
    """Whose cart it is: what this person has seen is left out as the rules say."""
    session_id: Id | None = None


class BatchQuestion(Wanted, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The same question for many people."""

    user_ids: Annotated[list[Id], Meta(max_length=MOST_PEOPLE)]


class Recommended(Struct, frozen=True):
    """One item of an answer."""

    item_id: str
    score: float
    rank: int
    """From 1."""
    origin: str
    """The model that found it; "fallback" fills a list that would be short, "explore" was drawn at random."""
    probability: float
    """That this item was drawn for this place; 1 where nothing was drawn."""
    reason: Reason | UnsetType = UNSET


class Answer(Struct, frozen=True):
    """The best items for a person, best first."""

    request_id: str
    """Send it with the events that follow from this answer."""
    version: int
    """The number of the release."""
    scenario: str
    variant: str | None
    """Which of the scenario's variants this person belongs to; null: none."""
    source: str
    """"blend" or "fuse" of several models, the name of the only one, or "fallback"."""
    fallback: bool
    """A personal list that is not: nothing is known of the person, or is to be used, or no model had an opinion."""
    stale: bool
    """The newest events could not be read: the answer is computed without them."""
    age_s: float
    """Seconds since the newest event that the release has learnt from."""
    took_ms: float
    user_id: str | None
    items: list[Recommended]


class Alike(Struct, frozen=True):
    """The items most alike to one, best first; short or empty where no model knows of enough."""

    request_id: str
    version: int
    scenario: str
    source: str
    age_s: float
    took_ms: float
    item_id: str
    items: list[Recommended]


class Listed(Struct, frozen=True):
    """Items that are the same for everybody, best first."""

    request_id: str
    version: int
    source: str
    """"popular", "trending" or "latest"."""
    age_s: float
    took_ms: float
    items: list[Recommended]


class PersonAnswer(Struct, frozen=True):
    """One person's list among many."""

    user_id: str
    variant: str | None
    fallback: bool
    items: list[Recommended]


class BatchAnswer(Struct, frozen=True):
    """The lists of many people, in the order in which they were asked for."""

    request_id: str
    version: int
    scenario: str
    stale: bool
    age_s: float
    took_ms: float
    answers: list[PersonAnswer]


class Neighbour(Struct, frozen=True):
    """A person with a similar history."""

    user_id: str
    similarity: float
    """The cosine of the two histories, above 0, at most 1."""


class Neighbours(Struct, frozen=True):
    """The people most alike to one by what they did, most alike first."""

    request_id: str
    version: int
    took_ms: float
    user_id: str
    people: list[Neighbour]


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
