"""Blocks of click networks against what their papers write, loop by loop."""

import numpy as np
import pytest

from zhiyin.models.click_blocks import Inputs, cross, deep, flat, fused, pairs

RNG = np.random.default_rng(0)


def drawn(*shape):
    return RNG.standard_normal(shape)


def inputs(x, weights, hidden=None):
    return Inputs(x, None, weights, hidden)


def test_pairs_are_the_inner_products_of_all_pairs():
    x = drawn(5, 4, 3)
    slow = [sum(row[i] @ row[j] for i in range(4) for j in range(i)) for row in x]
    np.testing.assert_allclose(pairs(x), slow)


def test_a_cross_layer_multiplies_by_what_came_in():
    weights = {
        f"cross_{place}_{part}": drawn(*shape)
        for place in range(2)
        for part, shape in (("weight", (6, 6)), ("bias", (6,)))
    }
    x = drawn(5, 6)
    for row, found in zip(x, cross(inputs(x[:, None], weights), 2), strict=True):
        out = row
        for place in range(2):
            matrix, bias = weights[f"cross_{place}_weight"], weights[f"cross_{place}_bias"]
            out = np.array(
                [row[i] * (sum(out[j] * matrix[j, i] for j in range(6)) + bias[i]) + out[i] for i in range(6)]
            )
        np.testing.assert_allclose(found, out)


@pytest.mark.parametrize("heads", [1, 2])
def test_two_ends_are_fused_by_a_bilinear_form_for_each_head(heads):
    left, right = drawn(5, 4), drawn(5, 6)
    weights = {"fused_left": drawn(4), "fused_right": drawn(6), "fused_bilinear": drawn(heads, 4 // heads, 6 // heads)}
    for a, b, found in zip(left, right, fused(inputs(None, weights), left, right), strict=True):
        slow = weights["fused_left"] @ a + weights["fused_right"] @ b
        for head in range(heads):
            one, two = np.split(a, heads)[head], np.split(b, heads)[head]
            slow += sum(
                one[i] * weights["fused_bilinear"][head, i, j] * two[j]
                for i in range(len(one))
                for j in range(len(two))
            )
        assert found == pytest.approx(slow)


def test_hidden_layers_follow_each_other_and_vectors_lie_behind_each_other():
    seen = []

    def hidden(name, x):
        seen.append(name)
        return x + 1

    x = drawn(2, 3, 2)
    assert flat(x)[1].tolist() == [*x[1, 0], *x[1, 1], *x[1, 2]]
    np.testing.assert_allclose(deep("stack", inputs(x, {}, hidden), (6, 6)), flat(x) + 2)
    assert seen == ["stack_0_hidden", "stack_1_hidden"]
