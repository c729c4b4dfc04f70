"""Files are read as they are written, and what cannot be read is named by line."""

from __future__ import annotations

import pandas as pd
import pytest

from custvalue.exceptions import DataContractError
from custvalue.report import read_log

NAMES = {"customer": "who", "time": "when", "amount": "paid"}


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_ids_keep_their_leading_zeros(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\n007,2024-01-01,1\n7,2024-01-02,2\n")
    assert read_log(path, **NAMES)["who"].tolist() == ["007", "7"]


def test_whole_number_ids_become_integers(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\n17,2024-01-01,1\n-7,2024-01-02,2\n")
    assert read_log(path, **NAMES)["who"].tolist() == [17, -7]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_tells_the_delimiter(tmp_path, mark):
    path = write(tmp_path / "log.csv", f"who{mark}when{mark}paid\na{mark}2024-01-01{mark}1.5\n")
    assert read_log(path, **NAMES)["paid"].tolist() == [1.5]


def test_chinese_text_is_read_in_either_encoding(tmp_path):
    text = "客户,日期,金额\n张三,2024-01-01,9\n"
    names = {"customer": "客户", "time": "日期", "amount": "金额"}
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        path = write(tmp_path / f"{encoding}.csv", text, encoding)
        assert read_log(path, **names)["客户"].tolist() == ["张三"]


def test_amount_may_be_a_product_of_columns(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,n,price\na,2024-01-01,3,2.5\nb,2024-01-01,,1\n")
    log = read_log(path, customer="who", time="when", amount="n*price")
    assert list(log.columns) == ["who", "when", "n*price"]
    assert log["n*price"].iloc[0] == 7.5
    assert log["n*price"].isna().tolist() == [False, True]


def test_every_missing_column_is_named_with_what_there_is(tmp_path):
    path = write(tmp_path / "log.csv", "id,when,sum\na,2024-01-01,1\n")
    with pytest.raises(DataContractError, match=r"(?s)'who'.*it has 'id', 'when', 'sum'.*'paid'"):
        read_log(path, **NAMES)


def test_amounts_that_are_no_numbers_are_named_by_line(tmp_path):
    path = write(tmp_path / "log.csv", 'who,when,paid\na,2024-01-01,1\na,2024-01-02,"$1,200"\n')
    with pytest.raises(DataContractError, match=r"'paid' of log.csv .* line 3: '\$1,200'"):
        read_log(path, **NAMES)


def test_an_empty_amount_is_missing_and_not_an_error(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\na,2024-01-01,\nb,2024-01-02,2\n")
    assert read_log(path, **NAMES)["paid"].isna().tolist() == [True, False]


def test_parquet_gives_the_same_table_as_csv(tmp_path):
    frame = pd.DataFrame(
        {"who": [1, 2], "when": ["2024-01-01", "2024-01-02"], "paid": [1.0, 2.0], "more": "x"}
    )
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    text = read_log(tmp_path / "log.csv", **NAMES)
    pd.testing.assert_frame_equal(text, read_log(tmp_path / "log.parquet", **NAMES))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.csv", b"", "first line is empty"),
        ("log.parquet", b"no parquet", "cannot be read"),
        ("log.csv", b"who,when,paid\n\xff\xff\xff,1,2\n", "not text in"),
    ],
)
def test_a_file_that_is_none_is_said_so(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataContractError, match=says):
        read_log(path, **NAMES)


def test_an_unknown_encoding_is_said_so(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\n")
    with pytest.raises(DataContractError, match="'klingon' is unknown"):
        read_log(path, **NAMES, encoding="klingon")
