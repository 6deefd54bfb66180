"""Where a search may look: the ranges of the hyper-parameters, by model.

A range is as wide as anybody found a best value in; it needs no care, because a search learns where not to look. None
holds `None`, which TOML cannot say: a half-life of ten years is no decay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from zhiyin.models.recommender import Recommender

Setting: TypeAlias = int | float | str | bool


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    scale: Literal["logarithmic", "linear"] = "logarithmic"
    whole: bool = False

    def plain(self, value: float) -> int | float:
        """The value as it is tried and written: whole, or with three figures, which is more than matters."""
        return round(value) if self.whole else float(f"{value:.3g}")

    def holds(self, value: Any) -> bool:
        """Whether a search could have tried this value."""
        number = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of a few values without an order."""

    values: tuple[Setting, ...]

    def plain(self, value: Setting) -> Setting:
        """The value itself."""
        return value

    def holds(self, value: Any) -> bool:
        """Whether a search could have tried this value."""
        return value in self.values


Space: TypeAlias = Mapping[str, Range | Choice]
"""Field to range."""

_DIMENSIONS = Range(16, 512, whole=True)
_EPOCHS = Range(4, 64, whole=True)
_EXPONENT = Range(0, 1.5, "linear")
_HALF_LIFE = Range(1, 3650)
_NEIGHBOURS = Range(10, 1000, whole=True)
_NEURAL: Space = MappingProxyType(
    {
        "dimensions": Choice((32, 64, 128, 256)),
        "dropout": Range(0, 0.6, "linear"),
        "learning_rate": Range(1e-4, 0.01),
        "weight_decay": Range(0, 0.3, "linear"),
    }
)
_WEIGHTING = Choice(("none", "tf_idf", "bm25"))

_CLICKS: Space = {
    "window": Range(5, 50, whole=True),
    "negatives": Range(1, 16, whole=True),
    "learning_rate": Range(3e-4, 0.03),
    "l2": Range(1e-7, 1e-2),
}
_DEEP_CLICKS: Space = {**_CLICKS, "dimensions": Range(4, 64, whole=True), "dropout": Range(0, 0.5, "linear")}

