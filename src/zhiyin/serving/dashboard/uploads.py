"""A file as a browser sends it, bounded, in a folder that is gone when it has been read."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request

from zhiyin.data.settings import ColumnMap, TableName
from zhiyin.data.upload import TAKEN, Upload, read_upload
from zhiyin.errors import DataError, RequestError, ZhiyinError
from zhiyin.registry.config import read_config
from zhiyin.serving.bodies import too_long
from zhiyin.serving.service import Service

T = TypeVar("T")
LONGEST_NAME = 100
PLAIN = re.compile(r"[^\w.() -]+")
NAME, TABLE = "name", "table"
"""In the query of the address that a file is sent to."""


@dataclass(frozen=True)
class Sent:
    """A file, read."""

    name: str
    bytes: int
    digest: str
    """SHA-256 of the content."""
    upload: Upload


async def sent(service: Service, request: Request) -> Sent:
    """The file in the body of a request.

    Raises
    ------
    RequestError
        413 if it is longer than a body may be, 400 for an unknown table, 422 if it cannot be read.
    """
    content = await _content(request, service.body_limit)
    name = plain_name(request.query_params.get(NAME, ""))
    table = request.query_params.get(TABLE, "") or None
    if table is not None and table not in TAKEN:
        raise RequestError(400, f"{table[:40]!r} is no table that can be sent: choose {', '.join(TAKEN)}")
    try:
        upload = await asyncio.to_thread(_read, service, content, name, table)
    except DataError as error:
        raise RequestError(422, str(error)) from None
    return Sent(name, len(content), hashlib.sha256(content).hexdigest(), upload)


def plain_name(given: str) -> str:
    """The name of a file without its folder and without what no name needs."""
    last = re.split(r"[/\\]", given)[-1]
    return PLAIN.sub("_", last).strip(" .")[-LONGEST_NAME:] or "upload.csv"


async def _content(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_long(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_long(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _read(service: Service, content: bytes, name: str, table: TableName | None) -> Upload:
    columns, day_first = _columns(service)
    reading = partial(read_upload, columns=columns, now=service.clock(), table=table, day_first=day_first)
    return _beside(content, name, reading)


def _beside(content: bytes, name: str, read: Callable[[Path], T]) -> T:
    """What `read` makes of a file with this content."""
    with tempfile.TemporaryDirectory(prefix="zhiyin-upload-") as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return read(path)


def _columns(service: Service) -> tuple[ColumnMap, bool | None]:
    """What zhiyin.toml says of columns and dates; nothing where it cannot be read now."""
    if service.config is None:
        return ColumnMap(), None
    try:
        config = read_config(service.config)
    except ZhiyinError:
        return ColumnMap(), None
    return config.columns, config.data.day_first
