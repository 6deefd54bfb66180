import numpy as np
import pytest

from zhiyin.compute.click_metrics import area, log_loss


def test_area_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 5, 60).astype(np.float32), rng.integers(0, 2, 60).astype(np.float32)
    won = [1.0 if yes > no else 0.5 if yes == no else 0.0 for yes in scores[labels == 1] for no in scores[labels == 0]]
    assert area(scores, labels) == pytest.approx(np.mean(won))
    assert np.isnan(area(scores, np.ones(60)))


def test_log_loss_is_minus_the_log_of_the_probability_of_what_happened():
    logits, labels = np.array([0.0, 2.0, -1.0]), np.array([1.0, 0.0, 0.0])
    p = 1 / (1 + np.exp(-logits))
    assert log_loss(logits, labels) == pytest.approx(-np.mean(np.log(np.where(labels == 1, p, 1 - p))))
    assert log_loss(np.array([1000.0], np.float32), np.array([0.0])) == pytest.approx(1000)
