"""Style sheets, scripts and what npm has given, from inside the package: compressed once, kept in memory.

A file is asked for by the hash of its content, so that browsers may keep it for ever and never have an old one.
"""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.errors import RequestError

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
VENDOR = ("vendor/htmx.js", "vendor/htmx-sse.js", "vendor/echarts.js")
"""What the build puts here; without it pages work, but show no charts and do not renew themselves."""
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True)
class Static:
    """One file as it is sent."""

    kind: str
    version: str
    """The first letters of its hash."""
    plain: bytes

    @cached_property
    def packed(self) -> bytes:
        """Compressed when it is asked for first: a page names files before anybody wants them."""
        return gzip.compress(self.plain, 9, mtime=0)


async def static(request: Request) -> Response:
    """Answer with a file.

    Raises
    ------
    RequestError
        404 if there is none of this name.
    """
    found = await asyncio.to_thread(file, request.path_params["name"])
    if found is None:
        raise RequestError(404, "there is no such file: open the page again")
    tag = f'"{found.version}"'
    headers = {
        "cache-control": FOR_EVER if request.query_params.get("v") == found.version else ASK_AGAIN,
        "etag": tag,
        "vary": "accept-encoding",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        packed = await asyncio.to_thread(lambda: found.packed)
        return Response(packed, headers={**headers, "content-encoding": "gzip"}, media_type=found.kind)
    return Response(found.plain, headers=headers, media_type=found.kind)


def address(name: str) -> str:
    """Where a file is asked for."""
    found = file(name)
    return f"/static/{name}" if found is None else f"/static/{name}?v={found.version}"


def has_vendor() -> bool:
    """Whether the build has put in what comes from npm."""
    return all(name in _names() for name in VENDOR)


@cache
def file(name: str) -> Static | None:
    """A file by its name under static/; None if there is none, and for a path that leads elsewhere."""
    if name not in _names():
        return None
    content = _names()[name].read_bytes()
    kind = KINDS["." + name.rpartition(".")[2]]
    return Static(kind, hashlib.sha256(content).hexdigest()[:16], content)


@cache
def _names() -> dict[str, Traversable]:
    """What there is to ask for; nothing else can be."""
    return dict(_below(files(__package__).joinpath("static"), ""))


def _below(folder: Traversable, before: str) -> list[tuple[str, Traversable]]:
    found = []
    for one in folder.iterdir():
        if one.is_dir():
            found += _below(one, f"{before}{one.name}/")
        elif "." + one.name.rpartition(".")[2] in KINDS:
            found.append((before + one.name, one))
    return found
