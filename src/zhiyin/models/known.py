"""The models that a zhiyin.toml can name."""

from collections.abc import Mapping
from types import MappingProxyType

from zhiyin.models.bpr import BPR
from zhiyin.models.content import Content
from zhiyin.models.ease import EASE
from zhiyin.models.ials import IALS
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.nmf import NMF
from zhiyin.models.popularity import Popularity
from zhiyin.models.rating_baseline import RatingBaseline
from zhiyin.models.recommender import Recommender
from zhiyin.models.softmax_mf import SoftmaxMF
from zhiyin.models.user_knn import UserKNN

MODELS: Mapping[str, type[Recommender]] = MappingProxyType(
    {
        model.__name__: model
        for model in (BPR, Content, EASE, IALS, ItemKNN, NMF, Popularity, RatingBaseline, SoftmaxMF, UserKNN)
    }
)
"""Class by name."""
