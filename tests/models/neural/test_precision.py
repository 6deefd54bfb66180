"""What is learned with the digits of bfloat16 is as good as what is learned with those of float32."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from worlds import dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.gru4rec import GRU4Rec
from zhiyin.models.next_item import NextItem
from zhiyin.models.sasrec import SASRec

torch = pytest.importorskip("torch")

from zhiyin.models.neural import train  # noqa: E402
from zhiyin.models.neural.device import device, multiplies_bfloat16  # noqa: E402

ITEMS, STEPS, ASTRAY = 10, 12, 0.2
LEAST = -(1 - 0.18) * np.log(1 - 0.18) - 0.18 * np.log(0.18 / 9)  # nats: what nobody can know of the next step
TOLERANCE = 0.02  # nats
SMALL = {
    "dimensions": 16, "window": 4, "epochs": 8, "learning_rate": 0.01, "dropout": 0.0, "batch_events": 256,
    "validation_people": 0,
}  # fmt: skip


def wandered(people, seed):
    """int[people, steps]: round a ring, but for one step in five, which leads anywhere."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random((people, STEPS)) < ASTRAY, rng.integers(0, ITEMS, (people, STEPS)), 1)
    return np.cumsum(steps, axis=1) % ITEMS


def log_loss(model, walks):
    """Nats for each last step, of the softmax of what the model says of it after the four before."""
    scores = model.score(Queries.of(Histories.of(walks[:, -5:-1].tolist()))).astype(np.float64)
    told = scores[np.arange(len(walks)), walks[:, -1]] - np.log(np.exp(scores).sum(axis=1))
    return -told.mean()


@pytest.mark.skipif(not multiplies_bfloat16(device()), reason="this CPU has no AMX, and trains with float32 as it is")
@pytest.mark.parametrize("model", [SASRec(**SMALL, layers=1), GRU4Rec(**SMALL)], ids=lambda one: type(one).__name__)
def test_a_network_learns_the_same_with_fewer_digits(model: NextItem, monkeypatch):
    data = dataset([
        (f"u{person:03}", f"i{item}", float(step))
        for person, walk in enumerate(wandered(300, seed=0))
        for step, item in enumerate(walk)
    ])  # fmt: skip
    fewer = replace(model).fit(data)
    monkeypatch.setattr(train, "mixed_precision", lambda _: nullcontext())
    all_digits = replace(model).fit(data)
    assert (fewer.curve_ != all_digits.curve_).any(), "two precisions were compared"
    walks = wandered(2000, seed=1)
    one, other = log_loss(fewer, walks), log_loss(all_digits, walks)
    assert other < LEAST + 0.1
    assert one < other + TOLERANCE
