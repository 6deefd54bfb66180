"""The disk is full, or a file may not grow: clear errors, nothing corrupt, and all is well when there is space again,
without a restart."""

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.holding.harness import Process, Project, Sends, connection, full
from tests.holding.load import loaded
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables
from zhiyin.errors import ArtifactError
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.serving.audit_trail import verified
from zhiyin.serving.keys import Keys

MEGABYTES = full(12, 36)
TRIES = 3_000
MOST_CALLS = 5_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "disk"
    root.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(root)]
    mounted = (
        os.geteuid() == 0
        and shutil.which("mount")
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    if not mounted:
        pytest.skip("mounting a small disk takes root and the right to mount; the file size limit is tested instead")
    yield root
    subprocess.run(["umount", str(root)], check=True)


def taken(filler: Path, most: int = 2**40) -> Path:
    """So many bytes of a disk, or all that is left, to the last."""
    for size in (4_096, 1):
        with suppress(OSError), filler.open("ab", buffering=0) as file:
            while file.tell() < most:
                file.write(b"x" * size)
    return filler


def told(project: Project, *words: str) -> tuple[int, str]:
    """A verb of the command line: its status, and what it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "zhiyin", *words], cwd=project.root, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


async def until(send: Sends, method: str, path: str, body: Any, status: int) -> Any:
    """Ask until this comes; what came."""
    for _ in range(TRIES):
        answer = await send(method, path, body)
        if answer.status == status:
            return answer.json()
        assert answer.status in (200, 202, 503), answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"{method} {path} never became {status}: {answer}")


def event(number: int) -> dict[str, str]:
    return {"user_id": "a001", "item_id": f"s{number}", "event_id": f"s{number}", "context": {"filler": "x" * 900}}


class Sent:
    """Events one by one, and which of them were acknowledged."""

    def __init__(self, send: Sends) -> None:
        self._send = send
        self._number = 0
        self.acknowledged: list[str] = []

    async def until(self, status: int, send: Sends | None = None) -> Any:
        """Send until this comes back, from now on over another connection if one is given."""
        self._send = send or self._send
        for _ in range(MOST_CALLS):
            answer = await self._send("POST", "/v1/events", [event(self._number + i) for i in range(20)])
            if answer.status == 202:
                self.acknowledged += [f"s{self._number + i}" for i in range(20)]
            self._number += 20
            if answer.status == status:
                return answer
            assert answer.status in (202, 503), answer
        raise AssertionError(f"never {status}")


def whole(project: Project, acknowledged: list[str]) -> int:
    """The store is not corrupt and has all that was acknowledged; how many events there are."""
    path = project.root / "events.db"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    stored = read_tables(StoreAddress(path)).events["item_id"].to_list()
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    return len(stored)


def test_a_full_disk_is_told_clearly_and_survived(project, small_disk: Path, small_release: Release) -> None:
    shop = project(root=small_disk)
    releases, keys = Store(shop.root / "releases"), Keys(shop.root / "keys.json")
    key = keys.create("shop")
    with shop.serving() as service:
        acknowledged = asyncio.run(on_a_full_disk(service, shop, small_disk, small_release))
        assert service.stop() == 0
    assert releases.serving() == 2
    assert keys.verify(key) is not None
    assert keys.names() == ["shop"]
    assert verified(shop.root / "audit.jsonl").fault is None
    stored = whole(shop, acknowledged)
    print(f"disk of {MEGABYTES} MB: {len(acknowledged):,} events acknowledged, {stored:,} stored, none lost")


async def on_a_full_disk(service: Process, shop: Project, disk: Path, release: Release) -> list[str]:
    third = taken(disk / "third", MEGABYTES * 2**20 // 3)  # what comes back in the end
    async with loaded(service.port) as load:
        await load.well()
        async with connection(service.port) as send:
            sent = Sent(send)
            assert (await sent.until(503)).headers["retry-after"]  # the store alone fills the rest
            rest = taken(disk / "rest")
            await refused(send, sent)
        status, sentence = await asyncio.to_thread(told, shop, "keys", "create", "later")
        assert (status, "cannot be written" in sentence, "Traceback" in sentence) == (2, True, False)
        with pytest.raises(ArtifactError, match="nothing of it was kept, make sure there is space"):
            await asyncio.to_thread(Store(shop.root / "releases").publish, release.write, {})
        assert Store(shop.root / "releases").numbers() == [1, 2]
        third.unlink()
        rest.unlink()
        async with connection(service.port) as send:
            await sent.until(202, send)
            await load.well()
            assert (await until(send, "POST", "/v1/versions/2/promote", None, 200))["serving"] == 2
    assert not load.broken
    assert {one.status for one in load.lists} == {200}
    assert {one.status for one in load.events} <= {202, 503}
    return [*sent.acknowledged, *(f"i{one[1:]}" for one in load.acknowledged)]


async def refused(send: Sends, sent: "Sent") -> None:
    """What a service says that can write nothing."""
    refusal = await sent.until(503)
    assert "the store cannot write now (database or disk is full)" in refusal.json()["error"]["message"]
    health = await until(send, "GET", "/v1/health", None, 200)
    assert (health["status"], "disk is full" in health["problem"]) == ("degraded", True)
    assert "events cannot be written" in (await until(send, "GET", "/v1/ready", None, 503))["reasons"]
    for path in ("/v1/versions/2/promote", "/v1/retrain"):
        answer = await send("POST", path)
        sentence = answer.json()["error"]["message"]
        assert (answer.status, "cannot be audited now and was not done" in sentence) == (503, True)


def test_files_that_may_not_grow_are_told_clearly_and_survived(project) -> None:
    shop = project('log_level = "debug"')
    with shop.serving() as service:
        acknowledged, lines = asyncio.run(with_small_files(service, shop))
        assert service.stop() == 0
    log = service.log.read_text().splitlines()[lines:]
    assert any("lines of the log were lost" in line for line in log)
    assert all(json.loads(line) for line in log if line.startswith("{"))
    assert verified(shop.root / "audit.jsonl").fault is None
    stored = whole(shop, acknowledged)
    print(f"files of limited size: {len(acknowledged):,} events acknowledged, {stored:,} stored, none lost")


async def with_small_files(service: Process, shop: Project) -> tuple[list[str], int]:
    async with connection(service.port) as send:
        sent = Sent(send)
        await sent.until(202)
        lines = len(service.log.read_text().splitlines())
        _, hard = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (service.log.stat().st_size, hard))
        refusal = await sent.until(503)
        assert "the store cannot write now (" in refusal.json()["error"]["message"]
        assert (await send("POST", "/v1/recommendations", {"user_id": "a001"})).status == 200
        (shop.root / "audit.jsonl").write_bytes(b"")
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (10, hard))
        answer = await send("POST", "/v1/versions/2/promote")
        assert answer.status == 503
        assert (await until(send, "GET", "/v1/health", None, 200))["status"] == "degraded"
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await sent.until(202)
        assert (await until(send, "POST", "/v1/versions/2/promote", None, 200))["serving"] == 2
        assert (await until(send, "GET", "/v1/health", None, 200))["status"] == "ok"
    return sent.acknowledged, lines
