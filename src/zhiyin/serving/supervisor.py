"""Several processes that answer on one socket: the parent starts them, replaces who dies, and ends them in order."""

import logging
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import msgspec

from zhiyin.errors import ServiceError
from zhiyin.serving.metrics import forget
from zhiyin.serving.server import GRACE_SECONDS

LOOK_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
MOST_DEATHS = 10
"""So many workers may die within a minute; then the service ends, because something is wrong with all of them."""

WINDOW_SECONDS = 60.0
END_SECONDS = 5.0
"""Beyond what requests may take: to flush the store and to leave."""

SILENT_SECONDS = 60.0
"""A worker that answers says every few seconds that its loop goes round; one that has not for so long is killed."""

LONGEST_REPORT = 10_000  # bytes

log = logging.getLogger(__name__)


class Report(msgspec.Struct):
    """What a worker tells its parent, as a line on its standard output: it answers, still answers, or why it cannot."""

    problem: str = ""


def pause(deaths: int) -> float | None:
    """Seconds until the next worker starts, after so many deaths within a minute; None is to give up."""
    if deaths > MOST_DEATHS:
        return None
    return min(FIRST_PAUSE_SECONDS * 2 ** max(deaths - 1, 0), LONGEST_PAUSE_SECONDS)


class _Worker:
    """A process, and what it has said of itself."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.answers = False
        self.problem = ""
        self._silent_looks = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        line = self.process.stdout.readline(LONGEST_REPORT) if self.process.stdout else b""
        try:
            self.problem = msgspec.json.decode(line, type=Report).problem
            self.answers = not self.problem
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # it has died before it could say anything
        while line and self.process.stdout:
            self._silent_looks = 0
            line = self.process.stdout.readline(LONGEST_REPORT)

    def end_if_silent(self) -> None:
        """Kill a process that answered once and whose loop no longer goes round.

        Looks are counted, because a clock goes on while the parent itself is stopped.
        """
        self._silent_looks += 1
        if self.answers and self._silent_looks * LOOK_SECONDS > SILENT_SECONDS:
            self.answers, self.problem = False, f"a silence of {SILENT_SECONDS:.0f} s, for which it was killed"
            self.process.kill()

    def heard(self) -> None:
        """Wait until a process that has ended has been listened to."""
        self._thread.join(END_SECONDS)


class Supervisor:
    """Parameters are what a worker is started with.

    Parameters
    ----------
    command
        What starts a worker.
    descriptors
        The files that it inherits: the socket.
    environment
        Its environment, with the directory of shared metrics in it.
    metrics
        That directory.
    drain_seconds
        How long a worker goes on answering when it is told to end.
    ready
        Called once, when the first worker answers.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        descriptors: Sequence[int],
        environment: Mapping[str, str],
        metrics: str,
        drain_seconds: int = 0,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = command
        self._descriptors = descriptors
        self._environment = environment
        self._metrics = metrics
        self._end_seconds = drain_seconds + GRACE_SECONDS + END_SECONDS
        self._ready = ready
        self._answered = False
        self._workers: list[_Worker] = []
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS + 1)
        self._starts: list[float] = []  # when workers start that are missing
        self._ending = False
        self._reloading = False
        self._woken = threading.Event()

    def run(self, workers: int) -> None:
        """Keep so many alive until a signal to end.

        Raises
        ------
        ServiceError
            If none can start, or too many die.
        """
        self._starts = [0.0] * workers
        with _handled({signal.SIGTERM: self._end, signal.SIGINT: self._end, signal.SIGHUP: self._reload}):
            try:
                while not self._ending:
                    self._look(time.monotonic())
                    self._woken.wait(LOOK_SECONDS)
                    self._woken.clear()
            finally:
                self._stop()

    def _look(self, now: float) -> None:
        """Replace who has died, end who hangs, start who is due, pass on what was asked."""
        for worker in self._workers:
            worker.end_if_silent()
        for worker in [one for one in self._workers if one.process.poll() is not None]:
            self._workers.remove(worker)
            self._bury(worker, now)
        for start in [one for one in self._starts if one <= now]:
            self._starts.remove(start)
            self._workers.append(self._started())
        if not self._answered and any(one.answers for one in self._workers):
            self._answered = True
            self._ready()
        if self._reloading:
            self._reloading = False
            for one in self._workers:
                if one.answers:  # who does not answer yet reads the newest anyway
                    one.process.send_signal(signal.SIGHUP)

    def _bury(self, worker: _Worker, now: float) -> None:
        worker.heard()
        _close(worker)
        forget(worker.process.pid, self._metrics)
        if worker.problem and not self._answered:
            raise ServiceError(worker.problem)  # none has ever answered
        self._deaths.append(now)
        recent = sum(now - death < WINDOW_SECONDS for death in self._deaths)
        seconds = pause(recent)
        why = worker.problem or f"status {worker.process.returncode}"
        if seconds is None:
            raise ServiceError(
                f"{recent} workers have died within a minute, the last with {why}: see the log for what they said, "
                "and check memory and the release that serves"
            )
        log.error("a worker has died (%s): another starts in %.1f s", why, seconds)
        self._starts.append(now + seconds)

    def _started(self) -> _Worker:
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            stdin=subprocess.PIPE,  # it ends when its parent does: this pipe tells
            stdout=subprocess.PIPE,
            pass_fds=self._descriptors,
            env=self._environment,
            process_group=0,  # Ctrl-C is for the parent, who passes it on once
        )
        return _Worker(process)

    def _stop(self) -> None:
        deadline = time.monotonic() + self._end_seconds
        for one in self._workers:
            one.process.terminate()
        for one in self._workers:
            try:
                one.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("a worker did not end within %d s, and was killed", self._end_seconds)
                one.process.kill()
                one.process.wait()
            one.heard()
            _close(one)

    def _end(self) -> None:
        self._ending = True
        self._woken.set()

    def _reload(self) -> None:
        self._reloading = True
        self._woken.set()


def _close(worker: _Worker) -> None:
    for pipe in (worker.process.stdin, worker.process.stdout):
        if pipe:
            pipe.close()


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """While this is open, signals are calls; in another thread than the first they cannot be."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, _: FrameType | None) -> None:
        handlers[signal.Signals(number)]()

    before = {number: signal.signal(number, handler) for number in handlers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
