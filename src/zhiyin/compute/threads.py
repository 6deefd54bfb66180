"""How many threads the compiled loops use, and the one way they use them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_BLOCKS_PER_THREAD = 4  # rows differ in cost: small blocks even it out
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

    The tasks release the interpreter lock. Threads of our own, and not numba's, because the layer that numba falls
    back to where OpenMP is missing ends the process when two threads, such as a request and a retraining, meet in it.
    """
    workers = 1 if rows < serial_below else min(thread_count(), rows)
    if workers <= 1:
        task(0, rows)
        return
    block = -(-rows // (workers * _BLOCKS_PER_THREAD))
    starts = range(0, rows, block)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda first: task(first, min(first + block, rows)), starts))


def together(*tasks: Callable[[], T]) -> list[T]:
    """The results of some tasks that do not depend on each other, done at once, each in a thread of its own.

    They should spend their time where the interpreter lock is released: in NumPy, Polars or compiled loops.
    """
    if thread_count() == 1 or len(tasks) < 2:
        return [task() for task in tasks]
    with ThreadPoolExecutor(min(len(tasks), thread_count())) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]
