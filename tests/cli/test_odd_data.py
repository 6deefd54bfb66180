"""Data that are odd but allowed go the whole way: read, cleaned, trained, recommended by the ids they came with."""

from pathlib import Path

import pytest

from cli.terminal import run_in

ODD = [
    "café/…/x?y=1&z",
    'quo"te',
    "it's",
    "👩‍🚀🛍️",
    "用户 甲",
    "a,b;c\td",
    "../../etc/passwd",
    "<b>bold</b>",
    "x" * 10_000,
]
START, HOUR = 1_700_000_000, 3_600
CONFIG = (
    '[data]\nevents = "events.csv"\nitems = "items.csv"\n[split]\ntest = "2d"\n[models.popularity]\n[models.item_knn]\n'
)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte order mark, two kinds of line ends, impossible prices, and one history of 100,000 events."""
    folder = tmp_path_factory.mktemp("odd")
    rows = ["user_id,item_id,timestamp,price"]
    for person, who in enumerate([*ODD, "ann", "bob"]):
        for step in range(12):
            price = ("nan", "inf", "-inf", "-3", "1e300", "9.99")[(person + step) % 6]
            rows.append(
                f"{quoted(who)},i{(person * 5 + step * 7) % 40:02d},{START + step * 12 * HOUR + person},{price}"
            )
    rows += [f"busy,i{n % 40:02d},{START - 9_000_000 + n * 90},1" for n in range(100_000)]
    lines = [row + ("\r\n" if n % 3 else "\n") for n, row in enumerate(rows)]
    (folder / "events.csv").write_bytes(b"\xef\xbb\xbf" + "".join(lines).encode())
    items = "item_id,title,price\n" + "".join(f"i{n:02d},thing {n},{'nan' if n % 2 else 'inf'}\n" for n in range(40))
    (folder / "items.csv").write_text(items)
    (folder / "zhiyin.toml").write_text(CONFIG)
    assert run_in(folder, "train").code == 0
    return folder


@pytest.mark.parametrize("who", [*ODD, "busy", "a stranger"], ids=[str(n) for n in range(len(ODD) + 2)])
def test_every_id_is_answered(shop: Path, who: str) -> None:
    outcome = run_in(shop, "recommend", "--user", who, "-k", "3", "--json")
    assert outcome.code == 0, outcome.err
    (answer,) = outcome.json["answers"]
    assert (answer["user_id"], answer["known"]) == (who, who != "a stranger")
    saw_everything = who == "busy"
    assert [item["rank"] for item in answer["items"]] == ([] if saw_everything else [1, 2, 3])


def test_what_was_odd_is_reported_and_the_long_history_is_cut(shop: Path) -> None:
    found = {finding["code"]: finding for finding in run_in(shop, "check", "--json").json["findings"]}
    assert {"impossible_price", "long_user_id", "invisible_in_user_id"} <= set(found)
    assert (found["history_cut"]["count"], found["history_cut"]["dropped"]) == (90_000, True)


def test_everybody_can_be_exported(shop: Path) -> None:
    outcome = run_in(shop, "batch", "--out", "all.csv", "-k", "2")
    assert outcome.code == 0, outcome.err
    assert "👩‍🚀🛍️" in (shop / "all.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("k", ["40", "41", "1000"])
def test_more_than_there_is_is_all_that_there_is(shop: Path, k: str) -> None:
    (answer,) = run_in(shop, "recommend", "--user", "a stranger", "-k", k, "--json").json["answers"]
    assert sorted(item["item_id"] for item in answer["items"]) == [f"i{n:02d}" for n in range(40)]
