"""What is tried on each protocol: models, the settings that matter, and values in the order in which they are tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zhiyin.models.known import MODELS
from zhiyin.models.recommender import Recommender


@dataclass(frozen=True)
class Search:
    """One model: where the search starts, what else is tried as a whole, and then one setting after the other."""

    type: str
    start: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    others: tuple[Mapping[str, Any], ...] = ()

    def model(self, settings: Mapping[str, Any]) -> Recommender:
        """Not fitted yet."""
        return MODELS[self.type](**settings)


_LOW = {"dimensions": (512, 1024), "sharpness": (0.0, 0.5), "item_exponent": (0.3, 0.5), "out_exponent": (0.1, 0.3)}
_GRAPH = {
    "in_exponent": (0.5, 0.8), "out_exponent": (0.15, 0.35), "low_pass": (0.1, 0.6, 1.2),
    "dimensions": (256, 1024), "sharpness": (0.0, 0.5),
}  # fmt: skip
_SLIM = {"l2": (2.0, 10.0, 20.0), "l2_exponent": (0.25, 0.75), "user_exponent": (0.7,), "neighbours": (150,)}

_IALS = {"unobserved_weight": (0.03, 0.3), "l2": (0.001, 0.01)}

_LARGE = {
    "popularity": Search("Popularity", {"half_life_days": None}),
    "item_knn": Search(
        "ItemKNN",
        {"neighbours": 300, "shrinkage": 0.0, "activity_exponent": 1.0},
        {"in_exponent": (0.65, 0.8, 1.0), "out_exponent": (0.2, 0.35), "weighting": ("tf_idf",)},
    ),
    "slim": Search("SLIM", {}, {"l2": (2.0, 10.0), "l2_exponent": (0.25, 0.75), "neighbours": (150,)}),
    "low_pass": Search("LowPass", {"dimensions": 1024}, {"sharpness": (0.0, 0.5), "out_exponent": (0.1, 0.3)}),
    "graph_filter": Search(
        "GraphFilter",
        {"dimensions": 1024, "low_pass": 0.3},
        {"in_exponent": (0.5, 0.8), "out_exponent": (0.15, 0.35, 0.5), "low_pass": (0.15, 0.6, 1.2, 2.4)},
    ),
    "ials": Search("IALS", {"dimensions": 256}, _IALS),
    "user_knn": Search(
        "UserKNN",
        {"neighbours": 300, "shrinkage": 0.0, "out_exponent": 0.3},
        {"out_exponent": (0.1, 0.5), "neighbours": (500,), "neighbour_exponent": (0.4,), "popularity_exponent": (0.3,)},
    ),
}

_GOWALLA_GRAPH = Search(
    "LightGCN",
    {},
    {"out_exponent": (0.08,)},  # a trial costs a minute
)

_GOWALLA = {
    **_LARGE,
    "graph_filter": Search(
        "GraphFilter",
        {"dimensions": 512, "sharpness": 0.0, "in_exponent": 0.9, "out_exponent": 0.1, "low_pass": 0.6},
        {
            "in_exponent": (0.75, 1.0), "out_exponent": (0.0, 0.2), "low_pass": (0.3, 1.0),
            "sharpness": (0.25,), "dimensions": (1024,),
        },
    ),
    "ials": Search(
        "IALS",
        {"dimensions": 256, "unobserved_weight": 0.02, "epochs": 5, "subspace": 128},
        {"dimensions": (512,), "epochs": (3, 8), "unobserved_weight": (0.04,)},
    ),
}  # fmt: skip

_SMALL = {
    "popularity": Search("Popularity", {"half_life_days": None}),
    "item_knn": Search(
        "ItemKNN",
        {"neighbours": 300},
        {
            "activity_exponent": (0.0, 1.0), "shrinkage": (0.0, 1.0, 20.0), "weighting": ("tf_idf", "bm25"),
            "in_exponent": (0.3, 0.7), "out_exponent": (0.2, 0.35, 0.7),
        },
    ),
    "user_knn": Search(
        "UserKNN",
        {},
        {
            "neighbours": (50, 200), "popularity_exponent": (0.0, 1.0), "weighting": ("tf_idf",),
            "neighbour_exponent": (0.3, 0.7), "shrinkage": (0.0, 5.0), "out_exponent": (0.2, 0.4),
        },
    ),
    "slim": Search("SLIM", {}, {**_SLIM, "neighbours": (200,)}),
    "low_pass": Search("LowPass", {}, {**_LOW, "dimensions": (400,)}),
    "graph_filter": Search("GraphFilter", {"low_pass": 0.3}, {**_GRAPH, "dimensions": (400,)}),
    "ials": Search("IALS", {}, {**_IALS, "dimensions": (64, 256)}),
    "light_gcn": Search(
        "LightGCN",
        {"dimensions": 128, "negatives": 4096, "own_vectors": True, "epochs": 100},
        {"out_exponent": (0.0, 0.08), "temperature": (0.05, 0.1), "epochs": (60, 200), "dimensions": (256,)},
    ),
}  # fmt: skip

_HOUR = 1 / 24  # between two purchases of Amazon's sequences, which have no times

_PURCHASES = {
    "popularity": Search("Popularity", {"half_life_days": None}),
    "co_visitation": Search(
        "CoVisitation",
        {"window_hours": 1.5, "backward": 0.2, "half_life_days": 6 * _HOUR},
        {"half_life_days": (3 * _HOUR,), "popularity_exponent": (0.0, 0.6), "window_hours": (3.5, 8.5, 20.5)},
    ),
    "item_knn": Search(
        "ItemKNN",
        {"half_life_days": 6 * _HOUR, "neighbours": 300},
        {
            "half_life_days": (3 * _HOUR, 12 * _HOUR), "shrinkage": (1.0, 20.0), "activity_exponent": (1.0,),
            "out_exponent": (0.35, 0.2),
        },
    ),
    "user_knn": Search(
        "UserKNN",
        {"half_life_days": 6 * _HOUR},
        {
            "half_life_days": (3 * _HOUR, 12 * _HOUR), "neighbours": (300,), "popularity_exponent": (0.0, 1.0),
            "out_exponent": (0.2, 0.35),
        },
    ),
    "ease": Search(
        "EASE", {"half_life_days": 6 * _HOUR}, {"half_life_days": (3 * _HOUR,), "l2": (200.0, 100.0, 50.0, 25.0)}
    ),
    "sasrec": Search(
        "SASRec",
        {
            "dimensions": 128, "window": 50, "dropout": 0.5, "temperature": 0.07, "batch_events": 1024,
            "learning_rate": 0.003, "epochs": 15,
        },
        others=(
            {
                "dimensions": 256, "window": 50, "dropout": 0.5, "temperature": 0.05, "batch_events": 1024,
                "learning_rate": 0.002, "epochs": 12,
            },
        ),
    ),
}  # fmt: skip

_FILMS = {
    "popularity": Search("Popularity", {"half_life_days": None}),
    "item_knn": Search("ItemKNN", {"half_life_days": 0.1}, {"half_life_days": (0.01, 1.0), "neighbours": (300,)}),
    "co_visitation": Search(
        "CoVisitation",
        {"half_life_days": 0.1, "window_hours": 1.0, "backward": 0.2},
        {"half_life_days": (0.01, 1.0), "window_hours": (0.1, 24.0), "popularity_exponent": (0.0, 0.6)},
    ),
    "ease": Search("EASE", {"half_life_days": 0.1}, {"half_life_days": (0.01, 1.0), "l2": (200.0, 1000.0)}),
    "sasrec": Search(
        "SASRec",
        {
            "dimensions": 128, "layers": 2, "heads": 4, "window": 200, "dropout": 0.2, "batch_events": 4096,
            "epochs": 30, "patience": 8, "learning_rate": 0.002,
        },
    ),
}  # fmt: skip

_CLICK = 1 / 86_400  # between two clicks of a session, which have no times: a second, in days

_SESSIONS = {
    "popularity": Search("Popularity", {"half_life_days": None}),
    "item_knn": Search(
        "ItemKNN", {"half_life_days": 2 * _CLICK, "neighbours": 200, "shrinkage": 20.0}, {"out_exponent": (0.2,)}
    ),
    "co_visitation": Search(
        "CoVisitation",
        {"half_life_days": 2 * _CLICK, "window_hours": 0.001, "backward": 0.2, "popularity_exponent": 0.0},
        {"half_life_days": (_CLICK, 8 * _CLICK), "popularity_exponent": (0.2,)},
    ),
    "user_knn": Search(
        "UserKNN",
        {"half_life_days": 2 * _CLICK, "neighbours": 300, "popularity_exponent": 1.0},
        {"half_life_days": (_CLICK, 4 * _CLICK), "neighbours": (1000,), "shrinkage": (0.0,)},
    ),
    "sasrec": Search(
        "SASRec",
        {
            "dimensions": 128, "window": 20, "layers": 1, "dropout": 0.3, "temperature": 0.07, "batch_events": 2048,
            "learning_rate": 0.003, "epochs": 6,
        },
    ),
}  # fmt: skip

SEARCHES: Mapping[str, Mapping[str, Search]] = {
    "gowalla": {**_GOWALLA, "light_gcn": _GOWALLA_GRAPH},
    "yelp2018": _LARGE,
    "lastfm-2k": _SMALL,
    "ml-1m": _FILMS,
    "amazon-beauty": _PURCHASES,
    "amazon-toys": _PURCHASES,
    "yoochoose-1_64": _SESSIONS,
    "ml-100k": {
        "rating_baseline": Search("RatingBaseline", {}, {"item_shrinkage": (2.0, 10.0), "user_shrinkage": (2.0, 10.0)}),
        "biased_mf": Search("BiasedMF", {}, {"l2": (0.05, 0.15), "bias_l2": (0.01, 0.05), "dimensions": (30, 200)}),
        "bayesian_mf": Search("BayesianMF", {}, {"dimensions": (12, 16), "samples": (160,)}),
    },
}

_BLEND = ("slim", "graph_filter", "ials", "user_knn")

_NEXT = ("co_visitation", "item_knn", "user_knn", "ease", "sasrec")

BLENDS: Mapping[str, tuple[str, ...]] = {
    "gowalla": _BLEND, "yelp2018": _BLEND, "lastfm-2k": _BLEND,
    "ml-1m": ("item_knn", "co_visitation", "ease", "sasrec"),
    "amazon-beauty": _NEXT, "amazon-toys": _NEXT,
    "yoochoose-1_64": ("co_visitation", "user_knn", "sasrec"),
}  # fmt: skip
"""The models whose blend is measured, with the settings that each had chosen alone: each sees what the others miss."""
