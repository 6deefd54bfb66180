"""What is learned with the digits of bfloat16 is as good as what is learned with those of float32."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from models.test_click_models import taught
from worlds import dataset
from zhiyin.compute.click_metrics import log_loss
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.models.click_network import Part
from zhiyin.models.dcn_v2 import DCNv2
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.gru4rec import GRU4Rec
from zhiyin.models.neural import train
from zhiyin.models.neural.click_training import Batch, predicted
from zhiyin.models.neural.device import device, multiplies_bfloat16
from zhiyin.models.next_item import NextItem
from zhiyin.models.sasrec import SASRec

pytestmark = pytest.mark.skipif(
    not multiplies_bfloat16(device()), reason="this CPU has no AMX, and trains with float32 as it is"
)

ITEMS, STEPS, ASTRAY = 10, 12, 0.2
LEAST = -(1 - 0.18) * np.log(1 - 0.18) - 0.18 * np.log(0.18 / 9)  # nats: what nobody can know of the next step
TOLERANCE = 0.005  # nats
SMALL = {
    "dimensions": 16, "window": 4, "epochs": 8, "learning_rate": 0.01, "dropout": 0.0, "batch_events": 256,
    "validation_people": 0,
}  # fmt: skip


def wandered(people, seed):
    """int[people, steps]: round a ring, but for one step in five, which leads anywhere."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random((people, STEPS)) < ASTRAY, rng.integers(0, ITEMS, (people, STEPS)), 1)
    return np.cumsum(steps, axis=1) % ITEMS


def loss_of(model, walks):
    """Nats for each last step, of the softmax of what the model says of it after the four before."""
    scores = model.score(Queries.of(Histories.of(walks[:, -5:-1].tolist()))).astype(np.float64)
    told = scores[np.arange(len(walks)), walks[:, -1]] - np.log(np.exp(scores).sum(axis=1))
    return -told.mean()


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
    one, other = loss_of(fewer, walks), loss_of(all_digits, walks)
    assert other < LEAST + 0.1
    assert one < other + TOLERANCE


def clicked(rows, seed):
    """Two features, and clicks that nine times in ten tell whether these are both even or both odd."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(0, 6, (2, rows))
    alike = (left + right) % 2 == 0
    labels = np.where(rng.random(rows) < 0.9, alike, ~alike).astype(np.float32)
    return pl.DataFrame({"left": left.astype(str), "right": right.astype(str)}), labels


@pytest.mark.parametrize(
    "network",
    [DeepFM(dimensions=8, layers=(16,), dropout=0.0), DCNv2(dimensions=8, layers=(16,), cross_layers=1, dropout=0.0)],
    ids=lambda one: type(one).__name__,
)
def test_a_network_of_clicks_learns_the_same_with_fewer_digits(network, monkeypatch):
    kinds = {"left": "category", "right": "category"}
    frame, labels = clicked(4000, seed=1)

    def learned():
        module, _, table, curve = taught(network, *clicked(4000, seed=0), kinds)
        return log_loss(predicted(module, [Batch((Part(table.encode(frame)),), labels)]), labels), curve

    one, curve = learned()
    monkeypatch.setattr(train, "mixed_precision", lambda _: nullcontext())
    other, exact = learned()
    assert curve != exact, "two precisions were compared"
    assert other < 0.325 + 0.02  # -.9 ln .9 - .1 ln .1, what nobody can know
    assert one < other + TOLERANCE
