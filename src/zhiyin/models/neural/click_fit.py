"""The training of a click model: examples of what was chosen, and of what was drawn instead."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from zhiyin.compute.click_metrics import area
from zhiyin.data.histories import Histories
from zhiyin.features.pasts import Pasts, are_timeless, counted, repeats
from zhiyin.features.table import Encoded
from zhiyin.models.click_network import Part
from zhiyin.models.neural.click_module import ClickModule
from zhiyin.models.neural.click_training import Batch, Schedule, predicted, train
from zhiyin.models.neural.device import device
from zhiyin.types import Indexes

if TYPE_CHECKING:
    from zhiyin.models.click_model import ClickModel

_UNNAMED = 0.05  # of the candidates show their attributes alone, so that one that nobody touched can be judged
_HOUR = 3_600_000_000  # µs
_LONGEST_GAP = 720  # hours
_MOST_VALIDATION, _LEAST_VALIDATION = 20_000, 20  # events; below, all epochs are trained


def learn(model: "ClickModel", histories: Histories) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
    """The weights for NumPy, and the curve [epochs, 2]: loss, validation AUC."""
    with torch.random.fork_rng():
        torch.manual_seed(model.seed)
        examples = _Examples(model, histories)
        module = ClickModule(model, model.layouts, model.dropped).to(device())
        held = examples.held_out()
        labels = np.concatenate([batch.labels for batch in held]) if held else np.empty(0, np.float32)
        validate = (lambda: area(predicted(module, held), labels)) if held else None
        schedule = Schedule(model.epochs, model.learning_rate, model.l2, model.patience)
        curve = train(module, examples.batches, schedule, validate)
        return module.plain(), np.array([[one.loss, one.metric] for one in curve], np.float64)


class _Examples:
    """Every event that counts as a choice, each against the same number of items drawn at random.

    A drawn item that the person chose at some time counts for nothing.
    """

    def __init__(self, model: "ClickModel", histories: Histories) -> None:
        self._model = model
        self._pasts = Pasts.before_each(histories, model.known_)
        kept = counted(histories, model.known_)
        self._timeless = are_timeless(self._pasts.times)
        self._items, self._weights = histories.items[kept], histories.weights[kept]
        self._people = histories.rows[kept]
        self._chosen = np.unique(self._keys(self._people, self._items))
        self._touched = np.flatnonzero(model.items_[:, 0] > 0).astype(np.int32)
        self._named_alone = model.items_.shape[1] == 1
        order = np.random.default_rng(model.seed).permutation(len(self._items))
        held = min(len(order) // 10, _MOST_VALIDATION)
        held = held if held >= _LEAST_VALIDATION else 0
        self._held, self._taught = order[:held], order[held:]

    def held_out(self) -> list[Batch]:
        """The events of the validation, against the same items each time."""
        rng = np.random.default_rng([self._model.seed, 0])
        return [self._batch(rows, rng, unnamed=0.0) for rows in self._cut(self._held)]

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The other events, in random order."""
        rng = np.random.default_rng([self._model.seed, 1, epoch])
        unnamed = 0.0 if self._named_alone else _UNNAMED
        for rows in self._cut(rng.permutation(self._taught)):
            yield self._batch(rows, rng, unnamed)

    def _cut(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        size = self._model.batch_size
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def _batch(self, events: NDArray[np.int64], rng: np.random.Generator, unnamed: float) -> Batch:
        drawn = self._touched[rng.integers(0, len(self._touched), (len(events), self._model.negatives))]
        items = np.column_stack([self._items[events], drawn])  # [events, 1 + negatives]
        labels = np.zeros(items.shape, np.float32)
        labels[:, 0] = 1
        weights = np.repeat(self._weights[events][:, None], items.shape[1], axis=1)
        weights[:, 1:] *= ~self._were_chosen(
            np.repeat(self._people[events], self._model.negatives), drawn.ravel()
        ).reshape(drawn.shape)
        pasts = self._asked(events, rng)
        newest, asked = self._model.read(pasts, self._items[events] if self._timeless else None)
        rows = np.repeat(np.arange(len(events)), items.shape[1])
        flat: Indexes = items.ravel()
        candidates = self._model.encoded(flat)
        codes = candidates.codes.copy()
        codes[rng.random(len(codes)) < unnamed, 0] = 0
        parts = (Part(asked, rows), Part(Encoded(codes, candidates.numbers)), Part(repeats(newest, rows, flat)))
        return Batch(parts, labels.ravel(), weights.ravel().astype(np.float32))

    def _asked(self, events: NDArray[np.int64], rng: np.random.Generator) -> Pasts:
        """What was known when these events happened, or for half of them up to a month before.

        A list is shown at one time and chosen from at another: who only ever learned what comes next would answer with
        what was last looked at.
        """
        pasts = self._pasts[events]
        if self._timeless:
            return pasts
        gaps = np.exp2(rng.uniform(0, np.log2(_LONGEST_GAP), len(events))) * _HOUR
        return pasts.earlier(np.where(rng.random(len(events)) < 0.5, gaps, 0).astype(np.int64))

    def _keys(self, people: NDArray[np.int64], items: Indexes) -> NDArray[np.int64]:
        return people * len(self._model.known_) + items

    def _were_chosen(self, people: NDArray[np.int64], items: Indexes) -> NDArray[np.bool_]:
        keys = self._keys(people, items)
        places = np.minimum(np.searchsorted(self._chosen, keys), max(len(self._chosen) - 1, 0))
        return self._chosen[places] == keys
