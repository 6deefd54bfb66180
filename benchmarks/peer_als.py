"""Alternating least squares by `implicit`, run by its own interpreter: peer_als.py IN.npz OUT.npz.

It stands alone: that interpreter has no zhiyin. IN holds the matrix and where the vectors start, OUT where they end.
"""

import os
import sys
import time


def main(given: str, found: str) -> None:
    """Sweep `sweeps` times after a warm-up; the seconds of each sweep go to OUT with the vectors."""
    import numpy as np
    from implicit.cpu.als import AlternatingLeastSquares  # type: ignore[import-not-found]  # in its interpreter alone
    from scipy.sparse import csr_matrix

    start = np.load(given)
    matrix = csr_matrix((start["data"], start["indices"], start["indptr"]), shape=tuple(start["shape"]))
    model = AlternatingLeastSquares(
        factors=start["people"].shape[1],
        regularization=float(start["l2"]),
        alpha=float(start["confidence"]),
        iterations=int(start["sweeps"]),
        num_threads=int(os.environ["ZHIYIN_THREADS"]),
    )
    model.user_factors, model.item_factors = start["people"], start["items"]
    moments = [time.perf_counter()]
    model.fit(matrix, show_progress=False, callback=lambda *_: moments.append(time.perf_counter()))
    np.savez(found, people=model.user_factors, items=model.item_factors, seconds=np.diff(moments))


if __name__ == "__main__":
    main(*sys.argv[1:])
