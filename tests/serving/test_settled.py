"""What is set aside from the search for garbage is searched once more when the release is another."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from zhiyin.serving import settled as settled_
from zhiyin.serving.settled import Settled, settle


class Loop:
    """Part of a cycle, which counting of references alone never frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settled_, "lay_out", lambda: None)  # its thread would come and go among what is counted
    threshold = gc.get_threshold()
    gc.unfreeze()  # a test before may have run a whole service
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_a_release_that_no_longer_serves_goes_although_it_was_set_aside() -> None:
    serving = [Loop()]
    gone = weakref.ref(serving[0])
    settled = Settled(lambda: serving[0])
    settle()
    settled.tend()
    serving[0] = Loop()
    gc.collect()
    assert gone() is not None  # it is set aside
    settled.tend()
    assert gone() is None
    assert gc.get_freeze_count() > 0


def test_while_the_same_release_serves_nothing_is_searched() -> None:
    release = Loop()
    settled = Settled(lambda: release)
    settle()
    frozen = gc.get_freeze_count()
    settled.tend()
    assert gc.get_freeze_count() == frozen


def test_where_nothing_was_set_aside_nothing_is() -> None:
    serving = [Loop()]
    settled = Settled(lambda: serving[0])
    serving[0] = Loop()
    settled.tend()
    assert gc.get_freeze_count() == 0
