"""A simulated shop tells its truth, and its log does what the truth says."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from custvalue.datasets import make_shop
from custvalue.datasets._shop import Kind


@pytest.mark.parametrize("kind", get_args(Kind))
def test_nobody_orders_before_coming_or_after_leaving(kind):
    shop = make_shop(kind, 300, days=500, random_state=2)
    span = shop.log.groupby("customer_id")["date"].agg(["min", "max"])
    truth = shop.customers.loc[span.index]
    assert (span["min"] >= truth["born"]).all()
    assert (span["max"] <= truth["left"]).all()
    assert shop.log["date"].min() >= pd.Timestamp("2021-01-01")
    assert shop.log["date"].max() < pd.Timestamp("2021-01-01") + pd.Timedelta(days=500)
    assert shop.log["date"].is_monotonic_increasing


def test_the_same_seed_is_the_same_shop():
    one, two, other = (make_shop(n_customers=80, random_state=s) for s in (4, 4, 5))
    pd.testing.assert_frame_equal(one.log, two.log)
    assert not one.log.equals(other.log)


def test_a_panel_begins_with_customers_whose_first_order_it_never_saw():
    shop = make_shop("panel", 500, random_state=1)
    assert (shop.customers["born"] <= "2021-01-01").all()
    first = shop.log.groupby("customer_id")["date"].min()
    assert (first > shop.customers.loc[first.index, "born"]).mean() > 0.9


def test_a_season_and_growth_are_seen_in_the_months():
    shop = make_shop("frequent", 2000, days=3 * 365, season=0.7, random_state=1)
    year = shop.log[shop.log["date"].dt.year == 2023]
    month = year.groupby(year["date"].dt.month).size()
    assert month.loc[[2, 3, 4]].mean() > 2.0 * month.loc[[8, 9, 10]].mean()
    grows, plain = (
        make_shop("frequent", 500, days=700, growth=g, random_state=1).log for g in (0.8, 0.0)
    )
    assert len(grows) > 1.3 * len(plain)


def test_refunds_take_back_what_was_paid():
    shop = make_shop(n_customers=800, refunds=0.2, random_state=3)
    back = shop.log[shop.log["amount"] < 0]
    bought = shop.log[shop.log["amount"] > 0]
    assert 0.17 < len(back) / len(bought) < 0.22
    pairs = set(zip(bought["customer_id"], bought["amount"], strict=True))
    assert all((c, -a) in pairs for c, a in zip(back["customer_id"], back["amount"], strict=True))


def test_covariates_and_contacts_raise_rates():
    shop = make_shop("frequent", 3000, days=400, covariates=True, random_state=1)
    rate = shop.customers.groupby("region")["orders_per_year"].median()
    assert rate["north"] / rate["west"] == pytest.approx(4.0, rel=0.2)
    assert shop.log["region"].isin(["north", "south", "east", "west"]).all()
    held = shop.log.groupby("customer_id")["region"].first()
    assert (held == shop.customers.loc[held.index, "region"]).all()
    many = make_shop("frequent", 1000, days=400, contacts=40.0, random_state=1)
    none = make_shop("frequent", 1000, days=400, random_state=1)
    assert len(many.contacts) == pytest.approx(1000 * 40 * 400 / 365.25, rel=0.02)
    a_day = [
        len(s.log) / np.sum((s.customers["left"] - s.customers["born"]).dt.days.clip(upper=400))
        for s in (many, none)
    ]
    assert a_day[0] > 1.15 * a_day[1]
    assert none.contacts.empty


@pytest.mark.parametrize(
    "bad", [{"kind": "odd"}, {"n_customers": 0}, {"season": 1.0}, {"refunds": 2}, {"contacts": -1}]
)
def test_what_no_shop_is_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        make_shop(**bad)
