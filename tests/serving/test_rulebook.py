"""The scenarios that hold: followed while the file changes, and written only where all of it is sound."""

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from zhiyin.errors import ArtifactError, ConfigError, RequestError
from zhiyin.ranking.scenario import default_scenarios
from zhiyin.registry.lock import exclusive
from zhiyin.registry.release import Release
from zhiyin.serving.live import Live, Served
from zhiyin.serving.rule_history import MOST_CHANGES, RuleHistory
from zhiyin.serving.rulebook import Draft, Rulebook, follow, mark

TEXT = '[data]\nevents = "events.csv"\n\n[scenarios.home]\nk = 4  # four\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "zhiyin.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def book(path: Path, release: Release) -> Rulebook:
    book = Rulebook(default_scenarios(), path)
    book.look(release)
    return book


def home(**table: object) -> Draft:
    return Draft("home", {"k": 4} | table, mark({"k": 4}))


def test_what_the_file_says_holds(book: Rulebook, path: Path, release: Release) -> None:
    assert book.scenarios["home"].k == 4
    path.write_text(TEXT.replace("k = 4", "k = 5"))
    os.utime(path, ns=(1, 1))  # whatever the grain of the clock
    book.look(release)
    assert (book.scenarios["home"].k, book.problem) == (5, "")


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        ("[scenarios.home", "not valid TOML"),
        ("[scenarios.home]\nexplor = 0.1\n", "did you mean 'explore'"),
        ("[scenarios.home]\nwhere = 'colour = 1'\n", "colour"),
        (None, "No such file"),
    ],
)
def test_what_cannot_be_taken_is_told_and_what_held_goes_on(
    book: Rulebook, path: Path, release: Release, spoilt: str | None, sentence: str
) -> None:
    if spoilt is None:
        path.unlink()
    else:
        path.write_text('[data]\nevents = "e.csv"\n' + spoilt)
    book.look(release)
    assert book.scenarios["home"].k == 4
    assert sentence in book.problem
    path.write_text(TEXT.replace("k = 4", "k = 6"))
    book.look(release)
    assert (book.scenarios["home"].k, book.problem) == (6, "")


def test_what_did_not_fit_is_tried_again_with_another_release(book: Rulebook, path: Path, release: Release) -> None:
    path.write_text(TEXT + "retrievers = ['ease']\n")
    book.look(release)
    assert "ease" in book.problem
    known = release.pipeline.retrievers
    other = replace(release, pipeline=replace(release.pipeline, retrievers={**known, "ease": known["item_knn"]}))
    book.look(other)
    assert (book.scenarios["home"].retrievers, book.problem) == (("ease",), "")


def test_a_saved_scenario_holds_here_and_elsewhere(book: Rulebook, path: Path, release: Release) -> None:
    elsewhere = Rulebook(default_scenarios(), path)
    elsewhere.look(release)
    path.chmod(0o640)
    book.save(home(explore=0.3), "ann", 7, release)
    assert book.scenarios["home"].explore == 0.3
    assert path.read_text() == TEXT + "explore = 0.3\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    elsewhere.look(release)
    assert elsewhere.scenarios["home"].explore == 0.3
    (change,) = book.history.changes()
    assert (change.time, change.actor, change.scenario, change.keys) == (7, "ann", "home", ["explore"])
    assert (change.before, change.after) == ({"k": 4}, {"k": 4, "explore": 0.3})


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path, release: Release) -> None:
    link = tmp_path / "there" / "zhiyin.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    Rulebook(default_scenarios(), link).save(home(explore=0.3), "ann", 7, release)
    assert link.is_symlink()
    assert "explore = 0.3" in path.read_text()


@pytest.mark.parametrize("table", [{"explore": 0.7}, {"where": "colour = 1"}, {"retrievers": ["ease"]}, {"k": "many"}])
def test_what_does_not_fit_is_not_written(
    book: Rulebook, path: Path, release: Release, table: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(table))):
        book.save(home(**table), "ann", 7, release)
    assert path.read_text() == TEXT
    assert book.history.changes() == []
    assert book.scenarios["home"].explore == 0.1


def test_who_comes_second_is_told(book: Rulebook, path: Path, release: Release) -> None:
    book.save(home(explore=0.3), "ann", 7, release)
    with pytest.raises(RequestError, match="changed meanwhile") as refused:
        book.save(home(explore=0.4), "bob", 8, release)
    assert refused.value.status == 409
    assert "explore = 0.3" in path.read_text()


def test_a_file_that_cannot_be_written_leaves_no_change(
    book: Rulebook, path: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.save(home(explore=0.3), "ann", 7, release)
    whole = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "zhiyin.toml":
            raise OSError(28, "No space left on device")
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", full)
    draft = Draft("home", {"k": 4}, mark({"k": 4, "explore": 0.3}))
    with pytest.raises(RequestError, match="No space left on device") as refused:
        book.save(draft, "ann", 8, release)
    assert refused.value.status == 503
    assert [change.time for change in book.history.changes()] == [7]
    assert book.scenarios["home"].explore == 0.3


def test_a_folder_that_cannot_be_written_is_told(book: Rulebook, path: Path, release: Release) -> None:
    lock = path.with_name(f".{path.name}.lock")
    lock.mkdir()
    with pytest.raises(RequestError, match="cannot be written") as refused:
        book.save(home(explore=0.3), "ann", 7, release)
    assert refused.value.status == 503


def test_without_a_file_nothing_is_written(release: Release) -> None:
    book = Rulebook(default_scenarios())
    book.look(release)
    assert (book.tables(), book.problem) == ({}, "")
    with pytest.raises(RequestError, match=r"without a zhiyin\.toml") as refused:
        book.save(home(), "ann", 7, release)
    assert refused.value.status == 409


def test_somebody_who_is_writing_is_waited_for_and_then_named(
    book: Rulebook, path: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhiyin.serving.rulebook.WAIT_SECONDS", 0.0)
    with exclusive(path.parent, f".{path.name}.lock"):

        async def other() -> None:
            await asyncio.to_thread(book.save, home(explore=0.3), "ann", 7, release)

        with pytest.raises(RequestError, match="cannot be written") as refused:
            asyncio.run(other())
    assert refused.value.status == 503


def test_the_history_is_bounded_and_what_is_damaged_is_left_out(path: Path, book: Rulebook, release: Release) -> None:
    book.save(home(explore=0.3), "ann", 7, release)
    history = RuleHistory(path)
    (change,) = history.changes()
    history.write([change] * (MOST_CHANGES + 5))
    assert len(history.changes()) == MOST_CHANGES
    file = path.with_name("zhiyin.toml.history")
    file.write_bytes(b"{\n" + file.read_bytes())
    assert len(history.changes()) == MOST_CHANGES
    file.unlink()
    file.mkdir()
    with pytest.raises(ArtifactError, match="cannot be read"):
        history.changes()


def test_following_goes_on_until_it_is_cancelled(path: Path, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.rulebook.SECONDS", 0.0)
    book, live = Rulebook(default_scenarios(), path), Live(Served(release))

    async def until(k: int) -> None:
        while book.scenarios["home"].k != k:
            await asyncio.sleep(0)

    async def followed() -> None:
        following = asyncio.ensure_future(follow(book, live))
        await asyncio.wait_for(until(4), 20)
        path.write_text(TEXT.replace("k = 4", "k = 12"))
        await asyncio.wait_for(until(12), 20)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

    asyncio.run(followed())
