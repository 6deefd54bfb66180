"""People as the shop describes them, whom they know, and the sessions that turned out to be theirs."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from zhiyin.data.store import changes as log
from zhiyin.data.store.events import LISTED
from zhiyin.data.store.records import Attributes, Friend, User
from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, friends, links, users

FIELDS = ("user_id", "attributes", "personalised", "consent")
ROW = [users.c[name] for name in FIELDS]
USER, FRIEND, SESSION = (
    bindparam("user_id", type_=TEXT),
    bindparam("friend_id", type_=TEXT),
    bindparam("session_id", type_=TEXT),
)

INSERT = Statement(insert(users).inline(), FIELDS)
DELETE = Statement(delete(users).where(users.c.user_id == USER), ("user_id",))
ONE = Statement(select(*ROW).where(users.c.user_id == USER))
SEVERAL = {
    name: Statement(select(*ROW).where(users.c.user_id.in_(select(each.table_valued("value").c.value))))
    for name, each in LISTED.items()
}
PAGE = Statement(
    select(*ROW).where(users.c.user_id > bindparam("after")).order_by(users.c.user_id).limit(bindparam("most"))
)

BEFRIEND = Statement(insert(friends).inline(), ("user_id", "friend_id", "weight"))
UNFRIEND = Statement(
    delete(friends).where(friends.c.user_id == USER, friends.c.friend_id == FRIEND), ("user_id", "friend_id")
)
FRIENDS = Statement(
    select(friends.c.friend_id, friends.c.weight)
    .where(friends.c.user_id == USER, friends.c.friend_id > bindparam("after"))
    .order_by(friends.c.friend_id)
    .limit(bindparam("most"))
)

LINK = Statement(insert(links).inline(), ("session_id", "user_id", "time"))
UNLINK = Statement(delete(links).where(links.c.session_id == SESSION))
OWNER = Statement(select(links.c.user_id).where(links.c.session_id == SESSION))


def put(connection: Connection, given: Sequence[User]) -> int:
    """Store people whole, in place of what was there; how many are new. A later one of the same id wins."""
    chosen = {user.user_id: user for user in given}
    new = len(chosen) - len(several(connection, list(chosen)))
    DELETE.many(connection, ((user_id,) for user_id in chosen))
    INSERT.many(
        connection,
        (
            (user.user_id, msgspec.json.encode(user.attributes).decode(), user.personalised, user.consent)
            for user in chosen.values()
        ),
    )
    log.record(connection, "person", list(chosen))
    return new


def patch(
    connection: Connection,
    user_id: str,
    attributes: Attributes,
    personalised: bool | None = None,
    consent: bool | None = None,
) -> User:
    """Change some attributes, `None` removes one; somebody who was not described yet is from now on."""
    found = one(connection, user_id) or User(user_id)
    kept = {name: value for name, value in {**found.attributes, **attributes}.items() if value is not None}
    changed = User(
        user_id,
        kept,
        found.personalised if personalised is None else personalised,
        found.consent if consent is None else consent,
    )
    put(connection, [changed])
    return changed


def remove(connection: Connection, user_id: str) -> bool:
    """Forget the description of a person, whether there was one; `privacy.erase` forgets all else too."""
    found = DELETE.run(connection, user_id=user_id) > 0
    log.record(connection, "person", [user_id])
    return found


def one(connection: Connection, user_id: str) -> User | None:
    """A person, if described."""
    rows = ONE.rows(connection, user_id=user_id)
    return _user(rows[0]) if rows else None


def several(connection: Connection, user_ids: Sequence[str]) -> list[User]:
    """Those of these that are described, in any order."""
    listed = msgspec.json.encode(list(user_ids)).decode()
    return [_user(row) for row in SEVERAL[connection.dialect.name].rows(connection, ids=listed)]


def page(connection: Connection, after: str, most: int) -> list[User]:
    """The next people in the order of ids."""
    return [_user(row) for row in PAGE.rows(connection, after=after, most=most)]


def befriend(connection: Connection, user_id: str, given: Sequence[Friend]) -> None:
    """Store whom a person knows, beside those who are stored; a later one of the same id wins."""
    chosen = {friend.friend_id: friend for friend in given}
    UNFRIEND.many(connection, ((user_id, friend_id) for friend_id in chosen))
    BEFRIEND.many(connection, ((user_id, friend.friend_id, friend.weight) for friend in chosen.values()))


def unfriend(connection: Connection, user_id: str, friend_id: str) -> bool:
    """Whether they were friends."""
    return UNFRIEND.run(connection, user_id=user_id, friend_id=friend_id) > 0


def friends_of(connection: Connection, user_id: str, after: str, most: int) -> list[Friend]:
    """The next friends in the order of ids."""
    return [Friend(*row) for row in FRIENDS.rows(connection, user_id=user_id, after=after, most=most)]


def link(connection: Connection, session_id: str, user_id: str, time: int) -> None:
    """From now on the session is the person's; it may have been another's before."""
    before = [owner for (owner,) in OWNER.rows(connection, session_id=session_id)]
    UNLINK.run(connection, session_id=session_id)
    LINK.many(connection, [(session_id, user_id, time)])
    log.record(connection, "person", [*before, user_id])


def _user(row: Sequence[Any]) -> User:
    user_id, attributes, personalised, consent = row
    return User(user_id, msgspec.json.decode(attributes), bool(personalised), bool(consent))
