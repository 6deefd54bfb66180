"""A sweep of alternating least squares beside `implicit`: the same matrix, start, objective, threads and sweeps.

Both minimise Σ_chosen (s - 1)² + α Σ_all s² + l2 Σ |·|²; `implicit` writes it with the confidence c = 1 + 1/α and its
scores are greater by 1 + α, so that its vectors start, and are judged, on that scale.
"""

import gzip
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.machine import alone
from zhiyin.compute.threads import thread_count
from zhiyin.models.ials import IALS
from zhiyin.types import Vectors

DATA = Path(os.environ.get("ZHIYIN_DATA", "../shared/data"))
PEER = Path(".venv-peers/bin/python")
REPEATS, SWEEPS, ALPHA, L2 = 3, 6, 0.1, 0.1


def run() -> list[dict[str, Any]]:
    """One row for each data set and number of dimensions: medians of the seconds of a sweep, and both losses."""
    if not PEER.exists():
        return []
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the processes to come, as `implicit` asks for: each threads by itself
    matrices = {"ML-1M": pairs("ml-1m/ml-1m.txt.gz"), "Gowalla": pairs("gowalla/train.txt.gz")}
    return [_row(name, matrix, dimensions) for name, matrix in matrices.items() for dimensions in (64, 128)]


def _row(name: str, matrix: csr_array, dimensions: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    people, items = (0.01 * rng.random((side, dimensions), np.float32) for side in matrix.shape)
    ours, theirs = [], []
    for _ in range(REPEATS):  # in turn, so that a busy neighbour meets both
        ours.append(alone(_ours, matrix, people, items))
        theirs.append(_theirs(matrix, people, items))
    fast, slow = (statistics.median(one["seconds"] for one in runs) for runs in (ours, theirs))
    return {
        "what": f"ALS sweep, {name}, {dimensions} dimensions",
        "zhiyin_seconds": fast,
        "its_seconds": slow,
        "times_as_fast": statistics.median(b["seconds"] / a["seconds"] for a, b in zip(ours, theirs, strict=True)),
        f"zhiyin_loss after {SWEEPS}": ours[0]["loss"],
        f"its_loss after {SWEEPS}": theirs[0]["loss"],
    }


def _ours(matrix: csr_array, people: Vectors, items: Vectors) -> dict[str, float]:
    """Seconds of the median sweep, and the loss after all."""
    model = IALS(dimensions=people.shape[1], l2=L2, unobserved_weight=ALPHA, frequency_exponent=0)
    model.sweep(matrix[:2, :2].tocsr(), matrix[:2, :2].T.tocsr(), people[:2], items[:2])  # compiles
    transposed, seconds = matrix.T.tocsr(), []
    for _ in range(SWEEPS):
        start = time.perf_counter()
        people, items = model.sweep(matrix, transposed, people, items)
        seconds.append(time.perf_counter() - start)
    return {"seconds": statistics.median(seconds), "loss": _loss(matrix, people, items)}


def _theirs(matrix: csr_array, people: Vectors, items: Vectors) -> dict[str, float]:
    """The same of `implicit`."""
    scale = np.float32(np.sqrt(1 + ALPHA))
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(
            given, data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, shape=matrix.shape,
            people=people * scale, items=items * scale, l2=L2 * (1 + ALPHA) / ALPHA, confidence=1 + 1 / ALPHA,
            sweeps=SWEEPS,
        )  # fmt: skip
        environment = {**os.environ, "ZHIYIN_THREADS": str(thread_count())}
        command = [str(PEER), str(Path(__file__).with_name("peer_als.py")), str(given), str(found)]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        with np.load(found) as end:
            loss = _loss(matrix, end["people"] / scale, end["items"] / scale)
            return {"seconds": float(np.median(end["seconds"])), "loss": loss}


def _loss(matrix: csr_array, people: Vectors, items: Vectors) -> float:
    p, q, loss = people.astype(np.float64), items.astype(np.float64), 0.0
    for row, (first, last) in enumerate(zip(matrix.indptr, matrix.indptr[1:], strict=False)):
        loss += float(((q[matrix.indices[first:last]] @ p[row] - 1) ** 2).sum())
    return loss + ALPHA * float(((p.T @ p) * (q.T @ q)).sum()) + L2 * float((p**2).sum() + (q**2).sum())


def pairs(name: str) -> csr_array:
    """float32[users, items], sparse: lines of a user and items."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        rows = [np.array(line.split(), np.int64) for line in lines]
    users = np.concatenate([np.full(len(row) - 1, row[0]) for row in rows])
    items = np.concatenate([row[1:] for row in rows])
    users, items = (np.unique(ids, return_inverse=True)[1].astype(np.int32) for ids in (users, items))
    return csr_array((np.ones(len(users), np.float32), (users, items)))
