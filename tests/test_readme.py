"""The README is true: its code runs, its links lead somewhere, and both languages say the same."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from zhiyin.data.sample_shop import sample_shop

ROOT = Path(__file__).parents[1]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"


def code(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_example_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_shop(people=300, items=120, events=8_000, seed=0).write(tmp_path)
    monkeypatch.chdir(tmp_path)
    (example,) = code(README, "python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "README.md", "exec"), {})
    assert "NDCG@10" in printed.getvalue()
    assert "a stranger" in printed.getvalue()


@pytest.mark.parametrize("path", [README, CHINESE], ids=["English", "Chinese"])
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]


def test_both_languages_show_the_same_code() -> None:
    for language in ("sh", "python"):
        ours, theirs = code(README, language), code(CHINESE, language)
        without_comments = [[re.sub(r"\s*#.*", "", one) for one in found] for found in (ours, theirs)]
        assert without_comments[0] == without_comments[1]


def test_every_command_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make (\w[\w-]*)", text, re.MULTILINE)) <= set(
        re.findall(r"^([\w-]+):", makefile, re.MULTILINE)
    )
    from typer.main import get_command

    from zhiyin.cli.app import app

    assert set(re.findall(r"bin/zhiyin (\w+)", text)) <= set(get_command(app).commands)  # type: ignore[attr-defined]
