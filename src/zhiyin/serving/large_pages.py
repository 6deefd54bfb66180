"""What is there when a service begins, in large pages: a request touches thousands of places in half a gigabyte.

Each page of 4 KB that is not in the tables of the processor costs a look-up; on a virtual machine that was idle for
some milliseconds that can take longer than all that is done with what stands there. A page of 2 MB is looked up once.
"""

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

LARGE = 2 * 2**20
COLLAPSE = 25
"""MADV_COLLAPSE of Linux 6.1 and later; others refuse it, and nothing is lost."""

PAUSE_SECONDS = 0.002
"""Between two pages: while one is laid out, which takes as long, the process gets no memory."""


def lay_out() -> None:
    """Move what is there into large pages, in a thread of its own, which ends with the process."""
    if sys.platform == "linux":
        threading.Thread(target=collapsed, name="large-pages", daemon=True).start()


def collapsed(maps: Path = Path("/proc/self/maps")) -> int:
    """How many large pages there are of those that could be; asked again, it moves only what is new."""
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    count = 0
    for first, last in _anonymous(maps.read_text(encoding="utf-8")):
        for start in range(-(-first // LARGE) * LARGE, last - LARGE + 1, LARGE):
            count += int(advise(start, LARGE, COLLAPSE) == 0)
            time.sleep(PAUSE_SECONDS)
    return count


def _anonymous(maps: str) -> Iterator[tuple[int, int]]:
    """First and last address of memory that is no file; see proc_pid_maps(5)."""
    for line in maps.splitlines():
        addresses, access, _, _, inode, *name = line.split(maxsplit=5)
        if access.startswith("r") and inode == "0" and (not name or name == ["[heap]"]):
            first, last = addresses.split("-")
            yield int(first, 16), int(last, 16)
