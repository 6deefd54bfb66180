import numpy as np
import polars as pl

from zhiyin.features.attributes import Attributes


def frame(**columns):
    return pl.DataFrame({"item_id": [str(i) for i in range(len(next(iter(columns.values()))))], **columns})


def test_columns_are_taken_for_what_they_hold():
    n = 20
    table = frame(
        title=["mug"] * n, brand=[f"b{i}" for i in range(n)], colour=["red", "blue"] * 10,
        notes=[f"n{i}" for i in range(n)], price=[float(i) for i in range(n)], fair=[True, False] * 10,
        tags=[["a", "b"]] * n, created_at=list(range(n)), available=[True] * n, image=["x.png"] * n,
        seen=pl.Series([None] * n, dtype=pl.Datetime), nothing=[None] * n,
    )  # fmt: skip
    assert Attributes.of(table, 1000).kinds == {
        "title": "text", "brand": "category", "colour": "category", "notes": "text", "price": "number",
        "fair": "category", "tags": "category",
    }  # fmt: skip


def test_a_rare_word_counts_more_than_a_common_one_and_a_universal_one_not_at_all():
    table = frame(title=["tea cup rare", "tea cup rare", "tea cup", "tea cup", "tea pot", "tea lonely"])
    attributes = Attributes.of(table, 1000)
    assert attributes.terms.to_list() == ["title=cup", "title=rare"]  # all have tea; pot and lonely have one each
    np.testing.assert_allclose(attributes.idf, np.log([7 / 5, 7 / 3]), rtol=1e-6)
    row = attributes.matrix(table).toarray()[0]
    np.testing.assert_allclose(row, attributes.idf / np.linalg.norm(attributes.idf), rtol=1e-6)


def test_each_column_of_an_item_has_length_one():
    table = frame(title=["a b c d e", "a b c d e", "x", "y"], category=["p", "p", "q", "q"])
    matrix = Attributes.of(table, 1000).matrix(table)
    np.testing.assert_allclose(matrix.multiply(matrix).sum(axis=1), [2, 2, 1, 1], rtol=1e-6)


def test_of_too_many_terms_those_of_the_most_items_stay():
    table = frame(title=["a b", "a b", "a", "c"])
    assert Attributes.of(table, 1).terms.to_list() == ["title=a"]


def test_near_numbers_are_alike_and_wild_ones_are_clipped_or_ignored():
    table = frame(price=[float(i) for i in range(100)])
    attributes = Attributes.of(table, 1000)
    rows = pl.DataFrame({"price": [40.0, 45.0, 60.0, 1e30, 99.0, float("nan"), float("inf"), None]})
    matrix = attributes.matrix(rows).toarray()
    assert matrix[0] @ matrix[1] > matrix[0] @ matrix[2]
    np.testing.assert_allclose(matrix[3], matrix[4])
    assert (matrix[5:] == 0).all()


def test_rows_with_other_columns_are_read_as_far_as_they_are_known():
    attributes = Attributes.of(frame(title=["tea", "tea", "cup", "cup"], price=[1, 2, 3, 4]), 1000)
    later = attributes.matrix(pl.DataFrame({"colour": ["red"], "title": ["a tea"]}))
    assert later.nnz == 1
    assert attributes.matrix(pl.DataFrame({"colour": ["red"]})).nnz == 0


def test_an_empty_catalogue_has_no_terms():
    attributes = Attributes.of(frame(title=pl.Series([None, None], dtype=pl.String), price=[None, None]), 10)
    assert attributes.terms.is_empty()
    assert attributes.matrix(frame(title=["a", "b"])).shape == (2, 0)
