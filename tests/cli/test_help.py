"""What a newcomer reads first."""

import subprocess
import sys

import pytest

from cli.terminal import Run

VERBS = [
    "demo", "init", "check", "train", "evaluate", "tune", "recommend", "similar", "batch", "serve", "versions",
    "promote", "rollback", "doctor", "keys", "audit", "keys create", "keys list", "keys revoke",
    "keys expire", "audit verify",
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(bare: Run, verb: str) -> None:
    found = bare(*verb.split(), "--help")
    assert found.code == 0
    assert f"Usage: zhiyin {verb}" in found.out
    lines = [line.strip() for line in found.out.splitlines() if line.strip()]
    assert lines[1][0].isupper()
    assert " " in lines[1]


def test_the_verbs_are_listed_without_any(bare: Run) -> None:
    for words in ([], ["--help"], ["-h"]):
        listed = bare(*words)
        assert listed.code == 0
        assert all(verb in listed.out for verb in VERBS[:16])


def test_the_version_is_known(bare: Run) -> None:
    assert bare("--version").out == "0.1.0\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["xyzzy"], "No such command 'xyzzy': run `zhiyin --help`"),
        (["check", "--htlm", "x"], "--htlm is not an option of `zhiyin check`: did you mean --html?"),
        (["rollback", "--zzz"], "--zzz is not an option of `zhiyin rollback`: known here: --config, --json, --help"),
        (["similar"], "Missing option '--item': run `zhiyin similar --help`"),
        (["promote"], "Missing argument 'RELEASE': run `zhiyin promote --help`"),
        (["recommend", "--user", "\udcff"], "the argument '\\udcff' is not valid UTF-8: type it again"),
    ],
)
def test_a_typing_error_gets_one_sentence(bare: Run, words: list[str], sentence: str) -> None:
    assert bare(*words).sentence == sentence


def test_a_wrong_number_gets_one_sentence(bare: Run) -> None:
    assert "'-k'" in bare("recommend", "--user", "u", "-k", "zero").sentence


def test_help_imports_nothing_heavy() -> None:
    heavy = ["numpy", "polars", "numba", "scipy", "starlette"]
    code = f"""
import sys
from zhiyin.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr == "[]\n"


def test_the_module_is_the_command() -> None:
    found = subprocess.run([sys.executable, "-m", "zhiyin", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout == "0.1.0\n"
