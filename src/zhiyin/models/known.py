"""The models that a zhiyin.toml can name."""

from collections.abc import Mapping
from types import MappingProxyType

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
from zhiyin.models.recommender import Recommender
from zhiyin.models.sasrec import SASRec
from zhiyin.models.slim import SLIM
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.models.sparse_ease import SparseEASE
from zhiyin.models.trending import Trending
from zhiyin.models.two_tower import TwoTower
from zhiyin.models.user_knn import UserKNN
from zhiyin.models.wide_and_deep import WideAndDeep

_CLASSES: tuple[type[Recommender], ...] = (
    AssociationRules,
    BPR,
    BayesianMF,
    BiasedMF,
    Caser,
    ChebyshevFilter,
    CoVisitation,
    Content,
    DCNv2,
    DeepFM,
    EASE,
    FM,
    FinalMLP,
    GRU4Rec,
    GraphFilter,
    IALS,
    ItemKNN,
    Latest,
    LightGCN,
    LogisticRegression,
    LowPass,
    MLP,
    NMF,
    NextItNet,
    Popularity,
    RatingBaseline,
    SASRec,
    SLIM,
    SoftmaxMF,
    SparseEASE,
    Trending,
    TwoTower,
    UserKNN,
    WideAndDeep,
)

MODELS: Mapping[str, type[Recommender]] = MappingProxyType({model.__name__: model for model in _CLASSES})
"""Class by name."""
