"""What is there when a service begins is not searched for garbage again and again, and lies in large pages.

Python's collector looks through everything that may be part of a cycle: with the libraries and a release, that stops
all requests for a tenth of a second, every few thousand events.
"""

import gc
from collections.abc import Callable

from zhiyin.serving.large_pages import lay_out

ALLOCATIONS = 10_000
"""Objects more than before at which what is young is looked through; requests leave hardly a cycle behind."""


def settle() -> None:
    """Leave what is there now alone from now on."""
    gc.enable()
    gc.set_threshold(ALLOCATIONS)
    gc.freeze()
    lay_out()


class Settled:
    """Looks through everything once more after each swap of the release, so that the old one goes."""

    def __init__(self, serves: Callable[[], object]) -> None:
        self._serves = serves
        self._seen = id(serves())  # not the release itself: it is to go before the next look

    def tend(self) -> None:
        """To be called once a minute: what answered before the swap has ended by then."""
        now = id(self._serves())
        if now == self._seen or not gc.get_freeze_count():
            return
        self._seen = now
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        lay_out()
