"""zhiyin (知音): from raw events to measured, served recommendations.

Names are loaded when they are first used, so that `import zhiyin` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zhiyin.client.client import Client
    from zhiyin.data.dataset import Dataset
    from zhiyin.data.sample_shop import sample_shop
    from zhiyin.data.split import leave_last_out, split_at_random, split_by_time
    from zhiyin.errors import ZhiyinError
    from zhiyin.evaluation.evaluate import evaluate
    from zhiyin.models.association_rules import AssociationRules
    from zhiyin.models.bayesian_mf import BayesianMF
    from zhiyin.models.biased_mf import BiasedMF
    from zhiyin.models.bpr import BPR
    from zhiyin.models.caser import Caser
    from zhiyin.models.chebyshev_filter import ChebyshevFilter
    from zhiyin.models.co_visitation import CoVisitation
    from zhiyin.models.content import Content
    from zhiyin.models.dcn_v2 import DCNv2
    from zhiyin.models.deep_fm import DeepFM
    from zhiyin.models.ease import EASE
    from zhiyin.models.final_mlp import FinalMLP
    from zhiyin.models.fm import FM
    from zhiyin.models.graph_filter import GraphFilter
    from zhiyin.models.gru4rec import GRU4Rec
    from zhiyin.models.ials import IALS
    from zhiyin.models.item_knn import ItemKNN
    from zhiyin.models.latest import Latest
    from zhiyin.models.light_gcn import LightGCN
    from zhiyin.models.logistic_regression import LogisticRegression
    from zhiyin.models.low_pass import LowPass
    from zhiyin.models.mlp import MLP
    from zhiyin.models.next_it_net import NextItNet
    from zhiyin.models.nmf import NMF
    from zhiyin.models.popularity import Popularity
    from zhiyin.models.rating_baseline import RatingBaseline
    from zhiyin.models.sasrec import SASRec
    from zhiyin.models.slim import SLIM
    from zhiyin.models.softmax_mf import SoftmaxMF
    from zhiyin.models.sparse_ease import SparseEASE
    from zhiyin.models.trending import Trending
    from zhiyin.models.two_tower import TwoTower
    from zhiyin.models.user_knn import UserKNN
    from zhiyin.models.wide_and_deep import WideAndDeep
    from zhiyin.ranking.recommend import Pipeline
    from zhiyin.ranking.rules import Rules
    from zhiyin.ranking.terms import Terms
    from zhiyin.registry.config import read_config
    from zhiyin.registry.read import read
    from zhiyin.registry.release import Release
    from zhiyin.registry.store import Store
    from zhiyin.registry.train import train
    from zhiyin.registry.tune import tune

_HOMES = {
    "AssociationRules": "zhiyin.models.association_rules",
    "BPR": "zhiyin.models.bpr",
    "BayesianMF": "zhiyin.models.bayesian_mf",
    "BiasedMF": "zhiyin.models.biased_mf",
    "Caser": "zhiyin.models.caser",
    "ChebyshevFilter": "zhiyin.models.chebyshev_filter",
    "Client": "zhiyin.client.client",
    "CoVisitation": "zhiyin.models.co_visitation",
    "Content": "zhiyin.models.content",
    "DCNv2": "zhiyin.models.dcn_v2",
    "Dataset": "zhiyin.data.dataset",
    "DeepFM": "zhiyin.models.deep_fm",
    "EASE": "zhiyin.models.ease",
    "FM": "zhiyin.models.fm",
    "FinalMLP": "zhiyin.models.final_mlp",
    "GRU4Rec": "zhiyin.models.gru4rec",
    "GraphFilter": "zhiyin.models.graph_filter",
    "IALS": "zhiyin.models.ials",
    "ItemKNN": "zhiyin.models.item_knn",
    "Latest": "zhiyin.models.latest",
    "LightGCN": "zhiyin.models.light_gcn",
    "LogisticRegression": "zhiyin.models.logistic_regression",
    "LowPass": "zhiyin.models.low_pass",
    "MLP": "zhiyin.models.mlp",
    "NMF": "zhiyin.models.nmf",
    "NextItNet": "zhiyin.models.next_it_net",
    "Pipeline": "zhiyin.ranking.recommend",
    "Popularity": "zhiyin.models.popularity",
    "RatingBaseline": "zhiyin.models.rating_baseline",
    "Release": "zhiyin.registry.release",
    "Rules": "zhiyin.ranking.rules",
    "SASRec": "zhiyin.models.sasrec",
    "SLIM": "zhiyin.models.slim",
    "SoftmaxMF": "zhiyin.models.softmax_mf",
    "SparseEASE": "zhiyin.models.sparse_ease",
    "Store": "zhiyin.registry.store",
    "Terms": "zhiyin.ranking.terms",
    "Trending": "zhiyin.models.trending",
    "TwoTower": "zhiyin.models.two_tower",
    "UserKNN": "zhiyin.models.user_knn",
    "WideAndDeep": "zhiyin.models.wide_and_deep",
    "ZhiyinError": "zhiyin.errors",
    "evaluate": "zhiyin.evaluation.evaluate",
    "leave_last_out": "zhiyin.data.split",
    "read": "zhiyin.registry.read",
    "read_config": "zhiyin.registry.config",
    "sample_shop": "zhiyin.data.sample_shop",
    "split_at_random": "zhiyin.data.split",
    "split_by_time": "zhiyin.data.split",
    "train": "zhiyin.registry.train",
    "tune": "zhiyin.registry.tune",
}

__all__ = [
    "BPR",
    "EASE",
    "FM",
    "IALS",
    "MLP",
    "NMF",
    "SLIM",
    "AssociationRules",
    "BayesianMF",
    "BiasedMF",
    "Caser",
    "ChebyshevFilter",
    "Client",
    "CoVisitation",
    "Content",
    "DCNv2",
    "Dataset",
    "DeepFM",
    "FinalMLP",
    "GRU4Rec",
    "GraphFilter",
    "ItemKNN",
    "Latest",
    "LightGCN",
    "LogisticRegression",
    "LowPass",
    "NextItNet",
    "Pipeline",
    "Popularity",
    "RatingBaseline",
    "Release",
    "Rules",
    "SASRec",
    "SoftmaxMF",
    "SparseEASE",
    "Store",
    "Terms",
    "Trending",
    "TwoTower",
    "UserKNN",
    "WideAndDeep",
    "ZhiyinError",
    "__version__",
    "evaluate",
    "leave_last_out",
    "read",
    "read_config",
    "sample_shop",
    "split_at_random",
    "split_by_time",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zhiyin' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
