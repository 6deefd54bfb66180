"""What was done is written down before it is done, in a chain that shows what was changed."""

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.errors import ArtifactError, DataError, RequestError
from zhiyin.registry.lock import exclusive
from zhiyin.serving import audit as audit_file
from zhiyin.serving.audit import FIRST, Audit
from zhiyin.serving.audit_trail import newest, verified
from zhiyin.serving.caller import Caller, Role

BOSS = Caller("boss", Role.ADMIN, address="192.0.2.1")
NOW = 1_790_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def written(path: Path, count: int) -> Audit:
    audit = Audit(path, lambda: NOW)
    for i in range(count):
        audit.record("promote", f"release {i}", BOSS, request_id=f"r{i}")
    return audit


def test_an_entry_says_who_did_what_from_where_and_when(path: Path) -> None:
    written(path, 2)
    first, second = [json.loads(line) for line in path.read_text().splitlines()]
    assert first == {
        "time": "2026-09-21T14:13:20+00:00", "actor": "boss", "address": "192.0.2.1", "act": "promote",
        "object": "release 0", "outcome": "done", "request_id": "r0", "previous": FIRST,
    }  # fmt: skip
    assert len(second["previous"]) == 64
    assert second["previous"] != FIRST
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=700), min_size=1, max_size=4))
def test_no_text_makes_a_second_line_or_a_long_one(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    audit = Audit(path, lambda: NOW)
    for text in ["a\r\nb\n", "\u2028\u2029\x85\x1b[31m\0", "\ud800", '","actor":"root', "🂡" * 700, *texts]:
        audit.record(text, text, Caller(text, Role.ADMIN, address=text), text, request_id=text)
    content = path.read_bytes()
    lines = content.split(b"\n")
    assert len(lines) == len(texts) + 6
    assert all(32 <= letter < 127 for line in lines for letter in line)
    assert max(map(len, lines)) < audit_file.LONGEST_LINE
    assert verified(path).fault is None
    found = newest(path, 1_000).entries[::-1]
    assert [one.act for one in found[:2]] == ["a\r\nb\n", "\u2028\u2029\x85\x1b[31m\0"]
    assert [one.object for one in found[3:5]] == ['","actor":"root', "🂡" * 499 + "…"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_before_the_last_line_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    written(path, 5)
    head = verified(path).head
    lines = path.read_bytes().splitlines(keepends=True)
    row = data.draw(st.integers(0, 4))
    change = data.draw(st.sampled_from(["byte", "drop", "swap", "repeat"]))
    if change == "byte":
        place = data.draw(st.integers(0, len(lines[row]) - 1))
        letter = data.draw(st.integers(0, 255).filter(lambda one: one != lines[row][place]))
        lines[row] = lines[row][:place] + bytes([letter]) + lines[row][place + 1 :]
    elif change == "drop":
        del lines[row]
    elif change == "swap":
        lines[row], lines[row - 1] = lines[row - 1], lines[row]
    else:
        lines.insert(row, lines[row])
    path.write_bytes(b"".join(lines))
    assert verified(path, head).fault
    if row < 4:
        assert verified(path).fault


def test_what_was_cut_off_the_end_is_found_by_a_hash_that_was_noted(path: Path) -> None:
    written(path, 3)
    noted = verified(path)
    assert (noted.entries, noted.fault) == (3, None)
    assert verified(path, noted.head).fault is None
    written(path, 1)
    assert verified(path, noted.head).fault is None
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert verified(path).fault is None
    assert "cut off its end" in str(verified(path, noted.head).fault)
    path.unlink()
    assert verified(path).entries == 0
    assert "cut off its end" in str(verified(path, noted.head).fault)
    assert newest(path, 5).entries == []


def test_the_place_of_a_change_is_told(path: Path) -> None:
    written(path, 3)
    content = path.read_text()
    path.write_text(content.replace("release 1", "release 9"))
    assert "line 2 of" in str(verified(path).fault)
    path.write_text("".join(content.splitlines(keepends=True)[1:]))
    assert "the first lines" in str(verified(path).fault)
    path.write_text(content[:-1])
    assert "line 3 of" in str(verified(path).fault)
    path.write_text(content + "{}\n")
    assert "line 4 of" in str(verified(path).fault)


def test_half_a_line_of_a_process_that_died_is_taken_back(path: Path) -> None:
    written(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"time":"2026')
    assert len(newest(path, 5).entries) == 2
    written(path, 1)
    assert path.read_bytes().startswith(whole)
    assert (verified(path).entries, verified(path).fault) == (3, None)
    path.write_bytes(b'{"time":"2026')
    written(path, 1)
    assert (verified(path).entries, verified(path).fault) == (1, None)


WRITER = """
import sys
from pathlib import Path
from zhiyin.serving.audit import Audit
from zhiyin.serving.caller import Caller, Role
audit = Audit(Path(sys.argv[1]))
for i in range(25):
    audit.record("promote", f"{sys.argv[2]} {i}", Caller("boss", Role.ADMIN))
"""


def test_several_processes_and_threads_write_one_chain(path: Path) -> None:
    others = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(i)]) for i in range(2)]
    threads = [threading.Thread(target=written, args=(path, 25)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert (verified(path).entries, verified(path).fault) == (100, None)


def test_pages_go_backwards_over_any_size_of_block(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, 30)
    wanted = [f"release {i}" for i in range(29, -1, -1)]
    for block in (64, 300, 1_000, 100_000):
        monkeypatch.setattr("zhiyin.serving.audit_trail.BLOCK", block)
        assert [one.object for one in newest(path, 100).entries] == wanted
        seen, cursor = [], None
        for _ in range(5):
            page = newest(path, 7, cursor)
            seen += [one.object for one in page.entries]
            cursor = page.cursor
        assert seen == wanted
        assert cursor is None
    path.write_bytes(path.read_bytes() + b"no entry\n")
    assert [one.object for one in newest(path, 2).entries] == wanted[:2]
    path.write_bytes(b"x" * 300_000)
    assert newest(path, 2).entries == []


def test_an_act_is_written_down_before_and_after(path: Path) -> None:
    audit = Audit(path, lambda: NOW)
    with audit.act("promote", "release 1", BOSS, request_id="r1"):
        assert [one.outcome for one in newest(path, 9).entries] == ["begun"]
    with pytest.raises(DataError), audit.act("promote", "release 2", BOSS):
        raise DataError("release 2 is damaged")
    with pytest.raises(KeyError), audit.act("erase", "one person", BOSS):
        raise KeyError
    outcomes = [one.outcome for one in newest(path, 9).entries][::-1]
    assert outcomes == ["begun", "done", "begun", "failed: release 2 is damaged", "begun", "failed"]


def test_the_same_on_the_event_loop(path: Path) -> None:
    audit = Audit(path, lambda: NOW)

    async def acts() -> None:
        async with audit.acting("promote", "release 1", BOSS):
            pass
        with pytest.raises(DataError):
            async with audit.acting("promote", "release 2", BOSS):
                raise DataError("release 2 is damaged")

    asyncio.run(acts())
    outcomes = [one.outcome for one in newest(path, 9).entries][::-1]
    assert outcomes == ["begun", "done", "begun", "failed: release 2 is damaged"]


def test_what_cannot_be_audited_is_not_done(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.mkdir()
    audit = Audit(path)
    done = []
    with pytest.raises(RequestError, match="was not done") as refused, audit.act("erase", "ann", BOSS):
        done.append("erased")
    assert (refused.value.status, done) == (503, [])
    assert str(path.parent) not in str(refused.value)
    assert "cannot be written" in caplog.text
    with pytest.raises(ArtifactError, match=r"audit\.jsonl cannot be written"):
        audit.record("erase", "ann", BOSS)


def test_what_was_done_stays_done_when_its_outcome_cannot_be_written(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit, done = Audit(path), []
    with audit.act("erase", "ann", BOSS):
        done.append("erased")
        path.unlink()
        path.mkdir()
    assert done == ["erased"]
    assert "erase is done, and this could not be audited" in caplog.text


def test_a_full_disk_leaves_the_chain_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = written(path, 2)
    before = path.read_bytes()
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:20]))
        with pytest.raises(ArtifactError, match="No space left"):
            audit.record("promote", "release 9", BOSS)
    assert path.read_bytes() == before
    audit.record("promote", "release 9", BOSS)
    assert (verified(path).entries, verified(path).fault) == (3, None)


def test_a_writer_waits_its_turn_and_not_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = written(path, 1)
    failures: list[str] = []

    def late() -> None:
        try:
            audit.record("promote", "release 1", BOSS)
        except ArtifactError as error:
            failures.append(str(error))

    monkeypatch.setattr("zhiyin.serving.audit.WAIT_SECONDS", 0.05)
    with exclusive(path.parent, ".audit.jsonl.lock"):
        thread = threading.Thread(target=late)
        thread.start()
        thread.join()
    assert "in use by process" in failures[0]
    monkeypatch.setattr("zhiyin.serving.audit.WAIT_SECONDS", 60)
    with exclusive(path.parent, ".audit.jsonl.lock"):
        thread = threading.Thread(target=late)
        thread.start()
    thread.join()
    assert verified(path).entries == 2


def test_a_file_that_cannot_be_read_is_a_sentence(path: Path) -> None:
    path.mkdir()
    for look in (verified, lambda where: newest(where, 5)):
        with pytest.raises(ArtifactError, match="cannot be read"):
            look(path)


def test_without_a_file_nothing_is_kept() -> None:
    with Audit().act("promote", "release 1", BOSS):
        pass
    Audit().record("promote", "release 1", BOSS)
