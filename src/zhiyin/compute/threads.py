"""How many threads the compiled loops use, and the one way they use them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import TypeVar

T = TypeVar("T")

_BLOCKS_PER_THREAD = 4  # rows differ in cost: small blocks even it out
_MANY = 64  # rows from which on it pays to
_turn = Lock()
_pool: tuple[int, ThreadPoolExecutor] | None = None
_chosen: int | None = None


def threads(count: int | None) -> None:
    """Let compiled loops use this many threads from now on; None returns to ZHIYIN_THREADS or every core."""
    global _chosen  # noqa: PLW0603 - one setting of the whole process, like the environment variable
    _chosen = None if count is None else max(1, count)


def thread_count() -> int:
    """How many threads a compiled loop uses: as set, or ZHIYIN_THREADS, or every core this process may use."""
    if _chosen is not None:
        return _chosen
    written = os.environ.get("ZHIYIN_THREADS", "")
    if written.isdecimal() and int(written) > 0:
        return int(written)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def over_blocks(rows: int, task: Callable[[int, int], None], *, serial_below: int = 64) -> None:
    """Run task(first, last) over disjoint blocks of rows, in threads; few rows stay in the calling thread.

    The tasks release the interpreter lock. Threads of our own, and not numba's, because the layer that numba falls back
    to where OpenMP is missing ends the process when two threads, such as a request and a retraining, meet in it.
    """
    workers = 1 if rows < serial_below else min(thread_count(), rows)
    if workers <= 1:
        task(0, rows)
        return
    size = -(-rows // (workers * (_BLOCKS_PER_THREAD if rows >= _MANY else 1)))
    blocks = [(first, min(first + size, rows)) for first in range(0, rows, size)]
    others = [_helpers(workers - 1).submit(task, *block) for block in blocks[1:]]
    try:
        task(*blocks[0])
        for other, block in zip(others[::-1], blocks[:0:-1], strict=True):
            if other.cancel():  # no helper has come to it, who may all be waiting for helpers themselves
                task(*block)
    finally:
        begun = [other for other in others if not other.cancel()]
        wait(begun)  # they write into arrays of the caller
    for other in begun:
        other.result()


def _helpers(count: int) -> ThreadPoolExecutor:
    """Threads that stay, because to start them takes longer than what a request has for them to do."""
    global _pool  # noqa: PLW0603 - one for the whole process, whoever asks
    with _turn:
        if _pool is None or _pool[0] < count:
            _pool = count, ThreadPoolExecutor(count, "compute")
        return _pool[1]


def _forget_helpers() -> None:
    """A process that was forked has none of the threads of its parent."""
    global _pool  # noqa: PLW0603 - as above
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)


def together(*tasks: Callable[[], T]) -> list[T]:
    """The results of some tasks that do not depend on each other, done at once, each in a thread of its own.

    They should spend their time where the interpreter lock is released: in NumPy, Polars or compiled loops.
    """
    if thread_count() == 1 or len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(min(len(tasks), thread_count())) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]
