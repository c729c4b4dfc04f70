"""What a customer's value is made of: cost while alive, own margins, spend as the log says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.purchase import NBD, ParetoNBD
from custvalue.spend import GammaGamma, OwnMean
from custvalue.value import CustomerValue

WEEKS_A_MONTH = 365.25 / 12 / 7


def shop(rng, n, *, r=0.6, alpha=8.0, s=0.8, beta=20.0, T=52.0):
    """Pareto/NBD customers seen for T weeks, and when each of them leaves for good."""
    rate = rng.gamma(r, 1.0 / alpha, n)
    life = rng.exponential(1.0 / rng.gamma(s, 1.0 / beta, n))
    seen = np.minimum(life, T)
    x = rng.poisson(rate * seen)
    last = np.where(x > 0, seen * rng.random(n) ** (1.0 / np.maximum(x, 1)), 0.0)
    return pd.DataFrame({"frequency": x, "recency": last, "T": T, "n_orders": 1 + x}), life, rate


LAW = ParetoNBD.from_params(r=0.6, alpha=8.0, s=0.8, beta=20.0, unit="W")
SPEND = GammaGamma.from_params(p=6.0, q=5.0, gamma=20.0)


# ---- keeping cost ----------------------------------------------------------------------------


@pytest.mark.parametrize(("horizon", "weeks"), [("26W", 26.0), ("forever", np.inf)])
def test_a_contact_cost_is_paid_while_the_customer_is_one(rng, horizon, weeks):
    table, life, _ = shop(rng, 100_000)
    table["mean_value"] = 10.0
    value = CustomerValue.from_fitted(
        LAW, SPEND, margin=0.0, contact_cost=2.0, annual_discount_rate=0.2, horizon=horizon
    )
    paid = -value.predict(table)
    # who is still there after T is contacted until leaving: 2 a month, discounted as it is paid
    d = np.log(1.2) * 7 / 365.25
    stays = np.minimum(np.maximum(life - 52.0, 0.0), weeks)
    cost = 2.0 / WEEKS_A_MONTH * (1.0 - np.exp(-d * stays)) / d
    for group in (table["frequency"] == 0, table["frequency"] > 3, table["recency"] > 40):
        error = cost[group].std() / np.sqrt(group.sum())
        assert abs(paid[group].mean() - cost[group].mean()) < 4.0 * error


def test_who_cannot_leave_is_contacted_to_the_end():
    table = pd.DataFrame({"frequency": [3], "recency": [9.0], "T": [52.0]})
    table = table.assign(n_orders=4, mean_value=10.0)
    law = NBD.from_params(r=0.6, alpha=8.0, unit="W")
    value = CustomerValue.from_fitted(law, SPEND, margin=0.0, contact_cost=2.0)
    assert value.predict(table, "12M")[0] == pytest.approx(-24.0)
    free = value.set_params(margin=0.5, contact_cost=0.0).predict(table, "12M")
    dear = value.set_params(contact_cost=2.0).predict(table, "12M")
    assert free - dear == pytest.approx(24.0)
    # all that is said moves by the cost
    value.set_params(contact_cost=0.0)
    before = value.predict_interval(table, "12M"), value.draws(table, "12M", random_state=1)
    value.set_params(contact_cost=2.0)
    after = value.predict_interval(table, "12M"), value.draws(table, "12M", random_state=1)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one - other, 24.0)


# ---- margins ---------------------------------------------------------------------------------


def with_profit(rng, n=6_000, *, group=0.3, between=0.1, noise=0.3):
    """Orders of 10 whose margins lie around the customer's own, which lie around the group's."""
    table, _, _ = shop(rng, n)
    own = rng.normal(group, between, n)
    orders = table["n_orders"].to_numpy()
    margin = own + noise * rng.standard_normal(n) / np.sqrt(orders)
    total = 10.0 * orders
    return table.assign(mean_value=10.0, total_value=total, total_profit=margin * total), own


def test_a_customers_own_margin_is_believed_as_far_as_its_orders_say(rng):
    table, own = with_profit(rng)
    model = CustomerValue(purchases=NBD(unit="W"), spend=OwnMean()).fit(table)
    assert model.forecast_.margin == pytest.approx(
        table["total_profit"].sum() / table["total_value"].sum()
    )
    # noise^2 / between^2 orders of the group's margin stand beside the customer's own
    weight = model.forecast_.margin_weight
    assert weight == pytest.approx(9.0, rel=0.3)
    found = model.explain(table, "26W")["margin"]
    n = table["n_orders"]
    own_mean = table["total_profit"] / table["total_value"]
    np.testing.assert_allclose(
        found, (n * own_mean + weight * model.forecast_.margin) / (n + weight)
    )
    # nearer to the truth than either the group's or the bare own margin
    miss = [np.mean((m - own) ** 2) for m in (found, own_mean, np.full(len(own), 0.3))]
    assert miss[0] < min(miss[1:])


def test_who_loses_money_on_every_order_is_worth_less_than_nothing(rng):
    table, _ = with_profit(rng, n=2_000)
    table.loc[0, ["frequency", "recency", "n_orders"]] = [40, 50.0, 41]
    table.loc[0, ["total_value", "total_profit"]] = [410.0, -205.0]
    model = CustomerValue(purchases=NBD(unit="W"), spend=OwnMean(), horizon="52W").fit(table)
    assert model.predict(table)[0] < 0.0
    low, high = model.predict_interval(table)[0]
    assert low < model.predict(table)[0] < high <= 0.0
    # a margin that is said outweighs what was learned
    assert model.set_params(margin=0.3).predict(table)[0] > 0.0


def test_a_table_that_knows_no_profit_is_valued_by_revenue(rng):
    table, _, _ = shop(rng, 500)
    model = CustomerValue(purchases=NBD(unit="W"), spend=OwnMean()).fit(
        table.assign(mean_value=10.0)
    )
    told = model.explain(table.assign(mean_value=10.0), "26W")
    assert (told["margin"] == 1.0).all()
    np.testing.assert_allclose(told["value"], 10.0 * told["expected_orders"])


def test_customers_of_a_store_who_cost_it_thousands_are_told():
    folder = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    path = folder / "superstore.parquet"
    if not path.exists():
        pytest.skip("superstore.parquet is not here; set CUSTVALUE_DATA to its folder")
    log = pd.read_parquet(path)
    log["cost"] = log["Sales"] - log["Profit"]
    table = cv.summarize(
        log,
        customer="Customer ID",
        time="Order Date",
        amount="Sales",
        cost="cost",
        as_of="2019-12-31",
        unit="W",
    )
    lost = log.groupby("Customer ID")["Profit"].sum().sort_values()
    assert lost.iloc[0] == pytest.approx(-6626, abs=50)
    model = CustomerValue(purchases=NBD(), horizon="52W").fit(table)
    value = pd.Series(model.predict(table), index=table["Customer ID"])
    assert value[lost.index[0]] < 0.0
    assert value[lost.index[-1]] > 0.0


# ---- spend -----------------------------------------------------------------------------------


def orders_of(rng, nu, p=6.0):
    """Customer summaries of orders Gamma(p, nu)."""
    n = len(nu)
    times = rng.integers(0, 6, n)
    first = rng.gamma(p, 1.0 / nu)
    later = rng.gamma(p * np.maximum(times, 1), 1.0 / (nu * np.maximum(times, 1)))
    return pd.DataFrame(
        {
            "frequency": times,
            "recency": np.where(times > 0, 40.0, 0.0),
            "T": 52.0,
            "monetary_value": np.where(times > 0, later, np.nan),
            "n_orders": 1 + times,
            "mean_value": (first + times * np.where(times > 0, later, 0.0)) / (1 + times),
        }
    )


def test_spend_is_shrunk_where_the_log_says_so_and_believed_where_not(rng):
    n = 3_000
    alike = orders_of(rng, rng.gamma(5.0, 1.0 / 20.0, n), p=1.2)
    model = CustomerValue(purchases=NBD(unit="W")).fit(alike)
    assert isinstance(model.spend_, GammaGamma)
    apart = orders_of(rng, np.exp(rng.normal(0.0, 3.0, n)), p=50.0)
    model = CustomerValue(purchases=NBD(unit="W")).fit(apart)
    assert isinstance(model.spend_, OwnMean)
    # who says which one, gets it
    named = CustomerValue(purchases=NBD(unit="W"), spend=OwnMean()).fit(apart)
    assert named.spend_.params_ == model.spend_.params_


def test_where_every_order_costs_the_same_a_value_is_price_times_orders(rng):
    table, _, _ = shop(rng, 800)
    table = table.assign(monetary_value=np.where(table["frequency"] > 0, 10.0, np.nan))
    table = table.assign(mean_value=10.0)
    model = CustomerValue(purchases=NBD(unit="W"), horizon="52W").fit(table)
    orders = model.purchases_.predict(table, horizon="52W")
    np.testing.assert_allclose(model.predict(table), 10.0 * orders, rtol=1e-3)


# ---- spread ----------------------------------------------------------------------------------


def test_customers_of_tens_of_thousands_of_orders_have_intervals(rng):
    table = pd.DataFrame(
        {"frequency": [20_000, 3], "recency": [49.9, 30.0], "T": [50.0, 50.0],
         "n_orders": [20_001, 4], "mean_value": [12.0, 9.0]}
    )  # fmt: skip
    law = NBD.from_params(r=0.5, alpha=5.0, unit="W")
    value = CustomerValue.from_fitted(law, SPEND)
    found = value.predict_interval(table, "52W", level=0.8)
    size = 100_000
    rate = rng.gamma(0.5 + 20_000, 1.0 / 55.0, size)
    counts = rng.poisson(52.0 * rate)
    # Gamma-Gamma: nu given n orders of mean z is Gamma(p n + q, gamma + n z)
    nu = rng.gamma(6.0 * 20_001 + 5.0, 1.0 / (20.0 + 20_001 * 12.0), size)
    came = rng.gamma(6.0 * counts) / nu
    np.testing.assert_allclose(found[0], np.quantile(came, [0.1, 0.9]), rtol=1e-3)
    assert found[1, 0] <= value.predict(table, "52W")[1] <= found[1, 1]


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(4)
    table, _, _ = shop(rng, 900)
    usual = rng.gamma(4.0, 5.0, 900)
    once = usual * rng.gamma(6.0, 1 / 6.0, 900)
    later = usual * rng.gamma(6.0 * np.maximum(table["frequency"], 1)) / 6.0
    later /= np.maximum(table["frequency"], 1)
    x = table["frequency"]
    table["monetary_value"] = later.where(x > 0)
    table["mean_value"] = (once + x * later) / (1 + x)
    table["share"] = np.tile([-0.4, 0.0, 0.3], 300)
    return table


@pytest.mark.parametrize("kind", ["outcome", "parameter"])
def test_intervals_of_gains_losses_and_nothing_hold_their_values(mixed, kind):
    model = CustomerValue(purchases=NBD(unit="W"), spend=GammaGamma(), horizon="52W").fit(mixed)
    plain = model.set_params(margin=0.3).predict_interval(mixed, kind=kind)
    model.set_params(margin="share")
    value, ends = model.predict(mixed), model.predict_interval(mixed, kind=kind)
    assert (ends[:, 0] <= value).all()
    assert (value <= ends[:, 1]).all()
    gain, nothing, loss = (mixed["share"] == s for s in (0.3, 0.0, -0.4))
    np.testing.assert_allclose(ends[gain], plain[gain])
    assert (ends[nothing] == 0.0).all()
    # a loss is a gain looked at from below
    np.testing.assert_allclose(ends[loss], -plain[loss][:, ::-1] * 4.0 / 3.0)
    assert (ends[loss] <= 0.0).all()


def test_totals_of_gains_losses_and_nothing_hold_their_sums(mixed):
    model = CustomerValue(
        purchases=NBD(unit="W"), spend=GammaGamma(), horizon="52W", margin="share"
    ).fit(mixed)
    found = model.predict_total(mixed, groups=mixed["share"])
    value = model.predict(mixed)
    assert found.index.tolist() == [-0.4, 0.0, 0.3]
    for share, row in found.iterrows():
        assert row["value"] == pytest.approx(value[mixed["share"] == share].sum(), abs=1e-9)
        assert row["lower"] <= row["value"] <= row["upper"]
    assert found.loc[0.0, ["value", "lower", "upper"]].tolist() == [0.0, 0.0, 0.0]
    assert found.loc[-0.4, "upper"] < 0.0 < found.loc[0.3, "lower"]


def test_draws_average_to_the_value_and_spread_as_the_interval_says(mixed):
    few = mixed.head(12)
    model = CustomerValue(purchases=NBD(unit="W"), spend=GammaGamma(), horizon="52W").fit(mixed)
    value = model.predict(few)
    drawn = model.draws(few, n_draws=20_000, random_state=3)
    assert drawn.shape == (20_000, 12)
    error = drawn.std(axis=0) / np.sqrt(20_000)
    assert (np.abs(drawn.mean(axis=0) - value) < 5 * error).all()
    ends = model.predict_interval(few, level=0.5)
    high = np.quantile(drawn, 0.75, axis=0)
    sharp = ends[:, 1] > value  # else the end is the value, which the interval holds
    np.testing.assert_allclose(ends[sharp, 1], high[sharp], rtol=0.05)
    np.testing.assert_allclose(
        (drawn == 0).mean(axis=0), 1.0 - model.predict_chance(few), atol=0.02
    )
    again = model.draws(few, n_draws=5, random_state=3)
    np.testing.assert_array_equal(again, model.draws(few, n_draws=5, random_state=3))


def test_parameter_draws_move_all_customers_together_as_the_total_says(mixed):
    model = CustomerValue(purchases=NBD(unit="W"), spend=GammaGamma(), horizon="52W").fit(mixed)
    drawn = model.draws(mixed, n_draws=4_000, kind="parameter", random_state=1)
    whole = model.predict_total(mixed).loc["all"]
    assert drawn.sum(axis=1).mean() == pytest.approx(whole["value"], rel=0.01)
    assert drawn.sum(axis=1).std() == pytest.approx(whole["parameter_error"], rel=0.1)


def test_a_chance_without_end_is_one_less_the_chance_of_never(mixed):
    value = CustomerValue.from_fitted(LAW, SPEND)
    chance = [value.predict_chance(mixed, h) for h in ("4W", "52W", "forever")]
    assert (chance[0] < chance[1]).all()
    assert (chance[1] < chance[2]).all()
    never = LAW.predict_next_order(mixed)["never"].to_numpy()
    np.testing.assert_allclose(chance[2], 1.0 - never, rtol=1e-9)
    assert (chance[2] <= LAW.predict_alive(mixed) + 1e-9).all()
