"""The findings as one page: a single HTML file without scripts or outside files, for dark and light, phone and desk."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from zhiyin.data.quality import svg
from zhiyin.data.quality.clean import Cleaned
from zhiyin.data.quality.findings import LEVELS, Finding, Level, percent, plural, worst_first
from zhiyin.data.quality.plots import Figure, figures

MEANING: dict[Level, str] = {
    "block": "Training on this makes no sense",
    "warn": "Worth a look",
    "info": "Good to know",
}


def page(cleaned: Cleaned, findings: Sequence[Finding] | None = None, title: str = "Data quality") -> str:
    """The whole page; `findings` adds those of reading and privacy to what cleaning found (default: only these)."""
    shown = worst_first(cleaned.findings if findings is None else findings)
    template = Template((files(__package__) / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        plot_style=svg.STYLE,
        summary=_summary(cleaned),
        flow=_flow(cleaned),
        findings="".join(_group(level, [finding for finding in shown if finding.level == level]) for level in LEVELS)
        or '<p class="calm">Nothing to remark.</p>',
        tally=_tally(shown),
        figures="".join(_figure(figure) for figure in figures(cleaned.profile)),
    )


def _summary(cleaned: Cleaned) -> str:
    profile = cleaned.profile
    read = profile.events + len(cleaned.dropped)
    numbers = [
        (f"{read:,}", "events read"),
        (f"{profile.events:,}", "kept" if not read else f"kept, {percent(profile.events / read)}"),
        (f"{len(profile.per_user):,}", "people"),
        (f"{len(profile.per_item):,}", "items"),
    ]
    if profile.events:
        numbers.append((str(profile.days[0]), f"to {profile.days[-1]}"))
    return "".join(f"<div><dd>{number}</dd><dt>{name}</dt></div>" for number, name in numbers)


def _flow(cleaned: Cleaned) -> str:
    """A bar that is divided into what was kept and why the rest was dropped."""
    counted = cleaned.dropped["reason"].value_counts(sort=True)
    parts = [("kept", cleaned.profile.events), *counted.rows()]
    total = sum(count for _, count in parts)
    if not len(counted):
        return ""
    segments = "".join(
        f'<span class="s{min(at, svg.COLOURS - 1)}" style="flex-grow:{count / total:.5f}"></span>'
        for at, (_, count) in enumerate(parts)
    )
    legend = "".join(
        f'<li><i class="s{min(at, svg.COLOURS - 1)}"></i>{escape(_words(name))} <b>{count:,}</b></li>'
        for at, (name, count) in enumerate(parts)
    )
    words = ", ".join(f"{_words(name)} {count:,}" for name, count in parts)
    return f'<div class="flow" role="img" aria-label="{escape(words)}">{segments}</div><ul class="legend">{legend}</ul>'


def _tally(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
    return "".join(f'<li class="{level}"><b>{count}</b> {level}</li>' for level, count in counts.items() if count)


def _group(level: Level, findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    return f"<h3>{MEANING[level]}</h3>" + "".join(_finding(finding) for finding in findings)


def _finding(finding: Finding) -> str:
    dropped = '<span class="dropped">dropped</span>' if finding.dropped else ""
    message = finding.message[:1].upper() + finding.message[1:]
    return (
        f'<article class="{finding.level}"><header><span class="level">{finding.level}</span>'
        f"<code>{escape(finding.table)}.{escape(finding.code)}</code>{dropped}</header>"
        f'<p>{escape(message)}.</p><p class="advice">{escape(finding.advice)}</p>{_examples(finding)}</article>'
    )


def _examples(finding: Finding) -> str:
    if not finding.examples:
        return ""
    columns = list(dict.fromkeys(name for example in finding.examples for name in example))
    rows = [tuple(_cell(example.get(name)) for name in columns) for example in finding.examples]
    summary = plural(len(rows), "example")
    return f"<details><summary>{summary}</summary>{_table([_words(name) for name in columns], rows)}</details>"


def _figure(figure: Figure) -> str:
    legend = "".join(
        f'<li><i class="s{at % svg.COLOURS}"></i>{escape(name)}</li>' for at, name in enumerate(figure.legend)
    )
    numbers = (
        f"<details><summary>Numbers</summary>{_table(figure.header, figure.rows)}</details>" if figure.rows else ""
    )
    return (
        f"<figure><figcaption><h3>{escape(figure.title)}</h3><p>{escape(figure.sentence)}</p></figcaption>"
        f"{f'<ul class=legend>{legend}</ul>' if legend else ''}{figure.drawing}{numbers}</figure>"
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _words(code: str) -> str:
    return code.replace("_", " ")
