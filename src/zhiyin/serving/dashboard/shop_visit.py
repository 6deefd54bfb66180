"""Who walks through the storefront, and what is in the cart: a cookie of this browser, and nothing on the server."""

import base64
import binascii
import os

import msgspec
from msgspec import Struct, structs
from starlette.requests import Request

from zhiyin.errors import RequestError
from zhiyin.serving.schemas import LONGEST_ID

COOKIE = "zhiyin_shop"
SESSION = "storefront-"
"""How the ids of its sessions begin, so that the shop can tell them from those of its customers."""
LONGEST = 3_500
"""Letters of the cookie; browsers take 4,096."""
MOST_EACH = 99


class Line(Struct, frozen=True):
    """Some of one item in the cart."""

    item_id: str
    count: int = 1
    request_id: str = ""
    """The list that led to it."""


class Visit(Struct, frozen=True):
    """What the cookie holds."""

    session: str
    person: str | None = None
    """None: a stranger."""
    cart: tuple[Line, ...] = ()

    @classmethod
    def begun(cls, person: str | None = None) -> "Visit":
        """A new one."""
        return cls(SESSION + os.urandom(8).hex(), person)

    @classmethod
    def of(cls, request: Request) -> "Visit":
        """That of the browser, or a new one."""
        try:
            found = msgspec.json.decode(base64.urlsafe_b64decode(request.cookies.get(COOKIE, "")[:4_096]), type=Visit)
        except (binascii.Error, msgspec.DecodeError, ValueError):
            return cls.begun()
        sizes = [len(found.session), *(len(line.item_id) for line in found.cart), len(found.person or "x")]
        ours = found.session.startswith(SESSION) and all(1 <= size <= LONGEST_ID for size in sizes)
        return found if ours and all(1 <= line.count <= MOST_EACH for line in found.cart) else cls.begun()

    @property
    def name(self) -> str:
        """Whom variants are chosen for."""
        return self.person or self.session

    @property
    def count(self) -> int:
        """Pieces in the cart."""
        return sum(line.count for line in self.cart)

    def with_one(self, item_id: str, request_id: str) -> "Visit":
        """One more of an item."""
        for i, line in enumerate(self.cart):
            if line.item_id == item_id:
                more = structs.replace(line, count=min(line.count + 1, MOST_EACH))
                return structs.replace(self, cart=(*self.cart[:i], more, *self.cart[i + 1 :]))
        return structs.replace(self, cart=(*self.cart, Line(item_id, 1, request_id)))

    def without(self, item_id: str) -> "Visit":
        """Nothing of an item."""
        return structs.replace(self, cart=tuple(line for line in self.cart if line.item_id != item_id))

    def kept(self) -> dict[str, str]:
        """As a cookie.

        Raises
        ------
        RequestError
            422 if the cart is too full for one.
        """
        content = base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()
        if len(content) > LONGEST:
            raise RequestError(422, "the cart is full: buy what is in it, or take something out", "item")
        return {COOKIE: content}
