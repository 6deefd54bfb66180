"""The releases, newest first, each with what is other than in the one before it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zhiyin.errors import ArtifactError
from zhiyin.registry.manifest import Manifest
from zhiyin.registry.serving_log import ServingLog
from zhiyin.registry.store import Store, Version

COUNTED = ("events", "users", "items")
DECIDING = "ndcg"
"""Of the numbers in a manifest, the one with this name comes first."""


@dataclass(frozen=True)
class Change:
    """A setting that is other than before; None: it was or is not written."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Entry:
    """One release."""

    version: Version
    details: Mapping[str, Any]
    """Of its manifest."""
    zhiyin: str = ""
    bytes: int = 0
    before: int | None = None
    """The release that it is compared with."""
    changes: tuple[Change, ...] = ()
    moved: Mapping[str, float] = field(default_factory=dict)
    """How much higher each number is than before."""
    grown: Mapping[str, int] = field(default_factory=dict)
    """How many more events, users and items there are."""
    same_data: bool | None = None
    """Whether the files are the same; None where that is not known."""
    why: str = ""
    """The sentence of the gate, or of who promoted it; empty where nobody has said."""
    passed: bool | None = None
    """What the gate decided; None where it is not known."""

    @property
    def number(self) -> int:
        """Of the release."""
        return self.version.number

    @property
    def measure(self) -> tuple[str, float] | None:
        """The number that decides, as in ("ndcg@10", 0.05)."""
        known = {name: value for name, value in self.version.metrics.items() if isinstance(value, (int, float))}
        name = next((one for one in known if one.startswith(DECIDING)), next(iter(known), None))
        return None if name is None else (name, float(known[name]))


def timeline(registry: Store) -> list[Entry]:
    """All releases; reads their manifests, and nothing that they have learned.

    Raises
    ------
    ArtifactError
        If it cannot be read who serves.
    """
    log = ServingLog.read(registry.root)
    entries: list[Entry] = []
    last: Entry | None = None
    for version in registry.versions():
        entry = _entry(registry, version, log, last)
        entries.append(entry)
        last = last if version.problem else entry
    return entries[::-1]


def settings_of(recipe: Any) -> dict[str, Any]:
    """`{"models.item_knn.neighbours": 50}` of the recipe in a manifest."""
    return dict(_flat(recipe, "")) if isinstance(recipe, Mapping) else {}


def _entry(registry: Store, version: Version, log: ServingLog, last: Entry | None) -> Entry:
    try:
        manifest = Manifest.read(registry.path(version.number))
    except ArtifactError:
        return Entry(version, {})
    details, size = manifest.details, sum(size for size, _ in manifest.files.values())
    said = details.get("verdict")
    said = said if isinstance(said, Mapping) else {}
    promotions = [one.why for one in log.changes if one.number == version.number and one.action == "promote"]
    why = str(said.get("sentence") or next(filter(None, promotions), ""))
    entry = Entry(version, details, manifest.zhiyin, size, why=why, passed=said.get("promote"))
    return entry if last is None else _compared(entry, last)


def _compared(entry: Entry, last: Entry) -> Entry:
    old, new = settings_of(last.details.get("recipe")), settings_of(entry.details.get("recipe"))
    names = [*new, *(name for name in old if name not in new)]
    changes = tuple(Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))
    moved = {name: value - last.version.metrics[name] for name, value in _both(entry, last)}
    grown = {
        name: int(entry.details[name]) - int(last.details[name]) for name in COUNTED if _counted(entry, last, name)
    }
    data = entry.details.get("data"), last.details.get("data")
    same = None if None in data else data[0] == data[1]
    return replace(entry, before=last.number, changes=changes, moved=moved, grown=grown, same_data=same)


def _both(entry: Entry, last: Entry) -> Iterator[tuple[str, float]]:
    for name, value in entry.version.metrics.items():
        if all(isinstance(one, (int, float)) for one in (value, last.version.metrics.get(name))):
            yield name, value


def _counted(entry: Entry, last: Entry, name: str) -> bool:
    return all(isinstance(one.details.get(name), int) for one in (entry, last))


def _flat(value: Any, before: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{before}.{name}".lstrip("."))
    else:
        yield before, value
