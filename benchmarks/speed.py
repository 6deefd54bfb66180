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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array, load_npz, save_npz

from benchmarks.machine import alone
from zhiyin.compute.kernels import top_neighbours
from zhiyin.compute.threads import thread_count
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.models.ease import EASE
from zhiyin.models.embedding import Embedding
from zhiyin.models.ials import IALS
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import Vectors

DATA = Path(os.environ.get("ZHIYIN_DATA", "../shared/data"))
PEER = Path(".venv-peers/bin/python")
REPEATS = 3
EASE_ITEMS = 6_000


def run() -> list[dict[str, Any]]:
    """Rows of seconds and ratios, medians of pairs that ran in turn."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "matrix.npz"
        save_npz(path, gowalla())
        rows.append(_beside("item_knn", path, "the 100 nearest items of each, Gowalla"))
        for dimensions in (64, 128):
            alone(_factors, path, dimensions)
            rows.append(_beside("top_100", path, f"the best 100 for everybody, Gowalla, {dimensions} dimensions"))
            bare = statistics.median(alone(_bare_product, path)["seconds"] for _ in range(REPEATS))
            rows[-1]["bare_product_seconds"] = bare
    pairs = [(alone(ours_ease, EASE_ITEMS), alone(bare_inverse, EASE_ITEMS)) for _ in range(REPEATS)]
    return [*rows, row_of(f"EASE, {EASE_ITEMS:,} items", "LAPACK's inverse alone", pairs)]


def _beside(task: str, path: Path, what: str) -> dict[str, Any]:
    pairs = []
    for _ in range(REPEATS):  # in turn, so that a busy neighbour meets both
        ours = alone(_ours, task, path)
        pairs.append((ours, _peer(task, path)))
    return row_of(what, "implicit", pairs) | _agreement(path)


def row_of(what: str, peer: str, pairs: Sequence[tuple[dict[str, Any], dict[str, Any] | None]]) -> dict[str, Any]:
    """Medians of both, and the median of the ratios of pairs."""
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


def _agreement(path: Path) -> dict[str, float]:
    """Which share of the places of both lists holds the same item."""
    both = [path.with_name(f"{name}.npy") for name in ("ours", "theirs")]
    if not all(one.exists() for one in both):
        return {}
    ours, theirs = (np.load(one) for one in both)
    return {"same_items": float((ours == theirs).mean())}


def _ours(task: str, path: Path) -> Mapping[str, float]:
    matrix = csr_array(load_npz(path), dtype=np.float32)
    work = OURS[task](matrix, path)
    work(200)
    start = time.perf_counter()
    work(matrix.shape[0])
    return {"seconds": time.perf_counter() - start}


def _item_knn(matrix: csr_array, _: Path) -> Callable[[int], None]:
    def work(users: int) -> None:
        top_neighbours(matrix[:users], 100, 0.0)

    return work


@dataclass(kw_only=True)
class Given(Embedding):
    """Vectors of people and items as they came, so that nothing but the answering is timed."""

    people: Vectors

    def fit(self, _: Dataset) -> Self:
        """Nothing to learn."""
        return self

    def encode(self, queries: Queries) -> Vectors:
        """float32[b, d]."""
        return self.people[queries.people]


def _top_100(matrix: csr_array, path: Path) -> Callable[[int], None]:
    """The whole path of a request: rules, catalogue, what was seen, lists."""
    with np.load(path.with_name("factors.npz")) as given:
        model = Given(people=given["people"])
        model.item_vectors_ = given["items"]
    data = dataset_of(matrix)
    pipeline, everybody = Pipeline.of(model, data), data.queries(data.users.texts)

    def work(users: int) -> None:
        np.save(path.with_name("ours.npy"), pipeline.recommend(everybody[:users], 100).items)

    return work


OURS: dict[str, Callable[[csr_array, Path], Callable[[int], None]]] = {"item_knn": _item_knn, "top_100": _top_100}


def _factors(path: Path, dimensions: int) -> Mapping[str, float]:
    """Real vectors of people and items, kept beside the matrix."""
    data = dataset_of(csr_array(load_npz(path), dtype=np.float32))
    model = IALS(dimensions=dimensions).fit(data)
    people = model.encode(data.queries(data.users.texts))
    np.savez(path.with_name("factors.npz"), people=people, items=model.item_vectors_)
    return {}


def _bare_product(path: Path) -> Mapping[str, float]:
    """Every score by the library of linear algebra, forgotten at once: the floor of whoever scores everything."""
    with np.load(path.with_name("factors.npz")) as given:
        people, items = given["people"], np.ascontiguousarray(given["items"].T)
    scores = np.empty((256, items.shape[1]), np.float32)
    start = time.perf_counter()
    for first in range(0, len(people) - 255, 256):
        np.matmul(people[first : first + 256], items, scores)
    return {"seconds": time.perf_counter() - start}


def dataset_of(matrix: csr_array) -> Dataset:
    """One event, a second after the one before, for each entry."""
    users, items = matrix.nonzero()
    log = Interactions.of(
        users, items, np.arange(len(users)) * 1_000_000, n_users=matrix.shape[0], n_items=matrix.shape[1]
    )
    names = Vocabulary.of(range(matrix.shape[1]))
    return Dataset(Vocabulary.of(range(matrix.shape[0])), names, log, Catalog.of(names))


def gowalla() -> csr_array:
    """float32[users, items], sparse: what people chose in training."""
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


def ours_ease(items: int) -> Mapping[str, float]:
    """Seconds of training EASE on so many items."""
    data = _planted(items)
    EASE(memory_gb=16).fit(_planted(100))
    start = time.perf_counter()
    EASE(memory_gb=16).fit(data)
    return {"seconds": time.perf_counter() - start}


def bare_inverse(items: int) -> Mapping[str, float]:
    """Seconds of the inverse alone, of the same matrix."""
    matrix = _planted(items).interactions.matrix
    gram = np.asfortranarray((matrix.T @ matrix).todense(), np.float32)
    gram[np.diag_indices(items)] += 500
    start = time.perf_counter()
    factor, _ = lapack.spotrf(gram, overwrite_a=True)
    lapack.spotri(factor, overwrite_c=True)
    return {"seconds": time.perf_counter() - start}
