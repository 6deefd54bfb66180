"""The final form of an answer: ids again, one row per recommended item."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from zhiyin.data.vocabulary import Vocabulary
from zhiyin.ranking.candidates import Candidates


def slate(candidates: Candidates, user_ids: Sequence[str] | pl.Series, items: Vocabulary) -> pl.DataFrame:
    """user_id, item_id, score, rank (from 1), origin; users in the order given, best first."""
    b, m = candidates.items.shape
    shown = (candidates.items >= 0).ravel()
    names = pl.Series([*candidates.origin_names, None], dtype=pl.String)  # -1 finds the null at the end
    return pl.DataFrame(
        {
            "user_id": pl.Series(user_ids, dtype=pl.String).gather(np.repeat(np.arange(b), m)[shown]),
            "item_id": items.ids(candidates.items.ravel()[shown]),
            "score": candidates.scores.ravel()[shown],
            "rank": np.tile(np.arange(1, m + 1, dtype=np.int32), b)[shown],
            "origin": names.gather(candidates.origins.ravel()[shown].astype(np.int64)),
        }
    )
