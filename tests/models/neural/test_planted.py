"""What only an order, a kind of event, or an attribute tells, is found; what is wrong is said in one sentence."""

import numpy as np
import polars as pl
import pytest

from worlds import dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.errors import ConfigError
from zhiyin.models.caser import Caser
from zhiyin.models.gru4rec import GRU4Rec
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.mlp import MLP
from zhiyin.models.next_it_net import NextItNet
from zhiyin.models.popularity import Popularity
from zhiyin.models.sasrec import SASRec
from zhiyin.models.two_tower import TwoTower

SMALL = {
    "dimensions": 16, "window": 6, "epochs": 12, "learning_rate": 0.01, "dropout": 0.1, "batch_events": 256,
    "validation_people": 0,
}  # fmt: skip
ITEMS = 12


def ring(people=150, seed=0):
    """Everybody walks round one ring, from anywhere, all the way: each has touched every item, and as often."""
    draw = np.random.default_rng(seed)
    return dataset([
        (f"u{person}", f"i{(start + step) % ITEMS:02}", float(step))
        for person, start in enumerate(draw.integers(0, ITEMS, people))
        for step in range(ITEMS)
    ])  # fmt: skip


def walks(order):
    """Some steps of each start in this order, and what comes next if it goes on."""
    rows = [[(start + step) % ITEMS for step in order] for start in range(ITEMS)]
    return Queries.of(Histories.of(rows)), (np.arange(ITEMS) + order[-1] + 1) % ITEMS


@pytest.mark.parametrize(
    "model",
    [
        SASRec(**SMALL, layers=1, heads=1),
        SASRec(**SMALL, layers=1, block="gated"),
        SASRec(**SMALL, layers=1, loss="sampled_softmax", negatives=16),
        SASRec(**SMALL | {"epochs": 24}, layers=1, loss="gbce", negatives=8),
        GRU4Rec(**SMALL),
        Caser(**SMALL, reach=3),
        NextItNet(**SMALL, layers=1),
    ],
    ids=lambda model: f"{type(model).__name__} {model.loss} {getattr(model, 'block', '')}",
)
def test_an_order_is_found_that_sets_do_not_tell(model):
    queries, wanted = walks([0, 1, 2])
    found = model.fit(ring()).score(queries).argmax(axis=1)
    assert np.mean(found == wanted) >= 0.9, "nothing but the order decides, and nothing contradicts it"


@pytest.mark.parametrize("model", [Popularity(), ItemKNN()], ids=lambda model: type(model).__name__)
def test_whoever_knows_sets_alone_guesses(model):
    queries, wanted = walks([0, 1, 2])
    scores = model.fit(ring()).score(queries)
    np.put_along_axis(scores, queries.histories.items.reshape(ITEMS, 3).astype(np.int64), -np.inf, axis=1)
    assert np.mean(scores.argmax(axis=1) == wanted) < 0.5


def kinds_decide(people=200, seed=0):
    """Who buys the first item goes on to the second; who only looks at it, to the third."""
    draw, events, kinds = np.random.default_rng(seed), [], []
    for person, bought in enumerate(draw.random(people) < 0.5):
        events += [(f"u{person}", "i0", 0.0), (f"u{person}", "i1" if bought else "i2", 1.0)]
        kinds += ["buy" if bought else "view", "view"]
    return dataset(events, kinds)


@pytest.mark.parametrize(
    "model", [SASRec(**SMALL, layers=1), GRU4Rec(**SMALL), MLP(**SMALL)], ids=lambda m: type(m).__name__
)
def test_the_kind_of_an_event_tells_what_comes_next(model):
    data = kinds_decide()
    past = data.interactions.before(1).histories
    bought = past.of_kinds(["buy"])
    rows = np.flatnonzero(past.lengths)
    scores = model.fit(data).score(Queries.of(past[rows]))
    assert ((scores[:, 1] > scores[:, 2]) == bought).all()


def gaps_decide(people=200, seed=0):
    """Who comes back within a minute goes on to the third item; who comes back after a week, to the fourth."""
    draw, events = np.random.default_rng(seed), []
    for person, quick in enumerate(draw.random(people) < 0.5):
        second = 1 / 1440 if quick else 7.0
        events += [
            (f"u{person}", "i0", 0.0),
            (f"u{person}", "i1", second),
            (f"u{person}", "i2" if quick else "i3", 8.0),
        ]
    return dataset(events)


@pytest.mark.parametrize("model", [SASRec(**SMALL, layers=1), GRU4Rec(**SMALL)], ids=lambda m: type(m).__name__)
def test_the_time_between_events_tells_what_comes_next(model):
    data = gaps_decide()
    past = data.interactions.histories.before(np.full(200, int(7.5 * 86_400e6)))
    quick = past.times[past.offsets[1:] - 1] < 86_400e6
    scores = model.fit(data).score(Queries.of(past))
    assert ((scores[:, 2] > scores[:, 3]) == quick).all()


