"""The options that several verbs share, so that they are called and explained alike."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigPath: TypeAlias = Annotated[Path, typer.Option("--config", help="The zhiyin.toml of the shop.", metavar="FILE")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead.")]
K: TypeAlias = Annotated[int, typer.Option("-k", "--k", help="How many items a list has.", metavar="N")]
Where: TypeAlias = Annotated[
    str | None,
    typer.Option("--where", help="Only items for which this holds: \"price < 50 AND category = 'mugs'\".", metavar="…"),
]
VersionNumber: TypeAlias = Annotated[
    int | None, typer.Option("--version", help="Ask this release, not the serving one.", metavar="N")
]
Html: TypeAlias = Annotated[Path | None, typer.Option("--html", help="Write a page, too.", metavar="FILE")]

CONFIG = Path("zhiyin.toml")
