"""A scenario as the fields of a form, and back: texts as people type them, shares in per cent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from zhiyin import fields
from zhiyin.errors import RequestError
from zhiyin.ranking.scenario import DEFAULTS, Scenario

LARGEST = 1_000_000_000
ROW = re.compile(r"(boost|promotion|cap)-(\d{1,4})-([a-z]+)")
RETRIEVER = "retriever-"
COLUMNS = {"boost": ("where", "factor"), "promotion": ("where", "share", "since", "until"), "cap": ("column", "most")}
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class RuleForm:
    """What stands in the fields."""

    kind: str
    retrievers: tuple[str, ...]
    k: str
    where: str
    seen: str
    seen_types: str
    seen_days: str
    explore: str
    personal: bool
    boosts: Rows
    promotions: Rows
    caps: Rows

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Of what holds."""
        return cls(
            kind=scenario.kind,
            retrievers=scenario.retrievers,
            k=_text(scenario.k),
            where=scenario.where or "",
            seen=scenario.seen or "",
            seen_types=", ".join(scenario.seen_types or ()),
            seen_days=_text(scenario.seen_days),
            explore=_per_cent(scenario.explore),
            personal=scenario.personal,
            boosts=[{"where": where, "factor": _text(factor)} for where, factor in scenario.boosts.items()],
            promotions=[
                {"where": one.where, "share": _per_cent(one.share), "since": one.since or "", "until": one.until or ""}
                for one in scenario.promotions
            ],
            caps=[{"column": column, "most": _text(most)} for column, most in scenario.caps.items()],
        )

    @classmethod
    def sent(cls, sent: Mapping[str, str]) -> Self:
        """Of what somebody has typed."""
        found = {name: sent.get(name, "").strip() for name in ("k", "where", "seen", "seen_types", "seen_days")}
        return cls(
            kind=sent.get("kind", "personal"),
            retrievers=tuple(name.removeprefix(RETRIEVER) for name in sent if name.startswith(RETRIEVER)),
            explore=sent.get("explore", "").strip(),
            personal="personal" in sent,
            boosts=_rows(sent, "boost"),
            promotions=_rows(sent, "promotion"),
            caps=_rows(sent, "cap"),
            **found,
        )

    def table(self, name: str, written: Mapping[str, Any]) -> dict[str, Any]:
        """What zhiyin.toml should say: what is written there and did not change, and what differs from the default.

        Raises
        ------
        RequestError
            422 for a number that is none, or a row that says only half.
        """
        usual = fields.to_table(fields.from_table(Scenario, DEFAULTS.get(name, {}), name))
        found = dict(written)
        for key, value in self._values().items():
            if value is None or (value == usual.get(key) and value != written.get(key)):
                found.pop(key, None)
            else:
                found[key] = value
        return found

    def _values(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "retrievers": list(self.retrievers),
            "k": None if not self.k else _whole(self.k, "k"),
            "where": self.where or None,
            "seen": self.seen or None,
            "seen_types": [one.strip() for one in self.seen_types.split(",") if one.strip()] or None,
            "seen_days": None if not self.seen_days else _number(self.seen_days, "seen_days"),
            "explore": _share(self.explore or "0", "explore"),
            "personal": self.personal,
            "boosts": {one["where"]: _number(one["factor"], "boosts") for one in _whole_rows(self.boosts, "boosts", 2)},
            "promotions": [
                {key: _share(value, "promotions") if key == "share" else value for key, value in one.items() if value}
                for one in _whole_rows(self.promotions, "promotions", 2)
            ],
            "caps": {one["column"]: _whole(one["most"], "caps") for one in _whole_rows(self.caps, "caps", 2)},
        }


def drafted(name: str, table: Mapping[str, Any]) -> Scenario:
    """The scenario that a table means, together with what exists without being written.

    Raises
    ------
    ConfigError
        With the key, for what cannot be whatever the release.
    """
    place = f"scenarios.{name}"
    scenario = fields.from_table(Scenario, {**DEFAULTS.get(name, {}), **table}, place)
    scenario.check(place)
    return scenario


def _rows(sent: Mapping[str, str], kind: str) -> Rows:
    found: dict[int, dict[str, str]] = {}
    for name, value in sent.items():
        match = ROW.fullmatch(name)
        if match and match[1] == kind and match[3] in COLUMNS[kind]:
            found.setdefault(int(match[2]), {})[match[3]] = value.strip()
    rows = [{column: found[i].get(column, "") for column in COLUMNS[kind]} for i in sorted(found)]
    return [row for row in rows if any(row.values())]


def _whole_rows(rows: Iterable[dict[str, str]], key: str, needed: int) -> Rows:
    """Rows whose first columns are filled in."""
    found = []
    for row in rows:
        missing = [column for column in list(row)[:needed] if not row[column]]
        if missing:
            raise RequestError(422, f"{key}: a row has no {missing[0]}: fill it in, or empty the row", key)
        found.append(row)
    return found


def _number(text: str, key: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(422, f"{key} must be a number, got {text[:40]!r}", key) from None


def _whole(text: str, key: str) -> int:
    value = _number(text, key)
    if not value.is_integer() or abs(value) > LARGEST:  # of an infinite or missing number, too
        raise RequestError(422, f"{key} must be a whole number, got {text[:40]!r}", key)
    return int(value)


def _share(text: str, key: str) -> float:
    return round(_number(text.removesuffix("%").strip(), key) / 100, 6)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:.10g}"


def _per_cent(share: float) -> str:
    return f"{100 * share:.6g}"