def coloured(people=200, seed=0):
    """Each likes one colour; of each there are five items, of which the last was never touched."""
    draw = np.random.default_rng(seed)
    log = [
        (f"u{person}", f"{colour}{item}", float(step))
        for person, colour in enumerate(draw.choice(["red", "teal"], people))
        for step, item in enumerate(draw.permutation(4)[:3])
    ]
    ids = [f"{colour}{item}" for colour in ("red", "teal") for item in range(5)]
    return dataset(log, items=pl.DataFrame({"item_id": ids, "category": [one[:-1] for one in ids]}))


def test_a_tower_recommends_an_item_that_nobody_touched_by_its_attribute():
    data = coloured()
    model = TwoTower(**SMALL | {"epochs": 20}, hidden=16, negatives=32).fit(data)
    red, teal = data.items.indexes(["red4", "teal4"])
    liked = data.items.indexes(["red0", "red1", "teal0", "teal1"]).reshape(2, 2)
    scores = model.score(Queries.of(Histories.of(liked.tolist())))
    assert scores[0, red] > scores[0, teal]
    assert scores[1, teal] > scores[1, red]
    others = data.items.indexes([f"teal{item}" for item in range(4)])
    assert (scores[0, red] > scores[0, others]).all(), (
        "what is new in the liked colour beats what is known in the other"
    )
    alone = model.score(Queries.of(Histories.of([[int(red)]])))[0]
    assert alone[liked[0]].min() > alone[liked[1]].max(), "an untouched item speaks in a history, too"
    later = pl.DataFrame({"item_id": ["red9", "blank"], "category": ["red", None]})
    np.testing.assert_allclose(model.vectors_of(later)[0], model.item_vectors_[red], rtol=1e-4)
    assert np.isnan(model.vectors_of(later)[1]).all()


def test_a_catalogue_without_attributes_leaves_a_tower_its_own_vectors():
    model = TwoTower(**SMALL | {"epochs": 1}, negatives=8).fit(ring(people=20))
    assert model.vectors_of(pl.DataFrame({"item_id": ["new"]})).shape == (1, 16)
    assert np.isfinite(model.score(walks([0, 1])[0])).all()


def aged(people=200, seed=0):
    """Everybody begins with one item; the young go on to the second, the old to the third."""
    draw, events = np.random.default_rng(seed), []
    old = draw.random(people) < 0.5
    for person in range(people):
        events += [(f"u{person:03}", "i0", 0.0), (f"u{person:03}", "i2" if old[person] else "i1", 1.0)]
    data = dataset(events)
    people_table = pl.DataFrame({"user_id": data.users.texts, "group": np.where(old, "old", "young")})
    return type(data)(data.users, data.items, data.interactions, data.catalog, people=people_table), old


def test_what_is_known_of_people_tells_an_mlp_what_comes_next():
    data, old = aged()
    model = MLP(**SMALL).fit(data)
    first = Histories.of([[0]] * len(old))
    scores = model.score(Queries.of(first, np.arange(len(old), dtype=np.int32)))
    assert ((scores[:, 2] > scores[:, 1]) == old).all()
    strangers = model.score(Queries.of(first))
    assert np.isfinite(strangers).all()
    assert (strangers == strangers[0]).all()


def test_people_with_one_event_teach_nothing_and_break_nothing():
    data = dataset([(f"u{person}", f"i{person % 3}", 0.0) for person in range(30)])
    scores = SASRec(**SMALL | {"loss": "sampled_softmax"}).fit(data).score(Queries.of(Histories.of([[0], [1]])))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (SASRec, {"dimensions": 50, "heads": 4}, "SASRec.heads must be a divisor of dimensions, got 4"),
        (SASRec, {"layers": 0}, "SASRec.layers must be >= 1"),
        (SASRec, {"window": 0}, "SASRec.window must be >= 1"),
        (SASRec, {"dropout": 1.0}, "SASRec.dropout must be from 0 to below 1"),
        (SASRec, {"calibration": 1.5}, "SASRec.calibration must be from 0 to 1"),
        (SASRec, {"uniform_share": -0.5}, "SASRec.uniform_share must be from 0 to 1"),
        (GRU4Rec, {"layers": 0}, "GRU4Rec.layers must be >= 1"),
        (GRU4Rec, {"learning_rate": 0.0}, "GRU4Rec.learning_rate must be > 0"),
        (Caser, {"reach": 0}, "Caser.reach must be >= 1"),
        (Caser, {"horizontal": 0}, "Caser.horizontal must be >= 1"),
        (Caser, {"vertical": 0}, "Caser.vertical must be >= 1"),
        (NextItNet, {"width": 1}, "NextItNet.width must be >= 2"),
        (NextItNet, {"layers": 9}, "NextItNet.layers must be from 1 to 8"),
        (MLP, {"half_life_events": 0.0}, "MLP.half_life_events must be > 0"),
        (MLP, {"max_terms": 0}, "MLP.max_terms must be >= 1"),
        (TwoTower, {"unknown_share": 1.0}, "TwoTower.unknown_share must be from 0 to below 1"),
        (TwoTower, {"hidden": 0}, "TwoTower.hidden must be >= 1"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence(kind, settings, words):
    with pytest.raises(ConfigError) as caught:
        kind(**settings)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
    assert "try " in str(caught.value)


def test_a_column_to_ignore_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"TwoTower.ignore: the item column 'categori' is not known.*'category'"):
        TwoTower(**SMALL, ignore=("categori",)).fit(coloured())
