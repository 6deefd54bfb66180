"""A check of the data is kept, told while it is made, and made by one at a time; a saved model says what it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from zhiyin.data.sample_shop import sample_shop
from zhiyin.errors import ArtifactError, RegistryBusyError
from zhiyin.registry.account import described
from zhiyin.registry.arrays import ARRAYS, MODEL, save_model
from zhiyin.registry.check import FILE, LOCK, PROGRESS, check, digest, going_on, last
from zhiyin.registry.lock import exclusive, is_held
from zhiyin.registry.outlines import LARGEST, outline
from zhiyin.registry.progress_file import Doing, doing, told

NOW = 1_790_000_000_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    sample_shop(people=60, items=30, events=1_000, seed=1).write(tmp_path)
    path = tmp_path / "zhiyin.toml"
    path.write_text('[data]\nevents = "events.csv"\nitems = "items.csv"\nusers = "users.csv"\n')
    return path


def test_a_check_is_kept_until_the_next(shop: Path, tmp_path: Path) -> None:
    registry = tmp_path / "releases"
    assert last(registry) is None
    found = check(shop, registry, now=NOW, environment={})
    kept = last(registry)
    assert kept is not None
    assert (kept.made, kept.config, kept.problem) == (found.made, digest(shop), "")
    assert kept.made >= NOW
    assert kept.account["events"]["kept"] + kept.account["events"]["dropped"] == kept.account["events"]["read"]
    assert {one["name"] for one in kept.columns["items"]} >= {"item_id", "title", "price"}
    assert kept.prices is not None
    assert kept.prices[0] <= kept.prices[1] <= kept.prices[2]
    assert (registry / FILE).stat().st_mode & 0o077 == 0, "examples name people"
    (registry / FILE).write_text("{")
    assert last(registry) is None


def test_data_that_cannot_be_read_are_a_problem_and_no_failure(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "events.csv").unlink()
    found = check(shop, tmp_path / "releases", now=NOW, environment={})
    assert "events.csv" in found.problem
    assert (found.account, found.prices) == ({}, None)
    assert digest(tmp_path / "none.toml") == ""


def test_one_checks_at_a_time_and_others_see_how_far_it_is(shop: Path, tmp_path: Path) -> None:
    registry = tmp_path / "releases"
    assert going_on(registry) is None
    seen = []
    check(shop, registry, now=NOW, environment={}, begun=lambda: seen.append(going_on(registry)))
    assert seen == [Doing("reading", 0, 1)]
    assert going_on(registry) is None
    with exclusive(registry, LOCK), told(registry / PROGRESS) as progress:
        progress("cleaning", 1, 3)
        assert going_on(registry) == Doing("cleaning", 1, 3)


def test_a_second_check_is_refused_while_one_is_made(shop: Path, tmp_path: Path) -> None:

    registry = tmp_path / "releases"
    with exclusive(registry, LOCK), ThreadPoolExecutor(1) as other:
        asked = other.submit(check, shop, registry, now=NOW, environment={})
        with pytest.raises(RegistryBusyError, match="is in use by process"):
            asked.result()


def test_a_progress_is_told_to_both_and_gone_at_the_end(tmp_path: Path) -> None:
    path, heard = tmp_path / "doing.json", []
    with told(path, lambda *what: heard.append(what)) as progress:
        assert doing(path) is None
        progress("reading", 0, 3)
        progress("reading", 1, 3)
        assert doing(path) == Doing("reading", 0, 3), "the same work is noted a few times a second"
        progress("cleaning", 2, 3)
        assert doing(path) == Doing("cleaning", 2, 3)
        path.write_text("{")
        assert doing(path) is None
    assert heard == [("reading", 0, 3), ("reading", 1, 3), ("cleaning", 2, 3)]
    assert list(tmp_path.iterdir()) == []
    with told(tmp_path / "no" / "folder" / "doing.json") as progress:
        progress("reading", 0, 1)


def test_a_lock_can_be_looked_at(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with exclusive(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_columns_are_described_by_kind_and_by_how_much_is_filled() -> None:
    frame = pl.DataFrame(
        {"row": [1, 2], "name": ["a", None], "is_new": [True, False], "created_at": [1, 2], "n": [1.5, 2]}
    )
    assert described(frame) == [
        {"name": "name", "type": "text", "filled": 0.5},
        {"name": "is_new", "type": "boolean", "filled": 1.0},
        {"name": "created_at", "type": "moment", "filled": 1.0},
        {"name": "n", "type": "number", "filled": 1.0},
    ]


@dataclass
class Part:
    rate: float = float("inf")


@dataclass
class Network:
    """As models are: settings, then what was learned."""

    names: tuple[str, ...] = ("a", "b")
    weights: dict[str, float] = field(default_factory=lambda: {"view": 0.5})
    part: Part = field(default_factory=Part)
    seeds: list[int] = field(default_factory=lambda: [1, 2])
    curve_: NDArray[np.float64] | None = field(init=False, repr=False)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_saved_model_tells_its_settings_and_its_curve(tmp_path: Path, order: str) -> None:
    network = Network()
    network.curve_ = np.array([[0.9, 0.1], [0.5, np.nan], [0.4, 0.3]], order=order)
    save_model(network, tmp_path)
    found = outline(tmp_path)
    assert found.kind == "Network"
    assert found.settings == {
        "names": ["a", "b"], "weights": {"view": 0.5}, "part": {"type": "Part", "rate": "inf"}, "seeds": [1, 2],
    }  # fmt: skip
    np.testing.assert_array_equal(found.curve, network.curve_)


def test_a_model_without_epochs_has_no_curve_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    network = Network()
    network.curve_ = None
    save_model(network, tmp_path)
    assert outline(tmp_path).curve is None
    network.curve_ = np.zeros((2, 2))
    save_model(network, tmp_path)
    (tmp_path / ARRAYS).write_bytes(b"{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        outline(tmp_path)
    (tmp_path / MODEL).write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        outline(tmp_path)
    (tmp_path / MODEL).write_text(" " * (LARGEST + 1))
    assert outline(tmp_path).kind == ""
