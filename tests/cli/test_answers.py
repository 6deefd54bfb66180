"""recommend, similar, batch: what comes out, and what is refused."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cli.terminal import Run, run_in


def items(found: list[dict[str, object]]) -> list[object]:
    return [one["item_id"] for one in found]


def test_recommend_shows_titles(ask: Run) -> None:
    found = ask("recommend", "--user", "u00002", "-k", 3)
    assert found.code == 0, found.err
    assert found.err == ""
    assert found.out.startswith("For u00002, by release 1\n")
    assert all(word in found.out for word in ("rank", "item_id", "title", "price", "score", "origin"))
    assert "\x1b" not in found.out


def test_recommend_for_a_program(ask: Run) -> None:
    found = ask("recommend", "--user", "u00002", "--user", "u00003", "-k", 4, "--json").json
    assert found["release"] == 1
    assert [one["user_id"] for one in found["answers"]] == ["u00002", "u00003"]
    for one in found["answers"]:
        assert one["known"]
        assert [row["rank"] for row in one["items"]] == [1, 2, 3, 4]
        assert set(one["items"][0]) == {"item_id", "score", "rank", "origin", "title", "price"}


def test_a_stranger_is_answered_and_told_so(ask: Run) -> None:
    found = ask("recommend", "--user", "nobody", "--json")
    assert found.code == 0
    assert found.err == "user 'nobody' is not known to release 1: answered as a stranger\n"
    assert not found.json["answers"][0]["known"]
    assert len(found.json["answers"][0]["items"]) == 10


def test_a_history_decides_and_does_not_come_again(ask: Run) -> None:
    first, second = (items(ask("recommend", "--history", ids, "--json").json["answers"][0]["items"]) for ids in
                     ("i00001,i00002", "i00030"))  # fmt: skip
    assert not {"i00001", "i00002"} & set(first)
    assert "i00030" not in second
    found = ask("recommend", "--history", "i00001,nothing", "--json")
    assert found.json["answers"][0]["user_id"] is None
    assert found.err == "item 'nothing' is not known to release 1: left out of the history\n"


def test_where_holds_for_every_item(ask: Run) -> None:
    found = ask("recommend", "--user", "u00002", "--where", "price < 10", "-k", 5, "--json").json
    assert all(one["price"] < 10 for one in found["answers"][0]["items"])


SCENARIOS = """
[scenarios.shelf]
kind = "latest"
k = 4
caps = { category = 1 }
[scenarios.tried.variants.all]
share = 1
where = "price < 20"
"""


def test_a_scenario_is_answered_as_it_would_be_served(own_shop: Path, ask_own: Run) -> None:
    with (own_shop / "zhiyin.toml").open("a", encoding="utf-8") as config:
        config.write(SCENARIOS)
    shelf = ask_own("recommend", "--user", "u00002", "--user", "u00003", "--scenario", "shelf", "--json").json[
        "answers"
    ]
    known = pl.read_parquet(own_shop / "releases" / "0001" / "catalog.parquet")
    for one in shelf:
        rows = known.filter(pl.col("item_id").is_in(items(one["items"])))
        assert rows.height == 4
        assert rows["category"].n_unique() == 4
        assert {row["origin"] for row in one["items"]} == {"latest"}
    history = ask_own("recommend", "--history", "i00001,i00002", "--scenario", "shelf", "-k", 2, "--json").json[
        "answers"
    ]
    assert len(history[0]["items"]) == 2
    tried = ask_own("recommend", "--user", "u00002", "--scenario", "tried", "-k", 5, "--json").json["answers"][0][
        "items"
    ]
    assert all(row["price"] < 20 for row in tried)
    nobody = ask_own("recommend", "--history", "i00001", "--scenario", "tried", "-k", 40, "--json").json["answers"][0][
        "items"
    ]
    assert any(row["price"] is None or row["price"] >= 20 for row in nobody)  # without an id no variant


def test_a_scenario_that_does_not_fit_is_a_sentence(own_shop: Path, ask_own: Run) -> None:
    with (own_shop / "zhiyin.toml").open("a", encoding="utf-8") as config:
        config.write('[scenarios.odd]\nwhere = "prise < 3"\n')
    found = ask_own("recommend", "--user", "u00002", "--scenario", "odd")
    assert (found.code, "scenarios.odd.where: column prise" in found.err) == (2, True)


def test_more_than_there_is(ask: Run) -> None:
    found = ask("recommend", "--user", "u00002", "-k", 500, "--json")
    assert found.code == 0
    assert 0 < len(found.json["answers"][0]["items"]) < 500
    assert "of 500 places are filled" in found.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["recommend"], "either --user ID, or --history"),
        (["recommend", "--user", "u", "--history", "i"], "either --user ID, or --history"),
        (["recommend", "--user", " "], "--user must not be empty"),
        (["recommend", "--user", "u", "--scenario", "hom"], "--scenario 'hom' is not known: did you mean 'home'?"),
        (["recommend", "--user", "u", "--scenario", "cart"], "use `zhiyin similar --item ID`"),
        (["recommend", "--user", "u", "-k", 0], "k must be from 1 to 10,000, got 0"),
        (["recommend", "--user", "u", "-k", -3], "k must be from 1 to 10,000, got -3"),
        (["recommend", "--user", "u", "-k", 10_001], "got 10001"),
        (["recommend", "--user", "u", "--where", "price <"], "where"),
        (["recommend", "--user", "u", "--where", "prize < 3"], "price"),
        (["recommend", "--user", "u", "--now", "yesterday"], "--now is no time"),
        (["recommend", "--user", "u", "--version", 9], "release 9 is not in releases, which holds 1"),
        (["similar", "--item", "nothing"], "item 'nothing' is not known"),
        (["similar", "--item", "i00001", "--where", "1 = "], "where"),
        (["batch", "--out", "recs.xls"], "--out must end in .parquet, .csv or .jsonl"),
        (["batch", "--out", "recs.csv", "--users", "missing.txt"], "missing.txt"),
        (["batch", "--out", "recs.csv", "-k", 0], "k must be from 1"),
        (["recommend", "--user", "u", "--config", "nope.toml"], "run `zhiyin init EVENTS`"),
        (["recommend", "--user", "u", "--config", "."], "cannot be read"),
    ],
)
def test_what_cannot_be_asked(ask: Run, words: list[object], part: str) -> None:
    assert part in ask(*words).sentence


def test_an_id_of_ten_thousand_characters(ask: Run) -> None:
    found = ask("recommend", "--user", "é😀/'\"" * 2_000, "-k", 1, "--json")
    assert found.code == 0
    assert len(found.err) < 300
    assert len(ask("similar", "--item", "x" * 10_000).sentence) < 300


def test_the_moment_of_asking(ask: Run) -> None:
    for moment in ("2025-11-20T12:00:00Z", "1763640000", "1763640000000"):
        found = ask("recommend", "--user", "u00002", "--now", moment, "--json")
        assert found.code == 0, found.err
    assert found.json["answers"][0]["items"]


def test_similar(ask: Run) -> None:
    found = ask("similar", "--item", "i00003", "-k", 3)
    assert found.code == 0, found.err
    assert found.out.startswith("Similar to i00003, by release 1\n")
    listed = ask("similar", "--item", "i00003", "-k", 3, "--json").json
    assert listed["item_id"] == "i00003"
    assert "i00003" not in items(listed["items"])


def test_batch_writes_the_same_in_every_format(ask: Run, tmp_path: Path) -> None:
    frames = []
    for name, read in (("r.parquet", pl.read_parquet), ("r.csv", pl.read_csv), ("r.jsonl", pl.read_ndjson)):
        found = ask("batch", "--out", tmp_path / name, "-k", 3, "--json")
        assert found.code == 0, found.err
        frame = read(tmp_path / name)
        assert found.json["rows"] == frame.height
        assert found.json["people"] == frame["user_id"].n_unique()
        frames.append(frame.select("user_id", "item_id", pl.col("rank").cast(pl.Int32), "origin"))
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])
    one = ask("recommend", "--user", "u00002", "-k", 3, "--json").json["answers"][0]["items"]
    assert frames[0].filter(pl.col("user_id") == "u00002")["item_id"].to_list() == items(one)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.jsonl", "r.parquet"]


def test_batch_goes_on_in_blocks(ask: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, blocks = tmp_path / "whole.parquet", tmp_path / "blocks.parquet"
    assert ask("batch", "--out", whole).code == 0
    monkeypatch.setattr("zhiyin.cli.batch.BLOCK_PEOPLE", 7)
    assert ask("batch", "--out", blocks).code == 0
    assert_frame_equal(pl.read_parquet(whole), pl.read_parquet(blocks))  # scores to rounding: sums of blocks differ


def test_batch_for_some_and_harmless_to_a_spreadsheet(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "who.txt").write_text("\ufeffuser_id\nu00002\n\n=HYPERLINK(1)\nu00002\n", encoding="utf-8")
    found = ask("batch", "--out", tmp_path / "r.csv", "--users", tmp_path / "who.txt", "-k", 1)
    assert found.code == 0
    assert "1 of 2 people are not known to release 1" in found.err
    assert pl.read_csv(tmp_path / "r.csv")["user_id"].to_list() == ["u00002", "'=HYPERLINK(1)"]
    (tmp_path / "who.txt").write_text("\n")
    words = ["batch", "--out", tmp_path / "r.csv", "--users", tmp_path / "who.txt"]
    assert "names nobody" in ask(*words).sentence


def test_batch_that_fails_leaves_the_old_file(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("old")
    assert ask("batch", "--out", tmp_path / "r.csv", "--where", "((").code == 2
    assert (tmp_path / "r.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv cannot be written" in ask("batch", "--out", tmp_path / "folder.csv").sentence


def test_pseudonyms_are_found_by_the_name(own_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[privacy]\npseudonymise = true\n[models.ease]\n[models.popularity]\n")
    assert "ZHIYIN_PSEUDONYM_KEY" in run_in(own_shop, "train").sentence
    monkeypatch.setenv("ZHIYIN_PSEUDONYM_KEY", "k" * 32)
    number = run_in(own_shop, "train", "--json").json["release"]
    found = run_in(own_shop, "recommend", "--user", "u00002", "--version", number, "--json")
    assert found.json["answers"][0] | {"items": []} == {"user_id": "u00002", "known": True, "items": []}
    (own_shop / "who.txt").write_text("u00002\n")
    words = ["batch", "--users", "who.txt", "--out", "r.csv", "--version", number]
    assert run_in(own_shop, *words).code == 0
    assert set(pl.read_csv(own_shop / "r.csv")["user_id"]) == {"u00002"}
    monkeypatch.delenv("ZHIYIN_PSEUDONYM_KEY")
    sentence = run_in(own_shop, "recommend", "--user", "u00002", "--version", number).sentence
    assert "ZHIYIN_PSEUDONYM_KEY is not set" in sentence


def test_who_reads_may_go(shop: Path) -> None:
    line = f"{sys.executable} -m zhiyin recommend --user u00002 -k 10000 --json | head -1"
    found = subprocess.run(["bash", "-c", line], cwd=shop, capture_output=True, text=True, check=False)
    assert found.stdout == "{\n"
    assert "Traceback" not in found.stderr
    assert "Exception" not in found.stderr
