"""What reaches a terminal, a pipe, or a person's eyes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import Outcome, run_in
from zhiyin.cli import printing
from zhiyin.cli.errors import sentence
from zhiyin.cli.progress import bars
from zhiyin.errors import DataError
from zhiyin.evaluation import table
from zhiyin.evaluation.report import Report


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("a\nb  c"), "a b c"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "r.csv"), "r.csv: No space left on device: make space"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "r.csv"), "r.csv: Permission denied: change its"),
        (OSError("odd"), "OSError: check the disk"),
        (MemoryError(), "there is not enough memory"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(error: Exception, said: str) -> None:
    assert sentence(error).startswith(said)
    assert "\n" not in sentence(error)


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert printing.harmless("a\x1b[2Jb\u202ec\td\r") == "a\\x1b[2Jb\\u202ec\td\\r"
    assert printing.harmless("商品 é😀\n") == "商品 é😀\n"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    printing.show_json({"a": float("nan"), 1: (1.5, float("inf")), "商": None})
    assert "".join(capsys.readouterr().out.split()) == '{"a":null,"1":[1.5,null],"商":null}'


@pytest.mark.parametrize("width", [64, 80, 100])
def test_a_report_fits_and_says_what_it_leaves_out(shop: Path, width: int) -> None:
    report = Report.from_json((shop / "releases" / "0001" / "report.json").read_text())
    lines = table.text(report, width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    assert ("not shown in" in " ".join(lines)) == (width < 100)


def test_bars_are_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with bars() as progress:
        progress("training", 0, 2)
        progress("training ease", 1, 2)
        progress("evaluating", 0, 1)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_without_chinese_gets_escapes(shop: Path) -> None:
    words = [sys.executable, "-m", "zhiyin", "recommend", "--user", "u00002", "-k", "30"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    found = subprocess.run(words, cwd=shop, env=environment, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.isascii()


def test_an_interruption_is_quiet(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zhiyin.cli.project.Project.read", interrupted)
    assert run_in(shop, "train") == Outcome(130, "", "")


def test_ids_with_control_characters_are_shown_escaped(shop: Path) -> None:
    found = run_in(shop, "recommend", "--user", "a\nb\x1b[31m", "-k", 1)
    assert found.out.startswith("For a b\\x1b[31m, by release 1\n")
    assert "\x1b" not in found.out + found.err


def test_brackets_in_ids_are_no_markup(shop: Path) -> None:
    assert "[red]x[/red]" in run_in(shop, "recommend", "--user", "[red]x[/red]", "-k", 1).out
