"""Vectors in groups of similar direction, so that a search need not look at most of them.

Spherical k-means (Dhillon and Modha 2001) on a sample gives the centres; each vector goes to the nearest.
"""

import numpy as np

from zhiyin.compute.best_products import lengths_of
from zhiyin.compute.linear_algebra import serial_linear_algebra
from zhiyin.compute.threads import over_blocks
from zhiyin.types import Floats, Indexes, Scores, Vectors

_PER_ROOT = 3.0  # groups to the square root of the number of vectors: more leave fewer vectors, and are more to look at
_SAMPLE = 16  # vectors a group from which the centres are learned
_ROUNDS = 4  # further ones hardly move them
_BLOCK = 2_048  # vectors whose products with all centres are held together
_SEED = 0


def centres_of(vectors: Vectors, lengths: Floats, items: Indexes) -> Vectors:
    """float32[g, d], each of length 1: where some of vectors [n, d] of known lengths [n] lie."""
    count = int(_PER_ROOT * len(items) ** 0.5)
    drawn = np.random.default_rng(_SEED).permutation(items[lengths[items] > 0])[: count * _SAMPLE]
    sample = vectors[drawn] / lengths[drawn, None].astype(np.float32)  # [s, d]
    centres = sample[:count]
    for _ in range(_ROUNDS if len(centres) else 0):
        nearest, _along = nearest_of(sample, np.arange(len(sample), dtype=np.int32), centres)
        order = np.argsort(nearest, kind="stable")
        starts = np.flatnonzero(np.diff(nearest[order], prepend=-1))
        centres = _of_length_1(np.add.reduceat(sample[order], starts, axis=0))  # those without vectors are gone
    return centres if len(centres) else np.eye(1, vectors.shape[1], dtype=np.float32)


def nearest_of(vectors: Vectors, items: Indexes, centres: Vectors) -> tuple[Indexes, Scores]:
    """int32[c] and float32[c]: the centre with the largest product with each of some of vectors [n, d], and that."""
    nearest, along = np.empty(len(items), np.int32), np.empty(len(items), np.float32)

    def find(first: int, last: int) -> None:
        for start in range(first, last, _BLOCK):
            rows = slice(start, min(start + _BLOCK, last))
            products = vectors[items[rows]] @ centres.T  # [block, g]
            nearest[rows] = products.argmax(axis=1)
            along[rows] = np.take_along_axis(products, nearest[rows, None], axis=1)[:, 0]

    with serial_linear_algebra():
        over_blocks(len(items), find, serial_below=_BLOCK)
    return nearest, along


def _of_length_1(sums: Vectors) -> Vectors:
    """The directions of sums [g, d], without those that cancel out; at least one where there is any."""
    lengths = lengths_of(sums)
    kept = lengths > 1e-6  # of a sum of vectors of length 1
    return (sums[kept] / lengths[kept, None]).astype(np.float32)
