"""Events that are gathered and sent together."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from zhiyin.errors import RequestError

Id: TypeAlias = str | int
Row: TypeAlias = Mapping[str, Any]

MOST_BUFFERED = 10_000
"""Events that a buffer keeps while the service cannot be reached; beyond it, adding raises."""


class Buffer:
    """Gathers events; `add` sends them when there are enough, the end of the `with` sends the rest.

    What could not be sent stays, with the same ids, and goes with the next; threads may share one.
    """

    def __init__(self, send: Callable[[Sequence[Row]], object], size: int) -> None:
        self._send = send
        self._size = max(1, size)
        self._rows: list[Row] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.flush()

    def add(self, user_id: Id | None, item_id: Id, event_type: str = "interaction", **more: Any) -> None:
        """Take one event.

        Raises
        ------
        RequestError
            What `flush` raises; 503 if 10,000 events wait already, and then this one was not taken.
        """
        with self._lock:
            if len(self._rows) >= MOST_BUFFERED:
                raise RequestError(503, f"{MOST_BUFFERED:,} events wait to be sent: call flush() until it succeeds")
            event = {"user_id": user_id, "item_id": item_id, "event_type": event_type, **more}
            self._rows.append({"event_id": uuid.uuid4().hex, **event})
            full = len(self._rows) % self._size == 0
        if full:
            self.flush()

    def flush(self) -> None:
        """Send what was gathered; a refused event keeps all of its request in the buffer."""
        with self._lock:
            while self._rows:
                self._send(self._rows[: self._size])
                del self._rows[: self._size]
