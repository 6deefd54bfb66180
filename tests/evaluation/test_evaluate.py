"""Two tastes: even people choose even items, odd people odd ones, and item 0 and 1 are the most popular."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.interactions import Interactions
from zhiyin.data.split import Split, split_given
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ArtifactError, ConfigError
from zhiyin.evaluation import answers, metrics
from zhiyin.evaluation.evaluate import evaluate
from zhiyin.evaluation.metrics import Hits, Relevant
from zhiyin.evaluation.report import Report
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.recommend import Pipeline

USERS, ITEMS = 60, 40


class Tastes:
    """Knows who likes what: the parity of the person decides."""

    def fit(self, _data):
        return self

    def score(self, queries, items=None):
        scores = np.float32(1.0) * (np.arange(ITEMS) % 2 == queries.people[:, None] % 2)
        return scores if items is None else np.take_along_axis(scores, items, axis=1)

    def rate(self, _queries, items):
        return np.where(items % 4 == 0, np.nan, 4.0).astype(np.float32)


@dataclass
class Oracle:
    """Recommends exactly what was held out."""

    split: Split

    def recommend(self, queries, k):
        items = np.full((len(queries), k), -1, np.int32)
        for row, at in enumerate(np.searchsorted(self.split.queries.people, queries.people)):
            wanted = self.split.relevant[self.split.offsets[at] : self.split.offsets[at + 1]][:k]
            items[row, : len(wanted)] = wanted
        return Candidates(items, np.zeros(items.shape, np.float32), np.zeros(items.shape, np.int8), ("truth",))


@pytest.fixture(scope="module")
def split():
    """Person u begins with item u % 2, goes on in their taste, and the newest three are held out."""
    rng = np.random.default_rng(0)
    chosen = []
    for user in range(USERS):
        liked = rng.permutation(np.arange(2, ITEMS, 2))[: 4 + user // 4] + user % 2
        chosen.append([user % 2, *liked.tolist()])
    user_items = np.array([(user, item) for user, items in enumerate(chosen) for item in items])
    times = np.concatenate([np.arange(len(items)) for items in chosen])
    newest = np.concatenate([np.arange(len(items)) >= len(items) - 3 for items in chosen])

    def log(rows):
        users, items = user_items[rows].T
        values = (5 - items % 3).astype(np.float32)
        return Interactions.of(users, items, times[rows], n_users=USERS, n_items=ITEMS, values=values)

    vocabulary = Vocabulary.of(f"i{item:02}" for item in range(ITEMS))
    catalog = Catalog.of(vocabulary, pl.DataFrame({"item_id": vocabulary.texts, "category": ["even", "odd"] * 20}))
    data = Dataset(Vocabulary.of(f"u{user:02}" for user in range(USERS)), vocabulary, log(~newest), catalog)
    return split_given(data, log(newest))


@pytest.fixture(scope="module")
def pipelines(split):
    return {
        "popularity": Pipeline.of(Popularity().fit(split.train), split.train, name="popularity"),
        "tastes": Pipeline.of(Tastes(), split.train, name="tastes"),
    }


@pytest.fixture(scope="module")
def report(pipelines, split):
    return evaluate(pipelines, split, k=5, ceiling=Oracle(split), fit_seconds={"popularity": 0.5})


def test_who_knows_the_tastes_beats_popularity_and_the_oracle_reaches_the_ceiling(report):
    assert [row.name for row in report.rows] == ["tastes", "popularity", "best achievable"]
    assert [row.role for row in report.rows] == ["model", "baseline", "ceiling"]
    assert report.best.better("ndcg")
    assert report.ceiling.metrics["ndcg"].mean == pytest.approx(1.0)
    assert report.share_of_ceiling(report.best, "ndcg") == pytest.approx(report.best.metrics["ndcg"].mean)
    assert report.gain(report.best, "ndcg") > 0
    assert report.row("popularity").against == {}


def test_the_numbers_are_those_of_the_lists_that_the_pipeline_serves(report, pipelines, split):
    lists = pipelines["tastes"].recommend(split.queries, 5).items
    hits = Hits.of(lists, Relevant(split.offsets, split.relevant))
    np.testing.assert_array_equal(report.row("tastes").of_user("ndcg"), metrics.ndcg(hits))
    assert report.row("tastes").metrics["recall"].mean == pytest.approx(np.nanmean(metrics.recall(hits)))


def test_the_auc_of_who_knows_the_parity_is_far_above_a_coin(report):
    assert report.row("tastes").metrics["auc"].mean > 0.7
    assert "auc" not in report.ceiling.metrics


def test_blocks_change_nothing(report, pipelines, split, monkeypatch):
    monkeypatch.setattr(answers, "BLOCK_BYTES", 6 * ITEMS * 7)  # seven people at a time
    seen = []
    again = evaluate(pipelines, split, k=5, progress=lambda name, done: seen.append((name, done)))
    for row in again.rows:
        for metric, values in row.values.items():
            np.testing.assert_allclose(values, report.row(row.name).values[metric], rtol=1e-12)
    assert sum(done for name, done in seen if name == "tastes") == len(split)
    assert max(done for _, done in seen) == 7


def test_segments_part_all_people_by_their_history(report, split):
    parts = {segment.name: segment for segment in report.segments}
    assert sum(part.users for name, part in parts.items() if name.endswith("users")) == len(split)
    assert parts["new users"].bounds == "0–4 events"
    for name, part in parts.items():
        assert report.best.segments[name]["ndcg"].users == part.users


def test_ratings_are_measured_where_a_model_predicts_them_and_gaps_are_counted(split):
    pipeline = Pipeline.of(Tastes(), split.train, name="tastes")
    report = evaluate({"tastes": pipeline}, split, k=5, baseline=None)
    known = split.relevant % 4 != 0
    errors = 4.0 - split.ratings[known].astype(np.float64)
    row = report.row("tastes")
    assert row.metrics["rmse"].mean == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert row.metrics["mae"].mean == pytest.approx(np.mean(np.abs(errors)))
    assert row.metrics["rmse"].low <= row.metrics["rmse"].mean <= row.metrics["rmse"].high
    assert row.unpredicted == (~known).sum() > 0
    assert f"tastes could not predict {row.unpredicted} ratings" in report.footnotes
    assert "not predicted" in str(report)


def test_an_auc_from_lists_alone_is_said_so_and_not_compared(pipelines, split):
    both = {**pipelines, "oracle": Oracle(split)}
    report = evaluate(both, split, k=5)
    assert "auc" not in report.row("oracle").against
    assert "auc" in report.row("tastes").against
    assert any("AUC of oracle" in note for note in report.footnotes)


def test_more_models_need_stronger_evidence(pipelines, split):
    alone = evaluate(pipelines, split, k=5)
    many = evaluate({**pipelines, **{f"copy {i}": pipelines["popularity"] for i in range(8)}}, split, k=5)
    assert many.row("tastes").against["ndcg"].p_value == pytest.approx(9 * alone.row("tastes").against["ndcg"].p_value)
    assert not any(many.row(f"copy {i}").better("ndcg") for i in range(8))


def test_the_same_seed_gives_the_same_report(report, pipelines, split):
    again = evaluate(pipelines, split, k=5, ceiling=Oracle(split), fit_seconds={"popularity": 0.5})
    seconds = [replace(row, answer_seconds=0.0) for row in (*again.rows, *report.rows)]
    half = len(again.rows)
    plain = [replace(report, rows=tuple(rows)).as_json() for rows in (seconds[:half], seconds[half:])]
    assert plain[0] == plain[1]


def test_k_beyond_the_catalogue_pads_the_lists(pipelines, split):
    report = evaluate(pipelines, split, k=ITEMS + 5)
    assert report.best.metrics["recall"].mean == pytest.approx(1.0)
    assert report.best.metrics["precision"].mean < 1.0


def test_without_a_category_diversity_is_measured_by_audience(pipelines, split):
    bare = replace(split.train, catalog=replace(split.train.catalog, frame=split.train.catalog.frame.select("item_id")))
    report = evaluate(pipelines, replace(split, train=bare), k=5)
    assert report.diversity_by == "audience"
    assert 0 <= report.best.metrics["diversity"].mean <= 2


@pytest.mark.parametrize(
    ("seen_types", "words"),
    [(None, "what they had seen counts too"), ((), "only items new to them"), (("buy",), "knew by buy does not count")],
)
def test_the_protocol_says_what_was_asked(pipelines, split, seen_types, words):
    report = evaluate(pipelines, replace(split, seen_types=seen_types), k=5, metrics=("recall",))
    assert words in report.protocol
    assert f"{len(split)} people asked, {len(split.relevant)} choices" in report.protocol
    assert report.metrics == ("recall",)


def test_people_who_chose_nothing_are_left_out_and_counted(pipelines, split):
    offsets = np.minimum(split.offsets, split.offsets[-2])  # the last one chose nothing
    idle = replace(split, offsets=offsets, relevant=split.relevant[: offsets[-1]], ratings=split.ratings[: offsets[-1]])
    report = evaluate(pipelines, idle, k=5)
    assert report.best.metrics["ndcg"].missing == 1
    assert "1 person chose nothing that counts: left out of the means" in report.footnotes


def test_only_with_categories_unknown_ones_are_left_out(pipelines, split):
    frame = split.train.catalog.frame.with_columns(category=pl.lit(None, pl.String))
    bare = replace(split.train, catalog=replace(split.train.catalog, frame=frame))
    report = evaluate(pipelines, replace(split, train=bare), k=5)
    assert report.best.metrics["diversity"].users == 0
    assert "–" in str(report)


def test_the_frame_is_tidy(report):
    frame = report.frame()
    assert frame.select("model", "segment", "metric").is_unique().all()
    line = frame.filter(model="tastes", segment="all", metric="ndcg").row(0, named=True)
    assert line["mean"] == report.best.metrics["ndcg"].mean
    assert line["p_value"] == report.best.against["ndcg"].p_value
    assert frame.filter(metric="coverage").height == 3


def test_json_keeps_everything_but_single_users(report):
    again = Report.from_json(report.as_json())
    assert again.as_json() == report.as_json()
    assert str(again) == str(report)
    assert again.rows[0].values == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}'])
def test_a_damaged_report_is_refused(text):
    with pytest.raises(ArtifactError, match="not a report of zhiyin"):
        Report.from_json(text)


def test_the_table_fits_a_terminal_and_names_everything(report):
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= 100
    text = str(report)
    assert "…" not in text
    for word in ("tastes", "popularity", "best achievable", "NDCG@5", "▲", "±", "new users", "catalogue"):
        assert word in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"baseline": "popularty"}, "did you mean 'popularity'"),
        ({"metrics": ("ndgc",)}, "did you mean 'ndcg'"),
        ({"metrics": ()}, "no metric is named"),
    ],
)
def test_a_wrong_question_is_refused_in_one_sentence(pipelines, split, wrong, words):
    with pytest.raises(ConfigError, match=words):
        evaluate(pipelines, split, **wrong)


def test_nothing_to_evaluate_is_said(split):
    with pytest.raises(ConfigError, match="at least one model"):
        evaluate({}, split, baseline=None)


def test_a_single_person_has_a_mean_and_no_bounds(pipelines, split):
    one = replace(
        split, queries=split.queries[:1], offsets=split.offsets[:2],
        relevant=split.relevant[: split.offsets[1]], ratings=split.ratings[: split.offsets[1]],
    )  # fmt: skip
    report = evaluate(pipelines, one, k=5)
    assert np.isnan(report.best.metrics["ndcg"].low)
    assert not report.best.better("ndcg")
    assert "±?" in str(report)
    assert Report.from_json(report.as_json()).as_json() == report.as_json()
