"""Draw the table of the newest release of a demo as a picture: python docs/demo_picture.py zhiyin-shop."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from zhiyin.evaluation.report import Report
from zhiyin.registry.store import Store

PICTURE = Path(__file__).parent / "images" / "demo.svg"


def main(shop: Path) -> None:
    """Write docs/images/demo.svg from the report that the training kept beside its release."""
    store = Store(shop / "releases")
    report = Report.from_json((store.path(store.numbers()[-1]) / "report.json").read_bytes())
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(report)
    picture = console.export_svg(title="make demo", clear=True)
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # fonts of the reader's own machine
    PICTURE.write_text(re.sub(r"Fira Code,", "ui-monospace, Menlo, Consolas,", picture), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
