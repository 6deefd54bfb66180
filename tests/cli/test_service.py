"""serve, keys, doctor, and the demo that goes on serving."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import polars as pl
import pytest

from cli.terminal import Run, run_in

CLI = [sys.executable, "-m", "zhiyin"]


@pytest.fixture
def taken() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def answered(url: str, body: object = None) -> list[str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return [one["item_id"] for one in json.load(answer).get("items", [])]


def test_serve_answers_until_it_is_told_to_end(own_shop: Path) -> None:
    with subprocess.Popen([*CLI, "serve", "--port", "0"], cwd=own_shop, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        line = service.stdout.readline()
        assert line.startswith("serving release 1 on http://127.0.0.1:")
        url = line.split(" on ")[1].split(",")[0]
        before = answered(f"{url}/v1/users/u00002/recommendations?k=3")
        for event in ({"user_id": "u00002", "item_id": before[0]}, {"user_id": "newcomer", "item_id": "i00007"}):
            answered(f"{url}/v1/events", {**event, "event_type": "purchase"})
        after = answered(f"{url}/v1/users/u00002/recommendations?k=3")
        newcomer = answered(f"{url}/v1/users/newcomer/recommendations?k=3")
        service.send_signal(signal.SIGINT)
        rest = service.stdout.read()
    assert service.returncode == 0
    assert before[0] not in after
    asked = run_in(own_shop, "recommend", "--user", "u00002", "--user", "newcomer", "-k", 3, "--json")
    assert asked.err == ""
    assert [[one["item_id"] for one in answer["items"]] for answer in asked.json["answers"]] == [after, newcomer]
    assert run_in(own_shop, "batch", "--out", "r.jsonl", "-k", 3).code == 0
    everyone = pl.read_ndjson(own_shop / "r.jsonl")
    for user_id, items in (("u00002", after), ("newcomer", newcomer)):
        assert everyone.filter(pl.col("user_id") == user_id)["item_id"].to_list() == items
    assert rest.splitlines() == [
        f"the dashboard for people is {url}/",
        "callers on this machine need no key",
        "stopped",
    ]


def test_demo_serves_and_ends_cleanly(tmp_path: Path) -> None:
    words = ["demo", "--port", "0", "--people", "60", "--items", "30", "--events", "2000"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*CLI, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as demo:
        assert demo.stdout
        lines = []
        while not any("&&" in line for line in lines):
            lines.append(demo.stdout.readline())
            assert lines[-1], demo.stderr.read() if demo.stderr else ""
        first, second = [line.strip() for line in lines if line.startswith("curl")]
        before = subprocess.run(["bash", "-c", first], capture_output=True, text=True, check=True).stdout
        after = subprocess.run(["bash", "-c", second], capture_output=True, text=True, check=True).stdout
        demo.send_signal(signal.SIGINT)
        rest, err = demo.communicate()
    assert demo.returncode == 0
    assert err == ""
    assert "stopped" in rest
    bought = json.loads(before)["items"][0]["item_id"]
    accepted, _, answer = after.partition("}")
    assert '"accepted":1' in accepted
    assert bought in before
    assert bought not in answer


def test_a_port_in_use(own_shop: Path, taken: int, tmp_path: Path) -> None:
    assert "--port" in run_in(own_shop, "serve", "--port", taken).sentence
    assert "--port" in run_in(tmp_path, "demo", "--port", taken).sentence
    assert "serve.port must be from 0 to 65535" in run_in(own_shop, "serve", "--port", 70_000).sentence


def test_serve_needs_keys_elsewhere(own_shop: Path) -> None:
    assert "zhiyin keys create" in run_in(own_shop, "serve", "--host", "0.0.0.0", "--port", 0).sentence


def test_keys_are_made_listed_and_revoked(ask_own: Run, own_shop: Path) -> None:
    assert ask_own("keys", "list").err == "there are no keys: run `zhiyin keys create NAME`\n"
    made = ask_own("keys", "create", "web", "--json").json
    assert made["name"] == "web"
    assert made["key"].startswith("zk_")
    assert made["key"] not in (own_shop / "keys.json").read_text()
    assert ask_own("keys", "create", "app").out.startswith("zk_")
    assert [line.split()[:4] for line in ask_own("keys", "list").out.rstrip().splitlines()[-2:]] == [
        ["web", "valid", "writer", "all"],
        ["app", "valid", "writer", "all"],
    ]
    assert "revoke it first" in ask_own("keys", "create", "web").sentence
    assert "did you mean 'web'?" in ask_own("keys", "revoke", "wbe").sentence
    assert ask_own("keys", "revoke", "web").code == 0
    rows = {row["name"]: row for row in ask_own("keys", "list", "--json").json}
    assert (rows["web"]["state"], rows["app"]["state"]) == ("revoked", "valid")
    assert rows["web"]["revoked"] >= rows["web"]["created"]


def test_doctor_finds_all_well(ask: Run) -> None:
    found = ask("doctor", "--json")
    assert found.code == 0, found.out
    names = {one["name"] for one in found.json["checks"]}
    assert names >= {"Python", "packages", "compiled loops", "threads", "disk", "zhiyin.toml", "releases", "port"}
    assert found.json["ok"]
    assert "release 1 serves" in ask("doctor").out


def test_doctor_without_a_shop(bare: Run) -> None:
    found = bare("doctor")
    assert found.code == 0
    assert "zhiyin init EVENTS" in found.out


def test_doctor_says_what_is_wrong(own_shop: Path, taken: int) -> None:
    (own_shop / "events.db").write_bytes(b"this is no database, whatever its name")
    (own_shop / "zhiyin.toml").write_text(
        (own_shop / "zhiyin.toml").read_text().replace("[serve]", f"[serve]\nport = {taken}")
    )
    found = run_in(own_shop, "doctor", "--json")
    assert found.code == 1
    levels = {one["name"]: one["level"] for one in found.json["checks"]}
    assert levels["event store"] == "fail"
    assert levels["port"] == "warn"
    (own_shop / "zhiyin.toml").write_text("[data]\nevent = 'x'\n")
    assert "did you mean 'events'?" in run_in(own_shop, "doctor").out


def test_doctor_finds_an_older_store_and_repairs_it(own_shop: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(own_shop / "events.db")) as connection, connection:
        connection.executescript(
            "CREATE TABLE events (sequence INTEGER PRIMARY KEY, event_id TEXT UNIQUE, user_id TEXT NOT NULL, "
            "item_id TEXT NOT NULL, event_type TEXT NOT NULL, timestamp INTEGER NOT NULL, value REAL, price REAL, "
            "quantity REAL, request_id TEXT, received INTEGER NOT NULL); PRAGMA user_version = 1; "
            "INSERT INTO events (user_id, item_id, event_type, timestamp, received) VALUES ('a', 'b', 'view', 1, 1)"
        )

    def store(*arguments: str) -> tuple[str, str]:
        found = run_in(own_shop, "doctor", "--json", *arguments).json
        return next((one["level"], one["found"]) for one in found["checks"] if one["name"] == "event store")

    assert store()[0] == "warn"
    assert "doctor --fix" in run_in(own_shop, "doctor").out
    assert "run `zhiyin doctor --fix`" in run_in(own_shop, "recommend", "--user", "a").err
    level, found = store("--fix")
    assert (level, found.startswith("1 event in")) == ("ok", True)
    assert "0001" not in run_in(own_shop, "doctor", "--fix").out


def test_demo_as_json_stops_before_serving(tmp_path: Path) -> None:
    found = run_in(tmp_path, "demo", "--json", "--people", 120, "--items", 40, "--events", 4_000).json
    assert found["release"] == 1
    assert {row["role"] for row in found["report"]["rows"]} >= {"baseline", "ceiling"}
