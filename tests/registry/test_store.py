"""Releases are published whole or not at all, and what serves can be taken back."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zhiyin.errors import ArtifactError, RegistryBusyError, ZhiyinError
from zhiyin.registry.manifest import verify
from zhiyin.registry.store import Store


def write(directory: Path) -> None:
    (directory / "models").mkdir()
    (directory / "models" / "arrays").write_bytes(b"numbers")
    (directory / "release.json").write_text("{}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "releases")


@pytest.fixture
def three(store: Store) -> Store:
    for number in (1, 2, 3):
        assert store.publish(write, {"created": number, "metrics": {"ndcg": number / 10}}) == number
    return store


def visible(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if not path.name.startswith("."))


def unfinished(store: Store) -> list[str]:
    return [path.name for path in store.root.iterdir() if path.name.startswith((".writing", ".removed"))]


def test_an_empty_registry_has_nothing(store: Store) -> None:
    assert (store.versions(), store.serving(), store.numbers()) == ([], None, [])
    with pytest.raises(ArtifactError, match=r"release 1 is not in .*, which holds none, run `zhiyin train`"):
        store.path(1)


def test_a_published_release_is_numbered_and_whole(three: Store) -> None:
    assert visible(three) == ["0001", "0002", "0003"]
    assert verify(three.verified(2)).metrics == {"ndcg": 0.2}
    assert [(one.number, one.created, one.metrics, one.serving) for one in three.versions()] == [
        (number, number, {"ndcg": number / 10}, False) for number in (1, 2, 3)
    ]


def test_numbers_are_never_used_again(three: Store) -> None:
    shutil.rmtree(three.path(3))
    assert three.publish(write, {}) == 4
    three.promote(4, when=1)
    assert three.prune(0) == [1, 2]
    shutil.rmtree(three.path(4))
    assert three.publish(write, {}) == 5
    (three.root / ".last-number").unlink()
    shutil.rmtree(three.path(5))
    assert three.publish(write, {}) == 5  # known from serving.json: 4 did serve
    (three.root / "10000").mkdir()
    assert three.publish(write, {}) == 10_001


def test_a_damaged_counter_is_refused(three: Store) -> None:
    (three.root / ".last-number").write_text("many")
    with pytest.raises(ArtifactError, match="does not hold a number"):
        three.publish(write, {})


# What goes wrong while a release is written


def fails_with(error: BaseException) -> Callable[[Path], None]:
    def half(directory: Path) -> None:
        write(directory)
        raise error

    return half


@pytest.mark.parametrize("error", [ZhiyinError("no"), KeyboardInterrupt(), ValueError("bug")])
def test_a_failure_leaves_nothing_and_passes_on(error: BaseException, three: Store) -> None:
    with pytest.raises(type(error)):
        three.publish(fails_with(error), {})
    assert (visible(three), unfinished(three)) == (["0001", "0002", "0003"], [])
    assert three.publish(write, {}) == 4


def test_a_link_in_a_new_release_is_refused(store: Store) -> None:
    with pytest.raises(ArtifactError, match="passwd is a link"):
        store.publish(lambda directory: (directory / "passwd").symlink_to("/etc/passwd"), {})
    assert (visible(store), unfinished(store)) == ([], [])


WRITE_MUCH = """
import resource
import sys
from pathlib import Path
import numpy as np
import polars as pl
from zhiyin.errors import ArtifactError
from zhiyin.registry.arrays import save_arrays
from zhiyin.registry.store import Store
numbers = np.random.default_rng(0).random(400_000)
writers = {
    "bytes": lambda directory: (directory / "a").write_bytes(numbers.tobytes()),
    "arrays": lambda directory: save_arrays(directory / "a", {"a": numbers}),
    "table": lambda directory: pl.DataFrame({"a": numbers}).write_parquet(directory / "a"),
}
if limit := int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for name, write in writers.items():
    try:
        Store(Path(sys.argv[1])).publish(write, {})
    except ArtifactError as refusal:
        print(name, refusal)
