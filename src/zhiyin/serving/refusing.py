"""What the store cannot do, as an answer to a request."""

from collections.abc import Awaitable
from typing import TypeVar

from zhiyin.errors import RefusedError, RequestError, StoreError

T = TypeVar("T")


async def refusing(doing: Awaitable[T]) -> T:
    """What the store cannot do, as an answer to a request."""
    try:
        return await doing
    except StoreError as error:
        raise RequestError(503, f"the store cannot be used now ({error.reason}): send it again later") from None
    except RefusedError as error:
        raise RequestError(422, str(error)) from None
