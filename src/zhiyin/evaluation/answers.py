"""Ask one pipeline everything, in blocks, through the very path that is served; keep what each user got."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zhiyin.data.queries import Queries
from zhiyin.data.split import Split
from zhiyin.evaluation import list_metrics, metrics
from zhiyin.evaluation.metrics import Hits, Relevant
from zhiyin.models.recommender import Rates
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import Floats, Indexes, Mask

BLOCK_BYTES = 256 << 20  # for scores float32 and permission bool of one block of queries × all items


@runtime_checkable
class Recommends(Protocol):
    """Anything that answers queries with lists; `Pipeline` does."""

    def recommend(self, queries: Queries, k: int) -> Candidates:
        """The k best items for each query, best first."""
        ...


@dataclass(frozen=True, eq=False)
class Exam:
    """What every pipeline is asked, and what its answers are held against."""

    split: Split
    k: int
    metrics: tuple[str, ...]
    relevant: Relevant
    new: Mask  # [relevant items] hardly known in training
    touched_by: NDArray[np.int64]  # [n] training users who touched each item
    diversity: Callable[[Indexes], Floats]  # float64[b] of lists int32[b, k]
    diversity_by: Literal["category", "audience"]

    @property
    def n_items(self) -> int:
        """The size of the catalogue."""
        return len(self.split.train.items)

    def blocks(self) -> Iterable[slice]:
        """The queries in portions whose users × items fit into memory."""
        size = max(1, BLOCK_BYTES // (6 * max(self.n_items, 1)))
        return [slice(start, min(start + size, len(self.split))) for start in range(0, len(self.split), size)]


@dataclass(eq=False)
class Answers:
    """What one pipeline scored, by user; a name that it could not be measured by is missing."""

    k: int
    exposures: NDArray[np.int64]  # [n]
    values: dict[str, Floats] = field(default_factory=dict)  # metric -> float64[b]
    on_new_items: dict[str, Floats] = field(default_factory=dict)  # metric -> float64[b]
    seconds: float = 0.0
    exact_auc: bool = True
    ratings: dict[str, Floats] = field(default_factory=dict)  # sums by user: squared, absolute, predicted, unpredicted


class Timed:
    """A pipeline with a stopwatch: the only place here that looks at time."""

    def __init__(self, pipeline: Recommends) -> None:
        self.pipeline = pipeline
        self.seconds = 0.0

    def recommend(self, queries: Queries, k: int) -> Indexes:
        """int32[b, k]: the lists alone, padded with −1 to k places."""
        start = perf_counter()
        items = self.pipeline.recommend(queries, k).items[:, :k]
        self.seconds += perf_counter() - start
        return np.pad(items, ((0, 0), (0, k - items.shape[1])), constant_values=-1)


def answers(pipeline: Recommends, exam: Exam, *, progress: Callable[[int], None]) -> Answers:
    """Everything about one pipeline; `progress` hears how many queries each block answered."""
    timed = Timed(pipeline)
    found = Answers(exam.k, np.zeros(exam.n_items, np.int64))
    parts: list[tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]] = []
    for rows in exam.blocks():
        queries = exam.split.queries[rows]
        relevant = exam.relevant.block(rows.start, rows.stop)
        known = slice(int(exam.relevant.offsets[rows.start]), int(exam.relevant.offsets[rows.stop]))
        lists = timed.recommend(queries, exam.k)
        hits = Hits.of(lists, relevant)
        values = _of_hits(hits, exam) | _of_lists(lists, exam)
        if "auc" in exam.metrics:
            values["auc"], exact = _auc(pipeline, queries, relevant, hits, exam)
            found.exact_auc &= exact
        fresh = _of_hits(Hits.of(lists, relevant.only(exam.new[known])), exam)
        parts.append((values, fresh, _ratings(pipeline, queries, relevant, exam.split.ratings[known])))
        found.exposures += list_metrics.exposure(lists, exam.n_items)
        progress(len(queries))
    found.values, found.on_new_items, found.ratings = (_joined(column) for column in zip(*parts, strict=True))
    found.seconds = timed.seconds
    return found


def _of_hits(hits: Hits, exam: Exam) -> dict[str, Floats]:
    return {name: metrics.RANKING[name](hits) for name in exam.metrics if name in metrics.RANKING}


def _of_lists(lists: Indexes, exam: Exam) -> dict[str, Floats]:
    return {
        "novelty": list_metrics.novelty(lists, exam.touched_by, exam.split.train.interactions.n_users),
        "diversity": exam.diversity(lists),
        "popularity": list_metrics.average_popularity(lists, exam.touched_by),
    }


def _auc(pipeline: Recommends, queries: Queries, relevant: Relevant, hits: Hits, exam: Exam) -> tuple[Floats, bool]:
    """The AUC by user, and whether it comes from the scores of all items or from the lists alone."""
    if isinstance(pipeline, Pipeline):
        allowed = pipeline.rules.of_queries(queries, pipeline.allowed_items(None), pipeline.catalog)
        scores = pipeline.score_all(queries)
        if scores is not None:
            return metrics.auc(scores, allowed, relevant), True
    else:
        allowed = np.ones((len(queries), exam.n_items), np.bool_)
    inside = allowed[relevant.users, relevant.items]
    reachable = np.bincount(relevant.users[inside], minlength=len(queries))
    return metrics.auc_of_lists(hits, allowed.sum(axis=1) - reachable, reachable), False


def _ratings(
    pipeline: Recommends, queries: Queries, relevant: Relevant, given: NDArray[np.float32]
) -> dict[str, Floats]:
    """Sums of errors by user, where the one model of a pipeline predicts ratings and ratings are known."""
    model = _rater(pipeline)
    if model is None or np.isnan(given).all():
        return {}
    items = np.full((len(queries), int(relevant.counts.max(initial=0))), -1, np.int32)
    places = np.arange(len(relevant.items)) - relevant.offsets[relevant.users]
    items[relevant.users, places] = relevant.items
    errors = model.rate(queries, items)[relevant.users, places].astype(np.float64) - given
    asked, known = ~np.isnan(given), ~np.isnan(errors)
    sums = {"squared": errors**2, "absolute": np.abs(errors), "predicted": known, "unpredicted": ~known}
    return {
        name: np.bincount(relevant.users, np.where(asked, np.nan_to_num(part), 0.0), len(queries)).astype(np.float64)
        for name, part in sums.items()
    }


def _rater(pipeline: Recommends) -> Rates | None:
    models = list(pipeline.retrievers.values()) if isinstance(pipeline, Pipeline) else [pipeline]
    return models[0] if len(models) == 1 and isinstance(models[0], Rates) else None


def _joined(parts: tuple[dict[str, Floats], ...]) -> dict[str, Floats]:
    names = {name: None for part in parts for name in part}
    return {name: np.concatenate([part[name] for part in parts if name in part]) for name in names}
