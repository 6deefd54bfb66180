"""Small worlds in which the right answer can be argued."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.dataset import Dataset
from zhiyin.data.tables import Tables

DAY = 86_400_000_000


def dataset(
    events: list[tuple[str, str, float]], kinds: list[str] | None = None, items: pl.DataFrame | None = None
) -> Dataset:
    """Events as (user, item, day)."""
    frame = pl.DataFrame(events, schema=["user_id", "item_id", "day"], orient="row").select(
        pl.col("user_id", "item_id").cast(pl.Categorical), (pl.col("day") * DAY).cast(pl.Int64).alias("timestamp")
    )
    if kinds:
        frame = frame.with_columns(pl.Series("event_type", kinds).cast(pl.Categorical))
    return Dataset.of(Tables(frame, items))


def two_tastes(people: int = 60, items: int = 12, events: int = 8, seed: int = 0) -> Dataset:
    """Half of the people choose among a-items, half among b-items; the items know their category and price."""
    rng = np.random.default_rng(seed)
    log = [
        (f"{taste}{person:03d}", f"{taste}-{item:02d}", float(rng.uniform(0, 30)))
        for taste in "ab"
        for person in range(people // 2)
        for item in rng.permutation(items // 2)[: events // 2 + int(rng.integers(0, 2))]
    ]
    catalogue = pl.DataFrame(
        {
            "item_id": [f"{taste}-{item:02d}" for taste in "ab" for item in range(items // 2)],
            "title": [f"{'tea' if taste == 'a' else '咖啡'} {item}" for taste in "ab" for item in range(items // 2)],
            "category": [taste for taste in "ab" for _ in range(items // 2)],
            "price": [float(item) for _ in "ab" for item in range(items // 2)],
            "available": [True] * items,
        }
    )
    return dataset(log, items=catalogue)


def dense_interest(data: Dataset) -> NDArray[np.float64]:
    """float64[users, n]: the weight of the strongest event, as slow twins of models want it."""
    log = data.interactions
    matrix = np.zeros((log.n_users, log.n_items))
    np.maximum.at(matrix, (log.users, log.items), log.weights)
    return matrix
