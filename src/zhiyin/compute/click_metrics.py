"""How well numbers tell clicks from the rest, over all examples together."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def area(scores: NDArray[np.floating], labels: NDArray[np.floating]) -> float:
    """The probability that a click scores above what was not clicked, ties one half: AUC; NaN where one of the two
    does not occur.
    """
    clicks = int((labels > 0).sum())
    others = len(labels) - clicks
    if clicks == 0 or others == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[labels > 0].sum() - clicks * (clicks + 1) / 2) / (clicks * others))


def log_loss(logits: NDArray[np.floating], labels: NDArray[np.floating]) -> float:
    """The mean of -ln p, where p is the probability given to what happened."""
    wide = logits.astype(np.float64)
    return float(np.mean(np.logaddexp(0.0, wide) - labels * wide))
