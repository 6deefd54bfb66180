"""A trained pipeline with everything that answering takes: immutable, numbered, data alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zhiyin import fields
from zhiyin.data.catalog import Catalog
from zhiyin.data.dataset import Dataset
from zhiyin.data.histories import Histories
from zhiyin.data.queries import Queries
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.errors import ArtifactError, UnknownIdError
from zhiyin.models.known import MODELS
from zhiyin.ranking.fuse import Blend, ReciprocalRank
from zhiyin.ranking.lists import Lists
from zhiyin.ranking.people import People
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.similar import similar
from zhiyin.ranking.slate import slate
from zhiyin.ranking.terms import PLAIN, Terms
from zhiyin.registry.arrays import MALFORMED, load_arrays, load_model, save_arrays, save_model
from zhiyin.registry.soundness import fault

COMBINERS: Mapping[str, type] = {"Blend": Blend, "ReciprocalRank": ReciprocalRank}


@dataclass(frozen=True, eq=False)
class Release:
    """What the service holds, and the only thing that it can hold."""

    pipeline: Pipeline
    users: Vocabulary
    items: Vocabulary
    histories: Histories  # one row per user, as of training
    details: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    """0 until the registry has given one."""

    @classmethod
    def of(cls, pipeline: Pipeline, data: Dataset, details: Mapping[str, Any] | None = None) -> "Release":
        """A pipeline that was fitted on `data`."""
        return cls(pipeline, data.users, data.items, data.interactions.histories, details or {})

    def __repr__(self) -> str:
        names = ", ".join(self.pipeline.retrievers)
        return f"Release({self.number}: {names}; {len(self.users):,} users, {len(self.items):,} items)"

    @cached_property
    def last_event(self) -> int:
        """µs UTC of the newest event that this release has learnt from."""
        return int(self.histories.times.max(initial=0))

    @cached_property
    def lists(self) -> Lists:
        """What this release can list beside its recommendations: what is popular, trending, new, or goes together."""
        return Lists(self.pipeline, self.histories)

    @cached_property
    def people(self) -> People:
        """Who is alike to whom."""
        return People(self.histories, len(self.items))

    def queries(self, user_ids: Iterable[object], now: int) -> Queries:
        """What this release knows of these people; a stranger is an empty history."""
        people = self.users.indexes(user_ids)
        moments = np.where(people >= 0, now, np.iinfo(np.int64).min)  # a stranger has no past
        return Queries.of(self.histories[np.maximum(people, 0)].before(moments), people, now)

    def recommend(
        self, user_ids: Iterable[object], k: int = 10, *, now: int | None = None, where: str | None = None
    ) -> pl.DataFrame:
        """user_id, item_id, score, rank, origin: the k best for each person, best first.

        `now` is µs UTC, just after the newest event if not given.
        """
        ids = [str(one) for one in user_ids]
        queries = self.queries(ids, self.last_event + 1 if now is None else now)
        return slate(self.pipeline.recommend(queries, k, _terms(where)), ids, self.items)

    def similar(self, item_id: object, k: int = 10, *, where: str | None = None) -> pl.DataFrame:
        """item_id, score, rank, origin: the k items most alike to one.

        Raises
        ------
        UnknownIdError
            If this release does not know the item.
        """
        index = self.items.indexes([item_id])
        if index[0] < 0:
            raise UnknownIdError(
                f"item {shown(item_id)} is not known to this release: check the id, or train again after it was added"
            )
        return slate(similar(self.pipeline, index, k, _terms(where)), [str(item_id)], self.items).drop("user_id")

    def write(self, directory: Path) -> None:
        """All of it as Parquet, safetensors and JSON."""
        self.pipeline.catalog.frame.write_parquet(directory / "catalog.parquet")
        self.users.texts.alias("user_id").to_frame().write_parquet(directory / "users.parquet")
        past = self.histories
        columns = {name: getattr(past, name) for name in HISTORY_COLUMNS}
        save_arrays(directory / "histories.safetensors", columns)
        for name, model in self.pipeline.retrievers.items():
            save_model(model, directory / "models" / name)
        save_model(self.pipeline.fallback, directory / "fallback")
        save_model(self.pipeline.combine, directory / "combine")
        outline = {
            "retrievers": list(self.pipeline.retrievers),
            "pool": self.pipeline.pool,
            "rules": fields.to_table(self.pipeline.rules),
            "kind_names": list(past.kind_names),
            "details": dict(self.details),
        }
        text = json.dumps(outline, ensure_ascii=False, indent=1)
        (directory / "release.json").write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, directory: Path, number: int = 0) -> "Release":
        """What `write` wrote; the registry has checked the hashes before.

        Raises
        ------
        ArtifactError
            If a part is missing or is not what it should be.
        """
        try:
            outline = json.loads((directory / "release.json").read_text(encoding="utf-8"))
            catalog = Catalog(pl.read_parquet(directory / "catalog.parquet"))
            users = Vocabulary(pl.read_parquet(directory / "users.parquet")["user_id"])
            columns = load_arrays(directory / "histories.safetensors")
            histories = Histories(
                **{name: columns[name] for name in HISTORY_COLUMNS}, kind_names=tuple(outline["kind_names"])
            )
            retrievers = {name: load_model(directory / "models" / name, MODELS) for name in outline["retrievers"]}
            pipeline = Pipeline(
                retrievers,
                catalog,
                fallback=load_model(directory / "fallback", MODELS),
                rules=fields.from_table(Rules, outline["rules"], "rules"),
                combine=load_model(directory / "combine", COMBINERS),
                pool=int(outline["pool"]),
            )
            items = Vocabulary(catalog.frame["item_id"])
            reason = fault(pipeline, users, items, histories, outline["details"])
        except ArtifactError:
            raise
        except MALFORMED as error:
            reason = type(error).__name__
        if reason:
            raise ArtifactError(f"the release in {directory} cannot be read ({reason}): train again, or roll back")
        return cls(pipeline, users, items, histories, outline["details"], number)


def _terms(where: str | None) -> Terms:
    return Terms(where=(where,)) if where else PLAIN


HISTORY_COLUMNS = ("offsets", "items", "times", "weights", "values", "kinds")


def shown(id_: object) -> str:
    """An id for an error message: quoted, and cut where it is long."""
    text = str(id_)
    return repr(text if len(text) <= 80 else text[:77] + "...")
