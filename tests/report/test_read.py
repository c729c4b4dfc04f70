"""Files are read as they are written, and what cannot be read is named by line."""

from __future__ import annotations

import gzip
import os
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, DataWarning
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
        if encoding == "gb18030":
            with pytest.warns(DataWarning, match="was read as GB 18030"):
                found = read_log(path, **names)
        else:
            found = read_log(path, **names)
        assert found["客户"].tolist() == ["张三"]
    path = write(tmp_path / "asked.csv", text, "gb18030")  # asked for, so nothing is said
    assert read_log(path, **names, encoding="gb18030")["客户"].tolist() == ["张三"]


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
    assert text.index.tolist() == [2, 3]  # the lines of the file
    text = text.reset_index(drop=True)
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


@pytest.mark.parametrize("text", [
    "who,when,paid\n1,2023-03-01,19.50\n7,2023-03-01,1,234.50\n8,2023-03-02,12,50\n",
    "who,when,paid\n7,2023-03-01,1,234.50\n8,2023-03-02\n9,2023-03-02,12,50\n",
    'who,when,paid\n"7",2023-03-01,1,234.50\n8,2023-03-02,5\n',
])  # fmt: skip
def test_a_line_with_more_fields_than_the_header_is_refused_by_its_number(tmp_path, text):
    path = write(tmp_path / "log.csv", text)
    lines = [i for i, line in enumerate(text.splitlines(), 1) if line.count(",") > 2]
    with pytest.raises(DataContractError, match=f"ragged-lines.*line {lines[0]} with 4"):
        read_log(path, **NAMES)


