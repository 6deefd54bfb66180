"""Files that survive a power cut: whole in their new form or whole in their old one, never in between."""

import os
from pathlib import Path


def replace_bytes(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Give a file new content in one step; when this returns, the disk has it. `mode` is narrowed by the umask.

    Raises
    ------
    OSError
        If it cannot be written; the old content stays.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # of a process that was killed: its mode may be another
    try:
        with open(beside, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the disk has a file or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Wait until the disk has everything in a directory, deepest first."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync(Path(folder, name))
        sync(Path(folder))
