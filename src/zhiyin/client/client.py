"""A client of the service: typed answers, kept connections, and retries that store nothing twice."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

from zhiyin.client.buffer import Buffer, Id, Row
from zhiyin.client.wire import TIMEOUT_SECONDS, TRIES, Wire
from zhiyin.errors import RequestError
from zhiyin.serving.catalogue import (
    EventPage,
    Export,
    FriendPage,
    Friendship,
    ItemPage,
    Linked,
    PastEventStored,
    Receipt,
    StoredItem,
    StoredUser,
    UserPage,
    Written,
)
from zhiyin.serving.event_schemas import Accepted
from zhiyin.serving.operator_schemas import Version, Versions
from zhiyin.serving.schemas import MOST_EVENTS, Alike, Answer, Health, Listed

T = TypeVar("T")


class Client:
    """`with Client("http://127.0.0.1:8000", key) as client: client.recommend("ann")`; threads may share one.

    Parameters
    ----------
    url
        Where the service listens.
    key
        An API key; none for a service that is open on this machine.
    timeout_seconds
        Of connecting, and of each reading.
    tries
        How often a call is made that meets a lost connection, 429 or 503.

    Every method raises RequestError with the status and the sentence of the service; 503 where it cannot be reached.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS, tries: int = TRIES
    ) -> None:
        self._wire = Wire(url, key, timeout_seconds, tries)

    def __repr__(self) -> str:
        return f"Client({self._wire.place!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()

    def recommend(
        self,
        user_id: Id | None = None,
        *,
        session_id: Id | None = None,
        history: Sequence[Id | Row] | None = None,
        k: int | None = None,
        **more: Any,
    ) -> Answer:
        """The best items for a person, a session or a history.

        Parameters
        ----------
        more
            Any other field of POST /v1/recommendations, such as `where`, `exclude` or `scenario`.
        """
        asked = {"user_id": user_id, "session_id": session_id, "history": history, "k": k, **more}
        return self._asked("POST", "/v1/recommendations", Answer, _given(asked))

    def similar(self, item_id: Id, k: int | None = None, *, where: str | None = None) -> Alike:
        """What goes with an item."""
        return self._asked("GET", f"/v1/items/{_quoted(item_id)}/similar{_query(k=k, where=where)}", Alike)

    def cart(self, items: Sequence[Id], k: int | None = None, **more: Any) -> Answer:
        """What goes with the items of a cart; `more` is any other field of POST /v1/cart/recommendations."""
        return self._asked("POST", "/v1/cart/recommendations", Answer, _given({"items": items, "k": k, **more}))

    def popular(self, k: int | None = None, *, where: str | None = None) -> Listed:
        """What most people like."""
        return self._asked("GET", f"/v1/items/popular{_query(k=k, where=where)}", Listed)

    def send(self, user_id: Id | None, item_id: Id, event_type: str = "interaction", **more: Any) -> Accepted:
        """Store one event; `more` is any other field of POST /v1/events."""
        return self.send_many([{"user_id": user_id, "item_id": item_id, "event_type": event_type, **more}])

    def send_many(self, events: Iterable[Row]) -> Accepted:
        """Store events, all of them or none; each gets an `event_id` where it has none, so that none is stored twice.

        More than 10,000 go in several requests, and then those of a later one may be refused alone.
        """
        rows = [_given({"event_id": uuid.uuid4().hex, **event}) for event in events]
        done = Accepted("", 0, 0, [])
        for start in range(0, len(rows), MOST_EVENTS):
            part = self._asked("POST", "/v1/events", Accepted, rows[start : start + MOST_EVENTS])
            stored, repeated = done.accepted + part.accepted, done.repeated + part.repeated
            done = Accepted(part.request_id, stored, repeated, [*done.refused, *part.refused])
        return done

    def buffer(self, size: int = 500) -> Buffer:
        """A context that gathers events and sends them together: `with client.buffer() as events: events.add(…)`."""
        return Buffer(self.send_many, min(size, MOST_EVENTS))

    def put_items(self, items: Iterable[Row]) -> Written:
        """Store items, `{"item_id": …, "attributes": {…}, "hidden": …}` each, in place of what was there."""
        return self._asked("POST", "/v1/items", Written, list(items))

    def item(self, item_id: Id) -> StoredItem | None:
        """What is stored of an item."""
        return self._found("GET", f"/v1/items/{_quoted(item_id)}", StoredItem)

    def items(self) -> Iterator[StoredItem]:
        """All stored items in the order of their ids, read page by page."""
        page = self._asked("GET", "/v1/items", ItemPage)
        yield from page.items
        while page.cursor is not None:
            page = self._asked("GET", f"/v1/items{_query(cursor=page.cursor)}", ItemPage)
            yield from page.items

    def change_item(self, item_id: Id, attributes: Row | None = None, *, hidden: bool | None = None) -> StoredItem:
        """Change some attributes, `None` removes one; or hide the item."""
        changed = {"attributes": attributes or {}, "hidden": hidden}
        return self._asked("PATCH", f"/v1/items/{_quoted(item_id)}", StoredItem, changed)

    def delete_item(self, item_id: Id) -> bool:
        """Forget what is stored of an item; whether anything was."""
        return self._found("DELETE", f"/v1/items/{_quoted(item_id)}", dict[str, int]) is not None

    def put_users(self, users: Iterable[Row]) -> Written:
        """Store people, `{"user_id": …, "attributes": {…}, "consent": …}` each, in place of what was there."""
        return self._asked("POST", "/v1/users", Written, list(users))

    def user(self, user_id: Id) -> StoredUser | None:
        """What is stored of a person."""
        return self._found("GET", f"/v1/users/{_quoted(user_id)}", StoredUser)

    def users(self) -> Iterator[StoredUser]:
        """All stored people in the order of their ids, read page by page."""
        page = self._asked("GET", "/v1/users", UserPage)
        yield from page.users
        while page.cursor is not None:
            page = self._asked("GET", f"/v1/users{_query(cursor=page.cursor)}", UserPage)
            yield from page.users

    def change_user(self, user_id: Id, attributes: Row | None = None, **agreed: bool) -> StoredUser:
        """Change some attributes, `None` removes one; or what a person agrees to: `personalised`, `consent`."""
        return self._asked("PATCH", _user(user_id), StoredUser, {"attributes": attributes or {}, **agreed})

    def delete_user(self, user_id: Id) -> Receipt:
        """Delete everything that is held on a person; the answer is signed by the shop."""
        return self._asked("DELETE", _user(user_id), Receipt)

    def export(self, user_id: Id) -> Export:
        """Everything that is stored of a person."""
        return self._asked("GET", f"{_user(user_id)}/export", Export)

    def events(self, user_id: Id) -> Iterator[PastEventStored]:
        """What a person did, newest first, read page by page."""
        page = self._asked("GET", f"{_user(user_id)}/events", EventPage)
        yield from page.events
        while page.cursor is not None:
            page = self._asked("GET", f"{_user(user_id)}/events{_query(cursor=page.cursor)}", EventPage)
            yield from page.events

    def friends(self, user_id: Id) -> Iterator[Friendship]:
        """Whom a person knows, in the order of their ids, read page by page."""
        page = self._asked("GET", f"{_user(user_id)}/friends", FriendPage)
        yield from page.friends
        while page.cursor is not None:
            page = self._asked("GET", f"{_user(user_id)}/friends{_query(cursor=page.cursor)}", FriendPage)
            yield from page.friends

    def befriend(self, user_id: Id, friend_id: Id, weight: float = 1.0) -> Friendship:
        """Store that a person knows another."""
        path = f"{_user(user_id)}/friends/{_quoted(friend_id)}{_query(weight=weight)}"
        return self._asked("PUT", path, Friendship)

    def login(self, session_id: Id, user_id: Id) -> Linked:
        """What an anonymous session did counts for the person from now on."""
        return self._asked("POST", f"/v1/sessions/{_quoted(session_id)}/login", Linked, {"user_id": user_id})

    def versions(self) -> list[Version]:
        """The releases of the registry."""
        return self._asked("GET", "/v1/versions", Versions).versions

    def health(self) -> Health:
        """Whether the service answers, and with which release."""
        return self._asked("GET", "/v1/health", Health)

    def _asked(self, method: str, path: str, kind: type[T], content: Any = None) -> T:
        return self._wire.ask(method, path, kind, content)

    def _found(self, method: str, path: str, kind: type[T]) -> T | None:
        try:
            return self._asked(method, path, kind)
        except RequestError as error:
            if error.status == 404:
                return None
            raise


def _given(values: Row) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _quoted(id_: Id) -> str:
    return quote(str(id_), safe="")


def _user(user_id: Id) -> str:
    return f"/v1/users/{_quoted(user_id)}"


def _query(**values: Any) -> str:
    given = _given(values)
    return f"?{urlencode(given)}" if given else ""
