"""The audit on its page: newest first, filtered, page by page, and checked as a whole."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from zhiyin.serving import audit_trail
from zhiyin.serving.audit import Audit
from zhiyin.serving.audit_trail import newest
from zhiyin.serving.caller import Caller, Role

from .conftest import Shop
from .signing_in import sign_in
from .test_overview import text

ANN, BOB = Caller("ann", Role.ADMIN, address="10.0.0.7"), Caller("bob", Role.OPERATOR)


@pytest.fixture
def trail(quiet: Shop) -> Path:
    """Sixty promotions by bob, and one failure of ann's at the beginning."""
    audit = Audit(quiet.folder / "audit.jsonl")
    audit.record("retrain", "", ANN, "failed: the registry is in use")
    for number in range(60):
        audit.record("promote", f"release {number}", BOB)
    return quiet.folder / "audit.jsonl"


@pytest.fixture
def admin(client: TestClient, quiet: Shop, trail: Path) -> TestClient:
    sign_in(client, quiet.keys["admin"])
    return client


def test_the_newest_come_first_and_older_ones_page_by_page(admin: TestClient) -> None:
    page = admin.get("/audit").text
    assert page.index("sign in") < page.index("release 59") < page.index("release 58")
    assert "release 0<" not in page
    older = admin.get(re.search(r'href="(/audit\?cursor=\d+)" rel="next"', page)[1].replace("&amp;", "&")).text
    assert "release 0<" in older
    assert "the registry is in use" in older
    assert 'rel="first"' in older
    assert 'rel="next"' not in older


def test_parts_of_names_filter(admin: TestClient) -> None:
    rows = admin.get("/audit?actor=AN&act=train").text
    assert "10.0.0.7" in rows
    assert "release" not in re.search(r"(?s)<tbody>.*</tbody>", rows)[0]
    page = admin.get("/audit?act=promote").text
    assert "sign in<" not in re.search(r"(?s)<tbody>.*</tbody>", page)[0]
    assert "act=promote&amp;cursor=" in page, "the next page is filtered, too"
    assert "Nothing of this kind was found." in text(admin, "/audit?actor=nobody")


def test_a_whole_chain_says_so_and_gives_its_head(admin: TestClient, trail: Path) -> None:
    said = text(admin, "/audit/verify")
    assert "63 entries, each follows from the one before." in said
    head = re.search(r'<code id="head">([0-9a-f]{64})</code>', admin.get("/audit/verify").text)[1]
    assert "The hash that you noted is among them." in text(admin, f"/audit/verify?head={head}")
    assert f"has no line with the hash {'a' * 64}" in text(admin, f"/audit/verify?head={'a' * 64}")


def test_a_changed_line_shows(admin: TestClient, trail: Path) -> None:
    trail.write_text(trail.read_text().replace("release 7", "release 8", 1))
    said = text(admin, "/audit/verify")
    assert "Broken" in said
    assert "was changed, or lines are missing after it" in said


def test_it_is_for_admins(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    assert client.get("/audit").status_code == 403
    assert client.get("/audit/verify").status_code == 403


def test_a_service_that_keeps_none_says_so(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.app.state.service.audit, "path", None)
    assert "No audit is kept here." in text(admin, "/audit/verify")


def test_an_audit_without_entries_says_what_will_stand_there(admin: TestClient, trail: Path) -> None:
    trail.unlink()
    assert "Nothing was done yet." in text(admin, "/audit")
    assert "0 entries" not in text(admin, "/audit/verify")


@pytest.mark.parametrize("cursor", ["x", "", "-1", "9" * 19])
def test_a_cursor_that_is_none_begins_at_the_newest(admin: TestClient, cursor: str) -> None:
    assert "release 59" in admin.get("/audit", params={"cursor": cursor}).text


def test_a_search_ends_after_so_many_lines_and_goes_on_from_there(trail: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "MOST_LOOKED", 40)
    first = newest(trail, 10, None, lambda entry: entry.actor == "ann")
    assert first.entries == []
    second = newest(trail, 10, first.cursor, lambda entry: entry.actor == "ann")
    assert [entry.act for entry in second.entries] == ["retrain"]
    assert second.cursor is None
