"""What every block keeps: it never looks ahead, and what fills a batch up changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.models.neural.attention import Attention, GatedBlock, TransformerBlock
from zhiyin.models.neural.convolution import CaserBlock, DilatedBlock
from zhiyin.models.neural.encoder import Encoder, Parts, Shape
from zhiyin.models.neural.mean import CausalMean, FeedForward
from zhiyin.models.neural.recurrent import RecurrentBlock
from zhiyin.models.neural.sequences import GAPS, Events

SHAPE = Shape(items=20, kinds=3, window=12, dimensions=8, dropout=0.3)
BLOCKS = {
    "attention": lambda: TransformerBlock(SHAPE, heads=2),
    "gated attention": lambda: GatedBlock(SHAPE, heads=4),
    "recurrent": lambda: RecurrentBlock(SHAPE),
    "dilated": lambda: DilatedBlock(SHAPE, width=3, dilation=2),
    "caser": lambda: CaserBlock(SHAPE, reach=4, horizontal=3, vertical=2),
    "mean": lambda: CausalMean(SHAPE, half_life_events=3.0),
    "feed-forward": lambda: FeedForward(SHAPE),
}
blocks = pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)


def made(make):
    torch.manual_seed(0)
    return make().eval()


@blocks
@settings(max_examples=10, deadline=None)
@given(place=st.integers(1, 11), seed=st.integers(0, 99))
def test_a_block_never_looks_ahead(make, place, seed):
    block, draw = made(make), torch.Generator().manual_seed(seed)
    x = torch.randn(2, 12, 8, generator=draw)
    other = x.clone()
    other[:, place:] = torch.randn(2, 12 - place, 8, generator=draw)
    with torch.inference_mode():
        before, after = block(x), block(other)
    assert before.shape == x.shape
    torch.testing.assert_close(before[:, :place], after[:, :place])
    assert not torch.allclose(before[:, place], after[:, place]), "a place sees itself"


@pytest.mark.parametrize("name", [name for name in BLOCKS if name != "feed-forward"])
def test_a_block_sees_the_place_before(name):
    x = torch.randn(1, 6, 8, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[:, 2 if name == "dilated" else 3] *= -1  # its gaps are 2
    block = made(BLOCKS[name])
    with torch.inference_mode():
        assert not torch.allclose(block(x)[:, 4], block(other)[:, 4])


@blocks
@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(1, 8), min_size=1, max_size=4), more=st.integers(0, 4), seed=st.integers(0, 99))
def test_what_fills_a_batch_up_changes_nothing(make, lengths, more, seed):
    torch.manual_seed(seed)
    network = Encoder(SHAPE, [make()]).eval()
    draw = np.random.default_rng(seed)
    rows = [[draw.integers(1, most, length) for most in (SHAPE.items + 1, SHAPE.kinds + 1, GAPS)] for length in lengths]
    width = max(lengths) + more
    padded = [np.stack([np.pad(row[part], (0, width - len(row[part]))) for row in rows]) for part in range(3)]
    with torch.inference_mode():
        together = network.last(Events(*(torch.from_numpy(part) for part in padded)))
        alone = [network.last(Events(*(torch.from_numpy(part)[None] for part in row))) for row in rows]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


def test_a_causal_mean_is_the_weighted_mean_of_what_was():
    x = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    found = CausalMean(SHAPE, half_life_events=2.0)(x)[0].numpy()
    for place in range(5):
        weights = np.array([0.5 ** ((place - event) / 2) for event in range(place + 1)])
        np.testing.assert_allclose(
            found[place], weights @ x[0, : place + 1].numpy() / weights.sum(), rtol=1e-4, atol=1e-6
        )


def test_caser_is_what_its_authors_do_with_each_window_alone():
    block = made(BLOCKS["caser"])
    x = torch.randn(1, 7, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = block(x)[0]
        for place in range(7):
            events = torch.cat([torch.zeros(4, 8), x[0, : place + 1]])[-4:]  # [reach, d]: the picture
            seen = []
            for filters in block.horizontal:
                height = filters.kernel_size[0]
                matches = [
                    sum(filters.weight[:, :, row] @ events[start + row] for row in range(height)) + filters.bias
                    for start in range(4 - height + 1)
                ]
                seen.append(torch.stack(matches).relu().amax(dim=0))
            sums = torch.stack([events.T @ weights for weights in block.vertical.weight], dim=1)  # [d, vertical]
            wanted = block.together(torch.cat([*seen, sums.flatten()])).relu()
            torch.testing.assert_close(found[place], wanted, rtol=1e-4, atol=1e-5)


def test_what_is_known_of_a_person_moves_every_place_and_only_theirs():
    torch.manual_seed(0)
    network = Encoder(SHAPE, [CausalMean(SHAPE, 3.0), FeedForward(SHAPE)], Parts(positions=False)).eval()
    events = Events(*(torch.ones(2, 4, dtype=torch.int64) for _ in range(3)))
    with torch.inference_mode():
        plain, moved = network.all(events), network.all(events, torch.tensor([[0.0] * 8, [1.0, -1.0] * 4]))
    torch.testing.assert_close(plain[0], moved[0])
    assert (plain[1] - moved[1]).abs().sum(dim=1).min() > 0.01


@pytest.mark.parametrize("length", [1, 5, 33])
def test_attention_in_plain_products_is_the_fused_one(length):
    torch.manual_seed(0)
    attention = Attention(16, heads=4).to(torch.bfloat16)
    x = torch.randn(3, length, 16).to(torch.bfloat16)
    products, fused = attention.train()(x), attention.eval()(x)
    torch.testing.assert_close(products, fused, rtol=0.05, atol=0.02)


def test_with_a_temperature_scores_are_cosines_over_it():
    torch.manual_seed(0)
    network = Encoder(replace(SHAPE, temperature=0.25), [made(BLOCKS["attention"])]).eval()
    events = Events(*(torch.ones(4, 6, dtype=torch.int64) * one for one in (5, 1, 2)))
    with torch.inference_mode():
        h, vectors = network.last(events), network.item_vectors
        raw = network.items.weight[1:]
    torch.testing.assert_close(h.norm(dim=1), torch.full((4,), 4.0))
    torch.testing.assert_close(vectors, raw / raw.norm(dim=1, keepdim=True))
    assert (h @ vectors.T).abs().max() <= 4.0 + 1e-5