def test_empty_fields_behind_the_last_column_lose_nothing(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\na,2024-01-01,1,,\nb,2024-01-02,2,\n")
    assert read_log(path, **NAMES)["paid"].tolist() == [1.0, 2.0]


def test_lines_are_those_an_editor_shows(tmp_path):
    text = (
        'who,when,paid,note\n\na,2024-01-01,1,"two\nlines"\n   \nb,01/02/2024,x,\nc,2024-01-03,2,\n'
    )
    path = write(tmp_path / "log.csv", text)
    assert text.splitlines()[5].startswith("b,")
    with pytest.raises(DataContractError, match="1 row, first: line 6: 'x'"):
        read_log(path, **NAMES)
    frame = read_log(write(path, text.replace(",x,", ",3,")), **NAMES)
    assert frame.index.tolist() == [3, 6, 7]
    with pytest.raises(DataContractError, match=r"time-not-iso: .*first: line 6"):
        cv.summarize(frame, **NAMES, as_of="2024-02-01")
    frame = read_log(write(path, text.replace("b,01/02/2024,x", ",2024-01-02,3")), **NAMES)
    with pytest.raises(DataContractError, match=r"missing-customer: .*first: line 6"):
        cv.summarize(frame, **NAMES, as_of="2024-02-01", invalid="error")


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid,paid\na,2024-01-01,5,50\n")
    with pytest.raises(DataContractError, match=r"duplicate-column: log.csv .* 'paid'"):
        read_log(path, **NAMES)


def test_truth_values_are_no_money(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid\na,2024-01-01,True\nb,2024-01-01,False\n")
    with pytest.raises(DataContractError, match=r"not-numeric: .*line 2: True"):
        read_log(path, **NAMES)
    mixed = write(tmp_path / "mixed.csv", "who,when,paid\na,2024-01-01,True\nb,2024-01-01,1\n")
    with pytest.raises(DataContractError, match=r"not-numeric: .*line 2"):
        read_log(mixed, **NAMES)


def test_text_that_means_nothing_is_missing_in_every_column(tmp_path):
    words = ["NULL", "nan", "NA", "None", "", "<NA>", "NaT", "N/A"]
    lines = [f"{w},2024-01-01,1" for w in words] + [f"a,{w},1" for w in words]
    lines += [f"a,2024-01-01,{w}" for w in words]
    path = write(tmp_path / "log.csv", "\n".join(["who,when,paid", *lines, "Nanette,2024-01-01,9"]))
    frame = read_log(path, **NAMES)
    assert frame.isna().sum().tolist() == [8, 8, 8]
    assert frame["who"].dropna().unique().tolist() == ["a", "Nanette"]


def test_whole_number_ids_are_exact_beside_a_missing_one(tmp_path):
    ids = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3]
    lines = [f"{i},2024-01-01,1" for i in ids]
    path = write(tmp_path / "log.csv", "\n".join(["who,when,paid", *lines, ",2024-01-01,1"]))
    assert read_log(path, **NAMES)["who"].dropna().tolist() == ids
    frame = pd.DataFrame(
        {"who": pd.array([*ids, None], dtype="Int64"), "when": ["2024-01-01"] * 5, "paid": 1.0}
    )
    frame.to_parquet(tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet", **NAMES)["who"].dropna().tolist() == ids


def test_a_parquet_file_with_the_customer_as_index_is_read(tmp_path):
    frame = pd.DataFrame({"who": [1, 2], "when": ["2024-01-01"] * 2, "paid": [1.0, 2.0]})
    frame.set_index("who").to_parquet(tmp_path / "log.parquet")
    assert read_log(tmp_path / "log.parquet", **NAMES)["who"].tolist() == [1, 2]


def test_a_customer_column_may_be_a_factor_of_the_amount(tmp_path):
    path = write(tmp_path / "log.csv", "q,when,paid\n3,2024-01-01,2.5\n")
    log = read_log(path, customer="q", time="when", amount="q*paid")
    assert log.to_dict("records") == [{"q": 3, "when": "2024-01-01", "q*paid": 7.5}]


@pytest.mark.parametrize(("text", "encoding"), [
    ("Renée D", "latin-1"), ("Ødegård Åse", "cp1252"), ("Иванов Пётр Сергеевич", "cp1251"),
    ("Łukasz Żółw", "cp1250"), ("Müller Straße", "latin-1"), ("山田太郎さん", "shift_jis"),
    ("김철수 고객 주문 내역 서울시 강남구 대한민국 전화번호 주소", "euc_kr"),
])  # fmt: skip
def test_text_of_other_encodings_is_not_taken_for_chinese(tmp_path, text, encoding):
    path = write(tmp_path / "log.csv", f"who,when,paid\n{text},2024-01-01,1\n", encoding)
    with pytest.raises(DataContractError, match=r"nor likely Chinese.*--encoding"):
        read_log(path, **NAMES)
    assert read_log(path, **NAMES, encoding=encoding)["who"].tolist() == [text]


def test_utf_16_is_read_by_its_mark(tmp_path):
    path = write(tmp_path / "log.csv", "who\twhen\tpaid\n张三\t2024-01-01\t1\n", "utf-16")
    assert read_log(path, **NAMES)["who"].tolist() == ["张三"]


def test_a_compressed_file_is_known_by_how_it_begins(tmp_path):
    text = "who,when,paid\na,2024-01-01,1.5\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "b.csv", "w") as archive:
        archive.writestr("log.csv", text)
    (tmp_path / "plain.zip").write_text(text)  # text, whatever it is called
    (tmp_path / "plain.xz").write_text(text)
    for name in ("a.csv.gz", "b.csv", "plain.zip", "plain.xz"):
        assert read_log(tmp_path / name, **NAMES)["paid"].tolist() == [1.5]
    (tmp_path / "cut.gz").write_bytes(gzip.compress(text.encode())[:20])
    with pytest.raises(DataContractError, match="compressed and broken"):
        read_log(tmp_path / "cut.gz", **NAMES)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_text("who,when,paid\na,2024-01-01,1\n"))
    writer.start()
    assert read_log(path, **NAMES)["paid"].tolist() == [1.0]
    writer.join()


def test_marks_in_numbers_are_read_where_they_are_said(tmp_path):
    path = write(tmp_path / "log.csv", "who;when;paid\na;2024-01-01;1.234,50\nb;2024-01-01;12,5\n")
    with pytest.raises(DataContractError, match="--decimal"):
        read_log(path, **NAMES)
    assert read_log(path, **NAMES, decimal=",", thousands=".")["paid"].tolist() == [1234.5, 12.5]


def test_repeated_headers_of_files_put_together_are_left_out_and_said(tmp_path):
    part = "who,when,paid\na,2024-01-01,1\nb,2024-01-02,2\n"
    path = write(tmp_path / "log.csv", part * 3)
    with pytest.warns(DataWarning, match=r"repeats its header in 2 lines \(first: 4, 7\)"):
        frame = read_log(path, **NAMES)
    assert frame["paid"].tolist() == [1.0, 2.0] * 3
    assert frame.index.tolist() == [2, 3, 5, 6, 8, 9]


def test_ids_written_in_two_ways_are_hinted_at(tmp_path):
    path = write(tmp_path / "a.csv", "who,when,paid\n17850,2024-01-01,1\n17850.0,2024-01-02,2\n")
    with pytest.warns(DataWarning, match="1 ids in more than one way, e.g. '17850' and '17850.0'"):
        read_log(path, **NAMES)
    path = write(tmp_path / "b.csv", "who,when,paid\nA1,2024-01-01,1\nA1 ,2024-01-02,2\n")
    with pytest.warns(DataWarning, match="e.g. 'A1' and 'A1 '"):
        read_log(path, **NAMES)


def test_a_missing_column_is_guessed_at_and_few_are_listed(tmp_path):
    header = ",".join(["Who ", "when", "paid", *(f"c{i}" for i in range(5000))])
    path = write(tmp_path / "log.csv", f"{header}\n")
    with pytest.raises(DataContractError, match=r"4,983 more. Did you mean 'Who '\?") as caught:
        read_log(path, **NAMES)
    assert len(str(caught.value)) < 500


def test_the_whole_file_is_read_where_repeated_lines_count(tmp_path):
    path = write(tmp_path / "log.csv", "who,when,paid,what\na,2024-01-01,5,tea\n"
                 "a,2024-01-01,5,cup\na,2024-01-01,5,cup\n")  # fmt: skip
    frame = read_log(path, **NAMES, whole=True)
    assert list(frame.columns) == ["who", "when", "paid", "what"]
    book = cv.ledger(cv.summarize(frame, **NAMES, as_of="2024-02-01", duplicates="drop"))
    assert [(d.reason, d.rows) for d in book.dropped] == [("duplicate", 1)]


def test_ten_thousand_lines_of_every_kind_are_counted_as_they_stand(tmp_path):
    rng = np.random.default_rng(3)
    lines, wanted, at = ["who,when,paid,note"], [], 1
    for i in range(10_000):
        at += 1
        kind = rng.integers(4)
        if kind == 0:
            lines.append("")
            continue
        note = ['"a\nb"', '"say ""no"""', "plain"][kind - 1]
        lines.append(f"{i},2024-01-01,{i},{note}")
        wanted.append(at)
        at += kind == 1
    frame = read_log(write(tmp_path / "log.csv", "\n".join(lines)), **NAMES)
    assert frame.index.tolist() == wanted
