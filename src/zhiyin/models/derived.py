"""What is worked out once from what a model has learned, for as long as it knows just that."""

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

_making = Lock()
_HELD = "_derived"


def derived(model: object, name: str, learned: object, make: Callable[[], T]) -> T:
    """make() of something that the model has learned, made again only where that is another object.

    It lies beside the fields of the model, so that it is neither compared nor saved; what is learned is never changed
    in place. One thread makes it, others wait.
    """
    held: dict[str, tuple[object, Any]] = vars(model).setdefault(_HELD, {})
    found = held.get(name)
    if found is None or found[0] is not learned:
        with _making:
            found = held.get(name)
            if found is None or found[0] is not learned:
                found = held[name] = learned, make()
    value: T = found[1]
    return value


def known(model: object, name: str, learned: object) -> Any:
    """What has been worked out so far from what the model has learned; None where nothing is."""
    found = vars(model).get(_HELD, {}).get(name)
    return None if found is None or found[0] is not learned else found[1]


def keep(model: object, name: str, learned: object, value: object) -> None:
    """Have `derived` find a value that was worked out elsewhere."""
    vars(model).setdefault(_HELD, {})[name] = learned, value
