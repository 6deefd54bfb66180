"""What is said of the request that is being answered: its log line, its metrics and its span are made of this.

Any code below a route may add to it, in whatever thread it runs; outside a request what is added goes nowhere.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

Stages: TypeAlias = Callable[[str], AbstractContextManager[Any]]
NOTHING: AbstractContextManager[Any] = nullcontext()


@dataclass(slots=True, eq=False)
class Noted:
    """One request. No ids of people, no keys: all of it may be written into a log."""

    request_id: str
    caller: str = ""
    """The name of the key."""
    version: int = 0
    scenario: str = ""
    source: str = ""
    fallback: bool = False
    stale: bool = False
    stored: int = 0
    repeated: int = 0
    refused: int = 0
    stages: Stages | None = None
    flowing: float = 0.0
    """When a stream began to flow, by `time.perf_counter`: it lasts as long as somebody looks, which is not slow."""


IDS_AT_ONCE = 256
_ids: deque[str] = deque()  # threads may share it
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.clear)

_current: ContextVar[Noted | None] = ContextVar("current", default=None)


def begin(noted: Noted) -> None:
    """From here on this is the request; a server gives every request a context of its own."""
    _current.set(noted)


def current() -> Noted:
    """The request that is being answered."""
    return _current.get() or Noted("")


def new_request_id() -> str:
    """24 characters that no other request has."""
    try:
        return _ids.pop()
    except IndexError:
        drawn = os.urandom(IDS_AT_ONCE * 12).hex()  # to ask the system for each takes longer than all else about it
        _ids.extend(drawn[start : start + 24] for start in range(24, len(drawn), 24))
        return drawn[:24]


@contextmanager
def stages(name: str, requests: Iterable[Noted]) -> Iterator[None]:
    """The same stage of several requests, which go through it together."""
    with ExitStack() as open_:
        for noted in requests:
            if noted.stages is not None:
                open_.enter_context(noted.stages(name))
        yield


def stage(name: str) -> AbstractContextManager[Any]:
    """`with stage("scoring"):` is a span of its own where traces are kept."""
    noted = _current.get()
    return NOTHING if noted is None or noted.stages is None else noted.stages(name)
