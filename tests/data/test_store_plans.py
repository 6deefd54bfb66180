"""What is asked of one person costs the same however much nobody in particular has done."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from zhiyin.data.store import history, news, privacy
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import migrate_at_once
from zhiyin.data.store.statement import Statement

ANN: dict[str, Any] = {"user_id": "ann"}
AFTER: dict[str, Any] = {**ANN, "after": 0}
NEWS: dict[str, Any] = {**AFTER, "most": 10, "changes_after": 0}
ASKED = {
    "export of events": (privacy.EXPORT["events"], ANN),
    "export of lists": (privacy.EXPORT["impressions"], ANN),
    "erasure of lists": (privacy.ERASE["impressions"], ANN),
    "news": (news.OF_PERSON, NEWS),
    "news of a session": (news.OF_SESSION, {**NEWS, "session_id": "mine"}),
    "quiet": (news.SINCE_OF_PERSON, AFTER),
    "quiet around who is not held": (news.SAID_OF_PERSON, AFTER),
    "quiet around a session": (news.SINCE_OF_SESSION, {"session_id": "mine", "after": 0}),
    "history": (history.PAGE, {**ANN, "before": 2**40, "most": 10}),
}
STEPS = 10
"""Instructions of SQLite's machine between two counts."""


def filled(path: Path, others: int) -> sqlite3.Connection:
    """A store in which one person has a linked session, and other visitors have done something, too."""
    migrate_at_once(StoreAddress(path))
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO links VALUES ('mine', 'ann', 1)")
    sessions = ["mine", *(f"s{number}" for number in range(others))]
    connection.executemany(
        "INSERT INTO events (session_id, item_id, event_type, timestamp, received) VALUES (?, 'mug', 'view', 1, 1)",
        [(one,) for one in sessions],
    )
    connection.executemany(
        "INSERT INTO impressions (request_id, session_id, version, time, items) VALUES ('r', ?, 1, 1, '[]')",
        [(one,) for one in sessions],
    )
    return connection


def steps(connection: sqlite3.Connection, statement: Statement, values: dict[str, Any]) -> int:
    """How often SQLite has counted."""
    compiled, counted = statement._for(sqlite.dialect()), []
    connection.set_progress_handler(lambda: counted.append(1), STEPS)
    connection.execute(compiled.text, compiled.given(values)).fetchall()
    connection.set_progress_handler(None, 0)
    return len(counted)


@pytest.mark.parametrize("name", ASKED)
def test_a_question_about_one_person_does_not_look_through_what_nobody_did(name: str, tmp_path: Path) -> None:
    statement, values = ASKED[name]
    with closing(filled(tmp_path / "few.db", 3)) as few, closing(filled(tmp_path / "many.db", 3_000)) as many:
        assert steps(many, statement, values) <= 2 * steps(few, statement, values) + 2
