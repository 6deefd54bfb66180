"""The headers of a request as the server leaves them: pairs of bytes, the names in small letters."""

from starlette.types import Scope


def header(scope: Scope, name: bytes, default: str = "") -> str:
    """The first value of a header."""
    for given, value in scope["headers"]:
        if given == name:
            return str(value, "latin-1")
    return default
