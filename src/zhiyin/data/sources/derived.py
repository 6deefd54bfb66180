"""Items from event lines: a shop's invoices often say what an article is called and costs, line by line."""

import polars as pl

from zhiyin.data.sources.aliases import ITEM_ATTRIBUTES
from zhiyin.data.sources.reading import Match, Recognised


def items_of(events: pl.DataFrame, recognised: Recognised) -> tuple[pl.DataFrame | None, Recognised | None]:
    """Per item its most frequent texts (the first in the alphabet among equals) and its median positive price.

    Nothing when the event lines carry no text about items: prices alone are no catalogue.
    """
    texts = [name for name in ITEM_ATTRIBUTES if name in events.columns]
    if not texts:
        return None, None
    known = events.filter(pl.col("item_id").is_not_null())
    items = known.select(pl.col("item_id").unique().cast(pl.String)).sort("item_id")
    for name in texts:
        items = items.join(_most_frequent(known, name), on="item_id", how="left", maintain_order="left")
    if "price" in events.columns:
        priced = known.filter(pl.col("price").is_finite() & (pl.col("price") > 0)).group_by("item_id")
        prices = priced.agg(pl.col("price").cast(pl.Float64).median().round(4)).with_columns(
            pl.col("item_id").cast(pl.String)
        )
        items = items.join(prices, on="item_id", how="left", maintain_order="left")
    names = [name for name in ("item_id", *texts, "price") if name in items.columns]
    matches = tuple(
        Match(match.canonical, match.theirs, match.how) for match in recognised.matches if match.canonical in names
    )
    note = "derived from the events: the most frequent text and the median positive price of each item"
    return items, Recognised("items", matches, notes=(note,))


def _most_frequent(events: pl.DataFrame, name: str) -> pl.DataFrame:
    text = pl.col(name).cast(pl.String).str.strip_chars()
    counts = events.select("item_id", text.alias(name)).filter(pl.col(name) != "").group_by("item_id", name).len()
    best = counts.sort("len", name, descending=[True, False]).unique("item_id", keep="first", maintain_order=True)
    return best.select(pl.col("item_id").cast(pl.String), name)
