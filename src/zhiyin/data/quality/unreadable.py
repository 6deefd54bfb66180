"""Findings about cells that reading could not make sense of."""

from collections.abc import Iterable

from zhiyin.data.quality.findings import EXAMPLES, Finding, percent
from zhiyin.data.sources.reading import Unreadable
from zhiyin.data.tables import Tables

WANTED = {
    "timestamp": "seconds, milliseconds, ISO 8601 or dates",
    "price": "a number such as 12.50",
    "value": "a number",
    "quantity": "a number",
    "available": "true or false",
}


def about_unreadable(cells: Iterable[Unreadable], tables: Tables) -> list[Finding]:
    """One finding for each column with values that could not be read, or table with rows that were left out."""
    findings = []
    for cell in cells:
        frame = getattr(tables, cell.table)
        rows = len(frame) if frame is not None else 0
        share = min(1.0, cell.count / max(rows, cell.count))
        examples = tuple({"row": row, cell.column or "text": text} for row, text in cell.examples[:EXAMPLES])
        if cell.column:
            message = f"{cell.count:,} values of {cell.column} ({percent(share)}) can not be read: now unknown"
            advice = f"write {WANTED.get(cell.column, 'the same kind of value in every row')}"
        else:
            message = f"{cell.count:,} rows ({percent(share)}) can not be read: left out"
            advice = "check quotes and the number of columns in these rows"
        code = f"unreadable_{cell.column or 'row'}"
        findings.append(
            Finding(code, "warn", cell.table, cell.count, share, message, advice, examples, dropped=not cell.column)
        )
    return findings
