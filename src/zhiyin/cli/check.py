"""`zhiyin check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, Html
from zhiyin.cli.printing import plain, say, show, show_json, table

if TYPE_CHECKING:
    from zhiyin.registry.prepare import Prepared

STYLES = {"block": "bold red", "warn": "yellow", "info": "cyan"}


def check(
    config: ConfigPath = CONFIG,
    html: Html = None,
    dropped: Annotated[
        Path | None, typer.Option(help="Write every dropped row and why, as CSV.", metavar="FILE.csv")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read and clean the data, and say everything that is odd about them; exits with 1 when a finding blocks.

    JSON: ok, events (read, kept, dropped), people, items, sources, recognised, findings (code, level, table, count,
    share, message, advice, examples, dropped).
    """
    from zhiyin.cli.project import Project
    from zhiyin.registry.durable import replace_bytes

    prepared = Project.read(config).prepared()
    ok = not any(finding.level == "block" for finding in prepared.findings)
    if html:
        from zhiyin.data.quality.page import page

        replace_bytes(html, page(prepared.cleaned, prepared.findings).encode())
    written = prepared.cleaned.write_dropped(dropped) if dropped else 0
    if as_json:
        from zhiyin.registry.account import account

        show_json(plain(account(prepared)))
    else:
        show_prepared(prepared)
        if html:
            say(f"the page is in {html}")
        if dropped:
            say(f"{written:,} dropped rows are in {dropped}")
        say(_next(config) if ok else "training on this makes no sense: see what blocks above", "" if ok else "bold red")
    if not ok:
        raise typer.Exit(1)


def show_prepared(prepared: "Prepared") -> None:
    """What was read, recognised, found and kept."""
    from rich.text import Text

    from zhiyin.cli.printing import console, harmless
    from zhiyin.cli.recognised import show_recognised
    from zhiyin.data.quality.findings import as_text

    rows = [(one.table, one.name, f"{one.rows:,}", _size(one.bytes)) for one in prepared.reading.sources]
    show(table(("table", "source", "rows", "size"), rows, right=("rows", "size"), title="What was read"))
    show_recognised(prepared.reading.recognised)
    found = Text(harmless(as_text(prepared.findings)))
    for level, style in STYLES.items():
        found.highlight_regex(rf"(?m)^{level}\b", style)
    say("\nWhat was found", "bold")
    console().print(found, soft_wrap=True)
    profile = prepared.cleaned.profile
    say(
        f"\n{profile.events:,} events of {len(profile.per_user):,} people with {len(profile.per_item):,} items "
        f"are kept, {len(prepared.cleaned.dropped):,} events were dropped"
    )


def _next(config: Path) -> str:
    return "next: `zhiyin train" + ("" if config == CONFIG else f" --config {config}") + "`"


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 100_000 else f"{count / 1000:,.1f} kB"