"""


def refusals(store: Store, limit: int) -> list[str]:
    """What three ways of writing 3 MB say, in a process that may write files of so many bytes (0: any)."""
    command = [sys.executable, "-c", WRITE_MUCH, str(store.root), str(limit)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["bytes", "arrays", "table"]
    return lines


def test_a_file_that_cannot_be_written_to_its_end_leaves_nothing(store: Store) -> None:
    for line in refusals(store, limit=1_000_000):
        assert "nothing of it was kept, make sure there is space" in line
    assert (visible(store), unfinished(store)) == ([], [])
    assert store.publish(write, {}) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "disk"
    root.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(root)]
    mounted = (
        os.geteuid() == 0
        and shutil.which("mount")
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    if not mounted:
        pytest.skip("mounting a small disk takes root and the right to mount; the file size limit is tested instead")
    yield root
    subprocess.run(["umount", str(root)], check=True)


def test_a_full_disk_leaves_what_serves(small_disk: Path) -> None:
    store = Store(small_disk / "releases")
    store.promote(store.publish(write, {}), when=1)
    for line in refusals(store, limit=0):
        assert "No space left on device" in line
        assert "nothing of it was kept, make sure there is space" in line
    assert (visible(store), unfinished(store)) == (["0001", "serving.json"], [])
    assert store.serving() == 1
    store.verified(1)


def test_a_disk_that_is_full_to_the_last_byte_does_not_change_what_serves(small_disk: Path) -> None:
    store = Store(small_disk / "releases")
    for when in (1, 2):
        store.promote(store.publish(write, {}), when)
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x")
    with pytest.raises(ArtifactError, match="what serves is unchanged, make space and try again"):
        store.rollback(when=3)
    assert store.serving() == 2
    with pytest.raises(ArtifactError, match="nothing of it was kept"):
        store.publish(write, {})
    (small_disk / "filler").unlink()
    assert store.rollback(when=4) == 1
    assert store.publish(write, {}) == 3


STOPS_HALFWAY = """
import sys
from pathlib import Path
from zhiyin.registry.store import Store

def write(directory):
    (directory / "half").write_bytes(b"x" * 1000)
    print("writing", flush=True)
    sys.stdin.read()

Store(Path(sys.argv[1])).publish(write, {})
"""


def test_two_at_once_are_refused_and_a_killed_one_is_swept(three: Store) -> None:
    command = [sys.executable, "-c", STOPS_HALFWAY, str(three.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"writing\n"
        with pytest.raises(RegistryBusyError, match=f"in use by process {other.pid} since"):
            three.publish(write, {})
        three.promote(2, when=1)  # an operator need not wait for a training
        assert len(unfinished(three)) == 1
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert visible(three) == ["0001", "0002", "0003", "serving.json"]
    assert three.publish(write, {}) == 4
    assert unfinished(three) == []


# What serves


def test_rolling_back_twice_goes_back_twice(three: Store) -> None:
    for number in (1, 2, 3):
        three.promote(number, when=number, why="better")
    assert three.rollback(when=4) == 2
    assert three.rollback(when=5) == 1
    assert three.serving() == 1
    with pytest.raises(ArtifactError, match="nothing that served before is left"):
        three.rollback(when=6)
    assert three.serving() == 1


def test_a_promotion_after_a_rollback_forgets_what_was_rolled_back(three: Store) -> None:
    three.promote(1, when=1)
    three.promote(2, when=2)
    three.rollback(when=3)
    three.promote(3, when=4)
    three.promote(3, when=5)  # serves already: changes nothing
    assert three.rollback(when=6) == 1


def test_a_rollback_skips_what_was_removed(three: Store) -> None:
    for number in (1, 2, 3):
        three.promote(number, when=number)
    shutil.rmtree(three.path(2))
    assert three.rollback(when=4) == 1


def test_a_damaged_release_is_not_promoted_nor_rolled_back_to(three: Store) -> None:
    three.promote(1, when=1)
    three.promote(2, when=2)
    for number in (1, 3):
        (three.path(number) / "release.json").write_text("{ }")
    with pytest.raises(ArtifactError, match=r"0003/release\.json has 3 bytes instead of 2"):
        three.promote(3, when=3)
    with pytest.raises(ArtifactError, match=r"0001/release\.json"):
        three.rollback(when=3)
    assert three.serving() == 2


def test_versions_show_who_serves_and_what_is_damaged(three: Store) -> None:
    three.promote(1, when=1)
    three.promote(3, when=2)
    (three.path(2) / "manifest.json").write_text("{}")
    first, second, third = three.versions()
    assert (first.previous, first.serving, third.previous, third.serving) == (True, False, False, True)
    assert "manifest.json" in second.problem
    assert not first.problem


def test_a_copy_under_another_number_is_refused(three: Store) -> None:
    shutil.copytree(three.path(1), three.root / "0009")
    with pytest.raises(ArtifactError, match="0009 is a copy of release 1"):
        three.promote(9, when=1)


def test_a_link_in_place_of_a_release_is_refused(three: Store, tmp_path: Path) -> None:
    three.path(2).rename(tmp_path / "elsewhere")
    (three.root / "0002").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="release 2 is not in"):
        three.promote(2, when=1)


def test_pruning_keeps_the_newest_and_what_serves_and_served(three: Store) -> None:
    for number in (4, 5, 6):
        assert three.publish(write, {}) == number
    three.promote(1, when=1)
    three.promote(3, when=2)
    assert three.prune(keep=1) == [2, 4, 5]
    assert visible(three) == ["0001", "0003", "0006", "serving.json"]
    assert three.prune(keep=10) == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 2}', '{"format": 1, "changes": [{}]}', "[" * 100_000,
     '{"format": 1, "changes": [{"action": "demote", "number": 1, "when": 1, "why": ""}]}'],
)  # fmt: skip
def test_a_damaged_record_of_what_serves_is_refused(content: str, three: Store) -> None:
    (three.root / "serving.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"serving\.json (cannot be read|has the format 2)"):
        three.serving()
