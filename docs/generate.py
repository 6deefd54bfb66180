"""Write the pages of the documentation that are made from the code: `python docs/generate.py`.

docs/command-line.md is made whole, from the command line itself; in docs/data.md the tables of column names, between
their two marks. tests/test_docs.py fails when a page is not what this makes.
"""

from pathlib import Path
from typing import Any

import typer

from zhiyin.cli.app import PANELS, app
from zhiyin.data.sources.aliases import ALIASES

DOCS = Path(__file__).parent
BEGIN, END = "<!-- made by docs/generate.py -->", "<!-- end -->"
OPENING = f"""# The command line
{BEGIN}

`zhiyin VERB [OPTIONS]`, or `python -m zhiyin VERB`. Every verb works on a shop: a folder with a
[zhiyin.toml](configuration.md), in the current folder or where `--config` says.

It leaves with 0 when it did what was asked, 1 when it looked and found something bad, 2 when it could not (one
sentence on standard error says what is wrong and what to do), and 130 when it was interrupted. `--json` prints the
result, and nothing else, on standard output; remarks and progress go to standard error.
"""


def command_line() -> str:
    """The page on the command line."""
    root: Any = typer.main.get_command(app)
    parts = [OPENING]
    for panel in dict.fromkeys([*PANELS, "Care"]):
        parts.append(f"## {panel}\n")
        for name, command in root.commands.items():
            if command.rich_help_panel == panel:
                parts += _verbs(name, command)
    return "\n".join(parts)


def data_page(text: str) -> str:
    """docs/data.md with its tables of names as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = [_names(table, names) for table, names in ALIASES.items()]
    return f"{before}{BEGIN}\n\n" + "\n".join(tables) + f"\n{END}{after}"


def _verbs(name: str, command: Any) -> list[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [_verb(name, command)]
    own = [_verb(name, command)] if command.invoke_without_command else []
    return [*own, *(_verb(f"{name} {one}", verb) for one, verb in inner.items())]


def _verb(name: str, command: Any) -> str:
    about, _, json = (command.help or "").partition("JSON:")
    parts = [f"### `zhiyin {name}`\n", " ".join(about.split()) + "\n"]
    rows = [_parameter(one) for one in command.params if one.name != "help"]
    if rows:
        parts += ["| option | default | |", "|---|---|---|", *rows, ""]
    if json:
        parts.append(f"With `--json`: {' '.join(json.split())}\n")
    return "\n".join(parts)


def _parameter(one: Any) -> str:
    if one.param_type_name == "argument":
        written = f"`{one.metavar or one.name.upper()}`"
    else:
        written = ", ".join(f"`{name}`" for name in one.opts) + ("" if one.is_flag else f" `{one.metavar or 'TEXT'}`")
    given = "needed" if one.required else "" if one.default in (None, False) else f"`{one.default}`"
    about = " ".join((one.help or "").split()).replace("|", "\\|")
    return f"| {written} | {given} | {about} |"


def _names(table: str, names: dict[str, tuple[str, ...]]) -> str:
    rows = [f"| `{canonical}` | {', '.join(aliases)} |" for canonical, aliases in names.items()]
    return "\n".join([f"**{table}**\n", "| ours | taken for it |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    (DOCS / "command-line.md").write_text(command_line(), encoding="utf-8")
    page = DOCS / "data.md"
    page.write_text(data_page(page.read_text(encoding="utf-8")), encoding="utf-8")
