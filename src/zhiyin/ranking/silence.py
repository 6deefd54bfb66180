"""Why a model has no opinion on an item, as far as that can be known."""

import numpy as np
from scipy.sparse import csr_array

from zhiyin.data.queries import Queries
from zhiyin.models.item_to_item import ItemToItem
from zhiyin.models.recommender import Recommender


def silence(model: Recommender, query: Queries, item: int) -> str:
    """Half a sentence about one query and one item that the model scores as NaN."""
    past = query.histories.items
    places = getattr(model, "places_", None)  # most models number what training knew
    if places is not None and places[item] < 0:
        return "training knew nothing of the item"
    if not (past >= 0).any():
        return "the history is empty"
    if places is not None and not (places[past[past >= 0]] >= 0).any():
        return "training knew no item of the history"
    if isinstance(model, ItemToItem) and isinstance(model.weights_, csr_array):
        neighbours = int(np.count_nonzero(model.weights_.indices == model.places_[item]))
        if neighbours == 0:
            return "the item is a neighbour of no other"
        return f"the item is a neighbour of others ({neighbours:,}), none of which is in the history"
    return "the model does not say why"
