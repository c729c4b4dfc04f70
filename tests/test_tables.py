"""Any table in, arrays out, and the facts that travel with a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from custvalue._frames import TableFacts, facts_of, float_columns, frame_like, is_frame, with_facts
from custvalue._sklearn import read_columns
from custvalue.exceptions import DataContractError

KINDS = [pd.DataFrame, pl.DataFrame, pa.table]
FACTS = TableFacts("summary", "customer_id", "W", "1997-09-30", ledger={"rows_in": 3})


@pytest.mark.parametrize("kind", KINDS)
def test_facts_travel_without_changing_the_table(kind):
    table = with_facts(kind({"x": [1.0, 2.0]}), FACTS)
    assert type(table) is type(kind({"x": [1.0]}))
    assert facts_of(table) == FACTS


def test_facts_survive_what_people_do_to_a_pandas_frame(tmp_path):
    table = with_facts(pd.DataFrame({"x": [1.0, 2.0], "g": [1, 1]}), FACTS)
    assert facts_of(table.query("x > 1")) == FACTS
    assert facts_of(table.groupby("g").tail(1)) == FACTS
    assert facts_of(table[["x"]].head(1)) == FACTS
    table.to_parquet(tmp_path / "t.parquet")
    assert facts_of(pd.read_parquet(tmp_path / "t.parquet")) == FACTS


def test_facts_of_what_is_no_table_are_none():
    for thing in (np.zeros(3), [1, 2], pd.DataFrame({"x": [1]}), None):
        assert facts_of(thing) is None


@pytest.mark.parametrize("kind", KINDS)
def test_columns_come_out_as_floats_in_the_order_asked(kind):
    table = kind({"b": [1, 2], "a": [3.5, 4.5], "id": ["x", "y"]})
    np.testing.assert_array_equal(float_columns(table, ["a", "b"]), [[3.5, 1], [4.5, 2]])


def test_every_bad_column_is_told_at_once():
    table = pd.DataFrame({"a": [1.0, np.nan, np.inf], "b": ["x", "y", "z"]})
    with pytest.raises(DataContractError) as caught:
        float_columns(table, ["a", "b", "c"])
    codes = {p.code: p for p in caught.value.problems}
    assert set(codes) == {"not-finite", "not-numeric", "missing-column"}
    assert codes["not-finite"].count == 2
    assert codes["not-finite"].ids == ("1", "2")


def test_missing_values_pass_only_where_they_are_legal():
    table = pd.DataFrame({"a": [1.0, np.nan]})
    assert np.isnan(float_columns(table, ["a"], allow_missing=["a"])[1, 0])
    with pytest.raises(DataContractError, match="column 'a' has missing"):
        float_columns(table, ["a"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_like_another_is_of_its_kind(kind):
    out = frame_like(kind({"x": [1, 2]}), {"y": np.array([0.5, 1.5])})
    assert type(out) is type(kind({"x": [1]}))
    np.testing.assert_array_equal(float_columns(out, ["y"])[:, 0], [0.5, 1.5])


def test_a_pandas_table_lends_its_index():
    template = pd.DataFrame({"x": [1, 2]}, index=["u", "v"])
    assert list(frame_like(template, {"y": [1, 2]}).index) == ["u", "v"]


def test_arrays_lists_and_dicts_are_no_frames():
    assert not any(is_frame(x) for x in (np.zeros((2, 2)), [[1]], {"a": [1]}, None, 3))


class Reader(BaseEstimator):
    """Reads columns a and b, nothing else."""

    def fit(self, X, y=None):
        self.values_, self.named_ = read_columns(self, X, ["a", "b"], reset=True)
        return self


def test_columns_are_found_by_name_whatever_their_order_and_company():
    table = pd.DataFrame({"id": ["x"], "b": [2.0], "z": [9.0], "a": [1.0]})
    reader = Reader().fit(table)
    np.testing.assert_array_equal(reader.values_, [[1.0, 2.0]])
    assert reader.named_
    assert list(reader.feature_names_in_) == ["a", "b"]


def test_arrays_are_read_by_position():
    reader = Reader().fit([[1.0, 2.0], [3.0, 4.0]])
    assert not reader.named_
    assert reader.n_features_in_ == 2


def test_a_frame_with_some_of_the_names_is_refused_and_never_read_by_position():
    with pytest.raises(DataContractError, match="no column 'b'"):
        Reader().fit(pd.DataFrame({"a": [1.0], "c": [2.0]}))


def test_an_empty_frame_is_refused():
    with pytest.raises(ValueError, match="0 sample"):
        Reader().fit(pd.DataFrame({"a": [], "b": []}))
