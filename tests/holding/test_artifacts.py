"""Releases that are damaged, foreign or of another format are refused while the service answers: with a sentence over
HTTP, in the log and in its health; what serves goes on, and a release that was made good again is taken."""

import asyncio
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.holding.harness import Process, Sends, connection
from tests.holding.load import loaded
from zhiyin.registry.manifest import MANIFEST, SEAL, write_manifest
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store

Spoils = Callable[[Path, Path], None]
"""What is done to a file, given the same file of another release."""


def truncated(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path, _: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def missing(path: Path, _: Path) -> None:
    path.unlink()


def swapped(path: Path, other: Path) -> None:
    """With that of the other release, byte for byte; where both are alike, nothing is wrong with it."""
    shutil.copyfile(other, path)


SPOILS: list[Spoils] = [truncated, emptied, flipped, missing, swapped]


class Case(NamedTuple):
    name: str
    spoil: Callable[[Path], None]


def cases(release: Path, other: Path) -> Iterator[Case]:
    """Every file of a release, spoilt in every way; then what is wrong with a release as a whole."""
    files = sorted(one.relative_to(release) for one in release.rglob("*") if one.is_file())
    for file in files:
        for spoil in SPOILS:
            if spoil is not swapped or (release / file).read_bytes() != (other / file).read_bytes():
                yield Case(f"{file} {spoil.__name__}", lambda root, s=spoil, f=file: s(root / f, other / f))
    yield Case("a foreign file", lambda root: (root / "code.py").write_text("print('hello')"))
    yield Case("a link", lambda root: (root / "link").symlink_to("/etc/passwd"))
    yield Case("an older format", lambda root: resealed(root, format=0))
    yield Case("a newer format", lambda root: resealed(root, format=2))
    yield Case("a foreign release", foreign)
    yield Case("the other release under this number", lambda root: replaced(root, other))
    yield Case("a path that leaves it", lambda root: resealed(root, files={"../../etc/passwd": [1, "0" * 64]}))


def resealed(root: Path, **changes: object) -> None:
    """The manifest with other entries, and a seal that fits."""
    table = {**json.loads((root / MANIFEST).read_text()), **changes}
    (root / MANIFEST).write_text(json.dumps(table))
    sealed(root)


def sealed(root: Path) -> None:
    import hashlib

    digest = hashlib.sha256((root / MANIFEST).read_bytes()).hexdigest()
    (root / SEAL).write_text(f"{digest}  {MANIFEST}\n")


def foreign(root: Path) -> None:
    """What another program might call a release, sealed as ours are."""
    shutil.rmtree(root)
    root.mkdir()
    (root / "model.pkl").write_bytes(b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.")
    write_manifest(root, 2, {})


def replaced(root: Path, other: Path) -> None:
    shutil.rmtree(root)
    shutil.copytree(other, root)


@pytest.fixture
def shop(project, two_shops: list[Release]):
    return project("reload_seconds = 3600", releases=[*two_shops, two_shops[0]])


def test_what_is_damaged_or_foreign_is_refused_and_what_serves_goes_on(shop) -> None:
    root = shop.root / "releases" / "0002"
    whole = shop.root / "whole"
    shutil.copytree(root, whole)
    with shop.serving() as service:
        found = asyncio.run(refused(service, root, whole, shop.root / "releases" / "0003"))
        asyncio.run(noticed(service, root, whole, Store(shop.root / "releases")))
        assert service.stop() == 0
    assert not (shop.root / "owned").exists()
    log = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    errors = [line["event"] for line in log if line["level"] == "error"]
    assert any("release 2 cannot be served, release 1 goes on" in line for line in errors)
    audited = [json.loads(line) for line in (shop.root / "audit.jsonl").read_text().splitlines()]
    assert sum(one["outcome"].startswith("failed: ") for one in audited) == found
    print(f"{found} damaged releases refused, {len(errors)} lines of the log")


async def refused(service: Process, root: Path, whole: Path, other: Path) -> int:
    """Each is promoted over HTTP; how many there were."""
    tried = 0
    async with loaded(service.port) as load, connection(service.port) as send:
        await load.well()
        for case in cases(whole, other):
            replaced(root, whole)
            case.spoil(root)
            answer = await send("POST", "/v1/versions/2/promote")
            assert answer.status == 409, (case.name, answer)
            sentence = answer.json()["error"]["message"]
            assert "release 1 goes on" in sentence, (case.name, sentence)
            tried += 1
        replaced(root, whole)
        await load.well()
    assert not load.broken
    assert {(one.status, one.json()["version"]) for one in load.lists} == {(200, 1)}
    return tried


async def noticed(service: Process, root: Path, whole: Path, releases: Store) -> None:
    """One that is damaged after it was promoted is not taken; made good again, it is, when the service is told."""
    async with connection(service.port) as send:
        await service_says(send, "ok", 1)
        releases.promote(2, 2)
        flipped(root / MANIFEST, root)
        service.signal(signal.SIGHUP)
        problem = await service_says(send, "degraded", 1)
        assert "release 2 cannot be served, release 1 goes on" in problem
        replaced(root, whole)
        service.signal(signal.SIGHUP)
        await service_says(send, "ok", 2)
        assert (await send("POST", "/v1/versions/rollback")).json()["serving"] == 1


async def service_says(send: Sends, status: str, version: int) -> str:
    """Wait until its health is this; the problem."""
    for _ in range(3_000):
        health = (await send("GET", "/v1/health")).json()
        if (health["status"], health["version"]) == (status, version):
            return str(health.get("problem", ""))
        await asyncio.sleep(0.02)
    raise AssertionError(f"never {status} with release {version}: {health}")
