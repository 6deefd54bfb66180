"""Which HTTP status an error of ours has."""

from zhiyin.errors import ConfigError, ExpressionError, RequestError, UnknownIdError, ZhiyinError

BUG = 500
STATUSES: dict[type[Exception], int] = {UnknownIdError: 404, ExpressionError: 422, ConfigError: 422}


def status_of(error: ZhiyinError) -> int:
    """Its own, that of its kind, or 500 for what a caller is not to blame for."""
    return error.status if isinstance(error, RequestError) else STATUSES.get(type(error), BUG)
