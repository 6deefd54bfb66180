"""Questions of a search for inner products, small enough to score everything beside it."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st


class Searched(NamedTuple):
    """b vectors ask for the k best of n items, some of which nobody knows, and some of which they may not have."""

    vectors: np.ndarray  # float32[b, d]
    items: np.ndarray  # float32[n, d]
    allowed: np.ndarray  # bool[b, n]
    k: int


@st.composite
def searches(draw, fewest: int = 0, most: int = 900):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    b, n, d = draw(st.integers(0, 4)), draw(st.integers(fewest, most)), draw(st.sampled_from([1, 3, 64, 65, 130]))
    vectors, items = (rng.integers(-2, 3, (rows, d)).astype(np.float32) for rows in (b, n))  # sums without rounding
    vectors[rng.random(b) < 0.1] = np.nan
    vectors[rng.random(b) < 0.1] = 0.0
    items[rng.random(n) < 0.2] = np.nan
    items[rng.random(n) < 0.1] = 0.0
    allowed = rng.random((b, n)) < draw(st.sampled_from([0.0, 0.02, 0.8, 1.0]))
    return Searched(vectors, items, allowed, draw(st.integers(0, 90)))
