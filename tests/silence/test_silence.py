"""Silence: the worked examples of the method and its laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.exceptions import DataContractError
from custvalue.silence import SilenceScorer

DAYS = [0, 10, 15, 45]  # the method's example: gaps 10, 5, 30

histories = st.lists(
    st.tuples(st.lists(st.integers(1, 400), max_size=8), st.integers(0, 900)),
    min_size=1,
    max_size=30,
)


def summary_of(rows):
    """Summary columns of customers given as (gaps, silence)."""
    return pd.DataFrame(
        {
            "id": [f"c{i}" for i in range(len(rows))],
            "silence": [float(s) for _, s in rows],
            "n_orders": [len(g) + 1 for g, _ in rows],
            "n_gaps": [len(g) for g, _ in rows],
            "gap_max": [float(max(g)) if g else np.nan for g, _ in rows],
            "gap_mean": [float(np.mean(g)) if g else np.nan for g, _ in rows],
            "gap_sum": [float(sum(g)) for g, _ in rows],
            "n_gaps_shorter": [sum(x <= s for x in g) for g, s in rows],
        }
    )


@pytest.mark.parametrize(("as_of", "S", "TrF"), [(60, 0.5, 3 / 4), (75, 1.0, 1.0), (90, 1.5, 1.0)])
def test_the_worked_example_of_the_method(as_of, S, TrF):
    table = summary_of([(np.diff(DAYS).tolist(), as_of - DAYS[-1])])
    out = SilenceScorer().fit_transform(table)
    assert out.loc[0, "silence_score"] == S
    assert out.loc[0, "rank_ratio"] == TrF


def test_where_nobody_came_back_the_longest_silence_is_the_measure():
    table = summary_of([([], 10), ([], 40), ([], 20)])
    assert SilenceScorer().fit_transform(table)["silence_score"].tolist() == [0.25, 1.0, 0.5]
    today = SilenceScorer().fit_transform(summary_of([([], 0), ([], 0)]))
    assert today["silence_score"].tolist() == [0.0, 0.0]


@given(histories)
def test_the_rank_ratio_is_one_exactly_when_the_score_reaches_one(rows):
    out = SilenceScorer().fit_transform(summary_of(rows))
    assert ((out["rank_ratio"] == 1) == (out["silence_score"] >= 1)).all()
    assert (out["rank_ratio"] > 0).all()


@given(histories, st.sampled_from([1 / 7, 24.0, 1 / 30.4375]))
def test_the_score_does_not_depend_on_the_unit_of_time(rows, scale):
    table = summary_of(rows)
    other = table.copy()
    other[["silence", "gap_max", "gap_mean", "gap_sum"]] *= scale
    a, b = SilenceScorer().fit_transform(table), SilenceScorer().fit_transform(other)
    np.testing.assert_allclose(a["silence_score"], b["silence_score"], rtol=1e-12)


@given(histories)
def test_a_matrix_of_gaps_gives_the_answer_of_the_summary(rows):
    width = 1 + max(len(g) for g, _ in rows)
    matrix = np.array([[s, *g, *[0] * (width - 1 - len(g))] for g, s in rows], dtype=float)
    by_name = SilenceScorer(words=False).fit_transform(summary_of(rows))
    np.testing.assert_array_equal(SilenceScorer().fit_transform(matrix), by_name.to_numpy())


def test_a_one_time_buyer_is_held_against_the_repeat_customers_and_that_is_said():
    rows = [([], 20), ([], 40), ([10], 5), ([20], 5), ([30, 5], 5)]
    out = SilenceScorer().fit_transform(summary_of(rows))
    assert out["basis"].tolist() == ["population"] * 2 + ["one own gap"] * 2 + ["own gaps"]
    assert out["silence_score"].tolist()[:2] == [1.0, 2.0]
    assert out["grade"].tolist()[:2] == ["silent", "deeply silent"]


def test_polars_in_polars_out():
    table = summary_of([([10, 5, 30], 15), ([], 3)])
    out = SilenceScorer().fit_transform(pl.from_pandas(table))
    assert isinstance(out, pl.DataFrame)
    assert out["basis"].to_list() == ["own gaps", "population"]


def test_gap_figures_that_contradict_each_other_are_refused_by_row():
    table = summary_of([([10, 5], 15), ([4], 3)])
    table.loc[1, "gap_sum"] = 1.0
    with pytest.raises(
        DataContractError, match=r"'gap_sum' is less than 'gap_max' \(1 row, first: 1"
    ):
        SilenceScorer().fit(table)


def test_an_array_is_refused_after_a_fit_by_name():
    table = summary_of([([10, 5], 15), ([4], 3)])
    model = SilenceScorer().fit(table)
    with pytest.raises(ValueError, match="matrix of gaps"):
        model.transform(np.ones((2, 5)))
