"""Networks over features: what they can and cannot learn, answers without PyTorch, bad input."""

import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from worlds import DAY, dataset, two_tastes
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError, MissingExtraError
from zhiyin.features.table import Encoded, FeatureTable, Layout
from zhiyin.models.click_network import Part, answered, embedded
from zhiyin.models.dcn_v2 import DCNv2
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.final_mlp import FinalMLP
from zhiyin.models.fm import FM
from zhiyin.models.logistic_regression import LogisticRegression
from zhiyin.models.watch import watched
from zhiyin.models.wide_and_deep import WideAndDeep

torch = pytest.importorskip("torch")

from zhiyin.compute.click_metrics import area  # noqa: E402
from zhiyin.models.neural.click_module import ClickModule, dropped  # noqa: E402
from zhiyin.models.neural.click_training import Batch, adam, cost, predicted  # noqa: E402
from zhiyin.models.neural.course import Schedule  # noqa: E402
from zhiyin.models.neural.rates import Shrinking  # noqa: E402
from zhiyin.models.neural.train import Validation, train  # noqa: E402

ALL = [
    LogisticRegression(),
    FM(dimensions=4),
    DeepFM(dimensions=4, layers=(16, 8)),
    WideAndDeep(dimensions=4, layers=(16,)),
    DCNv2(dimensions=4, layers=(16,), cross_layers=2),
    FinalMLP(dimensions=4, layers=(16, 8), second_layers=(8,), heads=2),
]
PAIRED = ALL[1:]  # all that know two features together


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("ZHIYIN_THREADS", "1")


def taught(network, frame, labels, kinds=None, epochs=20):
    table = FeatureTable.of(frame, kinds)
    features = table.encode(frame)
    torch.manual_seed(0)
    module = ClickModule(network, [table.layout], network.dropped)
    rng = np.random.default_rng(0)

    def batches(_):
        order = rng.permutation(len(labels))
        for rows in np.split(order, 8):
            yield partial(cost, module, Batch((Part(features[rows]),), labels[rows]))

    curve = train(module, batches, adam(module, l2=0.0), Schedule(epochs, Shrinking(0.02)))
    return module, features, table, curve


@pytest.mark.parametrize("network", ALL, ids=lambda one: type(one).__name__)
def test_only_a_network_of_pairs_sees_what_two_features_say_together(network):
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 2, (2, 400))
    frame = pl.DataFrame({"left": left.astype(str), "right": right.astype(str)})
    labels = (left == right).astype(np.float32)  # neither says anything alone
    module, features, _, curve = taught(network, frame, labels, {"left": "category", "right": "category"})
    found = area(predicted(module, [Batch((Part(features),), labels)]), labels)
    assert found > 0.99 if network in PAIRED else found < 0.6
    assert curve[-1].loss < curve[0].loss + 0.01


@pytest.mark.parametrize("network", ALL, ids=lambda one: type(one).__name__)
def test_numpy_answers_as_pytorch_does(network):
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({
        "shop": rng.choice(["a", "b", "c"], 400),
        "tags": [rng.choice(["x", "y", "z"], rng.integers(0, 4), replace=False).tolist() for _ in range(400)],
        "price": [*rng.choice([1.0, 5.0], 399), None],
        "size": rng.standard_normal(400),
    })  # fmt: skip
    labels = (frame["size"].to_numpy() > 0).astype(np.float32)
    kinds = {"shop": "category", "tags": "tags", "price": "number", "size": "number"}
    module, features, table, _ = taught(network, frame, labels, kinds, epochs=3)
    module.eval()
    expected = predicted(module, [Batch((Part(features),), labels)])
    weights = module.plain()
    x, linear = embedded(weights, 0, table.layout, features)
    np.testing.assert_allclose(answered(network, weights, x, linear), expected, rtol=1e-4, atol=1e-5)


def test_training_ends_with_the_weights_of_the_best_epoch_and_shortens_its_steps():
    frame, labels = pl.DataFrame({"shop": ["a", "b"] * 50}), np.tile(np.array([1, 0], np.float32), 50)
    features = FeatureTable.of(frame).encode(frame)
    torch.manual_seed(0)
    module = ClickModule(LogisticRegression(), [Layout((4,), (1,))], 0.0)
    heard, metrics = [], iter([0.5, 0.9, 0.8, 0.7, 0.6])
    kept = []

    def validated():
        kept.append(module.plain())
        return next(metrics)

    batches = [partial(cost, module, Batch((Part(features),), labels))]
    schedule = Schedule(9, Shrinking(0.1), patience=2)
    with watched(heard.append):
        curve = train(
            module, lambda _: batches, adam(module, l2=0.0), schedule, validation=Validation("AUC", validated)
        )
    assert [one.metric for one in curve] == [0.5, 0.9, 0.8, 0.7]
    assert [(one.loss, one.metric) for one in heard] == [(one.loss, one.metric) for one in curve]
    np.testing.assert_array_equal(module.plain()["codes_0_table"], kept[1]["codes_0_table"])
    moved = [
        np.abs(after["constant"] - before["constant"]) + np.abs(after["codes_0_table"] - before["codes_0_table"]).max()
        for before, after in pairwise(kept)
    ]
    assert moved[2] < 0.2 * moved[1]


