"""Threads of the linear algebra, set for a while and restored."""

import pytest

from zhiyin.compute import linear_algebra
from zhiyin.compute.linear_algebra import serial_linear_algebra


def test_products_stay_in_their_thread_until_the_last_has_left(monkeypatch):
    counts = [4]
    monkeypatch.setattr(linear_algebra, "_library", lambda: (lambda: counts[-1], counts.append))
    with serial_linear_algebra():
        assert counts[-1] == 1
        with pytest.raises(KeyError), serial_linear_algebra():
            raise KeyError
        assert counts[-1] == 1
    assert counts == [4, 1, 4]


def test_another_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(linear_algebra, "_library", lambda: None)
    with serial_linear_algebra():
        assert linear_algebra._inside == 0


def test_the_library_that_is_here_is_asked_and_restored():
    linear_algebra._library.cache_clear()
    library = linear_algebra._library()
    before = library and library[0]()
    with serial_linear_algebra():
        assert library is None or library[0]() == 1
    assert before == (library and library[0]())
