"""Who looks on while a network learns: is told of each epoch, and keeps what it takes to go on after a kill."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]
"""All that a training is at the end of an epoch, by name."""


class Point(NamedTuple):
    """One point of the curve."""

    epoch: int  # from 1
    epochs: int  # at most
    loss: float
    metric: float  # of the validation; NaN where there is none
    measure: str  # which metric that is


class Keeps(Protocol):
    """Where states lie: a model knows no disk."""

    def read(self, key: str) -> State | None:
        """The state of that key, or None."""
        ...

    def write(self, key: str, state: State) -> None:
        """In place of what was there, wholly or not at all."""
        ...


def _silent(_: Point) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Watch:
    """Told of each epoch, and keeping states or none."""

    tell: Callable[[Point], None] = _silent
    keeps: Keeps | None = None


_current: ContextVar[Watch] = ContextVar("watch", default=Watch())  # noqa: B039 - it is frozen


def watch() -> Watch:
    """Who looks on now."""
    return _current.get()


@contextmanager
def watched(tell: Callable[[Point], None] | None = None, keeps: Keeps | None = None) -> Iterator[None]:
    """Whatever is trained inside is watched by these; what is not given stays as it is outside."""
    outside = watch()
    token = _current.set(replace(outside, tell=tell or outside.tell, keeps=keeps or outside.keeps))
    try:
        yield
    finally:
        _current.reset(token)
