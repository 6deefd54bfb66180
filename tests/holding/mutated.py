"""What could become of a document of JSON or of a file of bytes: strategies for releases that somebody changed."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

ODD: list[Any] = [
    None, True, False, -1, 0, 1, 2, 7, 10**30, -(10**30), 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "é☕",
    "../../etc/passwd", "\0", "9" * 400, [], [[]], {}, {"kind": "array"}, [1, "a", None], ["x"] * 3, {"": {}},
]  # fmt: skip
"""Values that a document could hold where it should not."""


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, the whole first."""
    inner: list[Any] = []
    if isinstance(document, dict):
        inner = list(document.items())
    elif isinstance(document, list):
        inner = list(enumerate(document))
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place."""
    for key in path:
        document = document[key]
    return document


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """The document with something replaced, removed, added or moved, once to three times."""
    found = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(found)))
        if not path:
            return draw(st.sampled_from(ODD)) if draw(st.integers(0, 20)) == 0 else found
        parent, key = at(found, path[:-1]), path[-1]
        what = draw(st.sampled_from(["replace", "replace", "remove", "add", "move"]))
        if what == "replace":
            parent[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif what == "move":
            parent[key] = copy.deepcopy(at(found, draw(st.sampled_from(places(found)))))
        elif what == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(["x", "", "kind", "name", "k", "é"]))] = copy.deepcopy(parent[key])
        else:
            parent.append(copy.deepcopy(parent[key]))
    return found


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes that are cut, changed or longer."""
    what = draw(st.sampled_from(["cut", "flip", "grow", "swap", "zero"]))
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    if what == "cut":
        return content[:place]
    if what == "grow":
        return content[:place] + draw(st.binary(min_size=1, max_size=9)) + content[place:]
    if what == "swap":
        other = draw(st.integers(0, len(content)))
        return content[:place] + content[other : other + 8] + content[place + 8 :]
    if what == "zero":
        return content[:place] + b"\0" * min(8, len(content) - place) + content[place + 8 :]
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


def written(document: Any) -> bytes:
    """As JSON, NaN and all."""
    return json.dumps(document).encode("utf-8", "surrogatepass")
