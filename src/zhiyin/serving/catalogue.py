"""Items and people as a shop describes them over HTTP; the bounds of what is kept of one."""

from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from zhiyin.serving.schemas import Amount, Id

MOST_STORED = 10_000
"""Items or people of one request."""

MOST_COLUMNS = 200
LONGEST_NAME = 200
LONGEST_TEXT = 20_000
MOST_TEXTS = 1_000

Text: TypeAlias = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Whole: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Value: TypeAlias = bool | Whole | Amount | Text | Annotated[list[Text], Meta(max_length=MOST_TEXTS)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Columns: TypeAlias = Annotated[dict[Name, Value], Meta(max_length=MOST_COLUMNS)]
"""Names to texts, numbers, true or false, or lists of texts."""

Changed: TypeAlias = Annotated[dict[Name, Value | None], Meta(max_length=MOST_COLUMNS)]
"""The same, where null removes a column."""


class NewItem(Struct, forbid_unknown_fields=True, frozen=True):
    """An item as the shop describes it."""

    item_id: Id
    attributes: Columns = {}
    """`title`, `category`, `price` (a number), `created_at` (a moment), and whatever else conditions may ask for."""
    hidden: bool | None = None
    """Never recommended. null: as it is stored, false where it is new."""


class ItemChange(Struct, forbid_unknown_fields=True, frozen=True):
    """What changes of an item; the rest stays."""

    attributes: Changed = {}
    """null removes one."""
    hidden: bool | None = None


class StoredItem(Struct, frozen=True):
    """An item as it is stored."""

    item_id: str
    attributes: dict[str, Value]
    hidden: bool
    created: str
    """When it was stored first, ISO-8601."""
    updated: str


class ItemPage(Struct, frozen=True):
    """Items in the order of their ids."""

    items: list[StoredItem]
    cursor: str | None
    """Ask with it for the items that follow; null when there are none."""


class NewUser(Struct, forbid_unknown_fields=True, frozen=True):
    """A person as the shop describes them."""

    user_id: Id
    attributes: Columns = {}
    personalised: bool | None = None
    """False: answers use nothing of the person. null: as it is stored, true where it is new."""
    consent: bool | None = None
    """False: training leaves the person's events out. null: as it is stored, true where it is new."""


class UserChange(Struct, forbid_unknown_fields=True, frozen=True):
    """What changes of a person; the rest stays."""

    attributes: Changed = {}
    """null removes one."""
    personalised: bool | None = None
    consent: bool | None = None


class StoredUser(Struct, frozen=True):
    """A person as stored."""

    user_id: str
    attributes: dict[str, Value]
    personalised: bool
    consent: bool


class UserPage(Struct, frozen=True):
    """People in the order of their ids."""

    users: list[StoredUser]
    cursor: str | None
    """Ask with it for the people that follow; null when there are none."""


class Written(Struct, frozen=True):
    """Items or people are stored."""

    stored: int
    new: int
    """Those that were not there before."""


class Removed(Struct, frozen=True):
    """What was asked to go is gone."""

    removed: int


class Friendship(Struct, frozen=True):
    """Whom a person knows, and how well."""

    friend_id: str
    weight: float


class FriendPage(Struct, frozen=True):
    """The friends of a person, in the order of their ids."""

    friends: list[Friendship]
    cursor: str | None


class Login(Struct, forbid_unknown_fields=True, frozen=True):
    """Who it is that an anonymous session belongs to."""

    user_id: Id


class Linked(Struct, frozen=True):
    """What the session did counts for the person from now on."""

    session_id: str
    user_id: str


class PastEventStored(Struct, frozen=True):
    """An event of a person."""

    item_id: str
    event_type: str
    timestamp: str
    value: float | UnsetType = UNSET
    price: float | UnsetType = UNSET
    quantity: float | UnsetType = UNSET
    event_id: str | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    session_id: str | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    impressions: list[str] | UnsetType = UNSET


class EventPage(Struct, frozen=True):
    """What a person did, newest first."""

    events: list[PastEventStored]
    cursor: str | None
    """Ask with it for what was stored before; null when there is no more."""


class Erasure(Struct, frozen=True):
    """What was deleted of a person, and what is left to do."""

    user_id: str
    when: str
    """ISO-8601, UTC."""
    request_id: str
    by: str
    """The name of the key."""
    removed: dict[str, int]
    """Rows deleted from the store, by table."""
    releases: list[int]
    """Those on the disk that were trained with the person, each used for this person no more. They go when newer ones
    have taken their place (`registry.keep`)."""
    training: str
    """"queued": the next release is without the person. "not possible": this service has no registry."""


class Receipt(Struct, frozen=True):
    """A receipt that cannot be made or changed without the shop's key."""

    content: Erasure
    signature: str
    """Ed25519, base64, over the content as JSON with sorted keys and no blanks."""
    public_key: str


class Export(Struct, frozen=True):
    """Everything that is stored of a person."""

    user_id: str
    held: dict[str, list[dict[str, Any]]]
    """Rows by table."""
