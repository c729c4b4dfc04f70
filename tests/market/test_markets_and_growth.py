"""Numbers of markets, and growth that adds up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.exceptions import DataContractError
from custvalue.market import growth_table, market_table
from custvalue.market._market_table import herfindahl

OPTIONS = {"market": "place", "value": "sold", "supplier": "who", "ours": "we"}
SALES = pd.DataFrame(
    {
        "place": ["x", "y", "z"] * 2,
        "who": ["we"] * 3 + ["they"] * 3,
        "sold": [2000.0, 3000, 5000, 6000, 15000, 49000],
    }
)
PLACES = pd.DataFrame({"place": ["x", "y", "z"], "people": [10, 20, 70]})


def test_brand_and_category_development_by_hand():
    found = market_table(SALES, PLACES, **OPTIONS, people="people")
    np.testing.assert_allclose(found["bdi"], [200, 150, 500 / 7])
    np.testing.assert_allclose(found["cdi"], [100, 112.5, 96.428571], rtol=1e-8)
    np.testing.assert_allclose(found["size"], [8000, 18000, 54000])
    np.testing.assert_allclose(found["our_share"], [0.25, 1 / 6, 5 / 54])
    np.testing.assert_allclose(found["concentration"], [0.625, 26 / 36, (25 + 49**2) / 54**2])
    # indexes weighted by people are a hundred
    assert np.average(found["bdi"], weights=[10, 20, 70]) == pytest.approx(100)
    assert np.average(found["cdi"], weights=[10, 20, 70]) == pytest.approx(100)


def test_herfindahl_of_equal_and_of_single_suppliers():
    assert herfindahl([0.4, 0.3, 0.2, 0.1]) == pytest.approx(0.30)
    assert herfindahl([7.0] * 5) == pytest.approx(0.2)
    assert herfindahl([3.0, 0.0]) == 1.0
    assert np.isnan(herfindahl([0.0]))
    with pytest.raises(ValueError, match="not negative"):
        herfindahl([-1.0, 2.0])


def test_growth_is_compound_from_the_first_year_to_the_last():
    sales = pd.DataFrame(
        {
            "place": ["x", "x", "x", "y", "y"],
            "who": ["we"] * 5,
            "sold": [100.0, 7.0, 121.0, 50.0, 50.0],
            "on": [2020, 2021, 2022, 2021, 2022],
        }
    )
    found = market_table(sales, **OPTIONS, year="on").set_index("market")
    assert found.loc["x", "growth"] == pytest.approx(0.10)
    assert np.isnan(found.loc["y", "growth"])  # nothing in the first year
    assert found["size"].tolist() == [121.0, 50.0]


def test_close_rates_are_drawn_to_the_mean_of_all_where_offers_are_few():
    places = PLACES.assign(offers=[400, 380, 2], wins=[200, 20, 2], customers=[1, 2, 7])
    found = market_table(
        SALES, places, **OPTIONS, people="people", customers="customers",
        offers="offers", wins="wins",
    )  # fmt: skip
    np.testing.assert_allclose(found["penetration"], 0.1)
    rate = found["close_rate"].to_numpy()
    assert rate[0] == pytest.approx(0.5, abs=0.02)
    assert 0.4 < rate[2] < 0.99  # not 2 of 2
    with pytest.raises(ValueError, match="go together"):
        market_table(SALES, places, **OPTIONS, offers="offers")


def test_numbers_of_the_markets_are_handed_through_and_names_translated():
    places = pl.from_pandas(PLACES.assign(customer_value=[5.0, 6.0, 7.0]))
    found = market_table(pl.from_pandas(SALES), places, **OPTIONS, language="zh")
    assert type(found) is pl.DataFrame
    assert found["客户价值"].to_list() == [5.0, 6.0, 7.0]
    assert "集中度 HHI" in found.columns


def test_what_is_wrong_with_both_tables_is_said_at_once():
    sales = pd.concat([SALES, pd.DataFrame({"place": ["w"], "who": ["we"], "sold": [-1.0]})])
    places = PLACES.assign(people=[0, 20, 70], offers=1, wins=[0, 2, 0])
    with pytest.raises(DataContractError) as caught:
        market_table(sales, places, **OPTIONS, people="people", offers="offers", wins="wins")
    codes = {p.code for p in caught.value.problems}
    assert codes == {"negative-value", "unknown-market", "count", "wins-over-offers"}
    with pytest.raises(ValueError, match=r"ours='wex' sold nothing.*Did you mean 'we'"):
        market_table(SALES, **(OPTIONS | {"ours": "wex"}))
    with pytest.raises(DataContractError, match=r"no column 'plce'.*Did you mean 'place'"):
        market_table(SALES, **(OPTIONS | {"market": "plce"}))
    with pytest.raises(ValueError, match="pass that table too"):
        market_table(SALES, **OPTIONS, people="people")


# -- growth --------------------------------------------------------------------------------------

LOG = pd.DataFrame(
    [
        ("a", "p", 1, 100.0), ("b", "p", 1, 50.0), ("c", "q", 1, 80.0),
        ("a", "p", 2, 110.0), ("a", "q", 2, 40.0), ("d", "p", 2, 60.0), ("d", "r", 2, 30.0),
        ("a", "r", 2, 20.0), ("c", "q", 2, 70.0), ("b", "q", 2, 15.0),
    ],
    columns=["customer", "product", "period", "value"],
)  # fmt: skip
NAMES = {name: name for name in LOG.columns}


def test_the_four_quadrants_by_hand():
    found = growth_table(LOG, **NAMES, base=1, now=2, detail=False)
    assert found["base"].tolist() == [230, 0, 0, 0]
    assert found["now"].tolist() == [235, 20, 60, 30]
    assert found["change"].sum() == 115
    assert found["change_share"].sum() == pytest.approx(1.0)


def test_penetration_in_parts_by_hand():
    found = growth_table(LOG, **NAMES, base=1, now=2).set_index("part")
    assert found.loc["cross-sell", "now"] == 55
    assert found["change"].to_dict() == {
        "same product, more": 10,
        "same product, less": -10,
        "cross-sell": 55,
        "product dropped": -50,
        "customer lost": 0,
        "new product, existing customer": 20,
        "existing product, new customer": 60,
        "new product, new customer": 30,
    }
    assert found.loc["cross-sell", "customers"] == 2


def test_a_customer_who_buys_nothing_now_is_lost_not_a_product_dropped():
    log = LOG[~((LOG["customer"] == "c") & (LOG["period"] == 2))]
    found = growth_table(log, **NAMES, base=1, now=2).set_index("part")
    assert found.loc["customer lost", "change"] == -80


def test_who_came_back_is_new_to_the_base_but_not_to_the_past():
    log = pd.concat([LOG, pd.DataFrame([("d", "p", 0, 5.0)], columns=LOG.columns)])
    by_base = growth_table(log, **NAMES, base=1, now=2, detail=False)
    ever = growth_table(log, **NAMES, base=1, now=2, new="ever", detail=False)
    assert by_base["now"].tolist() == [235, 20, 60, 30]
    assert ever["now"].tolist() == [295, 50, 0, 0]
    assert ever["change"].sum() == by_base["change"].sum()


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.sampled_from("pqr"), st.integers(0, 2),
            st.integers(-50, 200),
        ),
        max_size=40,
    ),
    st.sampled_from(["base", "ever"]),
)  # fmt: skip
def test_growth_adds_up_to_both_revenues(rows, new):
    fixed = [("a", "p", 1, 10), ("z", "p", 2, 10)]
    log = pd.DataFrame(rows + fixed, columns=LOG.columns)
    for detail in (True, False):
        found = growth_table(log, **NAMES, base=1, now=2, new=new, detail=detail)
        for period, name in ((1, "base"), (2, "now")):
            expected = log.loc[log["period"] == period, "value"].sum()
            assert found[name].sum() == pytest.approx(expected)


def test_growth_in_chinese_and_in_polars():
    found = growth_table(pl.from_pandas(LOG), **NAMES, base=1, now=2, detail=False, language="zh")
    assert type(found) is pl.DataFrame
    assert found["象限"].to_list() == ["市场渗透", "产品开发", "市场开发", "多元化"]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"base": 7}, ValueError, "base=7: no row"),
        ({"base": 2}, ValueError, "no change to tell"),
        ({"new": "never"}, ValueError, "new='never'"),
        ({"product": "productx"}, DataContractError, "Did you mean 'product'"),
    ],
)
def test_growth_calls_that_cannot_be_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        growth_table(LOG, **(NAMES | {"base": 1, "now": 2} | options))
    with pytest.raises(DataContractError, match=r"'customer' has missing.*\(1 row, first: 0\)"):
        growth_table(LOG.assign(customer=[None, *LOG["customer"][1:]]), **NAMES, base=1, now=2)
