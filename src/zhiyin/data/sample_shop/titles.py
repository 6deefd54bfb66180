"""What the public tables say of items and people: titles in two languages, and the columns nobody should learn from."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhiyin.data.sample_shop.catalogue import NEVER, Catalogue
from zhiyin.data.sample_shop.people import People
from zhiyin.data.sample_shop.scale import Calendar
from zhiyin.data.sample_shop.words import (
    BRANDS,
    CITIES,
    COLOURS,
    DEPARTMENTS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    STREETS,
    STYLES,
    Pair,
)
from zhiyin.types import Floats, Indexes

Words = NDArray[np.intp]


def item_table(catalogue: Catalogue, item_ids: pl.Series, calendar: Calendar, rng: np.random.Generator) -> pl.DataFrame:
    """The catalogue as a shop keeps it, oldest item first.

    The words tell of the place on the shelf, blurred: the noun of the sixth of the department it stands in (wrong for
    one in ten), the style of the tenth of that sixth (wrong for three in twenty), the brand of the fifth of the
    department (wrong for one in five). The colour tells nothing.
    """
    order = catalogue.places
    departments = catalogue.departments[order].astype(np.intp)
    place = catalogue.styles[order]
    nouns = _blurred(np.floor(place * 6), 6, 0.10, rng)
    styles = _blurred(np.floor(place * 6 % 1 * len(STYLES)), len(STYLES), 0.15, rng)
    brands = _blurred((departments * 5 + np.floor(place * 5)) % len(BRANDS), len(BRANDS), 0.20, rng)
    colours = rng.integers(0, len(COLOURS), len(order))
    all_nouns = tuple(noun for department in DEPARTMENTS for noun in department.nouns)
    words = pl.DataFrame({"item_id": item_ids}).with_columns(
        *_both("noun", all_nouns, departments * 6 + nouns),
        *_both("style", STYLES, styles),
        *_both("brand", BRANDS, brands),
        *_both("colour", COLOURS, colours),
        *_both("category", tuple((one.name, one.name_zh) for one in DEPARTMENTS), departments),
        pl.Series("bilingual", rng.random(len(order)) < 0.15),
        pl.Series("price", catalogue.list_prices[order]),
        pl.Series("available", catalogue.withdrawn[order] == NEVER),
        pl.Series("created_at", calendar.to_micros(catalogue.created[order])),
    )
    return words.select("item_id", *_titles(), "category", "brand", _description(), "price", "available", "created_at")


def user_table(people: People, user_ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """People as a shop keeps them; e-mail, phone, name and address are invented and tell nothing."""
    count = len(people)
    given, family = _drawn(GIVEN_NAMES, count, rng), _drawn(FAMILY_NAMES, count, rng)
    streets, cities = _drawn(STREETS, count, rng), _drawn(CITIES, count, rng)
    frame = pl.DataFrame({"user_id": user_ids}).with_columns(
        (given + " " + family).alias("name"),
        (pl.col("user_id") + "@example.com").alias("email"),
        pl.Series("phone", rng.integers(0, 10_000_000, count)).cast(pl.String).str.zfill(7),
        pl.Series("house", rng.integers(1, 200, count)).cast(pl.String),
        pl.Series("age", people.ages),
        _drawn(("female", "male"), count, rng).alias("sex"),
        cities.alias("city"),
    )
    return frame.select(
        "user_id",
        "name",
        "email",
        ("+1-555-" + pl.col("phone")).alias("phone"),
        (pl.col("house") + " " + pl.lit(streets) + ", " + pl.col("city")).alias("address"),
        "age",
        "sex",
        "city",
    )


def user_ids(people: int, machines: int) -> tuple[pl.Series, pl.Series]:
    """Ids of the people and of the machines, which look like people's."""
    ids = _numbered("u", people + machines)
    return ids[:people], ids[people:]


def item_ids(items: int) -> pl.Series:
    """Ids in the order in which the items were created."""
    return _numbered("i", items).alias("item_id")


def _numbered(letter: str, count: int) -> pl.Series:
    numbers = pl.Series("user_id", np.arange(1, count + 1), dtype=pl.Int64).cast(pl.String)
    return letter + numbers.str.zfill(max(5, len(str(count))))


def _blurred(words: Floats | Words, kinds: int, share: float, rng: np.random.Generator) -> Words:
    wrong = rng.random(len(words)) < share
    return np.where(wrong, rng.integers(0, kinds, len(words)), words).astype(np.intp)


def _both(name: str, pairs: tuple[Pair, ...], rows: Words | Indexes) -> tuple[pl.Series, pl.Series]:
    english = pl.Series(name, [pair[0] for pair in pairs])
    chinese = pl.Series(f"{name}_zh", [pair[1] for pair in pairs])
    return english.gather(rows), chinese.gather(rows)


def _titles() -> tuple[pl.Expr, pl.Expr]:
    english = pl.format("{} {} {}, {}", "brand", "style", "noun", "colour")
    chinese = pl.format("{}{}{}（{}）", "brand_zh", "style_zh", "noun_zh", "colour_zh")
    title = pl.when("bilingual").then(pl.format("{} {}{}", english, "style_zh", "noun_zh")).otherwise(english)
    return title.alias("title"), chinese.alias("title_zh")


def _description() -> pl.Expr:
    english = pl.format("A {} {} in {} by {}, from our {} range.", "style", "noun", "colour", "brand", "category")
    chinese = pl.format("{}{}，{}{}，{}系列。", "style_zh", "colour_zh", "brand_zh", "noun_zh", "category_zh")
    return pl.format("{} {}", english, chinese).alias("description")


def _drawn(words: tuple[str, ...], count: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series(words).gather(rng.integers(0, len(words), count))
