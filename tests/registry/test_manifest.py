"""What a release consists of: any change is refused, and named."""

import hashlib
import json
import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhiyin.errors import ArtifactError
from zhiyin.registry.manifest import Manifest, verify, write_manifest

DETAILS = {"created": 1_700_000_000_000_000, "metrics": {"ndcg@10": 0.1}, "data": "abc", "recipe": "[recipe]\n购买"}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    directory = tmp_path / "0003"
    (directory / "models" / "ease").mkdir(parents=True)
    (directory / "models" / "ease" / "arrays.safetensors").write_bytes(bytes(range(256)) * 10)
    (directory / "release.json").write_text('{"pool": 200}')
    (directory / "empty").write_bytes(b"")
    write_manifest(directory, 3, DETAILS)
    return directory


def resealed(directory: Path, **changes: Any) -> None:
    """Change the manifest as one could who knows how the seal is made."""
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    (directory / "manifest.sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  manifest.json\n")


def test_an_untouched_release_is_verified(release: Path) -> None:
    manifest = verify(release)
    assert (manifest.number, manifest.created, manifest.metrics) == (3, DETAILS["created"], DETAILS["metrics"])
    assert manifest.details == DETAILS
    assert sorted(manifest.files) == ["empty", "models/ease/arrays.safetensors", "release.json"]
    assert manifest.zhiyin


def test_a_metric_that_is_not_a_number_does_not_lose_a_training(release: Path) -> None:
    write_manifest(release, 3, {"metrics": {"auc": math.nan, "mean": np.float32(0.5), "ci": (0, math.inf)}})
    assert verify(release).metrics == {"auc": None, "mean": 0.5, "ci": [0, "inf"]}


def test_details_that_are_no_data_are_refused(release: Path) -> None:
    with pytest.raises(ArtifactError, match="details of release 3 cannot be saved"):
        write_manifest(release, 3, {"model": object()})


@pytest.mark.parametrize("name", ["models/ease/arrays.safetensors", "release.json", "manifest.json", "manifest.sha256"])
def test_a_flipped_bit_anywhere_is_refused(name: str, release: Path) -> None:
    path, chance = release / name, random.Random(0)
    content = path.read_bytes()
    for _ in range(25):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(ArtifactError, match=f"{name}.* has changed.*roll back"):
            verify(release)
    path.write_bytes(content)
    verify(release)


@pytest.mark.parametrize("name", ["models/ease/arrays.safetensors", "release.json", "manifest.json", "manifest.sha256"])
def test_a_truncated_file_is_refused(name: str, release: Path) -> None:
    os.truncate(release / name, 10)
    with pytest.raises(ArtifactError, match=f"{name}.*(has 10 bytes instead of|has changed).*roll back"):
        verify(release)


@pytest.mark.parametrize("name", ["empty", "release.json", "manifest.json", "manifest.sha256"])
def test_a_missing_file_is_refused(name: str, release: Path) -> None:
    (release / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing: restore it from a backup"):
        verify(release)


def test_a_file_that_does_not_belong_is_refused(release: Path) -> None:
    (release / "models" / "more.bin").write_bytes(b"x")
    with pytest.raises(ArtifactError, match=r"models/more\.bin does not belong to this release"):
        verify(release)


@pytest.mark.parametrize("name", ["release.json", "models", "extra"])
def test_a_link_is_refused(name: str, release: Path, tmp_path: Path) -> None:
    path = release / name
    if path.exists():
        path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match=f"{name} is a link or a special file"):
        verify(release)


def test_a_manifest_that_is_a_link_is_refused(release: Path, tmp_path: Path) -> None:
    (release / "manifest.json").rename(tmp_path / "manifest.json")
    (release / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(ArtifactError, match=r"manifest\.json cannot be read"):
        verify(release)


def test_a_pipe_is_refused_and_not_waited_for(release: Path) -> None:
    os.mkfifo(release / "pipe")
    with pytest.raises(ArtifactError, match="pipe is a link or a special file"):
        verify(release)


@pytest.mark.parametrize(
    "path", ["../secret", "/etc/passwd", "models/../../secret", "", ".", "./a", "a//b", "a/", "..", "a\\b", "a\0b"]
)
def test_a_path_that_leaves_the_release_is_refused(path: str, release: Path) -> None:
    resealed(release, files={path: [0, "0" * 64]})
    with pytest.raises(ArtifactError, match="no path inside the release"):
        Manifest.read(release)


def test_a_future_format_is_refused(release: Path) -> None:
    resealed(release, format=2, zhiyin="9.0")
    with pytest.raises(ArtifactError, match=r"has the format 2 and this zhiyin reads 1: .* zhiyin 9\.0, install"):
        verify(release)


@pytest.mark.parametrize(
    "changes", [{"files": []}, {"files": {"a": 1}}, {"files": {"a": ["x", "y"]}}, {"number": None}, {"details": 1}]
)
def test_a_foreign_manifest_is_refused(changes: dict[str, Any], release: Path) -> None:
    resealed(release, **changes)
    with pytest.raises(ArtifactError, match="is no manifest of zhiyin"):
        Manifest.read(release)


def test_a_directory_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json is missing"):
        verify(tmp_path)
