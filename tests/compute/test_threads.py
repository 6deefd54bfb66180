import os

import pytest

from zhiyin.compute.threads import over_blocks, thread_count, threads


@pytest.fixture(autouse=True)
def _restored():
    yield
    threads(None)


def test_the_environment_decides_until_a_caller_does(monkeypatch):
    monkeypatch.setenv("ZHIYIN_THREADS", "3")
    assert thread_count() == 3
    threads(2)
    assert thread_count() == 2
    threads(0)
    assert thread_count() == 1
    threads(None)
    assert thread_count() == 3


@pytest.mark.parametrize("written", ["", "0", "-2", "many"])
def test_without_a_number_every_core_is_used(monkeypatch, written):
    monkeypatch.setenv("ZHIYIN_THREADS", written)
    assert 1 <= thread_count() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 1000])
def test_blocks_cover_every_row_once(rows):
    threads(3)
    seen = []
    over_blocks(rows, lambda first, last: seen.extend(range(first, last)))
    assert sorted(seen) == list(range(rows))


def test_an_error_in_a_block_reaches_the_caller():
    threads(2)

    def fail(first, last):
        raise ValueError("in a block")

    with pytest.raises(ValueError, match="in a block"):
        over_blocks(100, fail)
