"""demo, init, check: the first minutes."""

import csv
import json
import re
from pathlib import Path

import pytest

from cli.terminal import Outcome, Run, run_in
from zhiyin.cli.first_requests import try_it
from zhiyin.registry.config import read_config


def test_the_demo_goes_all_the_way(demonstrated: tuple[Path, Outcome]) -> None:
    folder, found = demonstrated
    assert found.code == 0, found.err
    for words in ("Made the sample shop", "What the check found", "popularity", "best achievable", "±", "release 1"):
        assert words in found.out
    assert "\x1b" not in found.out
    assert found.err == ""
    assert {path.name for path in folder.iterdir()} >= {"events.csv", "items.csv", "users.csv", "zhiyin.toml"}
    assert read_config(folder / "zhiyin.toml").split.target == ("purchase",)


def test_the_demo_without_pytorch_says_in_one_line_what_is_missing(demonstrated: tuple[Path, Outcome]) -> None:
    folder, found = demonstrated
    (line,) = [line for line in found.out.splitlines() if "torch" in line]
    assert line.endswith("torch is not installed: run pip install 'zhiyin[neural]'")
    assert not read_config(folder / "zhiyin.toml").models


def test_the_demo_compares_a_network_beside_the_portfolio(tmp_path: Path) -> None:
    words = ["demo", "--no-serve", "--people", 60, "--items", 30, "--events", 2_000, "--directory", "shop"]
    found = run_in(tmp_path, *words)
    assert (found.code, found.err) == (0, "")
    assert "sasrec" in found.out
    config = read_config(tmp_path / "shop" / "zhiyin.toml")
    assert [*config.models] == [*config.recipe.retrievers, "sasrec"]


def test_the_demo_renews_its_own_folder(own_shop: Path) -> None:
    (own_shop / "events.db").write_bytes(b"what an earlier service kept")
    words = ["demo", "--no-serve", "--people", 60, "--items", 30, "--events", 2_000, "--directory", own_shop]
    found = run_in(own_shop.parent, *words)
    assert found.code == 0, found.err
    assert "Renewed the sample shop" in found.out
    assert not (own_shop / "events.db").exists()
    assert [one["number"] for one in run_in(own_shop, "versions", "--json").json] == [1]


def test_the_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    assert run_in(tmp_path, "demo", "--directory", tmp_path).sentence.endswith(
        "choose an empty folder with --directory"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_the_demo_ends_with_the_address_of_the_dashboard() -> None:
    last = try_it("http://127.0.0.1:8000", "ann", "i1")[-1]
    assert "http://127.0.0.1:8000/shop," in last
    assert last.endswith(", http://127.0.0.1:8000/")


def test_the_demo_prints_two_lines_for_a_shell() -> None:
    lines = [line.strip() for line in try_it("http://127.0.0.1:8000", "a/b c", "i1") if "curl" in line]
    assert len(lines) == 2
    assert "/v1/users/a%2Fb%20c/recommendations?k=5" in lines[0]
    event = re.search(r"-d '(.*?)'", lines[1])
    assert event
    assert json.loads(event[1]) == {"user_id": "a/b c", "item_id": "i1", "event_type": "purchase"}
    assert lines[1].endswith(f"&& {lines[0]}")


SHAPES = {
    "plain": ("user_id,item_id,timestamp\n", "{u},{i},{t}\n"),
    "aliases": ("CustomerID;StockCode;Quantity;InvoiceDate;UnitPrice;Description\n", "{u};{i};1;{iso};2,5;thing {i}\n"),
    "chinese": ("用户,商品,时间,价格\n", "{u},{i},{iso},9.5\n"),
    "typed": ("userID\titemID\tdatetime\tevent\n", "{u}\t{i}\t{iso}\tview\n"),
    "no time": ("user,item,rating\n", "{u},{i},4\n"),
    "no header": ("", "{u},{i},5,{t}\n"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_init_writes_can_be_trained_on(tmp_path: Path, shape: str) -> None:
    header, row = SHAPES[shape]
    rows = []
    for event in range(240):
        user, day = event % 12, event // 12
        item = (user % 2) * 40 + (day * 3 + user) % 40
        iso = f"2025-0{1 + day // 28}-{1 + day % 28:02d} 10:{user:02d}:00"
        rows.append(row.format(u=user + 1, i=100 + item, t=1_735_700_000 + day * 86_400 + user, iso=iso))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "log.csv").write_text(header + "".join(rows), encoding="utf-8")
    begun = run_in(tmp_path, "init", "data/log.csv")
    assert begun.code == 0, begun.err
    assert "user_id" in begun.out
    assert "next" in begun.out or "run `zhiyin check`" in begun.out
    assert run_in(tmp_path, "check").code == 0
    config = tmp_path / "zhiyin.toml"
    config.write_text(config.read_text() + "\n[models.popularity]\n[models.ease]\n")
    trained = run_in(tmp_path, "train", "--json")
    assert trained.code == 0, trained.err
    assert trained.json["release"] == 1


def test_init_says_what_it_recognised(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "zhiyin.toml"
    words = ["init", "events.csv", "--items", "items.csv", "--users", "users.csv", "--friends", "friends.csv"]
    found = run_in(shop, *words, "--out", out, "--json")
    assert found.code == 0, found.err
    assert found.json["written"] == str(out)
    assert [one["table"] for one in found.json["recognised"]] == ["events", "items", "users", "friends"]
    assert found.json["recognised"][0]["columns"]["user_id"] == "user_id"
    assert run_in(shop, "check", "--config", out, "--json").json["ok"]


def test_init_replaces_nothing_unasked(own_shop: Path) -> None:
    before = (own_shop / "zhiyin.toml").read_text()
    assert "add --force" in run_in(own_shop, "init", "events.csv").sentence
    assert (own_shop / "zhiyin.toml").read_text() == before
    assert run_in(own_shop, "init", "events.csv", "--force").code == 0
    assert (own_shop / "zhiyin.toml").read_text() != before


def test_init_of_a_file_that_is_not_there(bare: Run) -> None:
    assert "evnets.csv" in bare("init", "evnets.csv").sentence


def test_check_says_everything(own_shop: Path) -> None:
    found = run_in(own_shop, "check", "--html", "page.html", "--dropped", "gone.csv")
    assert found.code == 0, found.err
    for words in ("What was read", "events.csv", "warn   events.duplicate", "→", "next: `zhiyin train`"):
        assert words in found.out
    assert "<html" in (own_shop / "page.html").read_text()
    with (own_shop / "gone.csv").open() as file:
        assert {"duplicate", "missing_user_id"} <= {row["reason"] for row in csv.DictReader(file)}


def test_check_for_a_program(ask: Run) -> None:
    found = ask("check", "--json").json
    assert set(found) == {"ok", "events", "people", "items", "sources", "recognised", "findings"}
    assert found["events"]["read"] == found["events"]["kept"] + found["events"]["dropped"]
    assert found["sources"][0]["name"] == "events.csv"
    assert {"code", "level", "count", "advice", "examples"} <= set(found["findings"][0])


def test_a_control_character_in_the_data_does_not_reach_the_terminal(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 3},i{n},{1_700_000_000 + n}\n" for n in range(9))
    (tmp_path / "log.csv").write_text(f"user_id,item_id,timestamp,\x1b[31mred\n{rows}".replace("\n", ",x\n")[:-1])
    assert "\x1b" not in run_in(tmp_path, "init", "log.csv").out
