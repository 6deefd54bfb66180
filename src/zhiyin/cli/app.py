"""`zhiyin`: the verbs, in the order in which a newcomer needs them."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Annotated

import typer

import zhiyin
from zhiyin.cli.audit import audit
from zhiyin.cli.batch import batch
from zhiyin.cli.check import check
from zhiyin.cli.demo import demo
from zhiyin.cli.doctor import doctor
from zhiyin.cli.errors import FAILED, INTERRUPTED, REPORTED, sentence
from zhiyin.cli.evaluate import evaluate
from zhiyin.cli.init import init
from zhiyin.cli.keys import keys
from zhiyin.cli.printing import harmless
from zhiyin.cli.privacy import privacy
from zhiyin.cli.promote import promote
from zhiyin.cli.recommend import recommend
from zhiyin.cli.rollback import rollback
from zhiyin.cli.serve import serve
from zhiyin.cli.similar import similar
from zhiyin.cli.train import train
from zhiyin.cli.tune import tune
from zhiyin.cli.versions import versions
from zhiyin.cli.why import why
from zhiyin.compute.ranks import rank, rank_count
from zhiyin.errors import ConfigError

PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Begin": (demo, init, check),
    "Learn": (train, evaluate, tune),
    "Answer": (recommend, similar, why, batch, serve),
    "Releases": (versions, promote, rollback),
    "Care": (doctor,),
}
SHARED = ("train", "evaluate")
"""The verbs that several processes can do together."""

app = typer.Typer(
    name="zhiyin",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, verbs in PANELS.items():
    for verb in verbs:
        app.command(rich_help_panel=panel)(verb)
app.add_typer(keys, name="keys", rich_help_panel="Care")
app.add_typer(audit, name="audit", rich_help_panel="Care")
app.add_typer(privacy, name="privacy", rich_help_panel="Care")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and leave: 0 done, 1 looked and found something bad, 2 could not, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese shows escapes, not an error
    with _first_alone_heard():
        code = _code(words or ["--help"])
    sys.exit(code)


@contextmanager
def _first_alone_heard() -> Iterator[None]:
    """Of several processes; the others have the same to say."""
    if rank() == 0:
        yield
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


def _code(words: list[str]) -> int:
    broken = [word for word in words if not word.isprintable() and _undecodable(word)]
    if broken:
        print(f"zhiyin: the argument {broken[0]!a} is not valid UTF-8: type it again", file=sys.stderr)
        return FAILED
    try:
        code = app(words, prog_name="zhiyin", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read it has gone: the last flush is quiet
        return 0
    except REPORTED as error:
        who = f"zhiyin (process {rank()})" if rank() else "zhiyin"  # what fails may fail in one of them alone
        print(f"{who}: {harmless(sentence(error))}", file=sys.stderr)
        return FAILED
    return code if isinstance(code, int) else 0


def _undecodable(word: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in word)


@app.callback(invoke_without_command=True)
def _zhiyin(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """From raw events to measured, served recommendations."""
    if version:
        print(zhiyin.__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())
    elif rank_count() > 1 and context.invoked_subcommand not in SHARED:
        raise ConfigError(
            f"`zhiyin {context.invoked_subcommand}` is the work of one process, and there are {rank_count()} "
            "(WORLD_SIZE): start it without torchrun"
        )
