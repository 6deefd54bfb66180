"""A file of events, items or people into the store, as POST /v1/events, /v1/items and /v1/users take them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec
import polars as pl

from zhiyin.data.sources.canonical import NO, YES
from zhiyin.data.upload import Upload
from zhiyin.errors import RequestError
from zhiyin.serving.bodies import names, sentence
from zhiyin.serving.catalogue import NewItem, NewUser
from zhiyin.serving.event_schemas import NewEvent
from zhiyin.serving.routes import events, items, users
from zhiyin.serving.service import Service

New = TypeVar("New", NewEvent, NewItem, NewUser)
Given = TypeVar("Given")

BLOCK = 5_000
"""Rows of one transaction."""
AGREED = {"items": ("hidden",), "users": ("personalised", "consent")}
"""Columns that are no attributes: yes or no, and as it is stored for anything else."""
TIME = "%Y-%m-%dT%H:%M:%S%.6fZ"
TIMES = ("timestamp", "created_at")
MOST_NAMED = 10
"""Rows that are refused by name; all are counted."""

Refused = list[tuple[int, str]]
"""Rows and why."""


@dataclass(frozen=True)
class Imported:
    """What became of the rows of a file."""

    stored: int = 0
    new: int = 0
    """Of items and people, those that were not there before."""
    repeated: int = 0
    """Events that the same file has brought before."""
    refused: int = 0
    reasons: tuple[tuple[int, str], ...] = ()
    """Row and sentence of the first that were refused."""

    def __add__(self, other: "Imported") -> "Imported":
        return Imported(
            self.stored + other.stored,
            self.new + other.new,
            self.repeated + other.repeated,
            self.refused + other.refused,
            (*self.reasons, *other.reasons)[:MOST_NAMED],
        )


async def imported(service: Service, upload: Upload, digest: str) -> Imported:
    """Store the good rows of a file, block by block.

    Parameters
    ----------
    digest
        Of the content: an event of the same row of the same content is stored once.

    Raises
    ------
    RequestError
        503 if the store cannot write now; what was stored before stays, and may be sent again.
    """
    done = Imported()
    for start in range(0, upload.rows.height, BLOCK):
        block = upload.rows[start : start + BLOCK]
        if upload.table == "events":
            done += await _events(service, block, digest)
        elif upload.table == "items":
            done += await _described(service, block, NewItem, items.given_item, items.put)
        else:
            done += await _described(service, block, NewUser, partial(users.given_user, service), users.put)
    return done


async def _events(service: Service, block: pl.DataFrame, digest: str) -> Imported:
    named = block.select(
        *(pl.col(one) for one in block.columns if one != "row"),
        pl.format("upload:{}:{}", pl.lit(digest[:32]), "row").alias("event_id"),
    )
    rows = await asyncio.to_thread(lambda: [_read(row, NewEvent) for row in _plain(named)])
    good, refused = await events.checked(rows, "", service.live.served, service.clock())
    done = await service.store.append(good)
    numbers = block["row"]
    reasons = tuple((int(numbers[one.index]), one.message) for one in refused[:MOST_NAMED])
    return Imported(done.stored, 0, done.repeated, len(refused), reasons)


async def _described(
    service: Service,
    block: pl.DataFrame,
    kind: type[New],
    given: Callable[[New, str], Given],
    put: Callable[[Service, Sequence[Given]], Any],
) -> Imported:
    good, refused = await asyncio.to_thread(_given, block, kind, given)
    written = await put(service, good)
    return Imported(written.stored, written.new, 0, len(refused), tuple(refused[:MOST_NAMED]))


def _given(block: pl.DataFrame, kind: type[New], given: Callable[[New, str], Given]) -> tuple[list[Given], Refused]:
    """What the store takes, and what it does not."""
    good: list[Given] = []
    refused: Refused = []
    id_, agreed = ("item_id", AGREED["items"]) if kind is NewItem else ("user_id", AGREED["users"])
    for number, row in zip(block["row"].to_list(), _plain(block.drop("row")), strict=True):
        outside = {name: _is_yes(row.pop(name)) for name in agreed if name in row}
        whole = {id_: row.pop(id_, None), "attributes": row} | outside
        try:
            read = _read({name: value for name, value in whole.items() if value is not None}, kind)
            if isinstance(read, RequestError):
                raise read
            good.append(given(read, ""))
        except RequestError as error:
            refused.append((number, str(error)))
    return good, refused


def _plain(block: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as a caller would write them in JSON: no unknown values, moments as text."""
    categories = [name for name, dtype in block.schema.items() if dtype == pl.Categorical]
    moments = [name for name in TIMES if block.schema.get(name) == pl.Int64]
    floats = [name for name, dtype in block.schema.items() if dtype.is_float()]
    written = block.with_columns(
        pl.col(categories).cast(pl.String),
        *(pl.from_epoch(name, time_unit="us").dt.strftime(TIME) for name in moments),
        pl.col(floats).cast(pl.Float64).round(6).fill_nan(None),  # 19.9 as it was written, not as 32 bits have it
    )
    for row in written.iter_rows(named=True):
        yield {name: value for name, value in row.items() if value is not None}


def _read(row: dict[str, Any], kind: type[New]) -> New | RequestError:
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        message, where = sentence(str(error), names(kind))
        return RequestError(422, message, where)


def _is_yes(value: Any) -> bool | None:
    word = str(value).strip().lower()
    return True if word in YES else False if word in NO else None
