"""Click prediction on published splits: one number for each row of features, AUC and log loss over all rows together.

A network learns from the training file; after each epoch it answers the validation file, and the epoch with the best
AUC there is the one that answers the test file, once. Frappe's training file has the true positives and contexts, and
negatives that were drawn again, as those of the authors are not to be had.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.machine import alone, machine
from benchmarks.protocols import DATA
from zhiyin.compute.click_metrics import area, log_loss
from zhiyin.features.table import Encoded, FeatureTable
from zhiyin.models.click_model import ClickModel
from zhiyin.models.click_network import Part, answered, embedded
from zhiyin.models.dcn_v2 import DCNv2
from zhiyin.models.deep_fm import DeepFM
from zhiyin.models.final_mlp import FinalMLP
from zhiyin.models.fm import FM
from zhiyin.models.logistic_regression import LogisticRegression
from zhiyin.models.watch import Point, watched
from zhiyin.models.wide_and_deep import WideAndDeep

if TYPE_CHECKING:
    from zhiyin.models.neural.click_module import ClickModule

Logits = NDArray[np.float32]
_BLOCK = 8192  # rows answered at once


@dataclass(frozen=True)
class ClickProtocol:
    """What is asked, and what others answered."""

    files: Mapping[str, str]  # train, validation and test, in the folder of the protocol
    columns: tuple[str, ...]
    networks: Mapping[str, ClickModel]
    published: Mapping[str, tuple[float, ...]]  # model -> AUC, log loss
    note: str
    metrics: tuple[str, ...] = ("auc", "logloss")


_DEEP: dict[str, Any] = {
    "dimensions": 20, "layers": (256, 128), "dropout": 0.2, "l2": 0.1, "learning_rate": 0.001,
    "batch_size": 4096, "epochs": 60, "patience": 3,
}  # fmt: skip
_SHALLOW: dict[str, Any] = {"learning_rate": 0.003, "batch_size": 4096, "epochs": 60}

CLICKS: Mapping[str, ClickProtocol] = {
    "frappe": ClickProtocol(
        {"train": "train.reconstructed", "validation": "validation", "test": "test"},
        (
            "user", "item", "daytime", "weekday", "is_weekend", "homework", "cost", "weather", "country", "city",
        ),
        {
            "logistic_regression": LogisticRegression(**{**_SHALLOW, "learning_rate": 0.01}),
            "fm": FM(**_SHALLOW, dimensions=10, l2=1e-4),
            "deep_fm": DeepFM(**_DEEP),
            "wide_and_deep": WideAndDeep(**_DEEP),
            "dcn_v2": DCNv2(**_DEEP, cross_layers=3),
            "final_mlp": FinalMLP(**_DEEP, second_layers=(128,), heads=8),
        },
        {
            "LR": (0.9356, 0.3076), "FM": (0.9671, 0.2065), "DNN": (0.9833, 0.1622), "DeepFM": (0.9842, 0.1482),
            "DCN-V2": (0.9845, 0.1491), "FinalNet": (0.9857, 0.1311), "FinalMLP": (0.9861, 0.1484),
        },
        "the negatives of train are redrawn",
    )
}  # fmt: skip
BLEND = ("deep_fm", "wide_and_deep", "dcn_v2", "final_mlp")
"""The networks whose answers are added, scaled to the validation file by Platt's two numbers."""


def rows(name: str, only: str | None = None) -> Iterator[dict[str, Any]]:
    """A row for each network, and one for their blend, which comes with its parts."""
    models = (*CLICKS[name].networks, "blend") if only is None else (*BLEND, only) if only == "blend" else (only,)
    with TemporaryDirectory() as folder:
        for model in models:
            yield alone(blended if model == "blend" else measured, name, model, folder)


def measured(name: str, model: str, folder: str) -> dict[str, Any]:
    """Train one network and ask it once."""
    import torch  # the extra neural

    from zhiyin.models.neural.click_module import ClickModule

    network, sides = CLICKS[name].networks[model], read(name)
    start = perf_counter()
    table = FeatureTable.of(sides["train"][0], dict.fromkeys(CLICKS[name].columns, "category"))
    features = {side: table.encode(frame) for side, (frame, _) in sides.items()}
    labels = {side: clicked for side, (_, clicked) in sides.items()}
    torch.manual_seed(network.seed)
    module = ClickModule(network, [table.layout], network.dropped)
    with watched(partial(_told, model)):
        _teach(module, network, features, labels)
    seconds, weights = perf_counter() - start, module.plain()
    found = {side: _answers(network, weights, table, features[side]) for side in ("validation", "test")}
    np.savez(Path(folder) / f"{model}.npz", **found, seconds=np.array(seconds))  # type: ignore[arg-type]  # arrays
    return _row(name, model, found["test"], labels["test"], seconds, {model: _settings(network)})