def test_dropout_keeps_the_sum_and_drops_its_share():
    torch.manual_seed(0)
    x = torch.ones(1000, 37)
    found = dropped(x, 0.25)
    assert abs(float((found == 0).float().mean()) - 0.25) < 0.01
    assert abs(float(found.mean()) - 1) < 0.02
    assert dropped(x, 0.0) is x


@pytest.mark.parametrize("network", ALL, ids=lambda one: type(one).__name__)
def test_a_history_of_one_taste_wants_items_of_that_taste(network):
    world = two_tastes()
    model = replace(network, epochs=25, batch_size=64, learning_rate=0.02, patience=25).fit(world)
    scores = model.score(Queries.of(Histories.of([[0, 1], [6, 7]]), now=31 * DAY))
    wide = scores[:, 2:6].mean(axis=1) - scores[:, 8:].mean(axis=1)  # of items that are in neither history
    if network in PAIRED:
        assert wide[0] > 0.2
        assert wide[1] < -0.2
    else:
        assert abs(wide[0] - wide[1]) < 1e-4  # history and item each speak alone


def test_an_untouched_item_is_judged_by_its_attributes():
    world = two_tastes()
    table = world.catalog.frame.drop("item_id").with_columns(pl.Series("item_id", world.items.texts))
    new = pl.DataFrame(
        {
            "item_id": ["a-99", "b-99"],
            "title": ["x", "y"],
            "category": ["a", "b"],
            "price": [2.0, 2.0],
            "available": [True, True],
        }
    )
    events = [
        (f"{one}{person:03d}", f"{one}-{item:02d}", float(person + item))
        for one in "ab"
        for person in range(40)
        for item in np.random.default_rng(person).permutation(6)[:4]
    ]
    world = dataset(events, items=pl.concat([table.select(new.columns), new]))
    model = FM(dimensions=4, epochs=40, batch_size=64, learning_rate=0.02, patience=25).fit(world)
    history = world.items.indexes(["a-00", "a-01"])
    scores = model.score(Queries.of(Histories.of([history]), now=90 * DAY))[0]
    a, b = world.items.indexes(["a-99", "b-99"])
    assert scores[a] > scores[b] + 0.5


def test_the_curve_shows_loss_and_auc_of_every_epoch():
    model = FM(epochs=3, batch_size=64).fit(two_tastes())
    assert model.curve_.shape == (3, 2)
    assert np.isfinite(model.curve_).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FM(dimensions=0), r"^FM.dimensions must be >= 1, got 0 \(try 8 to 64\)$"),
        (lambda: FM(negatives=0), "negatives"),
        (lambda: FM(l2=-1), "l2"),
        (lambda: DeepFM(layers=()), "layers"),
        (lambda: DeepFM(dropout=1), "dropout"),
        (lambda: DCNv2(cross_layers=0), "cross_layers"),
        (lambda: FinalMLP(heads=3), "a divisor of both last widths, 64 and 64"),
        (lambda: FinalMLP(second_layers=(0,)), "second_layers"),
        (lambda: FM(ignore=("colour",)).fit(two_tastes()), r"^FM.ignore: the item column 'colour'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_without_pytorch_training_says_what_to_install_and_answers_go_on(monkeypatch):
    world = two_tastes()
    model = FM(epochs=1).fit(world)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'zhiyin\[neural\]'"):
        FM().fit(world)
    assert np.isfinite(model.score(Queries.of(Histories.of([[0]]), now=31 * DAY))).all()


def test_a_part_may_share_its_rows():
    layout = Layout((5,), (1,))
    torch.manual_seed(0)
    module = ClickModule(FM(dimensions=3), [layout, layout], 0.0).eval()
    codes = Encoded(np.array([[1], [2]], np.int32), np.empty((2, 0), np.float32))
    rows = np.array([0, 1, 1, 0])
    shared = module([Part(codes, rows), Part(codes[rows])])
    plain = module([Part(codes[rows]), Part(codes[rows])])
    torch.testing.assert_close(shared, plain)
