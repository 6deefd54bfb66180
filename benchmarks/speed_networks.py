"""SASRec beside that of RecTools on ML-1M: the same loss, width, layers, heads, window, batch and epochs, in one run.

Each trains in a process of its own and is asked for everybody's last item, so that speed is not bought with accuracy.
Then where our time goes, how it grows with the catalogue and the window, and what a request takes on one core.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import alone
from benchmarks.protocols import DATA
from benchmarks.sequences import SEQUENCES
from zhiyin.compute.threads import thread_count
from zhiyin.data.dataset import Dataset
from zhiyin.data.split import Split
from zhiyin.evaluation import metrics
from zhiyin.evaluation.metrics import Hits, Relevant
from zhiyin.models.recommender import Precision
from zhiyin.models.sasrec import SASRec
from zhiyin.models.watch import watched
from zhiyin.ranking.recommend import Pipeline
from zhiyin.types import Indexes

PEER = Path(".venv-rectools/bin/python")
EPOCHS, SESSIONS = 3, 128  # the batch of RecTools is of sessions; ours has as many events as that many windows
SHAPE: dict[str, Any] = {"layers": 2, "heads": 4, "dimensions": 128, "dropout": 0.2, "window": 200}
RATE = 0.001
SHOWN = 12  # operations of the profile
REQUESTS = 500
_FORMS: dict[str, Precision] = {"ONNX Runtime": "float32", "ONNX Runtime, int8": "int8", "PyTorch": "float32"}


def run() -> list[dict[str, Any]]:
    """The race, the profile, and the growth."""
    if not (DATA / "ml-1m").exists():
        return []
    return [*_race(), *alone(_profile)["rows"], *_growth(), *_requests()]


def _race() -> list[dict[str, Any]]:
    if not PEER.exists():
        return []
    ours, theirs = alone(_ours), _theirs()
    return [
        {
            "what": f"an epoch of SASRec, ML-1M, {SHAPE['dimensions']} dimensions, window {SHAPE['window']}",
            "zhiyin_seconds": float(np.median(ours["seconds"])),
            "beside": "RecTools",
            "its_seconds": float(np.median(theirs["seconds"])),
            "times_as_fast": float(np.median(theirs["seconds"]) / np.median(ours["seconds"])),
            f"zhiyin_ndcg@10 after {EPOCHS}": ours["ndcg"],
            f"its_ndcg@10 after {EPOCHS}": theirs["ndcg"],
        }
    ]


def _ours() -> dict[str, Any]:
    """Seconds of each epoch, and NDCG@10 of everybody's last item."""
    test = SEQUENCES["ml-1m"].splits(0)[1]
    model = SASRec(
        **SHAPE, learning_rate=RATE, epochs=EPOCHS, batch_events=_batch_events(test), validation_people=0, patience=99
    )
    moments = [0.0]
    with watched(tell=lambda _: moments.append(time.perf_counter())):
        moments[0] = time.perf_counter()
        model.fit(_newest(test.train, SHAPE["window"] + 1))
    pipeline = Pipeline.of(model, test.train)
    lists = pipeline.recommend(test.queries, 10).items
    return {"seconds": np.diff(moments).tolist(), "ndcg": _ndcg(lists, test)}


def _newest(data: Dataset, most: int) -> Dataset:
    """The newest events of each person: RecTools learns from no others."""
    log = data.interactions
    order = np.lexsort((-log.times, log.users))
    counts = np.bincount(log.users, minlength=log.n_users)
    back = np.arange(len(log)) - np.repeat(np.cumsum(counts) - counts, counts)
    return data.with_interactions(log[np.sort(order[back < most])])


def _batch_events(split: Split) -> int:
    """As many events as RecTools has in a batch: its sessions are the newest window of a person."""
    lengths = np.minimum(split.train.interactions.histories.lengths - 1, SHAPE["window"])
    return int(SESSIONS * lengths[lengths > 0].mean())


