"""The arrays that pass between the floors, and the letters that name their sides.

    b  queries          n  items in the catalogue      m  candidates
    d  dimensions       t  events of one history       k  length of the list that is shown

Ignorance is NaN or -1, absence is None, prohibition is -inf.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Indexes: TypeAlias = NDArray[np.int32]
"""Positions in a vocabulary; -1 is unknown."""

Scores: TypeAlias = NDArray[np.float32]
"""How much a query wants an item; any scale, higher is better; NaN is "no opinion"."""

Vectors: TypeAlias = NDArray[np.float32]
"""float32[_, d]."""

Mask: TypeAlias = NDArray[np.bool_]

Times: TypeAlias = NDArray[np.int64]
"""Microseconds since 1970-01-01 UTC."""

Offsets: TypeAlias = NDArray[np.int64]
"""int64[b + 1]: row i is the slice offsets[i]:offsets[i + 1] of a flat array."""

Floats: TypeAlias = NDArray[np.float64]

MICROSECONDS_PER_DAY = 86_400_000_000
