"""How a sequence model learns and answers with PyTorch."""

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from zhiyin.compute.threads import thread_count
from zhiyin.data.histories import Histories
from zhiyin.models.neural.device import device, mixed_precision
from zhiyin.models.neural.encoder import Encoder, Shape
from zhiyin.models.neural.losses import sampled_softmax, softmax
from zhiyin.models.neural.sequences import Events, Sequences
from zhiyin.models.neural.train import Schedule, Step, train
from zhiyin.types import Vectors

if TYPE_CHECKING:
    from zhiyin.models.next_item import NextItem

_K = 10
_LEAST_VALIDATION = 20  # people: fewer say nothing
_ANSWERED = 1 << 15  # events encoded at once

Weights = dict[str, NDArray[np.float32]]
Learned = tuple[Vectors, Weights, NDArray[np.float64]]


def learn(model: "NextItem", histories: Histories) -> Learned:
    """The items' vectors [c, d], the other weights by name, and the curve [epochs, 2]."""
    torch.set_num_threads(thread_count())
    torch.manual_seed(model.seed)
    rng = np.random.default_rng(model.seed)
    everything = Sequences.of(histories, model.places_)
    held = _held_back(everything, model.validation_people, rng)
    lesson = _Lesson(model, everything.without_last(held), _network(model))
    validation = _Validation(lesson.network, everything.rows(held), model.window) if len(held) else None
    schedule = Schedule(
        model.epochs, model.learning_rate, model.weight_decay, warm_up=min(200, lesson.steps), patience=model.patience
    )
    curve = train(lesson.network, lesson.batches, schedule, steps=lesson.steps, validate=validation)
    vectors, weights = _parts(lesson.network)
    return vectors, weights, np.array([[one.loss, one.metric] for one in curve], np.float64).reshape(-1, 2)


def encoded(model: "NextItem", histories: Histories) -> Vectors:
    """float32[b, d]: what each history leads to; NaN for one without a known item."""
    network = _remembered(model)
    sequences = Sequences.of(histories, model.places_, model.window)
    vectors = np.full((len(sequences), model.dimensions), np.nan, np.float32)
    known = np.flatnonzero(sequences.lengths)
    with torch.inference_mode():
        for rows in sequences.rows(known).batches(_ANSWERED):
            chosen = known[rows]
            vectors[chosen] = network.last(sequences.events(chosen)).numpy()
    return vectors


class _Lesson:
    """What is learned from: everybody's windows, and the loss of some of them."""

    def __init__(self, model: "NextItem", sequences: Sequences, network: Encoder) -> None:
        self.model = model
        self.network = network
        windows = sequences.windows(model.window)
        self.windows = windows.rows(np.flatnonzero(windows.lengths > 1))
        self.steps = sum(1 for _ in self.windows.batches(model.batch_events))
        counts = np.bincount(sequences.items, minlength=len(network.item_vectors) + 1)[1:]
        odds = np.maximum(counts, 1) / max(counts.sum(), 1)
        self.odds = torch.from_numpy(odds / odds.sum()).float()

    def batches(self, epoch: int) -> Iterator[Callable[[], Step]]:
        """Each with its loss; the same in every run of an epoch."""
        rng = np.random.default_rng((self.model.seed, epoch))
        for rows in self.windows.batches(self.model.batch_events, rng):
            yield lambda rows=rows: self._step(self.windows.events(rows))  # type: ignore[misc]  # bound now

    def _step(self, events: Events) -> Step:
        where = self.network.item_vectors.device
        events = events.to(where)
        after = events.items[:, 1:]  # [b, t]
        h = self.network.all(Events(*(part[:, :-1] for part in events)))  # [b, t, d]
        wanted = after > 0
        targets = after[wanted] - 1  # [p]
        return Step(self._loss(h[wanted], targets), len(targets))

    def _loss(self, h: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        vectors = self.network.item_vectors
        if self.model.loss == "softmax":
            return softmax(h, vectors, targets)
        drawn = torch.multinomial(self.odds, self.model.negatives, replacement=True).to(h.device)
        return sampled_softmax(h, vectors, targets, drawn, self.odds.log().to(h.device))


class _Validation:
    """NDCG@10 of the newest event of people of whom the rest was learned; what they did before is no rival."""

    def __init__(self, network: Encoder, sequences: Sequences, window: int) -> None:
        self.network = network
        ends = sequences.offsets[1:] - 1
        self.targets = torch.from_numpy(sequences.items[ends].astype(np.int64) - 1)  # [v]
        self.past = sequences.without_last(np.arange(len(sequences)))
        self.window = window

    def __call__(self) -> float:
        where = self.network.item_vectors.device
        gained = 0.0
        with torch.inference_mode(), mixed_precision(where):
            for rows in self.past.batches(_ANSWERED):
                past, targets = self.past.newest(rows, self.window).to(where), self.targets[rows].to(where)
                scores = self.network.last(past).float() @ self.network.item_vectors.float().T  # [b, c]
                gained += _gains(scores, self.past.events(rows).items.to(where), targets)
        return gained / max(len(self.past), 1)


def _gains(scores: torch.Tensor, seen: torch.Tensor, targets: torch.Tensor) -> float:
    """The sum of 1 / log2(rank + 1) over targets that rank among the first ten of what was not seen."""
    own = scores.gather(1, targets[:, None])
    rivals = torch.cat([torch.zeros_like(own), scores], dim=1).scatter(1, seen, -torch.inf)[:, 1:]
    ranks = (rivals > own).sum(dim=1)
    return float((1.0 / torch.log2(ranks[ranks < _K] + 2.0)).sum())


def _held_back(sequences: Sequences, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The people whose newest event is for validation."""
    able = np.flatnonzero(sequences.lengths >= 3)
    count = min(most, len(able) // 10)
    return np.sort(rng.permutation(able)[: count if count >= _LEAST_VALIDATION else 0])


def _network(model: "NextItem") -> Encoder:
    items = int(model.places_.max(initial=-1)) + 1
    shape = Shape(items, model.kinds_, model.window, model.dimensions, model.dropout)
    return Encoder(shape, model.blocks(shape)).to(device())


def _parts(network: Encoder) -> tuple[Vectors, Weights]:
    """The items' vectors and the other weights."""
    state = {name: value.float().cpu().numpy() for name, value in network.state_dict().items()}
    return state.pop("items.weight")[1:], state


_NETWORKS: dict[int, Encoder] = {}  # by the identity of the items' vectors, for as long as these live


def _remembered(model: "NextItem") -> Encoder:
    """The network of a trained model, on the CPU; built once."""
    key = id(model.item_vectors_)
    if key not in _NETWORKS:
        known = model.item_vectors_[model.places_ >= 0]
        items = np.concatenate([np.zeros((1, model.dimensions), np.float32), known])
        network = _network(model).cpu().eval()
        state = {"items.weight": items, **model.weights_}
        network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
        weakref.finalize(model.item_vectors_, _NETWORKS.pop, key, None)
        _NETWORKS[key] = network
    return _NETWORKS[key]
