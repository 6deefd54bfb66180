"""Online Retail is dirty on purpose; its dirt is known from the published file."""

import os
from pathlib import Path

import pytest

from zhiyin.data.quality.clean import clean
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.settings import ColumnMap, DataSettings
from zhiyin.data.sources.read import read_tables

FOLDER = Path(os.environ.get("ZHIYIN_DATA", Path(__file__).parents[3] / "shared" / "data")) / "online-retail"
NOW = 1_767_225_600_000_000  # 2026-01-01


@pytest.mark.data
@pytest.mark.skipif(not FOLDER.is_dir(), reason="Online Retail is not in the folder that ZHIYIN_DATA names")
def test_online_retail_confesses():
    reading = read_tables(DataSettings(events="online_retail.csv.gz"), ColumnMap(), FOLDER)
    cleaned = clean(reading.tables, CleanSettings(), NOW)
    found = {finding.code: finding for finding in cleaned.findings}
    assert found["missing_user_id"].count == 135_080  # the count that everyone publishes
    assert found["impossible_price"].count == 2  # "Adjust bad debt"
    assert found["zero_price"].count == 2_515
    assert found["return"].count <= 8_905  # cancelled lines with a customer, less their repeats
    codes = {example["item_id"] for example in found["odd_item_id"].examples}
    assert {"POST", "DOT", "M", "D", "S", "BANK CHARGES", "AMAZONFEE"} <= codes
    assert len(cleaned.tables.events) + len(cleaned.dropped) == 541_909
