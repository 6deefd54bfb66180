"""Training that begins with what serves, where that gives nothing away."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from zhiyin import fields
from zhiyin.data.dataset import Dataset
from zhiyin.models.recommender import Recommender, Updates
from zhiyin.registry.release import Release

Fit: TypeAlias = Callable[[str, Recommender, Dataset], Recommender]
"""A fitted copy of a model, by its name and the events that it may know."""


def cold(_: str, model: Recommender, data: Dataset) -> Recommender:
    """From nothing."""
    return fields.unfitted(model).fit(data)


class Warm:
    """From the serving release, for a model that can be updated and has the same name and settings there.

    Only where the release has seen nothing that the fit may not: it knows what came after a split, unless that is new.
    """

    def __init__(self, release: Release, data: Dataset) -> None:
        self.release = release
        self.seen = self._seen(data)

    def __call__(self, name: str, model: Recommender, data: Dataset) -> Recommender:
        """See `Fit`."""
        known = self.release.pipeline.retrievers.get(name)
        same_kinds = self.release.histories.kind_names == data.interactions.kind_names
        if isinstance(known, Updates) and known == model and same_kinds and self._seen(data) == self.seen:
            return known.update(data, self.release.items.indexes(data.items.texts))
        return cold(name, model, data)

    def _seen(self, data: Dataset) -> int:
        """How many events are as old as the release."""
        return int(np.searchsorted(data.interactions.times, self.release.last_event, side="right"))
