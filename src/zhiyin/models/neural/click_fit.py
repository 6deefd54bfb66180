"""The training of a click model: examples of what was chosen, and of what was drawn instead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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
from zhiyin.models.neural.click_training import CLIP, Batch, adam, cost, predicted
from zhiyin.models.neural.course import Schedule
from zhiyin.models.neural.device import device
from zhiyin.models.neural.key import key_of
from zhiyin.models.neural.rates import Shrinking
from zhiyin.models.neural.train import Step, Validation, shared, train
from zhiyin.types import Indexes, Mask, Times

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
        module = ClickModule(model, model.layouts, model.dropped).to(device())
        lesson = _Lesson(model, histories, module)
        curve = train(
            module,
            lesson.batches,
            adam(module, model.l2),
            Schedule(model.epochs, Shrinking(model.learning_rate), CLIP, model.patience, model.seed),
            validation=lesson.validation(),
            key=key_of(
                model, (histories.offsets, histories.items, histories.times, histories.weights, model.items_), module
            ),
        )
        return module.plain(), np.array([[one.loss, one.metric] for one in curve], np.float64)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Events, and what was drawn for each: so a part of a batch is the same in however many parts it is taken."""

    events: NDArray[np.int64]  # [e]
    items: Indexes  # int32[e, negatives]
    gaps: Times  # int64[e], µs that the question comes before the choice
    unnamed: Mask  # bool[e, 1 + negatives]: candidates that show their attributes alone

    def __getitem__(self, rows: NDArray[np.int64]) -> "_Drawn":
        return _Drawn(self.events[rows], self.items[rows], self.gaps[rows], self.unnamed[rows])


class _Lesson:
    """Every event that counts as a choice, each against the same number of items drawn at random.

    A drawn item that the person chose at some time counts for nothing.
    """

    def __init__(self, model: "ClickModel", histories: Histories, module: ClickModule) -> None:
        self._model, self._module = model, module
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

    def batches(self, epoch: int) -> Iterator[Callable[[], Step]]:
        """Each with its loss; the same in every run of an epoch."""
        rng = np.random.default_rng([self._model.seed, 1, epoch])
        unnamed = 0.0 if self._named_alone else _UNNAMED
        for events in self._cut(rng.permutation(self._taught)):
            yield partial(shared, np.arange(len(events)), partial(self._step, self._drawn(events, rng, unnamed)))

    def validation(self) -> Validation | None:
        """AUC of the other events, against the same items each time; None where they are too few."""
        if not len(self._held):
            return None
        rng = np.random.default_rng([self._model.seed, 0])
        batches = [self._batch(self._drawn(events, rng, unnamed=0.0)) for events in self._cut(self._held)]
        labels = np.concatenate([batch.labels for batch in batches])
        return Validation("AUC", lambda: area(predicted(self._module, batches), labels))

    def _cut(self, events: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        size = self._model.batch_size
        return [events[start : start + size] for start in range(0, len(events), size)]

    def _step(self, drawn: _Drawn, rows: NDArray[np.int64]) -> Step:
        return cost(self._module, self._batch(drawn[rows]))

    def _drawn(self, events: NDArray[np.int64], rng: np.random.Generator, unnamed: float) -> _Drawn:
        count = len(events), self._model.negatives
        items = self._touched[rng.integers(0, len(self._touched), count)]
        gaps = np.zeros(len(events), np.int64) if self._timeless else self._gaps(len(events), rng)
        return _Drawn(events, items, gaps, rng.random((len(events), 1 + self._model.negatives)) < unnamed)

    def _gaps(self, count: int, rng: np.random.Generator) -> Times:
        """For half of the events none, for the others up to a month.

        A list is shown at one time and chosen from at another: who only ever learned what comes next would answer with
        what was last looked at.
        """
        gaps = np.exp2(rng.uniform(0, np.log2(_LONGEST_GAP), count)) * _HOUR
        return np.where(rng.random(count) < 0.5, gaps, 0).astype(np.int64)

    def _batch(self, drawn: _Drawn) -> Batch:
        events = drawn.events
        items = np.column_stack([self._items[events], drawn.items])  # [e, 1 + negatives]
        labels = np.zeros(items.shape, np.float32)
        labels[:, 0] = 1
        weights = np.repeat(self._weights[events][:, None], items.shape[1], axis=1)
        weights[:, 1:] *= ~self._were_chosen(self._people[events], drawn.items)
        pasts = self._pasts[events]
        if not self._timeless:
            pasts = pasts.earlier(drawn.gaps)
        newest, asked = self._model.read(pasts, self._items[events] if self._timeless else None)
        rows = np.repeat(np.arange(len(events)), items.shape[1])
        flat: Indexes = items.ravel()
        candidates = self._model.encoded(flat)
        codes = candidates.codes.copy()
        codes[drawn.unnamed.ravel(), 0] = 0
        parts = (Part(asked, rows), Part(Encoded(codes, candidates.numbers)), Part(repeats(newest, rows, flat)))
        return Batch(parts, labels.ravel(), weights.ravel().astype(np.float32))

    def _keys(self, people: NDArray[np.int64], items: Indexes) -> NDArray[np.int64]:
        return people * len(self._model.known_) + items

    def _were_chosen(self, people: NDArray[np.int64], items: Indexes) -> Mask:
        """bool[e, negatives]: whether each person chose these items at some time."""
        keys = self._keys(people[:, None], items)
        places = np.minimum(np.searchsorted(self._chosen, keys), max(len(self._chosen) - 1, 0))
        return self._chosen[places] == keys
