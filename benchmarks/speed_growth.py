"""How training grows with the interactions: the sample shop at 1, 3 and 10 times the events, a process for each."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.machine import alone
from zhiyin.data.dataset import Dataset
from zhiyin.data.sample_shop import sample_shop
from zhiyin.models.association_rules import AssociationRules
from zhiyin.models.bpr import BPR
from zhiyin.models.co_visitation import CoVisitation
from zhiyin.models.ease import EASE
from zhiyin.models.graph_filter import GraphFilter
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.recommender import Recommender
from zhiyin.models.slim import SLIM
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.models.user_knn import UserKNN

SIZES = (1, 3, 10)
MODELS: dict[str, Callable[[], Recommender]] = {
    "ItemKNN": ItemKNN,
    "UserKNN": UserKNN,
    "EASE": EASE,
    "SparseEASE": SparseEASE,
    "SLIM": SLIM,
    "GraphFilter": GraphFilter,
    "IALS, 4 epochs": lambda: IALS(epochs=4),
    "BPR, 2 epochs": lambda: BPR(epochs=2),
    "AssociationRules": AssociationRules,
    "CoVisitation": CoVisitation,
}


def run() -> list[dict[str, Any]]:
    """Seconds of a fit at each size, and the exponent: the slope of the least squares of their logarithms."""
    found = [alone(_seconds, size) for size in SIZES]
    events = np.array([one["events"] for one in found])
    rows = []
    for name in MODELS:
        seconds = np.array([one[name] for one in found])
        exponent = np.polyfit(np.log(events), np.log(seconds), 1)[0]
        named = {f"{size}x seconds": float(one) for size, one in zip(SIZES, seconds, strict=True)}
        rows.append({"model": name, "events at 1x": float(events[0]), **named, "exponent": float(exponent)})
    return rows


def _seconds(size: int) -> Mapping[str, float]:
    """People grow with the events, the catalogue does not: a shop that is found by more people."""
    shop = sample_shop(people=5_000 * size, items=2_000, events=300_000 * size, dirt=False)
    data = Dataset.of(shop.tables)
    found: dict[str, float] = {"events": float(len(data.interactions))}
    for name, make in MODELS.items():
        make().fit(data.with_interactions(data.interactions[:1_000]))  # compiles
        start = time.perf_counter()
        make().fit(data)
        found[name] = time.perf_counter() - start
    return found
