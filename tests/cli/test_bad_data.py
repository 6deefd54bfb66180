"""Data on which nothing can be learnt: each ends in a sentence that says what is wrong, where, and what to do."""

from pathlib import Path

import pytest

from cli.terminal import Outcome, run_in

HEADER = "user_id,item_id,timestamp\n"
START = 1_700_000_000


def answered(folder: Path, verb: str, events: str | bytes | None, more: str = "") -> Outcome:
    if events is not None:
        content = events.encode() if isinstance(events, str) else events
        (folder / "events.csv").write_bytes(content)
    (folder / "zhiyin.toml").write_text(f'[data]\nevents = "events.csv"\n{more}')
    return run_in(folder, verb)


UNREADABLE = {
    "missing": (None, "events.csv"),
    "empty": ("", "events.csv is empty: give a file with a header"),
    "header only": (HEADER, "events.csv has columns but no rows"),
    "no time": ("user_id,item_id\na,x\n", "events.csv has no column for timestamp"),
    "no item": ("user_id,timestamp\na,1700000000\n", "events.csv has no column for item_id"),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("verb", ["check", "train", "evaluate"])
def test_what_cannot_be_read(tmp_path: Path, verb: str, case: str) -> None:
    content, part = UNREADABLE[case]
    assert part in answered(tmp_path, verb, content).sentence


USELESS = {
    "one item": ("".join(f"u{n},x,{START + n}\n" for n in range(9)), "one single item"),
    "nobody": ("".join(f",i{n},{START + n}\n" for n in range(9)), "no event is left of 9"),
    "future": ("".join(f"u{n},i{n},{4_000_000_000 + n}\n" for n in range(9)), "no event is left of 9"),
    "no times": ("".join(f"u{n},i{n},soon\n" for n in range(9)), "no event is left of 9"),
}


@pytest.mark.parametrize("case", USELESS)
def test_what_blocks_is_said_by_check_and_refused_by_train(tmp_path: Path, case: str) -> None:
    rows, part = USELESS[case]
    checked = answered(tmp_path, "check", HEADER + rows)
    assert checked.code == 1
    assert checked.err == ""
    assert part in checked.out
    assert "training on this makes no sense" in checked.out
    assert part in answered(tmp_path, "train", HEADER + rows).sentence
    assert not list((tmp_path / "releases").glob("0*"))


def test_all_the_same_timestamp(tmp_path: Path) -> None:
    events = HEADER + "".join(f"u{n % 3},i{n},{START}\n" for n in range(9))
    assert "one_timestamp" in answered(tmp_path, "check", events).out
    assert "the log covers 0.0 days" in answered(tmp_path, "train", events).sentence


def test_one_user(tmp_path: Path) -> None:
    events = HEADER + "".join(f"ann,i{n},{START + n * 1_000}\n" for n in range(40))
    assert "one_user" in answered(tmp_path, "check", events).out
    found = answered(tmp_path, "train", events)
    assert found.code == 0, found.err
    assert "promoted: nothing served before" in found.out


CONFIGS = {
    "an unknown key": ("[recipe]\nretriever = ['x']\n", "recipe.retriever is not known: did you mean 'retrievers'?"),
    "an unknown section": ("[splitt]\n", "did you mean 'split'?"),
    "an unknown model": ("[models.easy]\n", "did you mean 'EASE'?"),
    "a wrong type": ("[split]\ntest = true\n", "split.test must be"),
    "a wrong duration": ("[split]\ntest = 'lots'\n", "'lots' is not a duration"),
    "no TOML": ("[split\n", "is not valid TOML"),
    "an unknown target": ("[split]\ntarget = ['sale']\n", "'sale'"),
    "no pool": ("[recipe]\npool = 0\n", "recipe.pool must be at least 1, got 0"),
    "no release kept": ("[registry]\nkeep = 0\n", "registry.keep must be at least 1, got 0"),
    "k of nothing": ("[recipe]\nk = 0\n", "recipe.k must be from 1 to 10,000, got 0"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_what_a_config_must_not_say(tmp_path: Path, case: str) -> None:
    more, part = CONFIGS[case]
    events = HEADER + "".join(f"u{n % 5},i{n % 23},{START + n * 1_000}\n" for n in range(60))
    assert part in answered(tmp_path, "train", events, more).sentence


def test_what_may_not_be_written(tmp_path: Path) -> None:
    events = HEADER + "".join(f"u{n % 5},i{n % 23},{START + n * 1_000}\n" for n in range(60))
    assert answered(tmp_path, "check", events).code == 0
    sentence = run_in(tmp_path, "check", "--html", "no/such/folder.html").sentence
    assert "No such file or directory: check the path" in sentence
