"""RFM scores and segment maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue._kernels import quantile_cuts
from custvalue.exceptions import BinWarning, DataContractError
from custvalue.rfm import RFMTransformer, SegmentMap


def customers_of(rng, n=400):
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "silence": rng.exponential(60, n).round(),
            "n_orders": rng.geometric(0.3, n),
            "total_value": rng.lognormal(4, 1, n),
        },
        index=np.arange(n) + 1000,
    )


quiet = pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
values = st.lists(st.integers(0, 12), min_size=2, max_size=60)


@given(values, st.integers(1, 7))
def test_the_smallest_value_is_in_the_first_bin_and_the_largest_in_the_last(x, n_bins):
    cuts = quantile_cuts(x, n_bins)
    bins = np.searchsorted(cuts, x, side="left")
    assert (np.diff(cuts) >= 0).all()
    assert bins[np.argmin(x)] == 0
    if len(set(x)) > 1:
        assert bins[np.argmax(x)] == n_bins - 1


def test_distinct_values_fill_bins_of_near_equal_size(rng):
    x = rng.permutation(1003).astype(float)
    sizes = np.bincount(np.searchsorted(quantile_cuts(x, 5), x, side="left"))
    assert sizes.max() - sizes.min() <= 1


@quiet
@pytest.mark.parametrize("method", ["independent", "nested"])
def test_shuffled_rows_and_another_currency_change_no_score(rng, method):
    table = customers_of(rng)
    scores = RFMTransformer(method=method).fit_transform(table)
    shuffled = table.sample(frac=1, random_state=1)
    shuffled["total_value"] *= 7.31
    again = RFMTransformer(method=method).fit_transform(shuffled)
    pd.testing.assert_frame_equal(again.loc[scores.index], scores)


@quiet
def test_equal_customers_have_equal_scores(rng):
    table = customers_of(rng)
    table["total_value"] = table["total_value"].round(-1)
    scores = RFMTransformer(method="independent").fit_transform(table)
    for letter, name in (("F", "n_orders"), ("M", "total_value"), ("R", "silence")):
        assert scores.groupby(table[name])[letter].nunique().max() == 1


def test_too_few_distinct_values_are_named_and_never_renumbered():
    table = pd.DataFrame(
        {
            "silence": np.arange(10.0),
            "n_orders": [1, 1, 1, 1, 1, 1, 2, 2, 3, 9],
            "total_value": np.arange(10.0) + 1,
        }
    )
    with pytest.warns(
        BinWarning,
        match=r"n_orders \(F\): 60 % of the rows have the value 1; 5 bins asked, 3 possible. "
        r"Scores used: 1, 4, 5.",
    ):
        scores = RFMTransformer().fit_transform(table)
    assert scores["F"].tolist() == [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]


@quiet
def test_cut_points_are_frozen_in_fit(rng):
    table = customers_of(rng)
    model = RFMTransformer().fit(table)
    later = table.assign(silence=table["silence"] + 500)
    assert (model.transform(later)["R"] == 1).all()
    assert model.transform(table.iloc[[7]]).equals(model.transform(table).iloc[[7]])


@quiet
def test_a_frame_comes_back_as_the_same_kind_of_frame(rng):
    table = customers_of(rng)
    out = RFMTransformer().fit_transform(table)
    assert out.index.equals(table.index)
    other = RFMTransformer().fit_transform(pl.from_pandas(table))
    assert isinstance(other, pl.DataFrame)
    assert np.array_equal(other.to_numpy(), out.to_numpy())
    array = RFMTransformer().fit_transform(table[["silence", "n_orders", "total_value"]].to_numpy())
    assert np.array_equal(array, out.to_numpy())


@quiet
def test_a_panel_keeps_its_own_columns(rng):
    panel = customers_of(rng).assign(period=1, orders=2, profit=3.0)
    out = RFMTransformer().fit_transform(panel)
    assert list(out.columns) == ["R", "F", "M", *panel.columns]
    assert list(RFMTransformer(remainder="drop").fit_transform(panel).columns) == ["R", "F", "M"]


def test_bad_values_name_the_column_and_the_rows(rng):
    table = customers_of(rng)
    table.iloc[3, 1] = np.nan
    with pytest.raises(DataContractError, match=r"'silence' has missing .*\(1 row, first: 3\)"):
        RFMTransformer().fit(table)


@pytest.mark.parametrize("n_bins", [3, 4, 5])
def test_every_ready_map_covers_every_cell_once(n_bins):
    cells = SegmentMap.ready(n_bins).cells()
    assert len(cells) == n_bins**3
    assert not cells["segment"].isna().any()
    newest = cells[(cells["R"] == n_bins) & (cells["F"] == 1)]
    assert (newest["segment"] == "new customers").all()


def test_a_map_with_gaps_and_overlaps_lists_the_cells():
    with pytest.raises(DataContractError, match=r"(?s)cells 11, 12.*cells 22 have") as e:
        SegmentMap({"good": {"R": 2}, "best": {"R": 2, "F": 2}}, 2, letters=("R", "F"), new=None)
    assert [p.code for p in e.value.problems] == ["uncovered-cells", "doubly-covered-cells"]
