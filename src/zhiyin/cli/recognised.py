"""How columns were recognised, for a person and for a program."""

from collections.abc import Iterable

from zhiyin.cli.printing import say, show, table
from zhiyin.data.sources.reading import Recognised

HOW = {"exact": "same name", "alias": "known name", "mapped": "zhiyin.toml"}


def show_recognised(tables: Iterable[Recognised]) -> None:
    """Our columns ← theirs, then what was noticed on the way."""
    several = list(tables)
    rows = [(one.table, match.canonical, match.theirs, HOW[match.how]) for one in several for match in one.matches]
    show(table(("table", "ours", "← theirs", "by"), rows, title="What was recognised"))
    for one in several:
        if one.kept:
            say(f"{one.table}: kept under their own names: {', '.join(one.kept)}")
        if one.ignored:
            say(f"{one.table}: not used: {', '.join(one.ignored)}")
        for note in one.notes:
            say(f"{one.table}: {note}")
