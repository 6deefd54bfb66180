"""A file is sent, shown as it would be read, and stored when somebody says so; it is sent again for that."""

from typing import Any

import polars as pl
from starlette.requests import Request

from zhiyin.data.upload import TAKEN
from zhiyin.serving.caller import caller_of
from zhiyin.serving.dashboard.page import Action, View
from zhiyin.serving.dashboard.uploads import Sent, sent
from zhiyin.serving.importing import imported
from zhiyin.serving.service import Service, new_request_id

TEMPLATE = "data_upload.html"
ROWS = 10
MOST_COLUMNS = 12
LONGEST_CELL = 80


async def read(service: Service, request: Request) -> View:
    """What would be read."""
    return View(TEMPLATE, _seen(await sent(service, request)), "preview")


async def store(service: Service, request: Request) -> View:
    """Store it, audited."""
    file = await sent(service, request)
    what = f"{file.name}: {file.upload.rows.height:,} {file.upload.table}"
    async with service.audit.acting("import", what, caller_of(request), request_id=new_request_id()):
        done = await imported(service, file.upload, file.digest)
    return View(TEMPLATE, {"file": file, "done": done}, "stored")


def _seen(file: Sent) -> dict[str, Any]:
    upload = file.upload
    columns = [name for name in upload.rows.columns if name != "row"]
    head = upload.rows.head(ROWS).with_columns(pl.col(pl.Categorical).cast(pl.String))
    times = [name for name in ("timestamp", "created_at") if upload.rows.schema.get(name) == pl.Int64]
    numbers = [name for name, dtype in upload.rows.schema.items() if dtype.is_numeric() and name not in times]
    return {
        "file": file,
        "upload": upload,
        "tables": TAKEN,
        "rows": upload.rows.height,
        "head": [{name: _cell(value) for name, value in row.items()} for row in head.iter_rows(named=True)],
        "columns": columns[:MOST_COLUMNS],
        "further": len(columns) - MOST_COLUMNS,
        "times": times,
        "numbers": numbers,
        "headings": [{"text": name, "number": name in numbers} for name in columns[:MOST_COLUMNS]],
        "span": _span(upload.rows) if upload.table == "events" else None,
    }


def _span(rows: pl.DataFrame) -> dict[str, Any]:
    """How many people and items, from when to when."""
    first, last = rows["timestamp"].min(), rows["timestamp"].max()
    return {"people": rows["user_id"].n_unique(), "items": rows["item_id"].n_unique(), "first": first, "last": last}


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}")
    return f"{value[: LONGEST_CELL - 1]}…" if isinstance(value, str) and len(value) > LONGEST_CELL else value


PLACES = (
    Action("/data/read", read),
    Action("/data/store", store),
)