SPACE: Mapping[str, Space] = MappingProxyType(
    {
        "AssociationRules": {
            "measure": Choice(("confidence", "lift")),
            "least_support": Range(1, 30, whole=True),
            "neighbours": _NEIGHBOURS,
            "half_life_days": _HALF_LIFE,
        },
        "BPR": {
            "dimensions": _DIMENSIONS,
            "epochs": _EPOCHS,
            "learning_rate": Range(0.02, 1),
            "l2": Range(1e-4, 0.3),
            "half_life_days": _HALF_LIFE,
        },
        "Caser": {**_NEURAL, "reach": Range(2, 12, whole=True), "horizontal": Range(4, 64, whole=True)},
        "ChebyshevFilter": {
            "order": Range(2, 32, whole=True),
            "flatness": Range(0.3, 30),
            "item_exponent": _EXPONENT,
            "in_exponent": _EXPONENT,
            "out_exponent": _EXPONENT,
            "half_life_days": _HALF_LIFE,
        },
        "CoVisitation": {
            "window_hours": Range(0.5, 8760),
            "backward": Range(0, 1, "linear"),
            "popularity_exponent": _EXPONENT,
            "neighbours": _NEIGHBOURS,
            "half_life_days": _HALF_LIFE,
        },
        "Content": {"dimensions": _DIMENSIONS, "half_life_days": _HALF_LIFE},
        "DCNv2": {**_DEEP_CLICKS, "cross_layers": Range(1, 4, "linear", whole=True)},
        "DeepFM": _DEEP_CLICKS,
        "EASE": {"l2": Range(5, 10_000), "half_life_days": _HALF_LIFE},
        "FM": {**_CLICKS, "dimensions": Range(4, 64, whole=True)},
        "FinalMLP": {**_DEEP_CLICKS, "heads": Choice((1, 2, 4, 8))},
        "GRU4Rec": {**_NEURAL, "layers": Range(1, 3, "linear", whole=True)},
        "GraphFilter": {
            "user_exponent": _EXPONENT,
            "in_exponent": _EXPONENT,
            "out_exponent": _EXPONENT,
            "low_pass": Range(0, 2, "linear"),
            "dimensions": Range(16, 1024, whole=True),
            "half_life_days": _HALF_LIFE,
        },
        "IALS": {
            "dimensions": _DIMENSIONS,
            "l2": Range(1e-5, 1),
            "unobserved_weight": Range(1e-3, 10),
            "epochs": Range(2, 32, whole=True),
            "half_life_days": _HALF_LIFE,
        },
        "ItemKNN": {
            "neighbours": _NEIGHBOURS,
            "shrinkage": Range(0.1, 300),
            "activity_exponent": _EXPONENT,
            "weighting": _WEIGHTING,
            "in_exponent": _EXPONENT,
            "out_exponent": _EXPONENT,
            "half_life_days": _HALF_LIFE,
        },
        "LightGCN": {
            "dimensions": Range(16, 256, whole=True),
            "layers": Range(1, 4, "linear", whole=True),
            "epochs": Range(20, 400, whole=True),
            "learning_rate": Range(0.003, 0.1),
            "temperature": Range(0.03, 0.5),
            "out_exponent": Range(0, 0.3, "linear"),
            "half_life_days": _HALF_LIFE,
        },
        "LogisticRegression": _CLICKS,
        "LowPass": {
            "dimensions": Range(16, 1024, whole=True),
            "user_exponent": _EXPONENT,
            "item_exponent": _EXPONENT,
            "in_exponent": _EXPONENT,
            "out_exponent": _EXPONENT,
            "sharpness": Range(0, 2, "linear"),
            "half_life_days": _HALF_LIFE,
        },
        "MLP": {**_NEURAL, "layers": Range(1, 3, "linear", whole=True), "half_life_events": Range(0.5, 200)},
        "NMF": {
            "dimensions": Range(8, 256, whole=True),
            "l1": Range(1e-3, 3),
            "epochs": _EPOCHS,
            "half_life_days": _HALF_LIFE,
        },
        "NextItNet": {**_NEURAL, "layers": Range(1, 4, "linear", whole=True)},
        "Popularity": {"half_life_days": Range(0.5, 3650)},
        "SASRec": {
            **_NEURAL,
            "layers": Range(1, 4, "linear", whole=True),
            "heads": Choice((1, 2, 4, 8)),
            "block": Choice(("plain", "gated")),
        },
        "SLIM": {
            "neighbours": _NEIGHBOURS,
            "l2": Range(0.1, 300),
            "user_exponent": _EXPONENT,
            "l2_exponent": _EXPONENT,
            "half_life_days": _HALF_LIFE,
        },
        "SoftmaxMF": {
            "dimensions": _DIMENSIONS,
            "epochs": _EPOCHS,
            "learning_rate": Range(0.02, 1),
            "l2": Range(1e-4, 0.3),
            "half_life_days": _HALF_LIFE,
        },
        "SparseEASE": {"l2": Range(5, 10_000), "neighbours": _NEIGHBOURS, "half_life_days": _HALF_LIFE},
        "TwoTower": {
            **_NEURAL,
            "half_life_events": Range(0.5, 200),
            "hidden": Choice((32, 64, 128, 256)),
            "unknown_share": Range(0, 0.8, "linear"),
        },
        "UserKNN": {
            "neighbours": _NEIGHBOURS,
            "shrinkage": Range(0.1, 100),
            "popularity_exponent": _EXPONENT,
            "weighting": _WEIGHTING,
            "neighbour_exponent": _EXPONENT,
            "out_exponent": _EXPONENT,
            "half_life_days": _HALF_LIFE,
        },
        "WideAndDeep": _DEEP_CLICKS,
    }
)
"""Model class to the ranges of its fields."""

_RATES = "it predicts ratings, and a search looks for good lists"

_LISTS = (
    "what everybody's lists of new and trending items should be is for the shop to say: clicks would want popularity"
)
NOT_SEARCHED: Mapping[str, str] = MappingProxyType(
    {"BayesianMF": _RATES, "BiasedMF": _RATES, "Latest": _LISTS, "RatingBaseline": _RATES, "Trending": _LISTS}
)
"""Model class to the reason why its settings stay as they are."""


def space_of(model: Recommender) -> Space:
    """Where a search may look for this model; empty where nowhere."""
    return SPACE.get(type(model).__name__, {})
