"""What Gorse's clients send and read. Names are Gorse's; what it does not know is ignored, as Go does."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from zhiyin.serving.catalogue import LONGEST_TEXT, MOST_TEXTS, Text
from zhiyin.serving.schemas import LONGEST_ID, LONGEST_TYPE, Amount

NO_TIME = "0001-01-01T00:00:00Z"
"""How Go writes a time that was never given."""

Key = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
Texts = Annotated[list[Text], Meta(max_length=MOST_TEXTS)]


class User(Struct, rename="pascal", frozen=True):
    """A person."""

    user_id: Key
    labels: Any = None
    subscribe: Texts | None = None
    comment: Text | None = ""


class UserPatch(Struct, rename="pascal", frozen=True):
    """What changes of a person; null changes nothing."""

    labels: Any = None
    subscribe: Texts | None = None
    comment: Text | None = None


class Item(Struct, rename="pascal", frozen=True):
    """An item."""

    item_id: Key
    is_hidden: bool | None = False
    categories: Texts | None = None
    timestamp: Annotated[str, Meta(max_length=64)] | None = ""
    labels: Any = None
    comment: Text | None = ""


class ItemPatch(Struct, rename="pascal", frozen=True):
    """What changes of an item; null changes nothing."""

    is_hidden: bool | None = None
    categories: Texts | None = None
    timestamp: Annotated[str, Meta(max_length=64)] | None = None
    labels: Any = None
    comment: Text | None = None


class Feedback(Struct, rename="pascal", frozen=True):
    """What a person did with an item."""

    feedback_type: Annotated[str, Meta(min_length=1, max_length=LONGEST_TYPE)]
    user_id: Key
    item_id: Key
    value: Amount | None = 0.0
    timestamp: Annotated[str, Meta(max_length=64)] | None = ""
    comment: Annotated[str, Meta(max_length=LONGEST_TEXT)] | None = ""


class SessionFeedback(Struct, rename="pascal", frozen=True):
    """What an anonymous visitor did with an item."""

    item_id: Key
    feedback_type: Annotated[str, Meta(max_length=LONGEST_TYPE)] | None = ""
    user_id: Annotated[str, Meta(max_length=LONGEST_ID)] | None = ""
    value: Amount | None = 0.0
    timestamp: Annotated[str, Meta(max_length=64)] | None = ""
    comment: Annotated[str, Meta(max_length=LONGEST_TEXT)] | None = ""


class StoredFeedback(Struct, rename="pascal", frozen=True):
    """The event stored last of a type, a person and an item."""

    feedback_type: str
    user_id: str
    item_id: str
    value: float
    timestamp: str
    updated: str
    comment: str


class UserIterator(Struct, rename="pascal", frozen=True):
    """Some people, and where to go on; empty at the end."""

    cursor: str
    users: list[User]


class ItemIterator(Struct, rename="pascal", frozen=True):
    """Some items, and where to go on; empty at the end."""

    cursor: str
    items: list[Item]


class FeedbackIterator(Struct, rename="pascal", frozen=True):
    """Some feedback, and where to go on; empty at the end."""

    cursor: str
    feedback: list[StoredFeedback]


class Score(Struct, rename="pascal", frozen=True):
    """An item or a person, and how high it stands."""

    id: str
    score: float


class Success(Struct, rename="pascal", frozen=True):
    """How much was written."""

    row_affected: int


class HealthStatus(Struct, rename="pascal", frozen=True):
    """Whether requests can be answered."""

    ready: bool
    data_store_error: str | None
    cache_store_error: str | None
    data_store_connected: bool
    cache_store_connected: bool
