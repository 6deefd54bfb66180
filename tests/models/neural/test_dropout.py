"""Dropout leaves the mean as it is, drops its share, and does nothing when nothing is learned."""

import pytest
import torch

from zhiyin.models.neural.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_its_share_is_dropped_and_the_others_make_up_for_it(share):
    torch.manual_seed(0)
    found = Dropout(share)(torch.ones(400, 501))
    kept = found[found > 0]
    assert (found == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert kept.unique().numel() == 1
    assert found.mean().item() == pytest.approx(1.0, abs=0.02)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (Dropout(0.5)(torch.ones(200, 400)) == 0).float()
    for back in (1, 2, 3, 4):
        together = (dropped[:, back:] * dropped[:, :-back]).mean().item()
        assert together == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_outside_training_and_without_a_share_nothing_happens(share):
    x = torch.randn(3, 7)
    layer = Dropout(share)
    assert torch.equal(layer.eval()(x), x)
    if share == 0:
        assert torch.equal(layer.train()(x), x)


def test_a_seed_decides():
    layer, x = Dropout(0.5), torch.ones(50, 50)
    torch.manual_seed(1)
    first = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
