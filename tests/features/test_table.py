import numpy as np
import polars as pl

from zhiyin.features.table import FIRST, MISSING, UNKNOWN, FeatureTable, Layout, guessed

FRAME = pl.DataFrame({
    "shop": ["b", "a", None, "a"],
    "tags": [["x", "y"], ["y"], [], None],
    "price": [1.0, 2.0, None, 40.0],
    "old": [True, False, True, None],
    "title": ["red mug", "blue mug", "green lamp", "a pot"],
})  # fmt: skip


def test_a_value_has_its_code_a_missing_one_its_own_and_one_that_training_never_saw_is_unknown():
    table = FeatureTable.of(FRAME, {"shop": "category"})
    assert table.encode(FRAME).codes[:, 0].tolist() == [FIRST + 1, FIRST, MISSING, FIRST]
    later = pl.DataFrame({"shop": ["c", "b", None]})
    assert table.encode(later).codes[:, 0].tolist() == [UNKNOWN, FIRST + 1, MISSING]
    assert table.layout == Layout((4,), (1,))


def test_a_rare_value_is_unknown_so_that_training_sees_what_that_is_like():
    table = FeatureTable.of(FRAME, {"shop": "category"}, least=2)
    assert table.encode(FRAME).codes[:, 0].tolist() == [UNKNOWN, FIRST, MISSING, FIRST]


def test_a_list_takes_several_columns_of_one_field():
    table = FeatureTable.of(FRAME, {"tags": "tags"})
    assert table.encode(FRAME).codes.tolist() == [[2, 3], [3, -1], [MISSING, -1], [MISSING, -1]]
    assert table.layout == Layout((4,), (2,))
    longer = pl.DataFrame({"tags": [["y", "z", "x"]]})
    assert table.encode(longer).codes.tolist() == [[3, UNKNOWN]]


def test_numbers_fall_into_bins_of_about_as_many_rows():
    frame = pl.DataFrame({"price": np.arange(100.0) ** 3})
    table = FeatureTable.of(frame, {"price": "bins"}, bins=4)
    codes = table.encode(frame).codes[:, 0]
    assert np.bincount(codes).tolist() == [0, 0, 25, 25, 25, 25]
    strange = pl.DataFrame({"price": [-1e9, 1e9, None, float("nan"), float("inf")]})
    assert table.encode(strange).codes[:, 0].tolist() == [2, 5, MISSING, MISSING, MISSING]
    assert table.layout.sizes == (6,)


def test_plain_numbers_are_about_zero_and_missing_ones_are_nan():
    table = FeatureTable.of(FRAME, {"price": "number"})
    found = table.encode(FRAME)
    assert found.codes.shape == (4, 0)
    known = found.numbers[[0, 1, 3], 0]
    assert abs(known.mean()) < 1e-6
    assert abs(known.std() - 1) < 1e-6
    assert np.isnan(found.numbers[2, 0])
    assert table.layout == Layout((), (), 1)


def test_columns_are_guessed_and_texts_are_left_out():
    table = FeatureTable.of(FRAME)
    assert guessed(FRAME) == {"tags": "tags", "price": "bins", "old": "category"}
    assert [column.name for column in table.columns] == ["tags", "price", "old"]


def test_an_absent_column_is_missing_everywhere():
    table = FeatureTable.of(FRAME, {"shop": "category", "price": "number", "old": "category"})
    found = table.encode(pl.DataFrame({"old": [True, False]}))
    assert found.codes.tolist() == [[MISSING, 3], [MISSING, 2]]
    assert np.isnan(found.numbers).all()
    assert len(table.encode(FRAME.clear())) == 0


def test_a_layout_says_where_the_codes_of_each_column_begin():
    layout = Layout((3, 5), (2, 1)) + Layout((4,), (1,), 1)
    assert layout.offsets.tolist() == [0, 0, 3, 8]
    assert layout.padding == 12
    assert layout.fields == 4
    assert layout.runs == [(slice(0, 2), 2), (slice(2, 4), 1)]
