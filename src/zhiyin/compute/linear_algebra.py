"""How many threads the linear algebra of compiled loops uses, where it is the OpenBLAS of scipy's wheels."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from scipy.linalg import cython_blas

_NAMES = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
_lock = Lock()
_inside = 0
_before = 1


@contextmanager
def serial_linear_algebra() -> Iterator[None]:
    """Within it products stay in the thread that asks for them.

    Threads of our own that multiply at the same time would wait for those of the library, which wait by spinning: twice
    as slow. It holds for the whole process; the last to leave restores what was. Another library is left as it is.
    """
    global _inside, _before  # noqa: PLW0603 - the library has one setting for the process
    library = _library()
    if library is None:
        yield
        return
    count, set_count = library
    with _lock:
        if _inside == 0:
            _before = count()
            set_count(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                set_count(_before)


@cache
def _library() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How to ask the library for its number of threads, and how to set it; None for another library."""
    library = ctypes.CDLL(cython_blas.__file__)
    for name in _NAMES:
        get = getattr(library, name.format("get_num_threads"), None)
        set_to = getattr(library, name.format("set_num_threads"), None)
        if get and set_to:
            return get, set_to
    return None
