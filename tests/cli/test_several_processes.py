"""`torchrun -m zhiyin train`: several processes train, one speaks and writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import Run, run_in
from zhiyin.cli.sample_project import made

NOW = 1_790_000_000_000_000
MODELS = """
[models.popularity]
[models.sasrec]
dimensions = 8
window = 5
epochs = 1
[models.deep_fm]
dimensions = 2
window = 5
epochs = 1
layers = [8]
"""
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "zhiyin"]


def started(shop: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ZHIYIN_THREADS": "1"}
    return subprocess.run([*TORCHRUN, *words], cwd=shop, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def two_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = tmp_path_factory.mktemp("shop")
    made(shop, (80, 30, 1_500), NOW)
    config = shop / "zhiyin.toml"
    config.write_text(config.read_text() + MODELS)
    return shop


def test_two_processes_print_one_table_and_write_one_release(two_shop: Path) -> None:
    found = started(two_shop, "train", "--html", "page.html")
    assert found.returncode == 0, found.stderr
    once = ("How well the next choices", "release 1 (", "is written", "the page is in page.html", "next: ")
    for words in once:
        assert found.stdout.count(words) == 1, found.stdout
    assert {"sasrec", "deep_fm"} <= {*found.stdout.split()}
    assert "zhiyin" not in found.stderr
    assert [one["number"] for one in run_in(two_shop, "versions", "--json").json] == [1]
    assert not (two_shop / "releases" / "checkpoints").exists()


def test_the_second_process_is_silent_unless_it_fails(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert ask("--version").out == ""
    failed = ask("train", "--config", "nowhere.toml")
    assert (failed.code, failed.out) == (2, "")
    assert failed.err.startswith("zhiyin (process 1): nowhere.toml")


def test_a_verb_for_one_process_says_so(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert ask("tune").sentence == (
        "`zhiyin tune` is the work of one process, and there are 2 (WORLD_SIZE): start it without torchrun"
    )