def blended(name: str, model: str, folder: str) -> dict[str, Any]:
    """The mean of several networks' logits, times a number and plus another, both chosen on the validation file."""
    sides = read(name)
    parts = {part: np.load(Path(folder) / f"{part}.npz") for part in BLEND}
    means = {side: np.mean([part[side] for part in parts.values()], axis=0) for side in ("validation", "test")}
    clicked = sides["validation"][1]
    scale, shift = minimize(lambda x: log_loss(x[0] * means["validation"] + x[1], clicked), [1.0, 0.0]).x
    seconds = float(sum(part["seconds"] for part in parts.values()))
    settings = {part: _settings(CLICKS[name].networks[part]) for part in BLEND}
    return _row(name, model, scale * means["test"] + shift, sides["test"][1], seconds, settings)


def read(name: str) -> dict[str, tuple[pl.DataFrame, NDArray[np.float32]]]:
    """Side to its features, each as text, and its clicks: 1 or 0. The files are in the format of libFM, one-hot."""
    protocol, found = CLICKS[name], {}
    for side, file in protocol.files.items():
        names = ["label", *protocol.columns]
        lines = pl.read_csv(
            DATA / name / f"{file}.libfm.gz", has_header=False, separator=" ", new_columns=names,
            schema_overrides=[pl.Int32] + [pl.String] * len(protocol.columns),
        )  # fmt: skip
        found[side] = lines.drop("label"), (lines["label"].to_numpy() > 0).astype(np.float32)
    return found


def _teach(
    module: "ClickModule", network: ClickModel, features: Mapping[str, Encoded], labels: Mapping[str, Logits]
) -> None:
    """Train with the settings of `network`."""
    from zhiyin.models.neural.click_training import CLIP, Batch, adam, cost, predicted
    from zhiyin.models.neural.course import Schedule
    from zhiyin.models.neural.rates import Shrinking
    from zhiyin.models.neural.train import Step, Validation, train

    rng = np.random.default_rng(network.seed)

    def batches(rows: NDArray[np.int64], side: str, size: int) -> Iterator[Batch]:
        for first in range(0, len(rows), size):
            part = rows[first : first + size]
            yield Batch((Part(features[side][part]),), labels[side][part])

    def lesson(_: int) -> Iterator[Callable[[], Step]]:
        for batch in batches(rng.permutation(len(labels["train"])), "train", network.batch_size):
            yield partial(cost, module, batch)

    def validated() -> float:
        everybody = np.arange(len(labels["validation"]))
        return area(predicted(module, batches(everybody, "validation", _BLOCK)), labels["validation"])

    rate = Shrinking(network.learning_rate)
    schedule = Schedule(network.epochs, rate, CLIP, network.patience, network.seed)
    train(module, lesson, adam(module, network.l2), schedule, validation=Validation("AUC", validated))


def _told(model: str, point: Point) -> None:
    print(f"  {model} epoch {point.epoch}: loss {point.loss:.4f}, validation AUC {point.metric:.4f}", flush=True)


def _answers(network: ClickModel, weights: Mapping[str, Logits], table: FeatureTable, rows: Encoded) -> Logits:
    """float32[rows]: as NumPy answers, without PyTorch."""
    found = []
    for first in range(0, len(rows), _BLOCK):
        x, linear = embedded(weights, 0, table.layout, rows[first : first + _BLOCK])
        found.append(answered(network, weights, x, linear))
    return np.concatenate(found)


def _settings(network: ClickModel) -> dict[str, Any]:
    """Those that matter to a network alone: there are no histories here, and nothing is drawn."""
    names = [one.name for one in fields(network) if one.init and one.name not in ("window", "negatives", "ignore")]
    return {name: getattr(network, name) for name in names}


def _row(
    name: str, model: str, logits: Logits, clicked: Logits, seconds: float, settings: dict[str, Any]
) -> dict[str, Any]:
    where = machine()
    return {
        "protocol": name,
        "model": model,
        "metrics": {"auc": area(logits, clicked), "logloss": log_loss(logits, clicked)},
        "train_seconds": seconds,
        "tune_seconds": 0.0,
        "settings": settings,
        "seeds": 1,
        "note": CLICKS[name].note,
        "machine": f"{where['processor']}, {where['cores']} cores",
        "date": where["date"],
        "commit": where["commit"],
    }
