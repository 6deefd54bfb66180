"""The rows of the accuracy benchmark follow from its lists and the files alone."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import measuring, protocols, rows, searches, sequences

USERS, ITEMS = 40, 60


def recomputed(lists: pl.DataFrame, truth: dict[int, set[int]], k: int) -> tuple[float, float]:
    """Recall and NDCG, written again with sets and logarithms."""
    recalls, gains = [], []
    for user, wanted in truth.items():
        given = lists.filter(pl.col("user") == user).sort("rank")
        assert given["rank"].to_list() == list(range(1, k + 1))
        hits = np.array([item in wanted for item in given["item"]])
        discounts = 1 / np.log2(np.arange(2, k + 2))
        recalls.append(hits.sum() / len(wanted))
        gains.append((hits * discounts).sum() / discounts[: len(wanted)].sum())
    return float(np.mean(recalls)), float(np.mean(gains))


def tastes(rng: np.random.Generator, user: int, size: int) -> list[int]:
    """Items of the parity of the user, most of all the low ones: something to learn."""
    liked = np.arange(user % 2, ITEMS, 2)
    chances = 1.0 / (1 + np.arange(len(liked)))
    return rng.choice(liked, size, replace=False, p=chances / chances.sum()).tolist()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder such as ZHIYIN_DATA names, with two made-up protocols in it."""
    rng = np.random.default_rng(0)
    train, test, plays = [], [], ["userID\tartistID\tweight"]
    for user in range(USERS):
        items = tastes(rng, user, 16)
        train.append(" ".join(map(str, [user, *items[:12]])))
        test.append(" ".join(map(str, [user, *items[12:]])) if user % 5 else str(user))  # some are not asked
        plays += [f"{1000 + 7 * user}\t{100 + 3 * item}\t1" for item in items]
    for name, lines in (
        ("gowalla/train.txt", train), ("gowalla/test.txt", test), ("lastfm-2k/user_artists.dat", plays),
    ):  # fmt: skip
        path = tmp_path / f"{name}.gz"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    monkeypatch.setattr(protocols, "DATA", tmp_path)
    return tmp_path


def measured(name: str, folder: Path) -> tuple[dict[str, float], pl.DataFrame]:
    row = measuring.measured(name, "item_knn", {}, str(folder), str(folder / "networks"))
    lists = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
    assert lists.columns == ["user", "item", "rank", "protocol", "model", "seed"]
    assert lists.select("protocol", "model").unique().rows() == [(name, "item_knn")]
    return row["metrics"], lists


def test_lists_and_files_give_the_row_of_a_fixed_split(data: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    metrics, lists = measured("gowalla", tmp_path / "lists")
    sides = [
        {
            int(line.split()[0]): {*map(int, line.split()[1:])}
            for line in gzip.decompress(path.read_bytes()).decode().splitlines()
        }
        for path in (data / "gowalla" / "train.txt.gz", data / "gowalla" / "test.txt.gz")
    ]
    train, truth = sides[0], {user: items for user, items in sides[1].items() if items}
    assert {*lists["user"]} == {*truth}
    assert not [row for row in lists.select("user", "item").rows() if row[1] in train[row[0]]]
    assert recomputed(lists, truth, 20) == pytest.approx((metrics["recall@20"], metrics["ndcg@20"]), abs=1e-9)


def test_lists_name_the_ids_of_the_files_where_the_split_is_by_chance(data: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    metrics, lists = measured("lastfm-2k", tmp_path / "lists")
    plays = pl.read_csv(data / "lastfm-2k" / "user_artists.dat.gz", separator="\t")
    assert {*lists["user"]} <= {*plays["userID"]}
    assert {*lists["item"]} <= {*plays["artistID"]}
    values = []
    for seed in range(protocols.SEEDS):
        split = protocols.PROTOCOLS["lastfm-2k"].splits(seed)[1]
        people = [int(one) for one in split.train.users.ids(split.queries.people)]
        held = np.split(split.relevant, split.offsets[1:-1])
        truth = {
            user: {int(one) for one in split.train.items.ids(items)} for user, items in zip(people, held, strict=True)
        }
        values.append(recomputed(lists.filter(pl.col("seed") == seed), truth, 10))
    assert np.mean(values, axis=0) == pytest.approx([metrics["recall@10"], metrics["ndcg@10"]], abs=1e-9)


def test_a_blend_has_taken_the_time_of_its_parts_to_tune(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results" / "accuracy.json"
    monkeypatch.setattr(rows, "RESULTS", results)
    small = {"graph_filter": {"dimensions": 4}, "ials": {"dimensions": 4}}
    for model in searches.BLENDS["gowalla"]:
        row = {"protocol": "gowalla", "model": model, "tune_seconds": 1000.0, "peak_mb": 1.0}
        rows.keep({**row, "settings": {model: small.get(model, {})}})
    (tmp_path / "lists").mkdir()
    settings = rows.chosen_settings("gowalla")
    row = measuring.measured("gowalla", "blend", settings, str(tmp_path / "lists"), str(tmp_path / "networks"))
    assert row["tune_seconds"] > 1000.0 * len(searches.BLENDS["gowalla"])


def test_the_last_purchase_of_everybody_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    rng = np.random.default_rng(1)
    bought = {7 + user: [100 + item for item in tastes(rng, user, 8)] for user in range(USERS)}
    lines = [" ".join(map(str, [user, *items])) for user, items in bought.items()]
    path = data / "amazon-toys" / "sequences.txt.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    monkeypatch.setattr(sequences, "DATA", data)
    (tmp_path / "lists").mkdir()
    metrics, lists = measured("amazon-toys", tmp_path / "lists")
    assert not [row for row in lists.select("user", "item").rows() if row[1] in bought[row[0]][:-1]]
    truth = {user: {items[-1]} for user, items in bought.items()}
    assert recomputed(lists, truth, 10) == pytest.approx((metrics["recall@10"], metrics["ndcg@10"]), abs=1e-9)


def test_every_prefix_of_later_sessions_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    rng = np.random.default_rng(2)
    sessions = [[200 + item for item in tastes(rng, one, 4)] for one in range(USERS)]
    asked = [(one[:end], one[end]) for one in sessions[:9] for end in (1, 2, 3)]
    folder = data / "yoochoose-1_64"
    folder.mkdir()
    for name, lines in (
        ("train_sessions.txt", [" ".join(map(str, one)) for one in sessions]),
        ("test_prefix_target.txt", [f"{' '.join(map(str, past))}\t{came}" for past, came in asked]),
    ):
        (folder / f"{name}.gz").write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    monkeypatch.setattr(sequences, "DATA", data)
    (tmp_path / "lists").mkdir()
    metrics, lists = measured("yoochoose-1_64", tmp_path / "lists")
    assert lists["user"].unique().to_list() == list(range(len(asked)))
    ranks = [
        lists.filter((pl.col("user") == row) & (pl.col("item") == came))["rank"].to_list()
        for row, (_, came) in enumerate(asked)
    ]
    assert any(ranks)
    assert metrics["hit_rate@20"] == pytest.approx(np.mean([bool(rank) for rank in ranks]))
    assert metrics["mrr@20"] == pytest.approx(np.mean([1 / rank[0] if rank else 0.0 for rank in ranks]))
