"""Facts travel with every kind of table, and leave with it."""

from __future__ import annotations

import gc

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custvalue import _frames
from custvalue._frames import TableFacts, facts_of, with_facts

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
