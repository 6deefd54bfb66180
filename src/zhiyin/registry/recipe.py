"""From the `[models]` of zhiyin.toml to models, and the portfolio that is used where it names none."""

from collections.abc import Mapping
from typing import Any

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.errors import ConfigError
from zhiyin.models.known import MODELS
from zhiyin.models.recommender import Recommender

LARGEST_EASE = 12_000
"""Items up to which EASE is in the default portfolio: its dense weights then take 0.6 GB."""

LARGE_DIMENSIONS = 128
"""Of the low-pass filter beyond LARGEST_EASE items: a request multiplies its vector with that of each of them."""


def models(tables: Mapping[str, Mapping[str, Any]], data: Dataset) -> dict[str, Recommender]:
    """Unfitted models by name; with no table, a portfolio that fits the size of the data.

    Raises
    ------
    ConfigError
        For an unknown type or hyper-parameter.
    """
    return {name: model(name, table) for name, table in (tables or portfolio(data)).items()}


def model(name: str, table: Mapping[str, Any]) -> Recommender:
    """One model of `[models.NAME]`; its class is its `type`, or its name where that is one."""
    kinds = {_plain(kind): cls for kind, cls in MODELS.items()}
    kind = table.get("type", name)
    if not isinstance(kind, str) or _plain(kind) not in kinds:
        raise ConfigError(fields.unknown(f"models.{name}.type {kind!r}", str(kind), MODELS))
    settings = {key: value for key, value in table.items() if key != "type"}
    return fields.from_table(kinds[_plain(kind)], settings, f"models.{name}")


def portfolio(data: Dataset) -> dict[str, dict[str, Any]]:
    """A good default for these data: few models that know different things, quick to train and to ask.

    Of the sets that were tried on the sample shop, Online Retail and MovieLens 1M, the blend of these has the highest
    NDCG@10 or is within noise of it, and each further model costs every training and every request. Tried were also
    neighbours of items and people, co-visitation, SLIM, the graph filter and implicit ALS, not all of them together.
    Where EASE does not fit, neighbours of items stand in: SLIM is better there, but where histories are long it trains
    for minutes.
    """
    chosen: dict[str, dict[str, Any]] = {"popularity": {}}
    if len(data.items) <= LARGEST_EASE:
        chosen |= {"ease": {}, "low_pass": {}}
    else:
        chosen |= {"item_knn": {}, "low_pass": {"dimensions": LARGE_DIMENSIONS}}
    if data.catalog.columns:
        chosen["content"] = {}
    return chosen


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
