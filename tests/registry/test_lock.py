"""One training at a time."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zhiyin.errors import ArtifactError, RegistryBusyError
from zhiyin.registry.lock import exclusive

HOLD = """
import sys
from pathlib import Path
from zhiyin.registry.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_by_name_until_the_holder_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(RegistryBusyError, match=rf"in use by process {holder.pid} since 20\d\d-.*: wait"),
            exclusive(tmp_path),
        ):
            pytest.fail("two processes are inside")
        holder.kill()
        holder.wait()
        with exclusive(tmp_path):
            pass


def test_another_thread_is_refused(tmp_path: Path) -> None:
    found: list[str] = []

    def enter() -> None:
        try:
            with exclusive(tmp_path):
                found.append("inside")
        except RegistryBusyError as refusal:
            found.append(str(refusal))

    with exclusive(tmp_path):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    assert f"process {os.getpid()}" in found[0]


def test_the_holder_may_enter_again(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        with exclusive(tmp_path):
            pass
        with pytest.raises(RegistryBusyError):
            held_elsewhere(tmp_path)
    held_elsewhere(tmp_path)


def held_elsewhere(root: Path) -> None:
    failure: list[RegistryBusyError] = []

    def enter() -> None:
        try:
            with exclusive(root):
                pass
        except RegistryBusyError as refusal:
            failure.append(refusal)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def test_a_lock_file_that_says_nothing_is_still_a_lock(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        (tmp_path / ".lock").write_text("gibberish")
        with pytest.raises(RegistryBusyError, match="in use by another process"):
            held_elsewhere(tmp_path)


def test_other_locks_of_the_registry_are_free(tmp_path: Path) -> None:
    with exclusive(tmp_path), exclusive(tmp_path, ".serving.lock"):
        pass


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ArtifactError, match=r"file/releases cannot be written \(Not a directory\)"),
        exclusive(tmp_path / "file" / "releases"),
    ):
        pytest.fail("inside")
