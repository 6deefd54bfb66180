"""Recommended items as a verb shows them: with their titles and prices, where the catalogue has them."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from zhiyin.cli.printing import show, table
from zhiyin.registry.release import Release

DETAILS = ("title", "price")
LONGEST_TITLE = 60


def with_details(found: pl.DataFrame, release: Release) -> pl.DataFrame:
    """The same rows with the title and the price of each item, where the catalogue knows these columns."""
    catalog = release.pipeline.catalog.frame
    known = [name for name in DETAILS if name in catalog.columns]
    return found.join(catalog.select("item_id", *known), on="item_id", how="left", maintain_order="left")


def show_items(found: pl.DataFrame, title: str) -> None:
    """A list, best first."""
    details = [name for name in DETAILS if name in found.columns]
    columns = ["rank", "item_id", *details, "score", "origin"]
    rows = [[_cell(name, row[name]) for name in columns] for row in found.iter_rows(named=True)]
    show(table(columns, rows, right=("rank", "price", "score"), title=title))


def items_json(found: pl.DataFrame) -> list[dict[str, Any]]:
    """rank, item_id, score, origin, and title and price where they are known."""
    return found.drop("user_id", strict=False).to_dicts()


def too_few(found: int, k: int) -> str:
    """The sentence for a list that is shorter than was asked for."""
    return f"only {found} of {k} places are filled: no more items are allowed by the rules and by --where"


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "score":
        return f"{value:.4f}"
    if name == "price":
        return f"{value:,.2f}" if isinstance(value, int | float) else value
    text = str(value)
    return text if name != "title" or len(text) <= LONGEST_TITLE else text[: LONGEST_TITLE - 1] + "…"


def listed(values: Sequence[str], known: Sequence[bool]) -> list[str]:
    """Values that are taken whole where they are known, and else divided at commas."""
    parts = []
    for value, whole in zip(values, known, strict=True):
        parts += [value] if whole else [part.strip() for part in value.split(",") if part.strip()]
    return parts
