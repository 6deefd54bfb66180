"""Memory that is moved into large pages says the same as before; where the system cannot, nothing happens."""

import mmap
import sys
from pathlib import Path

import numpy as np
import pytest

from zhiyin.serving import large_pages
from zhiyin.serving.large_pages import LARGE, collapsed

ADDRESSES = "{:x}-{:x} {} 00000000 00:00 {} {}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other pages")
def test_what_is_there_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_pages, "PAUSE_SECONDS", 0)
    with mmap.mmap(-1, 4 * LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        array = np.frombuffer(held, np.int64)
        array[:] = np.arange(len(array))
        first = array.__array_interface__["data"][0]
        (tmp_path / "maps").write_text(ADDRESSES.format(first, first + array.nbytes, "rw-p", 0, ""), encoding="utf-8")
        assert 0 <= collapsed(tmp_path / "maps") <= 4
        assert (array == np.arange(len(array))).all()
        del array


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other pages")
@pytest.mark.parametrize(
    ("access", "inode", "name"), [("---p", 0, ""), ("r--p", 7, "/lib/x.so"), ("rw-p", 0, "[stack]")]
)
def test_files_stacks_and_what_nobody_may_read_are_left_alone(
    access: str, inode: int, name: str, tmp_path: Path
) -> None:
    written = ADDRESSES.format(0, 2**40, access, inode, name)  # nothing of ours is there: it would take for ever
    (tmp_path / "maps").write_text(written, encoding="utf-8")
    assert collapsed(tmp_path / "maps") == 0
