"""What the service writes on standard error: a JSON object a line, or lines for people; never in the way of a request.

Whoever logs puts a record into a queue; a thread writes. A disk that is full, a pipe that nobody reads and a stream
that is closed cost lines, and nothing else.
"""

import logging
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.current import current

MOST_WAITING = 10_000
"""Lines that wait to be written; further ones are dropped, and counted."""

FLUSH_SECONDS = 2.0
LONGEST = 20_000
"""Characters of one value."""

EXTRAS = ("request_id", "method", "route", "status", "ms", "caller")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROL_IN_TRACEBACK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@contextmanager
def logging_to(stream: TextIO, settings: ServeSettings) -> Iterator[None]:
    """While this is open, everything that is logged in this process goes to a stream."""
    is_json = settings.log == "json" or (settings.log == "auto" and not _is_terminal(stream))
    handler = _Queued(stream, _formatter(is_json, stream))
    levels = _levels(settings.log_level.upper())
    before = {name: logging.getLogger(name).level for name in levels}
    logging.getLogger().addHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)
        handler.close()


def _levels(level: str) -> dict[str, str | int]:
    """Logger to level: at "debug" we say more; compilers and clients would say too much."""
    if level == "DEBUG":
        return {"": "INFO", "zhiyin": level}
    quiet = {"INFO": "WARNING"}.get(level, level)  # what uvicorn says of starting and ending, we say too
    return {"": level, "uvicorn": quiet}


class _Queued(logging.Handler):
    """Formats at once, writes in a thread."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            self._lines.put_nowait(self.format(record))
        except (queue.Full, TypeError, ValueError):  # the last two: the words do not fit their template
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, if somebody takes it."""
        try:
            self._lines.put(None, timeout=FLUSH_SECONDS)
        except queue.Full:
            pass  # nobody has read for long: the thread ends with the process
        else:
            self._thread.join(FLUSH_SECONDS)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            lost, self._dropped = self._dropped, 0
            if lost:
                line = f"{line}\n{self.format(_lost(lost))}"
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):  # ValueError: the stream is closed
                self._dropped += lost + 1


def _lost(count: int) -> logging.LogRecord:
    words = f"{count:,} lines of the log were lost"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, words, None, None)


def _formatter(is_json: bool, stream: TextIO) -> logging.Formatter:
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=EXTRAS),
        structlog.processors.TimeStamper(fmt="iso"),
        _with_request_id,
        structlog.processors.format_exc_info,
        _escaped,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=_is_terminal(stream))
    )
    remove: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(processors=[remove, last], foreign_pre_chain=first)


def _with_request_id(_: Any, __: str, event: EventDict) -> EventDict:
    request_id = current().request_id
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def _escaped(_: Any, __: str, event: EventDict) -> EventDict:
    """One event is one line, whatever a value holds, and no value can steer a terminal; a traceback keeps its lines."""
    for name, value in event.items():
        if isinstance(value, str):
            pattern = CONTROL_IN_TRACEBACK if name == "exception" else CONTROL
            event[name] = pattern.sub(lambda found: f"\\x{ord(found[0]):02x}", value[:LONGEST])
    return event


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False
