"""SQL, paths, headers, lines of the log and formulas of spreadsheets in every field: refused, or harmless."""

import asyncio
import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.holding.asked import JSON, Asked, asking
from tests.holding.conftest import trained
from tests.holding.harness import connection
from worlds import dataset
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.training import read_tables
from zhiyin.registry.release import Release

SQL = [
    "'; DROP TABLE events; --", "\"; DROP TABLE events; --", "x' OR '1'='1", "1); DELETE FROM users; --", "%", "_",
    "\\",     "'||(SELECT 1)||'", "$1", ":user_id", "?", "%s", "{0}", "'; SELECT pg_sleep(99) --",
    "\u02bc; DROP TABLE events", "/* x */", "NULL", "'", "''", "\\'; --",
]  # fmt: skip
FIELDS = ("user_id", "item_id", "event_type", "event_id", "request_id", "session_id")
PATHS = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "....//",
    "/etc/passwd",
    "C:\\windows",
    "%2e%2e/%2e%2e",
    ".",
    "..",
]
FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://evil")']


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_sql_in_every_field_is_text(kind: str, store_of, tmp_path: Path, small_release: Release) -> None:
    written = store_of(kind)
    with asking(tmp_path, small_release, written) as ask:
        events = [
            {"user_id": "ann", "item_id": "mug", "event_id": f"{number}-{field}"} | {field: text}
            for number, text in enumerate(SQL)
            for field in FIELDS
        ]
        came = ask("POST", b"/v1/events", body=json.dumps(events).encode(), headers=[JSON])
        assert (came.status, came.json()["accepted"]) == (202, len(events))
        for text in SQL:
            items = [{"item_id": text, "attributes": {"title": text, "brand": text}}]
            assert ask("POST", b"/v1/items", body=json.dumps(items).encode(), headers=[JSON]).status == 200
            people = [{"user_id": text, "attributes": {"town": text}}]
            assert ask("POST", b"/v1/users", body=json.dumps(people).encode(), headers=[JSON]).status == 200
            place = quote(text, safe="").encode()
            assert ask("GET", b"/v1/items/" + place).json()["attributes"] == {"title": text, "brand": text}
            assert ask("GET", b"/v1/users/" + place).json()["user_id"] == text
            assert ask("PUT", b"/v1/users/" + place + b"/friends/" + place).status == 200
            assert ask("GET", b"/v1/users/" + place + b"/recommendations").status == 200
            exported = ask("GET", b"/v1/users/" + place + b"/export")
            assert exported.status == 200
            assert {row["user_id"] for row in exported.json()["held"]["events"]} == {text}
            for query in (b"cursor=" + place, b"where=" + place, b"where=category+%3D+" + place):
                for path in (b"/v1/items", b"/v1/items/popular", b"/v1/users"):
                    assert ask("GET", path, query).status in (200, 404, 422)
        assert len(ask("GET", b"/v1/items", b"limit=1000").json()["items"]) == len(SQL)
        erased = ask("DELETE", b"/v1/users/" + quote(SQL[2], safe="").encode())
        assert erased.status == 200
    found = read_tables(StoreAddress.of(written, tmp_path)).events
    assert found.height == len(events) - 1  # of the one who was erased
    assert Counter(found["item_id"].to_list())["mug"] == len(events) - len(SQL) - 1


@pytest.fixture
def ask(tmp_path: Path, small_release: Release):
    with asking(tmp_path, small_release) as asked:
        yield asked


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_releases(path: str, ask: Asked, tmp_path: Path) -> None:
    (tmp_path / "releases" / "secret").write_text("secret")
    for raw in (path.encode(), quote(path, safe="").encode()):
        for template in (
            b"/v1/versions/%s/promote",
            b"/v1/items/%s/similar",
            b"/v1/users/%s/export",
            b"/%s",
            b"/v1/versions/%s",
        ):
            came = ask("POST" if template.endswith(b"promote") else "GET", template.replace(b"%s", raw))
            assert came.status in (200, 404, 405, 422)
            assert b"root:" not in came.body
            assert b"secret" not in came.body


@pytest.mark.parametrize("number", ["0", "-1", "2x", "\u0662", "1e0", "0x2", "2 ", "+2", "1" * 30, "2/../1", "00002"])
def test_a_version_is_a_number_of_the_registry(number: str, ask: Asked) -> None:
    came = ask("POST", b"/v1/versions/" + quote(number, safe="").encode() + b"/promote")
    assert came.status in ((200,) if number == "00002" else (404,)), came


HEADERS = ["a\r\nX-Evil: 1", "\x1b[31mred", '{"level":"error"}', "a b", "é", "x" * 65]


@pytest.mark.parametrize("value", HEADERS)
def test_a_request_id_that_is_none_is_not_given_back(value: str, ask: Asked) -> None:
    came = ask("GET", b"/v1/health", headers=[(b"x-request-id", value.encode())])
    assert value not in came.headers["x-request-id"]
    assert not any("\r" in one or "\n" in one for one in came.headers.values())
    assert "x-evil" not in came.headers


def test_one_event_is_one_line_of_the_log_whatever_callers_send(project) -> None:
    shop = project('log_level = "debug"')
    evil = 'x\r\n{"event": "forged", "level": "info"}\n\x1b[2J\u2028\u0085'
    with shop.serving() as service:
        asyncio.run(sent(service.port, evil))
        assert service.stop() == 0
    content = service.log.read_text()
    lines = [json.loads(line) for line in content.split("\n") if line.startswith("{")]
    assert not [line for line in lines if line["event"] == "forged"]
    assert len([line for line in lines if line["event"] == "request"]) >= 5
    assert not set("\x1b\u2028\u0085\r") & set(content)


async def sent(port: int, evil: str) -> None:
    """The same text in every place that a log might tell of."""
    place = quote(evil, safe="")
    async with connection(port) as send:
        for method, path, body in [
            ("GET", f"/nowhere/{place}", None),
            ("GET", f"/v1/users/{place}/recommendations", None),
            ("GET", f"/v1/items/{place}/similar", None),
            ("POST", "/v1/events", {"user_id": evil, "item_id": evil, "event_type": evil[:100]}),
            ("POST", f"/v1/versions/{place}/promote", None),
            ("POST", "/v1/recommendations", {"user_id": evil, "scenario": evil, "where": evil}),
        ]:
            assert (await send(method, path, body)).status in (200, 202, 404, 422)


def test_a_spreadsheet_of_everybody_runs_nothing(project) -> None:
    log = [
        (person, item, float(day))
        for day, (person, item) in enumerate(zip(FORMULAS * 2, FORMULAS[1:] * 3, strict=False))
    ]
    log += [("ann", item, 9.0) for item in FORMULAS[:3]] + [("bob", "mug", 1.0), ("ann", "mug", 2.0)]
    shop = project(releases=[trained(dataset(log))])
    done = subprocess.run(
        [sys.executable, "-m", "zhiyin", "batch", "--out", "recs.csv"],
        cwd=shop.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (shop.root / "recs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cells = [row[name] for row in rows for name in ("user_id", "item_id", "origin")]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]
    assert {f"'{one}" for one in FORMULAS if not one.startswith("\t")} <= set(cells)
