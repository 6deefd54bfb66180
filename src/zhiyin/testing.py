"""The laws of a recommender, as a check that anybody can run over a model of their own.

from zhiyin.testing import check_recommender
check_recommender(lambda: MyModel(dimensions=8))
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from zhiyin.compute.kernels import top_k
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.interactions import Interactions
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.features.interest import MOST_EXPLAINED
from zhiyin.fields import to_table
from zhiyin.models.reading import read
from zhiyin.models.recommender import Explains, Recommender, is_timeless
from zhiyin.registry.arrays import load_model, save_model
from zhiyin.types import MICROSECONDS_PER_DAY, Scores

Make = Callable[[], Recommender]


def check_recommender(make: Make, world: Dataset | None = None) -> None:
    """Fit models from `make` on a small world, made here if not given, and hold them to every law.

    Raises
    ------
    AssertionError
        With the law that is broken.
    """
    world = small_world() if world is None else world
    model = make().fit(world)
    queries = some_queries(world)
    scores = model.score(queries)
    _shape(scores, len(queries), len(world.items))
    _same_seed_same_scores(make, world, queries, scores)
    _some_equal_all(model, queries, scores)
    _batch_equals_rows(model, queries, scores)
    _reading_finds_what_scoring_does(model, queries, scores)
    _strangers_are_answered(model, queries, scores)
    _empty_history_is_honest(model, len(world.items), int(queries.times[0]))
    _only_the_history_has_a_time(model, queries, scores)
    _unknown_items_are_ignored(model, queries, scores)
    _untouched_poisons_nothing(make, world)
    if isinstance(model, Explains):
        _events_add_up_to_the_score(model, queries, scores)
    _scoring_changes_nothing(model, queries, scores)
    _order_of_equal_times_is_nothing(make, world, queries, scores)
    _saved_and_loaded_is_the_same(model, queries, scores)


def small_world(seed: int = 0) -> Dataset:
    """40 people and 30 items of three tastes; ratings, titles, prices, repeats, equal times and untouched items."""
    rng = np.random.default_rng(seed)
    users, items, n_users, n_items = [], [], 40, 30
    for user in range(n_users):
        liked = np.arange(user % 3, n_items - 2, 3)  # the last two items stay untouched
        chosen = np.append(rng.choice(liked, 5, replace=False), rng.integers(0, n_items - 2, 2))
        users += [user] * len(chosen)
        items += chosen.tolist()
    days = rng.integers(0, 20, len(users))  # few days: many equal times
    log = Interactions.of(
        np.array(users), np.array(items), days * MICROSECONDS_PER_DAY, n_users=n_users, n_items=n_items,
        weights=rng.choice(np.array([1.0, 0.2], np.float32), len(users)),
        values=rng.integers(1, 6, len(users)).astype(np.float32),
    )  # fmt: skip
    item_ids = [f"item-{item:02}" for item in range(n_items)]
    kinds = ["red mug", "蓝色茶壶", "green lamp"]
    table = pl.DataFrame({
        "item_id": item_ids,
        "title": [f"{kinds[item % 3]} {item // 3}" for item in range(n_items)],
        "category": ["cup", "壶", "light"] * (n_items // 3),
        "price": [5.0 + 10 * (item % 3) + item / 10 for item in range(n_items)],
    })  # fmt: skip
    vocabulary = Vocabulary.of(item_ids)
    people = Vocabulary.of(f"user-{user:02}" for user in range(n_users))
    return Dataset(people, vocabulary, log, Catalog.of(vocabulary, table))


def some_queries(world: Dataset, rows: int = 12) -> Queries:
    """The first people of a world, just after its last event."""
    people = np.arange(min(rows, len(world.users)), dtype=np.int32)
    return Queries.of(world.interactions.histories[people], people, int(world.interactions.times.max()) + 1)


def _shape(scores: Scores, rows: int, n: int) -> None:
    _law(scores.shape == (rows, n), f"score() without items is [b, n] = {(rows, n)}, not {scores.shape}")
    _law(scores.dtype == np.float32, f"scores are float32, not {scores.dtype}")
    _law(not np.isinf(scores).any(), "a score is a number or NaN: -inf is for rules, not for models")


def _some_equal_all(model: Recommender, queries: Queries, scores: Scores) -> None:
    rng = np.random.default_rng(0)
    n = scores.shape[1]
    shared = rng.permutation(n)[: n // 2].astype(np.int32)
    _same(model.score(queries, shared), scores[:, shared], "scoring some items [m] equals scoring all and looking")
    each = rng.integers(0, n, (len(queries), 5)).astype(np.int32)
    each[:, 3:] = -1
    looked = np.take_along_axis(scores, np.maximum(each, 0).astype(np.int64), axis=1)
    looked[:, 3:] = np.nan
    _same(model.score(queries, each), looked, "scoring items [b, m] equals scoring all and looking; -1 is NaN")
    padded = np.array([0, -1], np.int32)
    _law(np.isnan(model.score(queries, padded)[:, 1]).all(), "the padding -1 among items [m] is NaN")


def _batch_equals_rows(model: Recommender, queries: Queries, scores: Scores) -> None:
    alone = np.concatenate([model.score(queries[row : row + 1]) for row in range(len(queries))])
    _same(alone, scores, "a batch equals its rows")
    _law(model.score(queries[:0]).shape == (0, scores.shape[1]), "no query gives no row")


def _reading_finds_what_scoring_does(model: Recommender, queries: Queries, scores: Scores) -> None:
    """All at once and one at a time; some items are not allowed, and nobody is known by an empty history."""
    rng = np.random.default_rng(0)
    stranger = Queries.of(Histories.empty(1), now=int(queries.times[0]))
    asked = [(queries, scores), (stranger, model.score(stranger))]
    asked += [(queries[row : row + 1], scores[row : row + 1]) for row in range(len(queries))]
    for some, expected in asked:
        own, allowed = read(model, some), rng.random(expected.shape) < 0.8
        items, found = own.best(7, allowed)
        _, best = top_k(expected, 7, allowed)
        _same(np.where(items < 0, np.nan, found), np.where(np.isinf(best), np.nan, best), "the best read are the best")
        given = np.take_along_axis(np.where(allowed, expected, np.nan), np.maximum(items, 0), axis=1)
        _same(np.where(items < 0, np.nan, given), np.where(items < 0, np.nan, found), "the best read are as scored")
        each = rng.integers(-1, expected.shape[1], (len(some), 5)).astype(np.int32)
        looked = np.where(each >= 0, np.take_along_axis(expected, np.maximum(each, 0), axis=1), np.float32(np.nan))
        _same(own.of(each), looked, "what is read of some items is their score")


def _strangers_are_answered(model: Recommender, queries: Queries, scores: Scores) -> None:
    strangers = replace(queries, people=np.full(len(queries), -1, np.int32))
    _same(model.score(strangers), scores, "a stranger is answered from history alone")


def _empty_history_is_honest(model: Recommender, n: int, now: int) -> None:
    for known in (Histories.empty(2), Histories.of([[-1], [-1, -1]])):
        scores = model.score(Queries.of(known, now=now))
        _shape(scores, 2, n)
        for row in scores:
            opinions = row[~np.isnan(row)]
            honest = len(opinions) == 0 or len(np.unique(opinions)) > 1
            _law(honest, "an empty history gives NaN everywhere or a real order, never a tie")


def _only_the_history_has_a_time(model: Recommender, queries: Queries, scores: Scores) -> None:
    """Where the model says so: its lists are kept for who asks again later."""
    if is_timeless(model):
        later = replace(queries, times=queries.times + 400 * MICROSECONDS_PER_DAY)
        _same(model.score(later), scores, "a model that is timeless scores alike at any moment of asking")


def _unknown_items_are_ignored(model: Recommender, queries: Queries, scores: Scores) -> None:
    past = queries.histories
    places = np.repeat(past.offsets[1:], 1)  # one unknown event at the end of each row
    unknown = Histories(
        past.offsets + np.arange(len(past) + 1),
        np.insert(past.items, places, -1),
        np.insert(past.times, places, queries.times - 1),
        np.insert(past.weights, places, 1),
        np.insert(past.values, places, 3),
        np.insert(past.kinds, places, 0),
        past.kind_names,
    )
    _same(model.score(replace(queries, histories=unknown)), scores, "unknown items (-1) in a history are ignored")


def _untouched_poisons_nothing(make: Make, world: Dataset) -> None:
    """One more item, of which nothing is known, silences no other; nor does it speak in a history."""
    log, n = world.interactions, len(world.items)
    ids = [*world.items.texts, "￿ an item that nobody touched"]  # last in the order of ids
    items = Vocabulary.of(ids)
    table = world.catalog.frame
    wider = replace(
        world, items=items, interactions=replace(log, n_items=n + 1), catalog=Catalog.of(items, table)
    )  # fmt: skip
    model, queries = make().fit(wider), some_queries(wider)
    scores = model.score(queries)
    silent = np.isnan(make().fit(world).score(queries))
    _law(np.array_equal(np.isnan(scores[:, :n]), silent), "an item that nobody touched poisons nothing")
    only = model.score(Queries.of(Histories.of([[n]]), now=int(queries.times[0])))
    stranger = model.score(Queries.of(Histories.empty(1), now=int(queries.times[0])))
    _same(only, stranger, "a history of one untouched item without attributes says nothing")


def _events_add_up_to_the_score(model: Explains, queries: Queries, scores: Scores) -> None:
    """A thousandth is for models whose fold-in stops a little short of the optimum that they explain."""
    items = np.tile(np.arange(scores.shape[1], dtype=np.int32), (len(queries), 1))
    added = model.explain(queries, items)
    t = min(MOST_EXPLAINED, int(queries.histories.lengths.max()))
    _law(added.dtype == np.float32, f"explanations are float32, not {added.dtype}")
    _law(added.shape == (*items.shape, t), f"explain() gives [b, m, t] = {(*items.shape, t)}, not {added.shape}")
    silent = np.isnan(added).all(axis=2)
    _law(np.array_equal(silent, np.isnan(scores)), "where a model has no opinion, and only there, no event speaks")
    apart = np.abs(np.nansum(added, axis=2) - scores)[~silent].max(initial=0.0)
    most = 1e-3 * np.nanmax(np.abs(scores), initial=0.0)
    _law(apart <= most, f"what events add sums to the score: it is {apart:.2g} apart, where {most:.2g} is allowed")


def _scoring_changes_nothing(model: Recommender, queries: Queries, scores: Scores) -> None:
    before = queries.histories.items.copy()
    model.score(queries)[:] = 0  # what comes back belongs to the caller
    _same(model.score(queries), scores, "scoring changes nothing", exactly=True)
    _law(np.array_equal(queries.histories.items, before), "scoring does not change the queries")


def _same_seed_same_scores(make: Make, world: Dataset, queries: Queries, scores: Scores) -> None:
    _same(make().fit(world).score(queries), scores, "the same seed gives the same scores", exactly=True)


def _order_of_equal_times_is_nothing(make: Make, world: Dataset, queries: Queries, scores: Scores) -> None:
    log = world.interactions
    order = np.lexsort((np.random.default_rng(0).random(len(log)), log.times))
    model = make().fit(world.with_interactions(Interactions.of(
        log.users[order], log.items[order], log.times[order], n_users=log.n_users, n_items=log.n_items,
        kinds=log.kinds[order], weights=log.weights[order], values=log.values[order], prices=log.prices[order],
        kind_names=log.kind_names,
    )))  # fmt: skip
    _same(model.score(queries), scores, "the order of rows with equal times does not matter")


def _saved_and_loaded_is_the_same(model: Recommender, queries: Queries, scores: Scores) -> None:
    with TemporaryDirectory() as folder:
        save_model(model, Path(folder))
        loaded = load_model(Path(folder), {type(model).__name__: type(model)})
    _law(to_table(loaded) == to_table(model), "saved and loaded, a model has the same settings")
    _same(loaded.score(queries), scores, "saved and loaded, a model gives the same scores", exactly=True)


def _law(holds: bool | np.bool_, law: str) -> None:
    if not holds:
        raise AssertionError(f"broken law: {law}")


def _same(found: Scores, expected: Scores, law: str, *, exactly: bool = False) -> None:
    """Equal but for the rounding of float32 sums, or to the last bit."""
    tolerance = 0.0 if exactly else 1e-4
    scale = np.nanmax(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=f"broken law: {law}")
