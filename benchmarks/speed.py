"""The collaborative models beside `implicit` and LAPACK: the same matrix, the same threads, one run after the other.

`make bench-speed` makes an environment for the peer first; without it, its rows are left out.
"""

import gzip
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array, load_npz, save_npz

from benchmarks.machine import alone
from zhiyin.compute.kernels import top_k, top_neighbours
from zhiyin.compute.threads import thread_count
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.sample_shop import sample_shop
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.models.ease import EASE
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.user_knn import UserKNN

DATA = Path(os.environ.get("ZHIYIN_DATA", "../shared/data"))
PEER = Path(".venv-peers/bin/python")
REPEATS = 3
EASE_ITEMS = 6_000
BLOCK = 256


def run() -> list[dict[str, Any]]:
    """Rows of seconds and ratios, medians of pairs; then how training grows with the interactions."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "matrix.npz"
        save_npz(path, _gowalla())
        for task in OURS:
            pairs = [(alone(_ours, task, path), _peer(task, path)) for _ in range(REPEATS)]
            rows.append(_row(f"{task}, Gowalla", "implicit", pairs))
    pairs = [(alone(_ease, EASE_ITEMS), alone(_inverse, EASE_ITEMS)) for _ in range(2)]
    rows.append(_row(f"EASE, {EASE_ITEMS:,} items", "LAPACK's inverse alone", pairs))
    return rows + growth()


def growth(sizes: tuple[int, ...] = (1, 3, 10)) -> list[dict[str, Any]]:
    """Seconds of a fit at 1, 3 and 10 times the interactions, and the exponent between the ends."""
    rows = []
    found = [alone(_grown, size) for size in sizes]
    for model in ("ItemKNN", "UserKNN", "EASE"):
        seconds = [one[model] for one in found]
        exponent = np.log(seconds[-1] / seconds[0]) / np.log(found[-1]["events"] / found[0]["events"])
        named = {f"{size}x seconds": one for size, one in zip(sizes, seconds, strict=True)}
        rows.append({"model": model, "events at 1x": found[0]["events"], **named, "exponent": float(exponent)})
    return rows


def _row(what: str, peer: str, pairs: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> dict[str, Any]:
    ours = statistics.median(one["seconds"] for one, _ in pairs)
    theirs = [other["seconds"] for _, other in pairs if other]
    ratio = statistics.median(other["seconds"] / one["seconds"] for one, other in pairs if other) if theirs else np.nan
    return {
        "what": what,
        "zhiyin_seconds": ours,
        "beside": peer if theirs else f"{peer}: not installed",
        "its_seconds": statistics.median(theirs) if theirs else np.nan,
        "times_as_fast": ratio,
        "peak_mb": max(one["peak_mb"] for one, _ in pairs),
    }


def _peer(task: str, path: Path) -> dict[str, Any] | None:
    if not PEER.exists():
        return None
    command = [str(PEER), str(Path(__file__).with_name("peer.py")), task, str(path)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "ZHIYIN_THREADS": str(thread_count())}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ours(task: str, path: Path) -> Mapping[str, float]:
    matrix = csr_array(load_npz(path), dtype=np.float32)
    OURS[task](matrix[:200])
    start = time.perf_counter()
    untimed = OURS[task](matrix)
    return {"seconds": time.perf_counter() - start - untimed}


def _item_knn(matrix: csr_array) -> float:
    top_neighbours(matrix, 100, 0.0)
    return 0.0


def _top_100(matrix: csr_array) -> float:
    rng = np.random.default_rng(0)
    before = time.perf_counter()
    users = rng.standard_normal((matrix.shape[0], 64)).astype(np.float32)
    items = np.ascontiguousarray(rng.standard_normal((matrix.shape[1], 64)).astype(np.float32).T)
    untimed = time.perf_counter() - before
    for first in range(0, len(users), BLOCK):
        scores = users[first : first + BLOCK] @ items  # [b, n]
        seen = matrix[first : first + BLOCK]
        scores[np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), seen.indices] = -np.inf
        top_k(scores, 100)
    return untimed


OURS: dict[str, Callable[[csr_array], float]] = {"item_knn": _item_knn, "top_100": _top_100}


def _gowalla() -> csr_array:
    with gzip.open(DATA / "gowalla" / "train.txt.gz", "rt") as lines:
        rows = [[int(number) for number in line.split()] for line in lines]
    users = np.repeat([row[0] for row in rows], [len(row) - 1 for row in rows])
    items = np.concatenate([row[1:] for row in rows])
    return csr_array((np.ones(len(items), np.float32), (users, items)))


def _planted(items: int) -> Dataset:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(items), 30)
    chosen = (users + np.minimum(rng.geometric(0.01, len(users)), items - 1)) % items
    names = Vocabulary.of(range(items))
    times = np.arange(len(users))
    log = Interactions.of(users, chosen, times, n_users=items, n_items=items)
    return Dataset(names, names, log, Catalog.of(names))


def _ease(items: int) -> Mapping[str, float]:
    data = _planted(items)
    EASE(memory_gb=16).fit(_planted(100))
    start = time.perf_counter()
    EASE(memory_gb=16).fit(data)
    return {"seconds": time.perf_counter() - start}


def _inverse(items: int) -> Mapping[str, float]:
    matrix = _planted(items).interactions.matrix
    gram = np.asfortranarray((matrix.T @ matrix).todense(), np.float32)
    gram[np.diag_indices(items)] += 500
    start = time.perf_counter()
    factor, _ = lapack.spotrf(gram, overwrite_a=True)
    lapack.spotri(factor, overwrite_c=True)
    return {"seconds": time.perf_counter() - start}


def _grown(size: int) -> Mapping[str, float]:
    shop = sample_shop(people=5_000 * size, items=2_000, events=300_000 * size, dirt=False)
    data = Dataset.of(shop.tables)
    found: dict[str, float] = {"events": float(len(data.interactions))}
    for model in (ItemKNN(), UserKNN(), EASE()):
        model.fit(data.with_interactions(data.interactions[:1_000]))
        start = time.perf_counter()
        model.fit(data)
        found[type(model).__name__] = time.perf_counter() - start
    return found
