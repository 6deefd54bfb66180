import os
import threading

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


@pytest.mark.parametrize("rows", [1, 2, 3, 9])
def test_a_few_rows_of_much_work_are_shared_where_the_caller_says_so(rows):
    threads(3)
    seen = []
    over_blocks(rows, lambda first, last: seen.append((first, last)), serial_below=2)
    assert sorted(place for first, last in seen for place in range(first, last)) == list(range(rows))
    assert len(seen) == min(rows, 3)


def test_an_error_waits_for_the_other_blocks_which_write_into_the_same_arrays():
    threads(2)
    begun, seen = threading.Event(), []

    def task(first, last):
        if first == 0:
            assert begun.wait(30)
            raise ValueError("in the first")
        begun.set()
        seen.append(last)

    with pytest.raises(ValueError, match="in the first"):
        over_blocks(2, task, serial_below=2)
    assert seen == [2]


def test_a_task_may_share_rows_of_its_own():
    threads(2)
    seen = []

    def task(first, last):
        over_blocks(100, lambda start, stop: seen.append((first, stop - start)))

    over_blocks(200, task)
    assert sum(rows for _, rows in seen) == 100 * len({first for first, _ in seen})
    assert len({first for first, _ in seen}) > 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork")
def test_a_forked_process_has_threads_of_its_own():
    threads(2)
    over_blocks(100, lambda *_: None)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        seen = []
        over_blocks(100, lambda first, last: seen.extend(range(first, last)))
        os.write(write, str(len(seen)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"100"
