"""What was shown is written back under the request's id, and clicks refer to it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from zhiyin.serving.store import Store


def shown(path: Path) -> list[dict[str, Any]]:
    """What the store holds, read from outside, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM impressions ORDER BY number")]
    return [{**row, "items": msgspec.json.decode(row["items"])} for row in rows]


def test_every_list_is_written_with_its_items_in_order_and_their_probabilities(opens: Any, tmp_path: Path) -> None:
    client = opens(store=Store.of("shown.db", tmp_path))
    answers = [
        client.post("/v1/recommendations", json={"user_id": "a000", "k": 3}),
        client.post("/v1/recommendations", json={"session_id": "s-1", "k": 2, "scenario": "email"}),
        client.post("/v1/recommendations", json={"history": ["a-01"], "k": 2}),
        client.get("/v1/users/b000/recommendations?k=1"),
        client.get("/v1/items/a-01/similar?k=2"),
        client.get("/v1/items/popular?k=2"),
    ]
    batch = client.post("/v1/recommendations/batch", json={"user_ids": ["a001", "b001"], "k": 2}).json()
    clicked = answers[0].json()["request_id"]
    event = {"user_id": "a000", "item_id": "a-01", "event_type": "click", "request_id": clicked}
    client.post("/v1/events", json=event)  # what waits is written with the next events
    rows = shown(tmp_path / "shown.db")
    for answer, row in zip(answers, rows, strict=False):
        body = answer.json()
        assert row["request_id"] == body["request_id"]
        assert row["items"] == [[one["item_id"], one["probability"]] for one in body["items"]]
        assert row["version"] == body["version"]
    assert [row["scenario"] for row in rows] == ["home", "email", "home", "home", "similar", "popular", "home", "home"]
    assert [row["user_id"] for row in rows] == ["a000", None, None, "b000", None, None, "a001", "b001"]
    assert [row["session_id"] for row in rows][:3] == [None, "s-1", None]
    assert {row["request_id"] for row in rows[-2:]} == {batch["request_id"]}
    with closing(sqlite3.connect(tmp_path / "shown.db")) as connection:
        joined = connection.execute(
            "SELECT i.items FROM events e JOIN impressions i USING (request_id) WHERE e.event_type = 'click'"
        ).fetchall()
    assert len(joined) == 1


def test_what_was_known_of_the_moment_is_kept_with_the_list(opens: Any, tmp_path: Path) -> None:
    client, context = opens(store=Store.of("shown.db", tmp_path)), {"page": "home", "width": 390, "app": True}
    client.post("/v1/recommendations", json={"user_id": "a000", "context": context})
    client.post("/v1/recommendations/batch", json={"user_ids": ["a001", "b001"], "context": context})
    client.post("/v1/recommendations", json={"user_id": "b000"})
    client.post("/v1/events", json={"user_id": "a000", "item_id": "a-01"})
    kept = [row["context"] and msgspec.json.decode(row["context"]) for row in shown(tmp_path / "shown.db")]
    assert kept == [context] * 3 + [None]
    held = client.get("/v1/users/a000/export").json()["held"]
    assert [row["context"] for row in held["impressions"]] == [context]


@pytest.mark.parametrize("write_back", [True, False])
def test_a_shop_may_do_without(opens: Any, tmp_path: Path, write_back: bool) -> None:
    client = opens(store=Store.of("shown.db", tmp_path), write_back=write_back)
    client.post("/v1/recommendations", json={"user_id": "a000"})
    client.post("/v1/events", json={"user_id": "a000", "item_id": "a-01"})
    assert len(shown(tmp_path / "shown.db")) == write_back
