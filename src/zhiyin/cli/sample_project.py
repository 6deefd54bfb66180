"""The folder that the demo works in: a simulated shop's files and their zhiyin.toml."""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from zhiyin.data.dataset import Dataset
from zhiyin.data.sample_shop import SampleShop, sample_shop
from zhiyin.data.store.sqlite import in_use
from zhiyin.errors import ConfigError, MissingExtraError
from zhiyin.models.extras import installed
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.recipe import portfolio
from zhiyin.registry.rewrite import with_sections
from zhiyin.types import MICROSECONDS_PER_DAY

CONFIG = "zhiyin.toml"
MARK = "# The sample shop of `zhiyin demo`"
EVENTS = "events.db"
OLD = ("releases", EVENTS, f"{EVENTS}-wal", f"{EVENTS}-shm")


def claimed(directory: Path) -> bool:
    """Whether the folder holds an earlier demo; it is made if it is not there.

    Raises
    ------
    ConfigError
        If somebody else's files are in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / CONFIG
    if config.exists() and config.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        return True
    if any(not entry.name.startswith(".") for entry in directory.iterdir()):
        raise ConfigError(f"{directory} holds other files: choose an empty folder with --directory")
    return False


def made(directory: Path, sizes: tuple[int, int, int], now: int) -> SampleShop:
    """Simulate a shop whose log ends last midnight, and write it; what an earlier demo left is replaced.

    Parameters
    ----------
    sizes
        People, items, events.
    now
        µs UTC.

    Raises
    ------
    ConfigError
        If a service runs on it.
    """
    people, items, events = sizes
    shop = sample_shop(people, items, events, end=now - now % MICROSECONDS_PER_DAY)
    if in_use(directory / EVENTS):
        raise ConfigError(f"a service runs on {directory}: stop it first, so that its events are not lost")
    for name in OLD:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    shop.write(directory)
    replace_bytes(directory / CONFIG, (files(__package__) / "demo.toml").read_bytes())
    return shop


def with_network(directory: Path, data: Dataset) -> str:
    """Name the default portfolio, to be blended, and a small network; without PyTorch, say what is missing."""
    if not installed("torch"):
        return f"no network stands in the comparison: {MissingExtraError('torch', 'neural')}"
    config = directory / CONFIG
    models = portfolio(data)
    sections: dict[str, dict[str, Any]] = {"recipe": {"retrievers": [*models]}, "models": models}
    named = with_sections(config.read_text(encoding="utf-8"), sections)
    replace_bytes(config, named.encode() + (files(__package__) / "demo_network.toml").read_bytes())
    return ""
