"""A check of the data as plain values: what was read, recognised, found and kept."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from zhiyin.data.quality.findings import as_json
from zhiyin.data.sources.canonical import TIMES
from zhiyin.data.sources.reading import Recognised
from zhiyin.data.tables import Tables
from zhiyin.registry.prepare import Prepared

OURS = frozenset({"row"})
"""Columns that reading adds."""


def account(prepared: Prepared) -> dict[str, Any]:
    """ok, events, people, items, sources, recognised, findings; ready for any JSON writer."""
    profile, gone = prepared.cleaned.profile, len(prepared.cleaned.dropped)
    return {
        "ok": not any(finding.level == "block" for finding in prepared.findings),
        "events": {"read": profile.events + gone, "kept": profile.events, "dropped": gone},
        "people": len(profile.per_user),
        "items": len(profile.per_item),
        "sources": [vars(source) for source in prepared.reading.sources],
        "recognised": recognised_json(prepared.reading.recognised),
        "findings": as_json(prepared.findings),
    }


def recognised_json(tables: Iterable[Recognised]) -> list[dict[str, Any]]:
    """How columns were recognised."""
    return [
        {
            "table": one.table,
            "columns": {match.canonical: match.theirs for match in one.matches},
            "kept": one.kept,
            "ignored": one.ignored,
            "notes": one.notes,
        }
        for one in tables
    ]


def columns(tables: Tables) -> dict[str, list[dict[str, Any]]]:
    """Of each table its columns: name, type, and the share of rows that have a value."""
    found = {"events": tables.events, "items": tables.items, "users": tables.users}
    return {name: described(frame) for name, frame in found.items() if frame is not None}


def described(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Its columns: name, type, and the share of rows that have a value."""
    rows = max(frame.height, 1)
    return [
        {"name": column.name, "type": _type(column), "filled": 1 - column.null_count() / rows}
        for column in frame
        if column.name not in OURS
    ]


def _type(column: pl.Series) -> str:
    """number, boolean, moment or text."""
    if column.name in TIMES or column.dtype.is_temporal():
        return "moment"
    return "number" if column.dtype.is_numeric() else "boolean" if column.dtype == pl.Boolean else "text"
