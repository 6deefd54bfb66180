"""Which column is which: the names that shops, logs and research data give to users, items, times and prices.

A name is compared without case, spaces, underscores, hyphens and dots. Where two columns could be the same thing, the
canonical name wins, then the order of the aliases below, then the order in the file; what lost is said in a note.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from zhiyin.data.settings import TableName
from zhiyin.data.sources.aliases import ALIASES, ITEM_ATTRIBUTES
from zhiyin.data.sources.reading import How, Match, Recognised
from zhiyin.errors import DataError

REQUIRED: dict[TableName, tuple[str, ...]] = {
    "events": ("user_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
    "friends": ("user_id", "friend_id"),
}


def folded(name: str) -> str:
    """A column's name without what people vary: case, width, spaces, underscores, hyphens, dots."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in plain if letter not in " _-.\t\u3000\ufeff")


def recognise(
    table: TableName, found: Sequence[str], mapped: Mapping[str, str], place: str, *, attributes: bool = False
) -> Recognised:
    """Which of the columns `found` is which; `attributes` looks for item attributes on event lines too.

    Raises
    ------
    DataError
        When a mapped or a required column is not there; `place` is the file or query to name.
    """
    aliases = {**ALIASES[table], **(ITEM_ATTRIBUTES if attributes else {})}
    matches, notes = _mapped(table, found, mapped, place), []
    for canonical, names in aliases.items():
        if canonical in mapped:
            continue
        free = [name for name in found if name not in {match.theirs for match in matches}]
        candidates = _candidates(canonical, names, free)
        if candidates:
            how: How = "exact" if candidates[0] == canonical else "alias"
            matches.append(Match(canonical, candidates[0], how))
        if len(candidates) > 1:
            losers = ", ".join(repr(name) for name in candidates[1:])
            notes.append(
                f"{canonical} is taken from {candidates[0]!r}, the first in the order of known names; "
                f'{losers} could be it too: choose with [columns.{table}] {canonical} = "…"'
            )
    _require(table, found, matches, place)
    return _account(table, found, matches, notes)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a person most probably meant."""
    by_folded = {folded(other): other for other in known}
    close = difflib.get_close_matches(folded(name), list(by_folded), n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Names for a sentence, cut where they are too many or too long to read."""
    shown = ", ".join(repr(name[:60]) for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "no columns"


def _mapped(table: TableName, found: Sequence[str], mapped: Mapping[str, str], place: str) -> list[Match]:
    for canonical, theirs in mapped.items():
        if theirs and theirs not in found:
            near = nearest(theirs, found)
            hint = f"the nearest is {near!r}" if near else "none is near"
            raise DataError(
                f"{place} has no column {theirs!r}, which [columns.{table}] {canonical} names: it has {listed(found)} "
                f"({hint}); correct the name in zhiyin.toml"
            )
    return [Match(canonical, theirs, "mapped") for canonical, theirs in mapped.items() if theirs]


def _candidates(canonical: str, aliases: Sequence[str], free: Sequence[str]) -> list[str]:
    order = {alias: position for position, alias in enumerate(aliases)}
    known = [name for name in free if folded(name) in order]
    return sorted(known, key=lambda name: (name != canonical, order[folded(name)]))


def _require(table: TableName, found: Sequence[str], matches: Sequence[Match], place: str) -> None:
    there = {match.canonical for match in matches}
    for canonical in REQUIRED[table]:
        if canonical not in there:
            raise missing(table, canonical, found, place)


def missing(table: TableName, canonical: str, found: Sequence[str], place: str, also: str = "") -> DataError:
    """The sentence for a column that is needed and not there: what was found, the nearest, and how to map it."""
    known = {alias for names in ALIASES[table].values() for alias in names}
    strangers = [name for name in found if folded(name) not in known]
    near = next((other for alias in ALIASES[table][canonical][:6] if (other := nearest(alias, strangers))), None)
    hint = f", the nearest is {near!r}" if near else ""
    aliases = ", ".join([alias for alias in ALIASES[table][canonical] if alias != canonical][:6])
    return DataError(
        f"{place} has no column for {canonical} (known names: {canonical}, {aliases}, …): "
        f"it has {listed(found)}{hint}; "
        f'name it in zhiyin.toml under [columns.{table}] as {canonical} = "…"{also}'
    )


def _account(table: TableName, found: Sequence[str], matches: list[Match], notes: list[str]) -> Recognised:
    used, taken = {match.theirs for match in matches}, {match.canonical for match in matches}
    others = [name for name in found if name not in used]
    keeps = table in ("items", "users")
    kept = tuple(name for name in others if keeps and name and name not in taken)
    for name in others:
        if keeps and name in taken:
            notes.append(f"column {name!r} is left out, because another column is mapped to that name")
    ignored = tuple(name for name in others if name not in kept)
    return Recognised(table, tuple(matches), kept, ignored, tuple(notes))
