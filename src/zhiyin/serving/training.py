"""One training in a child process: low priority, a time limit, a bounded record, and a sentence on what came of it."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import msgspec

NICENESS = 10
LOOK_SECONDS = 0.2
END_SECONDS = 5.0
"""A training that is told to end may take so long before it is killed."""

RECORD_BYTES = 2**20
"""What one training may add to the record; a record that is as long is put aside, in the place of the last such."""

RESULT_BYTES = 16 * 2**20
LONGEST_SENTENCE = 500


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    name: Literal["promoted", "kept", "failed", "timeout", "stopped"]
    sentence: str


class _Result(msgspec.Struct):
    """What `zhiyin train --json` prints, as far as it matters here."""

    release: int
    promote: bool
    sentence: str


def trained(command: Sequence[str], record: Path, *, timeout_seconds: float, stopping: threading.Event) -> Outcome:
    """Run it to its end, to the end of its time, or until `stopping`.

    Parameters
    ----------
    command
        Prints what `zhiyin train --json` does, and what goes wrong on standard error.
    record
        The file that standard error is added to.
    """
    try:
        child = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its own children end with it
        )
    except OSError as error:
        return Outcome("failed", f"the training could not be started: {error.strerror}")
    with child:
        with contextlib.suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
        result, words = _Kept(child.stdout, RESULT_BYTES), _Kept(child.stderr, RECORD_BYTES, record)
        ended = _wait(child, timeout_seconds, stopping)
        for kept in (result, words):
            kept.thread.join(END_SECONDS)
    if ended:
        return ended
    if child.returncode:
        last = words.last or f"it ended with the status {child.returncode} and said nothing"
        return Outcome("failed", last.removeprefix("zhiyin: ")[:LONGEST_SENTENCE])
    return _read(bytes(result.content))


def _wait(child: "subprocess.Popen[bytes]", timeout_seconds: float, stopping: threading.Event) -> Outcome | None:
    """None if it has ended by itself."""
    deadline = time.monotonic() + timeout_seconds
    while child.poll() is None:
        if stopping.wait(LOOK_SECONDS):
            _end(child)
            return Outcome("stopped", "it was ended with the service, and goes on with the next")
        if time.monotonic() > deadline:
            _end(child)
            return Outcome("timeout", f"it took longer than {timeout_seconds:,.0f} seconds (retrain.timeout)")
    return None


def _end(child: "subprocess.Popen[bytes]") -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_SECONDS)


def _read(content: bytes) -> Outcome:
    try:
        found = msgspec.json.decode(content, type=_Result)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Outcome("failed", "the training ended well, and what it printed cannot be read")
    name: Literal["promoted", "kept"] = "promoted" if found.promote else "kept"
    return Outcome(name, f"release {found.release}: {found.sentence}"[:LONGEST_SENTENCE])


class _Kept:
    """Reads a pipe to its end, so that nobody waits for it, and keeps the beginning."""

    def __init__(self, pipe: IO[bytes] | None, most: int, record: Path | None = None) -> None:
        self.content = bytearray()
        self.last = ""
        """The last line that was not empty."""
        self._pipe = pipe
        self._most = most
        self._record = record
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        for line in iter(lambda: self._pipe.readline(RECORD_BYTES) if self._pipe else b"", b""):
            if len(self.content) < self._most:
                self.content += line[: self._most - len(self.content)]
            self.last = line.decode(errors="replace").strip() or self.last
        if self._record:
            with contextlib.suppress(OSError):  # a full disk must not make a failure of a training
                _add(self._record, bytes(self.content))


def _add(record: Path, content: bytes) -> None:
    if record.exists() and record.stat().st_size >= RECORD_BYTES:
        record.replace(record.with_name(f"{record.name}.1"))
    with record.open("ab") as file:
        file.write(content)
