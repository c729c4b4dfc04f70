"""Facts travel with every kind of table, and leave with it."""

from __future__ import annotations

import gc
import json

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import custvalue as cv
from custvalue import _frames
from custvalue._frames import TableFacts, facts_of, with_facts
from custvalue.data._ledger import WORDS, Dropped, RowLedger
from custvalue.exceptions import ArtefactError, DataContractError
from custvalue.purchase import MBGNBD

FACTS = TableFacts(kind="summary", customer="who", unit="W", as_of="2024-01-31")


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, pa.table, pl.LazyFrame],
    ids=["pandas", "polars", "pyarrow", "polars lazy"],
)
def test_a_table_keeps_its_facts(make):
    table = with_facts(make({"who": [1, 2]}), FACTS)
    assert facts_of(table) == FACTS
    assert facts_of(make({"who": [1, 2]})) is None


def test_facts_are_forgotten_with_their_table():
    table = with_facts(pl.DataFrame({"who": [1]}), FACTS)
    held = len(_frames._beside)
    del table
    gc.collect()
    assert len(_frames._beside) == held - 1


def test_what_is_no_table_has_no_facts():
    assert facts_of([1, 2]) is None
    assert facts_of(None) is None


GOOD = {"kind": "summary", "customer": "who", "unit": "W", "as_of": "2024-01-31"}
FOREIGN = [
    {"colour": "red"},
    {**GOOD, "more": 1},
    {"kind": "summary"},
    {**GOOD, "unit": 5},
    {**GOOD, "unit": "fortnight"},
    {**GOOD, "as_of": "yesterday"},
    {**GOOD, "period": []},
    {**GOOD, "ledger": [1]},
    {**GOOD, "customer": None},
    ["a", "list"],
    "a text",
    7,
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda f: str(f)[:30])
def test_facts_that_somebody_else_wrote_are_refused_by_name_wherever_they_are_read(foreign):
    X = pd.DataFrame({"frequency": [1.0, 0, 2], "recency": [2.0, 0, 3], "T": [5.0, 5, 5]})
    X.attrs["custvalue"] = foreign
    arrow = pa.table({"frequency": [1.0]}).replace_schema_metadata(
        {"custvalue": json.dumps(foreign)}
    )
    for read in (
        lambda: facts_of(X),
        lambda: facts_of(arrow),
        lambda: MBGNBD().fit(X),
        lambda: cv.SilenceScorer().fit(X),
        lambda: cv.RFMTransformer().fit(X),
    ):
        with pytest.raises(DataContractError, match="table-facts") as caught:
            read()
        assert [p.code for p in caught.value.problems] == ["table-facts"]


BOOK = RowLedger(3, 2, 9.0, 8.0, (Dropped(next(iter(WORDS)), 1, 1.0, ("a",)),), 2, 2, 0)


def test_a_ledger_comes_back_from_its_values_and_from_a_report_s_file():
    plain = json.loads(json.dumps(BOOK.to_dict()))
    assert RowLedger.from_dict(plain) == BOOK
    assert RowLedger.from_dict({**plain, "files": {"report.html": "0" * 64}}) == BOOK


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows_in": "3"}, {"rows_in": None}, {"amount_in": float("nan")}, {"more": 1},
        {"rows_in": -1}, {"rows_in": 2.5}, {"rows_used": -1},
        {"dropped": 5}, {"dropped": [{}]}, {"dropped": [{"reason": "x"}]}, {"customers": "2"},
        {"dropped": [{"reason": "x", "rows": 1, "amount": 1.0, "first": []}]},
        {"dropped": [{"reason": next(iter(WORDS)), "rows": 1, "amount": 1.0, "first": "a"}]},
    ],
)  # fmt: skip
def test_a_broken_ledger_is_one_kind_of_error(wrong):
    with pytest.raises(ArtefactError):
        RowLedger.from_dict({**BOOK.to_dict(), **wrong})
    X = pd.DataFrame({"who": [1]})
    X.attrs["custvalue"] = {**GOOD, "ledger": {**BOOK.to_dict(), **wrong}}
    with pytest.raises(ArtefactError):
        cv.ledger(X)


def test_metadata_that_is_no_json_is_refused_in_the_same_way():
    arrow = pa.table({"a": [1.0]}).replace_schema_metadata({"custvalue": b"\xff{"})
    with pytest.raises(DataContractError, match="table-facts"):
        facts_of(arrow)
