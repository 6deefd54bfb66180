"""train, evaluate, versions, promote, rollback."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import Run, run_in

CLI = [sys.executable, "-m", "zhiyin"]


@pytest.fixture
def two_releases(own_shop: Path) -> Path:
    """Release 1 serves, and release 2 of popularity alone is there."""
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[models.popularity]\n")
    assert run_in(own_shop, "train", "--json").json["release"] == 2
    return own_shop


def test_train_says_what_it_did_and_promotes_only_with_evidence(own_shop: Path) -> None:
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[models.popularity]\nhalf_life_days = 1.0\n")
    found = run_in(own_shop, "train", "--html", "page.html")
    assert found.code == 0, found.err
    assert found.err == ""
    for words in ("NDCG@10", "serving", "release 2 (popularity) is written", "not promoted", "next: "):
        assert words in found.out
    assert "<html" in (own_shop / "page.html").read_text()
    assert [one["serving"] for one in run_in(own_shop, "versions", "--json").json] == [True, False]


def test_train_for_a_program(own_shop: Path) -> None:
    found = run_in(own_shop, "train", "--json").json
    assert set(found) == {"release", "chosen", "promote", "sentence", "note", "report"}
    assert found["report"]["k"] == 10


def test_evaluate_publishes_nothing(ask: Run, shop: Path) -> None:
    found = ask("evaluate", "-k", 5, "--json")
    assert found.code == 0, found.err
    assert set(found.json) == {"chosen", "note", "report"}
    assert found.json["report"]["k"] == 5
    assert [one["number"] for one in ask("versions", "--json").json] == [1]


def test_evaluate_refuses_empty_lists_before_it_trains(ask: Run) -> None:
    assert ask("evaluate", "-k", 0).sentence == "recipe.k must be from 1 to 10,000, got 0"


def test_evaluate_for_a_person(own_shop: Path) -> None:
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[models.popularity]\n[models.ease]\n")
    found = run_in(own_shop, "evaluate", "--html", "page.html")
    assert found.code == 0, found.err
    assert "nothing was published" in found.out
    assert max(map(len, found.out.splitlines()[:8])) <= 100
    assert (own_shop / "page.html").exists()


def test_versions_promote_and_rollback(two_releases: Path) -> None:
    def say(*words: object) -> str:
        found = run_in(two_releases, *words)
        assert found.code == 0, found.err
        return found.out

    assert "serving" in say("versions")
    assert "release 2 serves now, and 1 did before" in say("promote", 2, "--yes")
    assert say("promote", 2) == "release 2 serves already\n"
    assert [one["previous"] for one in json.loads(say("versions", "--json"))] == [True, False]
    assert json.loads(say("rollback", "--json")) == {"serving": 1, "before": 2}
    assert json.loads(say("promote", 2, "--yes", "--json")) == {"serving": 2, "before": 1}
    assert "release 1 serves again, 2 does no more" in say("rollback")
    assert "nothing that served before" in run_in(two_releases, "rollback").sentence


def test_promote_asks_and_refuses_where_nobody_answers(two_releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "add --yes" in run_in(two_releases, "promote", 2).sentence
    assert "release 9 is not in releases, which holds 1, 2" in run_in(two_releases, "promote", 9).sentence


def test_a_damaged_release_is_refused_with_what_to_do(two_releases: Path) -> None:
    assert run_in(two_releases, "promote", 2, "--yes").code == 0
    file = two_releases / "releases" / "0002" / "catalog.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    for words in (["recommend", "--user", "u00001"], ["similar", "--item", "i00001"], ["batch", "--out", "r.csv"]):
        sentence = run_in(two_releases, *words).sentence
        assert "0002/catalog.parquet has" in sentence
        assert "roll back" in sentence
    assert not (two_releases / "r.csv").exists()
    looked = run_in(two_releases, "doctor", "--json")
    assert looked.code == 1
    (failed,) = [one for one in looked.json["checks"] if one["level"] == "fail"]
    assert failed["name"] == "releases"
    assert "zhiyin rollback" in failed["advice"]
    assert run_in(two_releases, "rollback").code == 0
    assert run_in(two_releases, "recommend", "--user", "u00001").code == 0
    assert "has" in run_in(two_releases, "promote", 2, "--yes").sentence


def test_a_damaged_manifest_is_listed_as_such(two_releases: Path) -> None:
    (two_releases / "releases" / "0002" / "manifest.json").write_text("{}")
    found = run_in(two_releases, "versions")
    assert found.code == 0
    assert "damaged" in found.out
    assert "release 2: " in found.err


def test_two_trainings_at_once(own_shop: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from zhiyin.registry.lock import exclusive\n"
        "with exclusive(Path('releases')):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=own_shop, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        sentence = run_in(own_shop, "train").sentence
        other.communicate("")
    assert f"in use by process {other.pid} since" in sentence
    assert sentence.endswith("wait until it ends, or stop it")


def test_a_full_disk_while_a_release_is_written(own_shop: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))

    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[models.popularity]\n")
    found = subprocess.run(
        [*CLI, "train"], cwd=own_shop, capture_output=True, text=True, preexec_fn=small_files, check=False
    )
    assert found.returncode == 2, found.stderr
    assert "Traceback" not in found.stderr
    sentence = found.stderr.splitlines()[-1]
    assert sentence.startswith("zhiyin: the release could not be written to releases (")
    assert "File too large" in sentence
    assert [one["number"] for one in run_in(own_shop, "versions", "--json").json] == [1]
    assert {path.name for path in (own_shop / "releases").iterdir() if path.is_dir()} == {"0001"}


def test_before_the_first_training(own_shop: Path) -> None:
    import shutil

    shutil.rmtree(own_shop / "releases")
    assert run_in(own_shop, "versions").out == "there is no release yet: run `zhiyin train`\n"
    assert run_in(own_shop, "versions", "--json").json == []
    for words in (["recommend", "--user", "u"], ["similar", "--item", "i"], ["batch", "--out", "r.csv"], ["serve"]):
        assert run_in(own_shop, *words).sentence.endswith("run `zhiyin train` first")
    assert "promote" in run_in(own_shop, "rollback").sentence
    assert "which holds none, run `zhiyin train`" in run_in(own_shop, "promote", 1).sentence