def _theirs() -> dict[str, Any]:
    """The same of RecTools."""
    test = SEQUENCES["ml-1m"].splits(0)[1]
    log = test.train.interactions
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        order = np.lexsort((log.times, log.users))
        np.savez(
            given, users=log.users[order], items=log.items[order], times=log.times[order], epochs=EPOCHS,
            batch=SESSIONS, learning_rate=RATE, **SHAPE,
        )  # fmt: skip
        command = [str(PEER), str(Path(__file__).with_name("peer_sasrec.py")), str(given), str(found)]
        environment = {**os.environ, "ZHIYIN_THREADS": str(thread_count())}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        with np.load(found) as end:
            return {"seconds": end["seconds"].tolist(), "ndcg": _ndcg(end["lists"][test.queries.people], test)}


def _ndcg(lists: Indexes, test: Split) -> float:
    return float(metrics.RANKING["ndcg"](Hits.of(lists, Relevant(test.offsets, test.relevant))).mean())


def _profile() -> dict[str, Any]:
    """Where the time of an epoch goes, by operation of PyTorch."""
    from torch.profiler import profile

    some = _some(SEQUENCES["ml-1m"].splits(0)[1].train)
    with profile() as seen:
        _trained(some, SHAPE["window"], 1)
    found = sorted(seen.key_averages(), key=lambda one: -one.self_cpu_time_total)
    total = sum(one.self_cpu_time_total for one in found)
    rows = [
        {"operation": one.key, "share_of_the_time": one.self_cpu_time_total / total, "calls": one.count}
        for one in found[:SHOWN]
    ]
    return {"rows": rows}


def _some(data: Dataset) -> Dataset:
    """What a thousand people did, with nearly all items."""
    return data.with_interactions(data.interactions[data.interactions.users < 1000])


def _growth() -> list[dict[str, Any]]:
    """Seconds of an epoch over the same number of events: more items, and longer windows."""
    rows = []
    for items, window in ((3_000, 50), (10_000, 50), (30_000, 50), (100_000, 50), (3_000, 100), (3_000, 200)):
        found = alone(_timed, items, window)
        rows.append({"items": items, "window": window, "epoch_seconds": found["seconds"]})
    return rows


def _timed(items: int, window: int) -> dict[str, float]:
    """Of people with 200 events each, at random: what is learned is nothing, and takes as long."""
    data = _random(np.random.default_rng(0), 500, 200, items)
    _trained(data, window, 1)
    return {"seconds": _trained(data, window, 1)}


def _requests() -> list[dict[str, Any]]:
    """A list of ten for one person of ML-1M with a full window, one at a time, by ONNX Runtime and by PyTorch."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the processes to come, as `zhiyin serve` does
    return [{"what": f"a request, ML-1M, one core, {name}", **alone(_request, name)} for name in _FORMS]


def _request(form: str) -> dict[str, float]:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    test = SEQUENCES["ml-1m"].splits(0)[1]
    model = SASRec(**SHAPE, epochs=1, validation_people=0).fit(_some(test.train))
    pipeline = Pipeline.of(model if form == "PyTorch" else model.exported(_FORMS[form]), test.train)
    busy = np.argsort(-test.queries.histories.lengths)[:REQUESTS]
    spent = []
    for row in busy:
        start = time.perf_counter()
        pipeline.recommend(test.queries[[row]], 10)
        spent.append((time.perf_counter() - start) * 1000)
    return {"p50_ms": float(np.median(spent[1:])), "p99_ms": float(np.quantile(spent[1:], 0.99))}


def _trained(data: Dataset, window: int, epochs: int) -> float:
    model = SASRec(**{**SHAPE, "window": window}, epochs=epochs, validation_people=0)
    start = time.perf_counter()
    model.fit(data)
    return time.perf_counter() - start


def _random(rng: np.random.Generator, people: int, events: int, items: int) -> Dataset:
    from benchmarks.sequences import dataset

    users: NDArray[np.int64] = np.repeat(np.arange(people), events)
    times = np.tile(np.arange(events, dtype=np.int64) * 3_600_000_000, people)
    return dataset(users, rng.integers(0, items, len(users)), times, np.arange(items))
