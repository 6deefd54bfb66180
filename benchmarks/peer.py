"""One task done by `implicit`, by its own interpreter: peer.py TASK matrix.npz prints seconds as JSON.

It stands alone: that interpreter has no zhiyin.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

THREADS = int(os.environ.get("ZHIYIN_THREADS", "2"))


def main(task: str, path: str) -> None:
    """Time one task on a users × items matrix, after a warm-up on a corner of it."""
    import numpy as np
    from scipy.sparse import csr_matrix, load_npz

    matrix = csr_matrix(load_npz(path), dtype=np.float32)
    TASKS[task](matrix[:200])
    start = time.perf_counter()
    found = TASKS[task](matrix)
    print(json.dumps({"seconds": time.perf_counter() - start - found.get("untimed", 0.0), **found}))


def item_knn(matrix: Any) -> dict[str, float]:
    """The 100 nearest items of each, by cosine."""
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(K=100, num_threads=THREADS)
    model.fit(matrix, show_progress=False)
    return {"neighbours": float(model.similarity.nnz)}


def top_100(matrix: Any) -> dict[str, float]:
    """The 100 best unseen items for everybody, from 64 factors."""
    import numpy as np
    from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase

    class Given(MatrixFactorizationBase):
        def fit(self, *_: Any, **__: Any) -> None: ...

        def save(self, *_: Any) -> None: ...

    rng = np.random.default_rng(0)
    before = time.perf_counter()
    model = Given(num_threads=THREADS)
    model.user_factors = rng.standard_normal((matrix.shape[0], 64)).astype(np.float32)
    model.item_factors = rng.standard_normal((matrix.shape[1], 64)).astype(np.float32)
    untimed = time.perf_counter() - before
    ids, _ = model.recommend(np.arange(matrix.shape[0]), matrix, N=100, filter_already_liked_items=True)
    return {"untimed": untimed, "ids": float(ids.size)}


TASKS: dict[str, Callable[[Any], dict[str, float]]] = {"item_knn": item_knn, "top_100": top_100}

if __name__ == "__main__":
    main(*sys.argv[1:])
