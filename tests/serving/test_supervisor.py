"""The parent of several workers: replaces who dies, gives up in the end, passes signals on, leaves nobody behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from zhiyin.errors import ServiceError
from zhiyin.serving.supervisor import LONGEST_PAUSE_SECONDS, MOST_DEATHS, Supervisor, pause

SAY = "print('{}', flush=True)"


def supervisor(tmp_path: Path, code: str, **more: object) -> Supervisor:
    command = [sys.executable, "-S", "-c", f"import os, pathlib, sys\n{code}"]
    return Supervisor(command, descriptors=[], environment=os.environ, metrics=str(tmp_path), **more)  # type: ignore[arg-type]


def test_pauses_grow_and_end() -> None:
    found = [pause(deaths) for deaths in range(1, MOST_DEATHS + 2)]
    assert found[:3] == [0.1, 0.2, 0.4]
    assert found[-2:] == [LONGEST_PAUSE_SECONDS, None]


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    code = """print('{"problem": "no release serves"}', flush=True); sys.exit(2)"""
    with pytest.raises(ServiceError, match="no release serves"):
        supervisor(tmp_path, code).run(2)


def test_workers_that_go_on_dying_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.supervisor.LONGEST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("zhiyin.serving.supervisor.LOOK_SECONDS", 0.001)
    with pytest.raises(ServiceError, match="11 workers have died within a minute, the last with status 7"):
        supervisor(tmp_path, "sys.exit(7)").run(1)


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.supervisor.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("zhiyin.serving.supervisor.END_SECONDS", 0.3)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SAY}; signal.pause()"
    supervisor(tmp_path, code, ready=lambda: os.kill(os.getpid(), signal.SIGTERM)).run(1)


def test_a_worker_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.supervisor.SILENT_SECONDS", 0.05)
    monkeypatch.setattr("zhiyin.serving.supervisor.LONGEST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("zhiyin.serving.supervisor.LOOK_SECONDS", 0.01)
    with pytest.raises(ServiceError, match="11 workers have died within a minute, the last with a silence of 0 s"):
        supervisor(tmp_path, f"import signal; {SAY}; signal.pause()").run(1)


def test_a_worker_that_gives_signs_of_life_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.supervisor.SILENT_SECONDS", 2.0)
    code = f"import signal, time\n[({SAY}, time.sleep(0.1)) for _ in range(30)]\nos.kill(os.getppid(), signal.SIGTERM)"
    supervisor(tmp_path, f"{code}\nos.read(0, 1)").run(1)  # else it would raise, or go on for ever


def test_a_look_for_another_release_is_passed_on(tmp_path: Path) -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGHUP, lambda *_: (pathlib.Path(sys.argv[1]).touch(), sys.exit(0)))\n"
        f"{SAY}\nsignal.pause()"
    )
    looked = tmp_path / "looked"

    def end_when_looked() -> None:
        wait_for(looked.exists)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end_when_looked)
    ending.start()
    command = [sys.executable, "-S", "-c", f"import pathlib, sys\n{code}", str(looked)]
    ready = partial(os.kill, os.getpid(), signal.SIGHUP)
    Supervisor(command, descriptors=[], environment=os.environ, metrics=str(tmp_path), ready=ready).run(1)
    ending.join()
    assert looked.exists()


PARENT = """
import os, sys
from zhiyin.serving.supervisor import Supervisor
folder = sys.argv[1]
code = f'''
import os, pathlib, signal, sys
place = pathlib.Path({folder!r}, str(os.getpid()))
signal.signal(signal.SIGTERM, lambda *_: (place.unlink(), sys.exit(0)))
signal.signal(signal.SIGHUP, lambda *_: place.write_text("reload"))
place.write_text("up")
print("{{}}", flush=True)
os.read(0, 1) if sys.argv[1:] else [signal.pause() for _ in range(1_000)]
place.unlink()
'''
command = [sys.executable, "-S", "-c", code, *sys.argv[2:]]
ready = lambda: print("ready", flush=True)
Supervisor(command, descriptors=[], environment=os.environ, metrics=folder, ready=ready).run(2)
print("ended", flush=True)
"""


@contextmanager
def parent(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", PARENT, str(folder), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def wait_for(holds: object) -> None:
    deadline = time.monotonic() + 20
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix != ".db"}


def test_who_dies_is_replaced_and_signals_are_passed_on(tmp_path: Path) -> None:
    with parent(tmp_path) as process:
        wait_for(lambda: list(told(tmp_path).values()) == ["up", "up"])
        first = next(iter(told(tmp_path)))
        os.kill(int(first), signal.SIGKILL)
        (tmp_path / first).unlink()
        wait_for(lambda: list(told(tmp_path).values()) == ["up", "up"])
        assert first not in told(tmp_path)

        def reloaded() -> bool:
            process.send_signal(signal.SIGHUP)  # again, for one that did not answer yet
            return list(told(tmp_path).values()) == ["reload", "reload"]

        wait_for(reloaded)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout
        assert process.stdout.read() == "ended\n"
    assert not told(tmp_path)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with parent(tmp_path, "until the parent has gone") as process:
        wait_for(lambda: len(told(tmp_path)) == 2)
        process.kill()
        process.wait()
    wait_for(lambda: not told(tmp_path))


def test_what_is_no_report_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.supervisor.LONGEST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("zhiyin.serving.supervisor.LOOK_SECONDS", 0.001)
    answered: list[int] = []
    with pytest.raises(ServiceError, match="status 0"):
        supervisor(tmp_path, f"print({json.dumps('[1')!r})", ready=lambda: answered.append(1)).run(1)
    assert not answered
