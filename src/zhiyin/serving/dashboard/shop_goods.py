"""Items as a customer sees them: what they are called, what they cost, and a picture."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zhiyin.ranking.wording import Language
from zhiyin.registry.release import Release

HIDDEN = frozenset({"item_id", "title", "name", "price", "available", "image", "created_at", "description", "category"})
"""Columns that are shown in a place of their own, or not at all."""
GROUNDS = 8
MOTIFS: Mapping[str, tuple[str, ...]] = {
    "cup": ("tea", "coffee", "mugs", "mug", "cups", "drinks", "茶", "咖", "杯", "饮"),
    "book": ("books", "book", "stationery", "office", "films", "书", "文"),
    "ball": ("toys", "games", "sports", "fitness", "outdoor", "玩", "运", "球"),
    "leaf": ("garden", "plants", "flowers", "fruit", "vegetables", "花", "园", "果", "菜"),
    "bottle": ("skin", "hair", "care", "beauty", "baby", "vitamins", "health", "护", "婴", "药", "美"),
    "house": ("pet", "home", "furniture", "lighting", "lamps", "宠", "家", "灯"),
    "stones": ("snacks", "food", "jewellery", "grocery", "零", "食", "饰"),
    "cushion": ("bedding", "bags", "luggage", "towels", "blankets", "床", "包", "被"),
    "fan": ("kitchenware", "kitchen", "tableware", "tools", "厨", "餐", "工"),
    "coat": ("coats", "clothes", "clothing", "shirts", "dresses", "swimwear", "fashion", "衣", "服", "裙"),
    "shoe": ("shoes", "boots", "sneakers", "footwear", "鞋", "靴"),
    "device": ("headphones", "phones", "electronics", "audio", "computers", "cameras", "accessories", "电", "机", "耳"),
}
"""Words in the name of a category, to what is drawn for its items."""
COLOURS: Mapping[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "红"),
    "orange": ("orange", "橙"),
    "yellow": ("yellow", "gold", "golden", "黄", "金"),
    "green": ("green", "olive", "绿"),
    "blue": ("blue", "navy", "蓝"),
    "purple": ("purple", "violet", "lilac", "紫"),
    "pink": ("pink", "rose", "粉"),
    "brown": ("brown", "tan", "棕", "褐"),
    "black": ("black", "黑"),
    "grey": ("grey", "gray", "silver", "灰", "银"),
    "white": ("white", "cream", "ivory", "白"),
}
"""Words for colours in a title, to the colour that its picture is drawn in."""


@dataclass(frozen=True)
class Drawing:
    """A picture for an item that has none, always the same one."""

    motif: str
    ground: int
    colour: str
    turn: int
    """Degrees."""
    size: float


@dataclass(frozen=True)
class Goods:
    """One item."""

    item_id: str
    title: str
    price: float | None
    category: str
    picture: str
    """An address over HTTPS, or empty."""
    is_available: bool = True
    description: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def drawing(self) -> Drawing:
        """What stands in place of a picture."""
        own, shared = _digest(self.title), _digest(self.category or self.title)
        return Drawing(
            _motif(self.category, shared[0]),
            shared[1] % GROUNDS,
            _colour(self.title, own[0]),
            own[1] % 17 - 8,
            0.9 + own[2] / 1_280,
        )


def goods_of(release: Release, item_ids: Iterable[str], language: Language = "en") -> list[Goods]:
    """Those that the release knows, in this order."""
    wanted = list(item_ids)
    indexes = release.items.indexes(wanted)
    frame = release.pipeline.catalog.frame
    rows = frame[[int(one) for one in indexes if one >= 0]].to_dicts() if wanted else []
    available = release.pipeline.catalog.available
    there = [int(one) for one in indexes if one >= 0]
    return [_goods(row, bool(available[index]), language) for row, index in zip(rows, there, strict=True)]


def _goods(row: Mapping[str, Any], is_available: bool, language: Language) -> Goods:
    picture = str(row.get("image") or "")
    shown = {name: value for name, value in row.items() if name not in HIDDEN and not name.startswith("title_")}
    return Goods(
        item_id=row["item_id"],
        title=str(row.get(f"title_{language}") or row.get("title") or row.get("name") or row["item_id"]),
        price=_price(row.get("price")),
        category=str(row.get("category") or ""),
        picture=picture if picture.startswith("https://") else "",
        is_available=is_available,
        description=str(row.get("description") or ""),
        facts={name: _told(value) for name, value in shown.items() if value not in (None, "", [])},
    )


def _price(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _told(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest()


def _colour(title: str, lot: int) -> str:
    """The colour that a title names, the last if there are several; else any."""
    return _named(reversed(_words(title)), COLOURS) or list(COLOURS)[lot % len(COLOURS)]


def _motif(category: str, lot: int) -> str:
    """What suits a category; else any, the same for all of it."""
    return _named(_words(category), MOTIFS) or list(MOTIFS)[lot % len(MOTIFS)]


def _words(text: str) -> list[str]:
    """Words of Latin letters, and single characters of other scripts."""
    return re.findall(r"[a-z]+|[^\W\d_a-z]", text.lower())


def _named(words: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> str:
    """The first that a word stands for; empty if none does."""
    return next((name for word in words for name, known in names.items() if word in known), "")
