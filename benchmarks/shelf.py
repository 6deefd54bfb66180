"""Networks that were trained once, with the seconds that it took: a blend asks for its parts again."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from zhiyin.data.dataset import Dataset
from zhiyin.models.known import MODELS
from zhiyin.models.next_item import NextItem
from zhiyin.models.recommender import Recommender
from zhiyin.models.watch import Point, watched
from zhiyin.registry.arrays import load_model, save_model

_SECONDS = "seconds.json"


@dataclass(frozen=True)
class Shelf:
    """A folder of trained networks; other models train in less time than it would take to keep them."""

    folder: Path

    def fitted(self, model: Recommender, data: Dataset, name: str) -> tuple[Recommender, float]:
        """The model, trained, and how many seconds that took, now or before.

        Parameters
        ----------
        name
            Of the data: the protocol, the seed and the side.
        """
        place = self.folder / hashlib.sha256(f"{model!r} {name}".encode()).hexdigest()[:24]
        if (place / _SECONDS).exists():
            return load_model(place, MODELS), json.loads((place / _SECONDS).read_text(encoding="utf-8"))
        start = time.perf_counter()
        with watched(tell=_told):
            model.fit(data)
        seconds = time.perf_counter() - start
        if isinstance(model, NextItem):
            save_model(model, place)
            (place / _SECONDS).write_text(json.dumps(seconds), encoding="utf-8")
        return model, seconds


def _told(point: Point) -> None:
    print(f"    epoch {point.epoch} of {point.epochs}: loss {point.loss:.4f}, held back {point.metric:.4f}", flush=True)
