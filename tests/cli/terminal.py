"""The command line as a person meets it, without the cost of a process."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zhiyin.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The only line on standard error, of a command that could not do what was asked."""
        assert self.code == 2, self
        assert self.out == "", self.out
        (line,) = self.err.splitlines()
        assert line.startswith("zhiyin: ")
        assert "Traceback" not in line
        return line.removeprefix("zhiyin: ")


Run = Callable[..., Outcome]


def run_in(folder: Path, *words: object) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        main([str(word) for word in words])
    return Outcome(int(left.value.code or 0), out.getvalue(), err.getvalue())
