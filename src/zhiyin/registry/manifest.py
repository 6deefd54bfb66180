"""What a release consists of: the size and hash of each file, written last, checked before anything is read.

`manifest.json` lists the files; `manifest.sha256` holds its own hash, in the form that `sha256sum -c` reads.
"""

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np

from zhiyin.errors import ArtifactError

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LARGEST = 64 * 2**20  # bytes of a manifest
LATEST = 253_402_300_800_000_000  # µs, the end of the year 9999
ADVICE = "restore it from a backup, train again, or roll back to another release"


@dataclass(frozen=True)
class Manifest:
    """A release in one page."""

    number: int
    zhiyin: str
    """The version that wrote it."""
    files: Mapping[str, tuple[int, str]]
    """Relative path to size in bytes and SHA-256."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What `publish` was given: created (µs UTC), data (its fingerprint), metrics, recipe."""

    @property
    def created(self) -> int | None:
        """µs UTC; None for what is no moment before the year 10000."""
        created = self.details.get("created")
        return created if isinstance(created, int) and 0 <= created < LATEST else None

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured before it was published."""
        metrics = self.details.get("metrics")
        return metrics if isinstance(metrics, Mapping) else {}

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The manifest of a directory, sealed and well formed; its files are not looked at.

        Raises
        ------
        ArtifactError
            If it is missing, changed, of another format, or names a path that leaves the directory.
        """
        content = _content(directory / MANIFEST)
        if _content(directory / SEAL) != _seal(content):
            raise ArtifactError(f"{directory / MANIFEST} or {directory / SEAL} has changed: {ADVICE}")
        try:
            table = json.loads(content)
            if table["format"] != FORMAT:
                raise ArtifactError(
                    f"{directory} has the format {table['format']!r} and this zhiyin reads {FORMAT}: "
                    f"it was written by zhiyin {table.get('zhiyin')}, install that version or train again"
                )
            files = {
                _checked(path, directory): (int(size), str(digest)) for path, (size, digest) in table["files"].items()
            }
            return cls(int(table["number"]), str(table["zhiyin"]), files, dict(table["details"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise ArtifactError(f"{directory / MANIFEST} is no manifest of zhiyin: {ADVICE}") from error


def write_manifest(directory: Path, number: int, details: Mapping[str, Any]) -> None:
    """Seal what a directory holds now.

    Raises
    ------
    ArtifactError
        If it holds a link or anything else that is no file, or the details are not plain values.
    OSError
        If it cannot be written.
    """
    files = {path: (file.stat().st_size, _digest(file)) for path, file in _files(directory)}
    table = {
        "format": FORMAT,
        "number": number,
        "zhiyin": version("zhiyin"),
        "details": _plain(details),
        "files": files,
    }
    try:
        content = json.dumps(table, ensure_ascii=False, allow_nan=False, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the details of release {number} cannot be saved: {error}") from error
    (directory / MANIFEST).write_bytes(content)
    (directory / SEAL).write_bytes(_seal(content))


def verify(directory: Path) -> Manifest:
    """The manifest of a directory whose every byte is what was written.

    Raises
    ------
    ArtifactError
        Naming the first file that is missing, truncated, changed or does not belong.
    """
    manifest = Manifest.read(directory)
    present = dict(_files(directory))
    for path, (size, digest) in manifest.files.items():
        if path not in present:
            raise ArtifactError(f"{directory / path} is missing: {ADVICE}")
        found = present[path].stat().st_size
        if found != size:
            raise ArtifactError(f"{directory / path} has {found:,} bytes instead of {size:,}: {ADVICE}")
        if _digest(present[path]) != digest:
            raise ArtifactError(f"{directory / path} has changed since it was written: {ADVICE}")
    for path in sorted(present.keys() - manifest.files.keys()):
        raise ArtifactError(f"{directory / path} does not belong to this release: remove it")
    return manifest


def _plain(value: Any) -> Any:
    """Values as JSON has them: a metric that is NaN becomes null, not a reason to lose a training."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)  # an infinite half-life is a setting
    return value


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a directory but the manifest and its seal, by relative path, in order."""
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(folders + names):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue
            if not stat.S_ISREG(mode):
                raise ArtifactError(f"{path} is a link or a special file, which a release cannot hold: remove it")
            relative = path.relative_to(directory).as_posix()
            if relative not in (MANIFEST, SEAL):
                yield relative, path


def _checked(path: str, directory: Path) -> str:
    pure = PurePosixPath(path)
    leaves = pure.is_absolute() or ".." in pure.parts or str(pure) != path or "\\" in path or "\0" in path
    if leaves or path == ".":
        raise ArtifactError(
            f"{directory / MANIFEST} names {path[:100]!r}, which is no path inside the release: {ADVICE}"
        )
    return path


def _content(path: Path) -> bytes:
    """A small file, never through a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing: {ADVICE}") from None
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}): {ADVICE}") from error
    if len(content) > LARGEST:
        raise ArtifactError(f"{path} is larger than {LARGEST:,} bytes: {ADVICE}")
    return content


def _seal(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
