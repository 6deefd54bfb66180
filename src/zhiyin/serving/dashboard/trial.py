"""What somebody tries on the page of a person, all of it in the address: nothing is stored, a link shows the same."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from zhiyin.serving.dashboard.past import Changes
from zhiyin.serving.dashboard.searching import wanted
from zhiyin.serving.dashboard.templates import quoted


@dataclass(frozen=True)
class Trial:
    """One look at a person."""

    user_id: str
    scenario: str
    changes: Changes
    find: str = ""
    """Part of an item to add."""
    why: str = ""
    """An item of which it is asked why it is not there."""
    older: int = 0
    """How many of the newest events are turned over."""

    @classmethod
    def of(cls, request: Request, user_id: str, scenario: str) -> "Trial":
        """What the address says; what makes no sense in it counts as not said."""
        given = request.query_params
        older = given.get("older", "")
        return cls(
            user_id,
            scenario,
            Changes.of(given.getlist("without"), given.getlist("add")),
            wanted(given.get("find", "")),
            wanted(given.get("why", "")),
            int(older) if older.isascii() and older.isdecimal() and len(older) < 8 else 0,
        )

    def fields(self, *without: str) -> list[tuple[str, str]]:
        """The same as fields of a form or an address, but for some of them."""
        given = [
            ("scenario", self.scenario),
            *(("without", mark) for mark in self.changes.without),
            *(("add", mark) for mark in self.changes.added),
            ("find", self.find),
            ("why", self.why),
            ("older", str(self.older or "")),
        ]
        return [(name, value) for name, value in given if value and name not in without]

    def url(self, **changed: Any) -> str:
        """The address with something else in it: `scenario`, `why`, `older` or `find`."""
        return f"{self.path}?{urlencode(replace(self, **changed).fields())}"

    def leaving_out(self, mark: str) -> str:
        """The address without an event."""
        added, without = self.changes.added, self.changes.without
        if mark in added:
            return self.url(changes=Changes(without, tuple(one for one in added if one != mark)))
        return self.url(changes=Changes.of([*without, mark], added))

    def adding(self, event_type: str, item_id: str) -> str:
        """The address with an event more."""
        added = [*self.changes.added, f"{event_type}:{item_id}"]
        return self.url(changes=Changes.of(self.changes.without, added), find="")

    @property
    def path(self) -> str:
        """The address without anything that is tried."""
        return f"/people/{quoted(self.user_id)}"

    @property
    def undone(self) -> str:
        """The address of the person as it is."""
        return self.url(changes=Changes(), find="")
