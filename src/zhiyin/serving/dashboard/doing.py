"""What a training or a check is doing, in the language of the reader; the work itself speaks English."""

from zhiyin.registry.progress_file import Doing
from zhiyin.serving.dashboard.words import Said

PHASES = {
    "reading": "doing.reading",
    "cleaning": "doing.cleaning",
    "cleaned": "doing.cleaned",
    "validating": "doing.validating",
    "choosing": "doing.choosing",
    "training": "doing.training",
    "evaluating": "doing.evaluating",
    "fitting on everything": "doing.final",
}
"""How a text begins, to what is said for it."""


def said(doing: Doing) -> Said:
    """As in "Fitting models to compare them: item_knn"."""
    for phase, key in PHASES.items():
        if doing.what.startswith(phase):
            name = doing.what.removeprefix(phase).strip()
            return Said.of("doing.with", phase=Said.of(key), name=name) if name else Said.of(key)
    return Said.of("doing.else", what=doing.what)
