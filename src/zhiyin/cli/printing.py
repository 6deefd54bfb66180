"""What a verb says: results on standard output, remarks on standard error, no colours where nobody looks."""

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

NARROWEST, PIPED = 80, 100
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Standard output as it is now: at least 80 columns, 100 where it is no terminal."""
    plain = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    width = max(NARROWEST, plain.width) if plain.is_terminal else PIPED
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width)


def say(text: str = "", style: str = "") -> None:
    """Some lines of a result."""
    console().print(Text(harmless(text), style), soft_wrap=True)


def show(renderable: RenderableType) -> None:
    """A table, or anything else that rich can draw."""
    shown = console()
    if shown.is_terminal:
        shown.print(renderable)
        return
    with shown.capture() as drawn:
        shown.print(renderable)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def remark(text: str) -> None:
    """A sentence beside the result, for a person."""
    print(harmless(text), file=sys.stderr)


def show_json(value: Any) -> None:
    """A result for a program; what is not a finite number is null."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Values as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), title: str = ""
) -> Table:
    """A table of plain cells; the columns named in `right` hold numbers."""
    heading = Text(" ".join(harmless(title).split()), "bold") if title else None
    drawn = Table(box=box.SIMPLE_HEAD, title=heading, title_justify="left")
    for name in columns:
        drawn.add_column(name, justify="right" if name in right else "left", no_wrap=name in right, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(harmless("–" if cell is None else str(cell))) for cell in row))
    return drawn


def harmless(text: str) -> str:
    """Text that cannot move the cursor, colour the terminal or turn the direction of writing."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
