"""Who asks, and what they may do."""

import difflib
import enum
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request

from zhiyin.errors import ConfigError, RequestError
from zhiyin.registry.rate import Rate

HERE = "this machine"
"""The name of a caller who needs no key, because the service is open to this machine."""
COMMAND_LINE = "cli:"
"""How names of those begin who use the command line."""
SCOPE = "zhiyin.caller"
"""Where the door leaves the caller in the ASGI scope."""


class Role(enum.IntEnum):
    """What a caller may do; each may do all that those before it may."""

    READER = 1  # ask for recommendations
    WRITER = 2  # send events, items and people
    OPERATOR = 3  # versions, retraining, debugging, metrics, rules
    ADMIN = 4  # erase and export people, see the audit

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def read(cls, text: str) -> Self:
        """The role of this name.

        Raises
        ------
        ConfigError
            If there is none.
        """
        for role in cls:
            if str(role) == text:
                return role
        names = [str(role) for role in cls]
        near = difflib.get_close_matches(text, names, 1)
        advice = f"did you mean {near[0]!r}?" if near else f"roles are {', '.join(names)}"
        raise ConfigError(f"{text[:40]!r} is no role: {advice}")


@dataclass(frozen=True)
class Caller:
    """Somebody whom the door let in."""

    name: str
    role: Role
    scenarios: tuple[str, ...] = ()
    """What it may ask for; everything if empty."""
    address: str = ""
    rate: Rate | None = None
    """Its own, in place of that of [access]."""

    def may_ask(self, scenario: str) -> bool:
        """Whether answers of a scenario are for this caller."""
        return not self.scenarios or scenario in self.scenarios


def caller_of(request: Request) -> Caller:
    """Who sent a request.

    Raises
    ------
    RequestError
        401 if the door let nobody in.
    """
    found = request.scope.get(SCOPE)
    if not isinstance(found, Caller):
        raise RequestError(401, "an API key is needed: send it as Authorization: Bearer KEY, or as X-API-Key: KEY")
    return found


def require_scenario(request: Request, scenario: str) -> None:
    """Go on only if the caller may ask for a scenario.

    Raises
    ------
    RequestError
        403 if its key is for others.
    """
    caller = caller_of(request)
    if not caller.may_ask(scenario):
        raise RequestError(
            403, f"this key is for other scenarios than {scenario[:100]!r}: ask for a key that includes it", "scenario"
        )
