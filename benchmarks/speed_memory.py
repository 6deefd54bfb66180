"""The peak memory of training beside what comes in and what comes out, each model in a process of its own.

A process first trains on a corner, so that everything is loaded and compiled, and what it holds then, less its inputs,
does not count. Linux tells the peak of the resident memory since it was last asked to forget it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

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
    for data in DATA:
        for model in MODELS:
            if (model, data) in TOO_LARGE:
                continue
            found = alone(_trained, model, data)
            rest = found["inputs_mb"] + found["model_mb"]
            rows.append({"model": f"{model}, {data}", **found, "times_inputs_and_model": found["training_mb"] / rest})
            del rows[-1]["peak_mb"]
    return rows


def _trained(name: str, source: str) -> Mapping[str, float]:
    data = dataset_of(pairs(DATA[source]))
    MODELS[name]().fit(data.with_interactions(data.interactions[:1_000]))
    inputs = _bytes(data.interactions)
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
