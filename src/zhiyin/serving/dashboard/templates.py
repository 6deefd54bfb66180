"""Jinja, set up once: everything is escaped, and a name that nobody has given is an error."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from zhiyin.serving.dashboard.page import View
from zhiyin.serving.moments import written


@cache
def environment() -> Environment:
    """The templates of this package; each is compiled when it is used first."""
    found = Environment(
        loader=PackageLoader("zhiyin.serving.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {
        "iso": written,
        "number": number,
        "quoted": quoted,
        "right_aligned": right_aligned,
        "share": share,
    }
    return found


def html(view: View, values: Mapping[str, Any], *, whole: bool) -> str:
    """The page, or the fragment that is enough for who has the rest."""
    template, given = environment().get_template(view.template), {**values, **view.values}
    if whole or view.fragment is None:
        return template.render(given)
    return "".join(template.blocks[view.fragment](template.new_context(given)))


def number(value: float, digits: int = 0) -> str:
    """As in 1,234.5."""
    return f"{value:,.{digits}f}"


def share(value: float, digits: int = 1) -> str:
    """A part of one in per cent: 0.034 is 3.4 %."""
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def quoted(text: str) -> str:
    """An id as one part of a path."""
    return quote(text, safe="")


def right_aligned(text: str) -> dict[str, Any]:
    """The heading of a column of numbers."""
    return {"text": text, "number": True}
