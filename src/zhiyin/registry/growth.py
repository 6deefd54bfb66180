"""A release over the catalogue of now: items that came or changed after training, without training again."""

from dataclasses import dataclass, replace

import polars as pl

from zhiyin.data.catalog import Catalog
from zhiyin.models.grown import grown as grown_model
from zhiyin.registry.release import Release


@dataclass(frozen=True, eq=False)
class Growth:
    """A release that has taken in stored items."""

    release: Release
    unread: tuple[str, ...] = ()
    """A sentence for each column with values that are not of its type; they are left out."""


def grown(release: Release, rows: pl.DataFrame) -> Growth:
    """The release as trained, over a catalogue into which `rows` (item_id and attributes) are written.

    A known item takes the values that a row gives, and keeps the others; a new one gets the next index. What is said
    of items decides what `where` and the rules see from now on, and where content places a new item; the vectors of
    items that training knew stay as they are until the next training.
    """
    if rows.is_empty():
        return Growth(release)
    typed, unread = _typed(rows, release.pipeline.catalog.frame)
    items = release.items.extended(typed["item_id"])
    frame = Catalog.of(items, release.pipeline.catalog.frame).frame
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in typed.schema.items() if name not in frame.columns]
    frame = frame.with_columns(missing).update(typed, on="item_id", how="left", maintain_order="left")
    catalog, known = Catalog(frame), len(release.items)
    pipeline = release.pipeline
    if len(items) > known:
        retrievers = {name: grown_model(model, catalog, known) for name, model in pipeline.retrievers.items()}
        fallback = grown_model(pipeline.fallback, catalog, known)
        pipeline = replace(pipeline, catalog=catalog, retrievers=retrievers, fallback=fallback)
    else:
        pipeline = replace(pipeline, catalog=catalog)
    return Growth(replace(release, pipeline=pipeline, items=items), unread)


def _typed(rows: pl.DataFrame, frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The last row of each item in the types of the catalogue, and what could not be brought to them."""
    rows = rows.with_columns(pl.col("item_id").cast(pl.String)).unique("item_id", keep="last", maintain_order=True)
    unread = []
    for name in rows.columns:
        wanted = frame.schema.get(name)
        if wanted is None or wanted == rows.schema[name]:
            continue
        cast = _cast(rows[name], wanted)
        lost = cast.is_null() & rows[name].is_not_null()
        if lost.any():
            example, item = str(rows[name].filter(lost)[0])[:40], rows["item_id"].filter(lost)[0][:40]
            unread.append(
                f"{int(lost.sum()):,} values of the item column {name!r} are not of its type {wanted}, such as "
                f"{example!r} of {item!r}: they are left out"
            )
        rows = rows.with_columns(cast)
    return rows, tuple(unread)


def _cast(column: pl.Series, wanted: pl.DataType) -> pl.Series:
    if isinstance(wanted, pl.List) and not isinstance(column.dtype, pl.List):
        return column.reshape((-1, 1)).cast(wanted, strict=False)
    if isinstance(column.dtype, pl.List) and not isinstance(wanted, pl.List):
        return column.list.first().cast(wanted, strict=False)
    return column.cast(wanted, strict=False)
