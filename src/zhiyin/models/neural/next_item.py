"""How a sequence model learns and answers with PyTorch."""

import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zhiyin.data.histories import Histories
from zhiyin.models.neural.course import Schedule
from zhiyin.models.neural.device import device, mixed_precision
from zhiyin.models.neural.encoder import Encoder, Parts, Shape
from zhiyin.models.neural.key import key_of
from zhiyin.models.neural.objective import Objective
from zhiyin.models.neural.rates import Cosine
from zhiyin.models.neural.sequences import ANSWERED, Events, Sequences, rounded
from zhiyin.models.neural.train import Step, Validation, shared, train
from zhiyin.types import Vectors

if TYPE_CHECKING:
    from zhiyin.models.next_item import NextItem

_K = 10
_LEAST_VALIDATION = 20  # people: fewer say nothing
_WARM_UP = 200  # steps
Weights = dict[str, NDArray[np.float32]]
Tower = Callable[[], nn.Module]


class Learned(NamedTuple):
    """What training gives."""

    vectors: Vectors  # of the items [c, d]
    weights: Weights  # the others, by name
    curve: NDArray[np.float64]  # [epochs, 2]: loss, validation NDCG@10
    towers: Weights  # of what made the vectors of items and of people: not asked any more


class Start(NamedTuple):
    """Where training goes on."""

    vectors: Vectors  # of the items [c, d]
    weights: Weights  # the others, by name
    newest: int  # µs UTC: who did nothing later has nothing new to teach
    epochs: int  # at most


def learn(
    model: "NextItem",
    histories: Histories,
    start: Start | None = None,
    *,
    items: Tower | None = None,
    people: Tower | None = None,
) -> Learned:
    """Train; without a start, from random weights and by everybody.

    Parameters
    ----------
    items, people
        What makes their vectors; see `Parts`.
    """
    torch.manual_seed(model.seed)
    rng = np.random.default_rng(model.seed)
    network = _network(model, items and items(), people and people()).to(device())
    everything = Sequences.of(histories, model.places_)
    if start is not None:
        network.load_state_dict(_state(start.vectors, start.weights))
        everything = everything.rows(np.flatnonzero(_last_times(histories) > start.newest))
    held = _held_back(everything, model.validation_people, rng)
    lesson = _Lesson(model, everything.without_last(held), network)
    epochs = (start or model).epochs if len(lesson.windows) else 0
    rate = Cosine(model.learning_rate, epochs * lesson.steps, warm_up=min(_WARM_UP, lesson.steps))
    curve = train(
        network,
        lesson.batches,
        torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=model.weight_decay, fused=True),
        Schedule(epochs, rate, patience=model.patience, seed=model.seed),
        validation=Validation("NDCG@10", _Asked(network, everything.rows(held), model.window)) if len(held) else None,
        key=key_of(model, (everything.offsets, everything.items, everything.kinds, everything.gaps), network),
    )
    return _learned(network, np.array([[one.loss, one.metric] for one in curve], np.float64).reshape(-1, 2))


def encoded(model: "NextItem", histories: Histories, known: Vectors | None = None) -> Vectors:
    """float32[b, d]: what each history leads to; NaN for one without a known item.

    Parameters
    ----------
    known
        float32[b, d]: what is known of each person, where the network reads that.
    """
    network = network_of(model)
    sequences = Sequences.of(histories, model.places_, model.window)
    vectors = np.full((len(sequences), model.dimensions), np.nan, np.float32)
    able = np.flatnonzero(sequences.lengths)
    with torch.inference_mode():
        for rows in sequences.rows(able).batches(ANSWERED):
            chosen = able[rows]
            people = None if known is None else torch.from_numpy(known[chosen])
            vectors[chosen] = network.last(sequences.events(chosen), people).numpy()
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
        self.objective = Objective(model, network, counts)

    def batches(self, epoch: int) -> Iterator[Callable[[], Step]]:
        """Each with its loss; the same in every run of an epoch."""
        rng = np.random.default_rng((self.model.seed, epoch))
        for rows in self.windows.batches(self.model.batch_events, rng):
            yield partial(shared, rows, self._step)

    def _step(self, rows: NDArray[np.int64]) -> Step:
        width = min(rounded(int(self.windows.lengths[rows].max())), self.model.window + 1)
        events = self.windows.events(rows, width).to(device())
        after = events.items[:, 1:]  # [b, t]
        before = Events(*(part[:, :-1] for part in events))
        h = self.network.all(before, self.network.known(self.windows.owners[rows]))  # [b, t, d]
        wanted = after > 0
        targets = after[wanted] - 1  # [p]
        return Step(self.objective(h[wanted], targets), len(targets))


class _Asked:
    """NDCG@10 of the newest event of people of whom the rest was learned; what they did before is no rival."""

    def __init__(self, network: Encoder, sequences: Sequences, window: int) -> None:
        self.network = network
        ends = sequences.offsets[1:] - 1
        self.targets = torch.from_numpy(sequences.items[ends].astype(np.int64) - 1)  # [v]
        self.past = sequences.without_last(np.arange(len(sequences)))
        self.window = window

    def __call__(self) -> float:
        where = device()
        gained = 0.0
        with torch.inference_mode(), mixed_precision(where):
            vectors = self.network.item_vectors.float()
            for rows in self.past.batches(ANSWERED):
                past, targets = self.past.newest(rows, self.window).to(where), self.targets[rows].to(where)
                known = self.network.known(self.past.owners[rows])
                scores = self.network.last(past, known) @ vectors.T  # [b, c]
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


def _network(model: "NextItem", items: nn.Module | None = None, people: nn.Module | None = None) -> Encoder:
    count = int(model.places_.max(initial=-1)) + 1
    shape = Shape(count, model.kinds_, model.window, model.dimensions, model.dropout, model.temperature)
    return Encoder(shape, model.blocks(shape), Parts(items, people, model.positions))


def _state(vectors: Vectors, weights: Weights) -> dict[str, torch.Tensor]:
    """What a network loads."""
    items = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors])
    return {name: torch.from_numpy(value) for name, value in {"items.weight": items, **weights}.items()}


def _last_times(histories: Histories) -> NDArray[np.int64]:
    """int64[b], µs UTC of each one's newest event."""
    found = np.zeros(len(histories), np.int64)
    some = np.flatnonzero(histories.lengths)
    found[some] = histories.times[histories.offsets[1:][some] - 1]
    return found


def _learned(network: Encoder, curve: NDArray[np.float64]) -> Learned:
    with torch.inference_mode():
        vectors = network.eval().item_vectors.float().cpu().numpy()
    state = {name: value.detach().float().cpu().numpy() for name, value in network.named_parameters()}
    towers = {name: state.pop(name) for name in list(state) if name.startswith(("items.", "people."))}
    return Learned(vectors, state, curve, towers)


_NETWORKS: dict[int, Encoder] = {}  # by the identity of the items' vectors, for as long as these live


def network_of(model: "NextItem") -> Encoder:
    """The network of a trained model, on the CPU; built once."""
    key = id(model.item_vectors_)
    if key not in _NETWORKS:
        network = _network(model).eval()
        network.load_state_dict(_state(model.item_vectors_[model.places_ >= 0], model.weights_))
        weakref.finalize(model.item_vectors_, _NETWORKS.pop, key, None)
        _NETWORKS[key] = network
    return _NETWORKS[key]
