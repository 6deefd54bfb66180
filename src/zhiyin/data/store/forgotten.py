"""Who was erased, as digests that only the shop can make: so that files and releases of before are not believed."""

import hashlib
from collections.abc import Callable

from sqlalchemy import Connection, bindparam, delete, insert, select

from zhiyin.data.store.statement import Statement
from zhiyin.data.store.tables import TEXT, forgotten

MOST = 1_000_000
"""Digests that are read, the newest: 100 MB."""

DELETE = Statement(delete(forgotten).where(forgotten.c.digest == bindparam("digest", type_=TEXT)))
INSERT = Statement(insert(forgotten).inline(), ("digest", "time"))
SINCE = Statement(
    select(forgotten.c.digest, forgotten.c.time)
    .where(forgotten.c.time > bindparam("after"))
    .order_by(forgotten.c.time.desc())
    .limit(bindparam("most"))
)


def forget(connection: Connection, digest: str, time: int) -> None:
    """Somebody is erased at a moment (µs UTC)."""
    DELETE.run(connection, digest=digest)
    INSERT.many(connection, [(digest, time)])


def since(connection: Connection, after: int = 0) -> dict[str, int]:
    """Digest to the moment (µs UTC) of the erasure, of those later than a moment."""
    return {digest: time for digest, time in SINCE.rows(connection, after=after, most=MOST)}


Digests = Callable[[str], str]
"""From the id of a person, as it is stored, to what stands here."""


def plain_digest(user_id: str) -> str:
    """For a store without a key of the shop: whoever guesses an id can check it."""
    return hashlib.sha256(user_id.encode()).hexdigest()
