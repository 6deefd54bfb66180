"""Nothing replaces what works without evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from zhiyin.evaluation.report import Report
from zhiyin.evaluation.significance import Comparison, compare


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger may take over, and the sentence that says why."""

    promote: bool
    sentence: str


def gate(report: Report, challenger: str, rivals: Sequence[str], *, seed: int = 0) -> Verdict:
    """Promote only what beats every rival on the deciding metric beyond noise.

    Rivals are rows of the same report: the popularity baseline, and what serves now.
    """
    metric = report.primary
    ours = report.row(challenger)
    wins = []
    for name in rivals:
        theirs = report.row(name)
        found = compare(ours.of_user(metric), theirs.of_user(metric), seed=seed)
        difference = found.difference
        words = (
            f"{metric}@{report.k} {ours.metrics[metric].mean:.4f} against {theirs.metrics[metric].mean:.4f} of {name} "
            f"(difference {difference.mean:+.4f}, {_noise(found)})"
        )
        if not found.better:
            return Verdict(False, f"not promoted: {challenger} does not beat {name} beyond noise, {words}")
        wins.append(words)
    return Verdict(True, f"promoted: {challenger} beats {' and '.join(rivals)} beyond noise, {'; '.join(wins)}")


def _noise(found: Comparison) -> str:
    difference = found.difference
    if difference.users < 2:
        return f"{difference.users} people are too few to tell it from noise"
    likelihood = "p < .001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}".replace("0.", ".", 1)
    return f"95 % from {difference.low:+.4f} to {difference.high:+.4f}, {likelihood}"
