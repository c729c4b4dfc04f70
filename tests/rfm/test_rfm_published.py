"""Published RFM tables, as far as their figures go without their data.

The two tables behind them (995 and 39,999 customers of an R package) are not among the project's
data. So a cut point, a score, a count, a share and a mean can be held against the print; which
customer got which score, the cells of independent scoring, and the segments by that package's
overlapping rules (the first match wins, and 68 customers match none) cannot.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError
from custvalue.grades import concentration
from custvalue.rfm import RFMTransformer, SegmentMap

COLUMNS = {"R": "silence", "F": "n_orders", "M": "total_value"}


@pytest.fixture(scope="module")
def published(reference):
    return {name: row["value"] for name, row in reference("rfm").items()}


@pytest.fixture(scope="module")
def cuts(published):
    """Published cuts are the first whole value of the next bin, ours the last of their own."""
    breaks = published["rfm.orders.breaks"]
    return {a: [b - 1 for b in breaks[4 * i : 4 * i + 4]] for i, a in enumerate("RFM")}


def one_a_segment(names):
    """A map over as many cells as segments, so that each customer's score is the segment."""
    rules = {name: {"F": i + 1} for i, name in enumerate(names)}
    return SegmentMap(rules, {"F": len(names)}, letters=("F",), new=None)


@pytest.mark.parametrize("letter", "RFM")
def test_every_published_cut_parts_the_value_below_from_the_value_at_it(published, cuts, letter):
    breaks = np.array(published["rfm.orders.breaks"][4 * "RFM".index(letter) :][:4], dtype=float)
    table = pd.DataFrame({"silence": 1.0, "n_orders": 1.0, "total_value": 1.0}, index=range(8))
    table[COLUMNS[letter]] = np.column_stack([breaks - 1, breaks]).ravel()
    model = RFMTransformer(method="fixed", cuts=cuts).fit(table)
    rising = [1, 2, 2, 3, 3, 4, 4, 5]
    expected = rising[::-1] if letter == "R" else rising
    assert model.transform(table)[letter].tolist() == expected
    rows = model.thresholds_table().query("variable == @letter and score > 1")
    shown = sorted(rows["up_to" if letter == "R" else "above"])
    assert shown == (breaks - 1).tolist()


def test_published_scores_are_cells_with_ranges_that_give_the_scores_again(published, cuts):
    scores = np.array([[int(d) for d in str(s)] for s in published["rfm.customer.score10"]])
    edge = pd.DataFrame({"silence": [1.0], "n_orders": [1], "total_value": [1.0]})
    model = RFMTransformer(method="fixed", cuts=cuts).fit(edge)
    ranges = model.inverse_transform(scores)
    inside = pd.DataFrame(
        {
            name: np.where(
                np.isfinite(ranges[f"{name}_up_to"]),
                ranges[f"{name}_up_to"],
                ranges[f"{name}_above"] + 1,
            )
            for name in COLUMNS.values()
        }
    )
    assert model.transform(inside).to_numpy().tolist() == scores.tolist()
    named = SegmentMap.ready(5).assign(scores)
    assert dict(zip(published["rfm.customer.score10"], named, strict=True)) == {
        222: "about to sleep",
        455: "champions",
        511: "new customers",
        544: "champions",
        545: "champions",
        543: "loyal customers",
        342: "need attention",
        522: "potential loyalists",
        333: "need attention",
    }


def test_the_published_breakdown_of_customers_and_revenue_comes_out(published, reference):
    counts = np.array(published["rfm.orders.seg_customers"])
    revenue = np.array(published["rfm.orders.seg_revenue"], dtype=float)
    names = reference("rfm")["rfm.orders.seg_customers"]["inputs"]["segments"]
    assert names == reference("rfm")["rfm.orders.seg_revenue"]["inputs"]["segments"]
    assert counts.sum() == 995
    at = np.repeat(np.arange(len(names)), counts)
    table = pd.DataFrame({"segment": at + 1, "total_value": (revenue / counts)[at]})
    by_segment = RFMTransformer(
        method="fixed",
        columns={"F": "segment"},
        cuts={"F": [i + 1 for i in range(len(names) - 1)]},
    ).fit(table)
    card = by_segment.segment_table(table, segment_map=one_a_segment(names))
    assert card["segment"].tolist() == names
    assert card["customers"].tolist() == counts.tolist()
    np.testing.assert_allclose(card["total_value"], revenue)
    np.testing.assert_allclose(card["mean"], revenue / counts)
    np.testing.assert_allclose(card["value_share"], revenue / revenue.sum())
    np.testing.assert_allclose(card["customer_share"], counts / 995)
    # a third of the customers is one segment with 44 % of the money
    assert card.loc[card["segment"] == "Potential Loyalist", "value_share"].item() > 0.44
    assert concentration(table["total_value"]).value_share[-1] == 1.0


def test_the_published_segments_of_39999_customers_add_up_only_with_the_unmatched(
    published, reference
):
    counts = published["rfm.customer.seg"]
    names = reference("rfm")["rfm.customer.seg"]["inputs"]["segments"]
    assert sum(counts) == 39_999
    assert names[-1] == "Others"
    assert counts[-1] == 68  # cells that no rule of that scheme covers


def test_rules_that_leave_customers_to_others_are_refused_here():
    """Rules in the manner of the published scheme: overlaps, and cells that match nothing."""
    rules = {
        "Champions": {"R": (4, 5), "F": (4, 5), "M": (4, 5)},
        "Loyal Customers": {"R": (2, 5), "F": (3, 5), "M": (3, 5)},
        "Lost": {"R": (1, 2), "F": (1, 2), "M": (1, 2)},
    }
    with pytest.raises(DataContractError, match="several segments") as refused:
        SegmentMap(rules, 5, new=None)
    assert [p.code for p in refused.value.problems] == ["uncovered-cells", "doubly-covered-cells"]
