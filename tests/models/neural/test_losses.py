"""The losses are what their equations say, and so are their gradients."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from zhiyin.models.neural import losses
from zhiyin.models.neural.losses import Rivals, calibrated_bce, sampled_softmax, softmax


def world(scale=1.0, places=37, items=23):
    draw = torch.Generator().manual_seed(0)
    h = (scale * torch.randn(places, 6, generator=draw)).requires_grad_()
    vectors = torch.randn(items, 6, generator=draw).requires_grad_()
    return h, vectors, torch.randint(items, (places,), generator=draw)


@pytest.mark.parametrize("scale", [1.0, 40.0], ids=["small scores", "scores whose exponential is too large"])
def test_the_softmax_and_its_gradients_are_those_of_autograd(scale, monkeypatch):
    monkeypatch.setattr(losses, "_CHUNK", 1)  # several chunks
    h, vectors, targets = world(scale)
    found = softmax(h, vectors, targets)
    grads = torch.autograd.grad(2.5 * found, (h, vectors))
    wanted = functional.cross_entropy(h @ vectors.T, targets, reduction="sum")
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    for one, other in zip(grads, torch.autograd.grad(2.5 * wanted, (h, vectors)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_the_softmax_in_bfloat16_is_near_that_of_float32():
    h, vectors, targets = world(places=200, items=300)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = softmax(h, vectors, targets)
    wanted = softmax(h, vectors, targets)
    torch.testing.assert_close(found, wanted, rtol=3e-3, atol=0.0)
    for one, other in zip(*(torch.autograd.grad(loss, (h, vectors)) for loss in (found, wanted)), strict=True):
        assert torch.linalg.norm(one - other) < 0.02 * torch.linalg.norm(other)


def test_the_softmax_of_nothing_is_nothing():
    h, vectors, targets = world(places=0)
    found = softmax(h, vectors, targets)
    assert found.item() == 0.0
    assert torch.autograd.grad(found, vectors)[0].abs().max() == 0


def rivals_of(h, vectors, targets, drawn):
    return Rivals(h, vectors[targets], vectors[drawn], targets, drawn)


def test_the_sampled_softmax_is_the_sum_over_places_in_plain_numpy():
    h, vectors, targets = world()
    drawn, log_odds = torch.tensor([3, 3, 11, 0, 22]), torch.log_softmax(torch.arange(23) / 7.0, dim=0)
    found = sampled_softmax(rivals_of(h, vectors, targets, drawn), log_odds)
    x, e, q, wanted = h.detach().numpy(), vectors.detach().numpy(), log_odds.numpy(), 0.0
    for place, target in enumerate(targets.tolist()):
        others = [item for item in drawn.tolist() if item != target]
        scores = [x[place] @ e[item] - q[item] for item in [target, *others]]
        wanted -= scores[0] - np.log(np.exp(scores).sum())
    np.testing.assert_allclose(found.item(), wanted, rtol=1e-5)


def test_a_sample_of_everything_is_the_softmax():
    h, vectors, targets = world()
    everything = torch.arange(23)
    found = sampled_softmax(rivals_of(h, vectors, targets, everything), torch.zeros(23))
    torch.testing.assert_close(found, softmax(h, vectors, targets), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_the_calibrated_loss_is_the_sum_over_places_in_plain_numpy(calibration):
    h, vectors, targets = world()
    drawn = torch.tensor([3, 3, 11, 0, 22])
    found = calibrated_bce(rivals_of(h, vectors, targets, drawn), 23, calibration)
    alpha = 5 / 22
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    x, e, wanted = h.detach().numpy().astype(float), vectors.detach().numpy().astype(float), 0.0
    for place, target in enumerate(targets.tolist()):
        gained = beta * np.log(1 / (1 + np.exp(-x[place] @ e[target])))
        for item in drawn.tolist():
            gained += np.log(1 - 1 / (1 + np.exp(-x[place] @ e[item]))) if item != target else 0.0
        wanted -= gained / 6
    np.testing.assert_allclose(found.item(), wanted, rtol=1e-4)
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(found, (h, vectors)))


@pytest.mark.parametrize("calibration", [0.0, 1.0])
def test_only_a_full_calibration_is_content_with_the_true_probabilities(calibration):
    """Of 20 events ten are of item 0 and one of each other; one of 11 items is drawn: over all draws nothing moves."""
    targets = torch.tensor([0] * 10 + list(range(1, 11)))
    chances = torch.bincount(targets) / 20
    score = torch.log(chances / (1 - chances) * 11 / 10)[:, None]  # a draw spares what came: 10 of 11 are left
    score.requires_grad_()
    rivals = [
        Rivals(torch.ones(20, 1), score[targets], score[[item]], targets, torch.tensor([item])) for item in range(11)
    ]
    total = sum(calibrated_bce(one, 11, calibration) for one in rivals)
    content = torch.autograd.grad(total, score)[0].abs().max().item() < 1e-5
    assert content == (calibration == 1.0)
