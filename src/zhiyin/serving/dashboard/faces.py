"""How items look to a person: a title, a picture where the catalogue has one, and what they cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhiyin.data.catalog import Catalog
from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release

TITLES = ("title", "name")
PICTURES = ("image", "image_url", "picture", "picture_url", "photo", "thumbnail", "img")
"""Columns that may hold the address of a picture."""
SAFE = ("https://", "data:image/")
"""What our policy lets a browser load."""
LONGEST_PICTURE = 20_000
"""Characters; a data URL that is longer would make a page of many items heavy."""


@dataclass(frozen=True)
class Face:
    """One item."""

    item_id: str
    title: str
    """The id, where the catalogue has none."""
    picture: str | None = None
    category: str | None = None
    price: float | None = None

    @property
    def letter(self) -> str:
        """What stands in place of a picture."""
        return next((one for one in self.title if one.isalnum()), "·").upper()


def faces(release: Release, indexes: Iterable[int], language: Language) -> list[Face]:
    """How these items look, in their order; -1 is left out."""
    known = [int(one) for one in indexes if one >= 0]
    catalog = release.pipeline.catalog
    wanted = [name for name in _columns(language) if name in catalog.frame.columns]
    rows = catalog.frame.select("item_id", *wanted)[known].to_dicts() if known else []
    prices = catalog.prices[np.array(known, np.int64)].tolist()
    return [_face(row, price, language) for row, price in zip(rows, prices, strict=True)]


def face(release: Release, item_id: str, language: Language, attributes: Mapping[str, Any] | None = None) -> Face:
    """How one item looks; one that the release does not know, as its attributes say, else with nothing but its id."""
    found = faces(release, release.items.indexes([item_id]).tolist(), language)
    if found:
        return found[0]
    said = {**(attributes or {}), "item_id": item_id}
    return _face(said, float(said.get("price", np.nan)), language)


def picture_of(value: Any) -> str | None:
    """The address of a picture; None for what no browser of ours would load."""
    is_picture = isinstance(value, str) and value.startswith(SAFE) and len(value) <= LONGEST_PICTURE
    return value if is_picture else None


def title_columns(catalog: Catalog, language: Language) -> list[str]:
    """Those that there are, in the order in which they are looked at: `title_zh` before `title` for Chinese."""
    wanted = [f"{name}_{language}" for name in TITLES] + list(TITLES)
    return [name for name in wanted if name in catalog.frame.columns]


def _columns(language: Language) -> list[str]:
    return [*(f"{name}_{language}" for name in TITLES), *TITLES, *PICTURES, "category"]


def _face(row: Mapping[str, Any], price: float, language: Language) -> Face:
    titles = [row.get(name) for name in [*(f"{one}_{language}" for one in TITLES), *TITLES]]
    title = next((str(one) for one in titles if one is not None and str(one).strip()), row["item_id"])
    picture = next((found for name in PICTURES if (found := picture_of(row.get(name)))), None)
    category = row.get("category")
    if isinstance(category, list):
        category = ", ".join(map(str, category))
    return Face(row["item_id"], title, picture, None if category is None else str(category), _known(price))


def _known(price: float) -> float | None:
    return None if np.isnan(price) else price
