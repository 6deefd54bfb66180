"""A process that answers, in this one: it begins, drains and ends in order, alone or as a worker."""

import json
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from zhiyin.data.store.address import StoreAddress
from zhiyin.errors import ArtifactError, ZhiyinError
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store
from zhiyin.serving.live import Live, Served
from zhiyin.serving.run import Job, listening, serve, server, stored_events
from zhiyin.serving.settings import Settings
from zhiyin.serving.worker import FAILED, main


@pytest.fixture
def shop(tmp_path: Path, release: Release) -> Path:
    store = Store(tmp_path / "releases")
    store.promote(store.publish(release.write, {"created": 1}), 1)
    return tmp_path


@pytest.fixture(autouse=True)
def signals() -> Any:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_service_answers_trains_nothing_unasked_and_ends_on_a_signal(shop: Path) -> None:
    told: list[tuple[str, int]] = []

    def ready(url: str) -> None:
        told.append((url, threading.active_count()))
        os.kill(os.getpid(), signal.SIGTERM)

    settings = Settings(ServeSettings(port=0, open_on_loopback=True, host="localhost"))
    serve(shop / "releases", settings, root=shop, environment={}, ready=ready, config=shop / "zhiyin.toml")
    assert told[0][0].startswith("http://localhost:")
    assert not [one for one in threading.enumerate() if one.name in ("schedule", "event-store", "release-watch")]


def test_while_it_drains_it_answers_and_is_not_ready(shop: Path) -> None:
    settings = Settings(ServeSettings(port=0, open_on_loopback=True, drain_seconds=3_600))
    up = threading.Event()
    with closing(listening(settings.serve)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answering = server(Job(str(shop / "releases"), str(shop), settings), listener, {}, up.set)
        thread = threading.Thread(target=answering.answer)
        thread.start()
        assert up.wait(30)
        with httpx2.Client(base_url=url, timeout=30) as client:
            assert client.get("/v1/ready").status_code == 200
            answering.end()
            assert client.get("/v1/ready").status_code == 503
            assert client.get("/v1/users/a000/recommendations").status_code == 200
        answering.end()  # asked twice
        thread.join(30)
        assert not thread.is_alive()


def test_a_short_drain_ends_by_itself(shop: Path) -> None:
    settings = Settings(ServeSettings(port=0, open_on_loopback=True, drain_seconds=1))
    with closing(listening(settings.serve)) as listener:
        job = Job(str(shop / "releases"), str(shop), settings)
        holder: list[Any] = []

        def ready() -> None:
            holder[0].end()

        answering = server(job, listener, {}, ready)
        holder.append(answering)
        thread = threading.Thread(target=answering.answer)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()


def job_of(root: Path, descriptor: int) -> str:
    settings = Settings(ServeSettings(port=0, open_on_loopback=True))
    job = Job(str(root / "releases"), str(root), settings, descriptor)
    return msgspec.json.encode(job).decode()


def test_a_worker_ends_when_its_parent_has_gone(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    listener = listening(ServeSettings(port=0))
    monkeypatch.setattr(sys, "argv", ["worker", job_of(shop, listener.detach())])
    assert main() == 0  # what it listens to for its parent is at its end already
    out, err = capfdbinary.readouterr()
    assert out in (b"", b'{"problem":""}\n')
    assert b"release 1 serves" in err


def test_a_worker_that_cannot_answer_tells_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    listener = listening(ServeSettings(port=0))
    monkeypatch.setattr(sys, "argv", ["worker", job_of(tmp_path, listener.detach())])
    assert main() == FAILED
    out, _ = capfdbinary.readouterr()
    assert json.loads(out)["problem"].startswith("no release serves")


def test_stored_events_are_counted(tmp_path: Path, opens: Any) -> None:
    client = opens()
    client.post("/v1/events", json=[{"user_id": "u", "item_id": "i"}] * 3)
    assert stored_events(StoreAddress(tmp_path / "events.db")) == 3
    (tmp_path / "odd.db").write_bytes(b"x" * 5_000)
    with pytest.raises(ZhiyinError, match=r"odd\.db"):
        stored_events(StoreAddress(tmp_path / "odd.db"))


def test_without_a_registry_nothing_is_promoted(release: Release) -> None:
    live = Live(Served.of(release, {}))
    assert not live.reload()
    with pytest.raises(ArtifactError, match="zhiyin serve"):
        live.promote(1, 1, "")


def test_a_rollback_without_a_place_to_go_is_a_sentence(shop: Path) -> None:
    live = Live.of(Store(shop / "releases"), {})
    with pytest.raises(ArtifactError, match="nothing that served before"):
        live.rollback(2)


def test_memory_is_known_on_other_systems_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from zhiyin.serving.pulse import STATM, memory

    here = memory()
    monkeypatch.setattr("zhiyin.serving.pulse.STATM", STATM.with_name("nothing"))  # another system
    assert memory() > here // 10
