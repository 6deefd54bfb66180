"""One task done by `implicit`, by its own interpreter: peer.py TASK matrix.npz prints seconds as JSON.

It stands alone: that interpreter has no zhiyin.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREADS = int(os.environ.get("ZHIYIN_THREADS", "2"))


def main(task: str, path: str) -> None:
    """Time one task on a users × items matrix, after a warm-up on a corner of it."""
    import numpy as np
    from scipy.sparse import csr_matrix, load_npz

    matrix = csr_matrix(load_npz(path), dtype=np.float32)
    work = TASKS[task](matrix, Path(path))
    work(200)
    start = time.perf_counter()
    work(matrix.shape[0])
    print(json.dumps({"seconds": time.perf_counter() - start}))


def item_knn(matrix: Any, _: Path) -> Callable[[int], None]:
    """The 100 nearest items of each, by cosine."""
    from implicit.nearest_neighbours import CosineRecommender

    def work(users: int) -> None:
        CosineRecommender(K=100, num_threads=THREADS).fit(matrix[:users], show_progress=False)

    return work


def top_100(matrix: Any, path: Path) -> Callable[[int], None]:
    """The 100 best unseen items for everybody, from the factors beside the matrix."""
    import numpy as np
    from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase

    class Given(MatrixFactorizationBase):
        def fit(self, *_: Any, **__: Any) -> None: ...

        def save(self, *_: Any) -> None: ...

    model = Given(num_threads=THREADS)
    with np.load(path.with_name("factors.npz")) as given:
        model.user_factors, model.item_factors = given["people"], given["items"]

    def work(users: int) -> None:
        ids, _ = model.recommend(np.arange(users), matrix[:users], N=100, filter_already_liked_items=True)
        np.save(path.with_name("theirs.npy"), ids)

    return work


TASKS: dict[str, Callable[[Any, Path], Callable[[int], None]]] = {"item_knn": item_knn, "top_100": top_100}

if __name__ == "__main__":
    main(*sys.argv[1:])
