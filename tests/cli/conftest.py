"""A small shop, trained once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import Outcome, Run, run_in
from zhiyin.cli import sample_project


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """What `zhiyin demo` leaves, and what it said: without PyTorch, because a network takes longer."""
    folder = tmp_path_factory.mktemp("demo")
    words = ["demo", "--no-serve", "--people", 250, "--items", 60, "--events", 12_000, "--directory", "shop"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_project, "installed", lambda package: package != "torch")
        return folder / "shop", run_in(folder, *words)


@pytest.fixture(scope="session")
def shop(demonstrated: tuple[Path, Outcome]) -> Path:
    """For tests that change nothing in it."""
    return demonstrated[0]


@pytest.fixture
def own_shop(shop: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shop, tmp_path / "shop"))


@pytest.fixture
def ask(shop: Path) -> Run:
    return lambda *words: run_in(shop, *words)


@pytest.fixture
def ask_own(own_shop: Path) -> Run:
    return lambda *words: run_in(own_shop, *words)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Run]:
    """In an empty folder."""
    (tmp_path / "empty").mkdir()
    yield lambda *words: run_in(tmp_path / "empty", *words)
    assert not os.listdir(tmp_path / "empty")
