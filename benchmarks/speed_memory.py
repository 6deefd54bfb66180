"""The peak memory of training beside what comes in and what comes out, each model in a process of its own.

A process first trains on a corner, so that everything is loaded and compiled, and what it holds then, less its inputs,
does not count. Linux tells the peak of the resident memory since it was last asked to forget it. What earlier work has
freed goes back to the system first, or training would live in it unseen.
"""

import ctypes
import gc
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, load_npz, save_npz

from benchmarks.machine import alone
from benchmarks.speed import dataset_of
from benchmarks.speed_factors import pairs
from zhiyin.models.association_rules import AssociationRules
from zhiyin.models.bpr import BPR
from zhiyin.models.chebyshev_filter import ChebyshevFilter
from zhiyin.models.co_visitation import CoVisitation
from zhiyin.models.ease import EASE
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.low_pass import LowPass
from zhiyin.models.nmf import NMF
from zhiyin.models.recommender import Recommender
from zhiyin.models.slim import SLIM
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.models.user_knn import UserKNN

MODELS: dict[str, Callable[[], Recommender]] = {
    "ItemKNN": ItemKNN,
    "UserKNN": UserKNN,
    "EASE": EASE,
    "SparseEASE": SparseEASE,
    "SLIM": SLIM,
    "LowPass": LowPass,
    "GraphFilter": GraphFilter,
    "ChebyshevFilter": ChebyshevFilter,
    "IALS": lambda: IALS(epochs=2),
    "BPR": lambda: BPR(epochs=1),
    "SoftmaxMF": lambda: SoftmaxMF(epochs=1),
    "NMF": lambda: NMF(epochs=2),
    "AssociationRules": AssociationRules,
    "CoVisitation": CoVisitation,
}
DATA = {"ML-1M": "ml-1m/ml-1m.txt.gz", "Gowalla": "gowalla/train.txt.gz"}
TOO_LARGE = {("EASE", "Gowalla")}
"""A dense inverse of 41,000 items: refused before it starts."""

MB = 2.0**20


def run() -> list[dict[str, Any]]:
    """Megabytes at the peak of training, of the inputs and of the model, and the first over the sum of the others."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for data, source in DATA.items():
            path = Path(folder) / "matrix.npz"
            save_npz(path, pairs(source))
            rows += [_row(model, data, path) for model in MODELS if (model, data) not in TOO_LARGE]
    return rows


def _row(model: str, data: str, path: Path) -> dict[str, Any]:
    found = alone(_trained, model, path)
    rest = found["inputs_mb"] + found["model_mb"]
    measured = {name: found[name] for name in ("training_mb", "inputs_mb", "model_mb")}
    return {"model": f"{model}, {data}", **measured, "times_inputs_and_model": found["training_mb"] / rest}


def _trained(name: str, path: Path) -> Mapping[str, float]:
    data = dataset_of(csr_array(load_npz(path), dtype=np.float32))
    MODELS[name]().fit(data.with_interactions(data.interactions[:1_000]))
    inputs = _bytes(data.interactions)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status("VmRSS")
    model = MODELS[name]().fit(data)
    training = _status("VmHWM") - before + inputs
    return {"training_mb": training / MB, "inputs_mb": inputs / MB, "model_mb": _bytes(model) / MB}


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _bytes(value: object) -> float:
    """Of the arrays that something holds."""
    if isinstance(value, np.ndarray):
        return float(value.nbytes)
    if isinstance(value, csr_array):
        return float(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    if is_dataclass(value):
        return sum(_bytes(getattr(value, field.name, None)) for field in fields(value))
    return 0.0
