"""Customer value: published digits, identities, discounting, intervals that cover."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

import custvalue as cv
from custvalue._open_table import open_table
from custvalue._units import in_units
from custvalue.exceptions import BoundaryFitWarning, HorizonError, NotSupportedError, TimeUnitError
from custvalue.purchase import BGBB, BGNBD, MBGNBD, NBD, ParetoNBD
from custvalue.spend import GammaGamma
from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.value import CustomerValue, _customer_value

SPEND = GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44)
ORDERS = {
    "NBD": NBD.from_params(r=0.5, alpha=12.0, unit="W"),
    "BGNBD": BGNBD.from_params(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="W"),
    "ParetoNBD": ParetoNBD.from_params(r=0.553, alpha=10.578, s=0.606, beta=11.669, unit="W"),
}


@pytest.fixture(scope="module")
def table(cdnow_sample):
    return cv.summarize(
        cdnow_sample,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        unit="W",
    )


@pytest.fixture(scope="module")
def model(table):
    return CustomerValue(
        purchases=MBGNBD(), margin=0.3, annual_discount_rate=0.15, horizon="12M"
    ).fit(table)


@pytest.mark.parametrize("name", ORDERS)
def test_at_rate_zero_value_is_orders_times_spend_times_margin(name, table):
    orders = ORDERS[name]
    forecast = 0.4 * orders.predict(table, horizon="26W")
    repeat = CustomerValue.from_fitted(orders, SPEND, margin=0.4, orders="repeat")
    np.testing.assert_allclose(
        repeat.predict(table, "26W"), forecast * SPEND.predict(table), rtol=1e-12
    )
    value = CustomerValue.from_fitted(orders, SPEND, margin=0.4)
    every = SPEND.predict(table[["n_orders", "mean_value"]].to_numpy())
    np.testing.assert_allclose(value.predict(table, "26W"), forecast * every, rtol=1e-12)


@pytest.mark.parametrize("name", ORDERS)
def test_continuous_discounting_is_the_limit_of_short_steps(name, table):
    few = table.iloc[:40]
    value = CustomerValue.from_fitted(ORDERS[name], SPEND, annual_discount_rate=0.2, horizon="1Y")
    whole = value.predict(few)
    fine = value.set_params(timing="middle", period="1D").predict(few)
    np.testing.assert_allclose(whole, fine, rtol=1e-5)
    value.set_params(period="1M")
    by_timing = [value.set_params(timing=t).predict(few) for t in ("start", "middle", "end")]
    assert (by_timing[0] > whole).all()
    assert (by_timing[2] < whole).all()
    np.testing.assert_allclose(by_timing[1], whole, rtol=2e-4)


@pytest.mark.parametrize("name", ["BGNBD", "ParetoNBD"])
def test_a_long_horizon_comes_up_to_the_residual_value(name, table):
    few = table.iloc[:40]
    value = CustomerValue.from_fitted(ORDERS[name], SPEND, annual_discount_rate=0.3)
    residual = value.predict(few, "forever")
    long = value.predict(few, "40Y")
    assert (long <= residual * (1 + 1e-6)).all()
    np.testing.assert_allclose(long, residual, rtol=1e-3)
    dert = ORDERS[name].dert(few, annual_discount_rate=0.3)
    spend = SPEND.predict(few[["n_orders", "mean_value"]].to_numpy())
    np.testing.assert_allclose(residual, dert * spend, rtol=1e-12)
    with pytest.raises(HorizonError, match="above 0"):
        value.set_params(annual_discount_rate=0.0).predict(few, "forever")


def test_twelve_months_at_one_percent_a_month_are_as_computed(reference):
    entry = reference("value")["clv.12months"]
    X = pd.DataFrame(
        {
            "frequency": [2, 1, 0, 0, 0, 7, 1, 0, 2, 0],
            "recency": [30.43, 1.71, 0, 0, 0, 29.43, 5.0, 0, 35.71, 0],
            "T": [38.86] * 10,
            "monetary_value": [22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0],
        }
    )
    orders = BGNBD.from_params(r=0.24259332, alpha=4.41360, a=0.79294, b=2.42598, unit="W")
    spend = GammaGamma.from_params(p=6.24957, q=3.74422, gamma=15.4435)
    value = CustomerValue.from_fitted(
        orders,
        spend,
        orders="repeat",
        annual_discount_rate=1.01**12 - 1,
        horizon="12M",
        timing="end",
    )
    np.testing.assert_allclose(value.predict(X), entry["value"], rtol=2e-3)


def test_value_is_linear_in_margin_and_rises_with_the_horizon(model, table):
    by_column = CustomerValue.from_fitted(
        model.purchases_, model.spend_, margin="share", annual_discount_rate=0.15, horizon="12M"
    )
    shared = table.assign(share=np.linspace(0.1, 0.5, len(table)))
    np.testing.assert_allclose(
        by_column.predict(shared), model.predict(table) / 0.3 * shared["share"], rtol=1e-12
    )
    values = [model.predict(table, h) for h in ("1M", "6M", "12M", "36M")]
    assert (np.diff(values, axis=0) > 0).all()


def test_a_discount_rate_without_a_unit_is_refused(table):
    plain = pd.DataFrame(
        {c: table[c].to_numpy() for c in ("frequency", "recency", "T", "n_orders", "mean_value")}
    )
    orders = BGNBD.from_params(r=0.243, alpha=4.414, a=0.793, b=2.426)
    value = CustomerValue.from_fitted(orders, SPEND, annual_discount_rate=0.1)
    with pytest.raises(TimeUnitError, match="rate a year"):
        value.predict(plain, 26)
    assert value.set_params(annual_discount_rate=0.0).predict(plain, 26).shape == (len(plain),)
    with pytest.raises(TimeUnitError, match="no unit"):
        CustomerValue.from_fitted(ORDERS["BGNBD"], SPEND).predict(table, 26)
    with pytest.raises(HorizonError, match="how far to look"):
        value.predict(plain)


def test_the_table_explains_the_value_row_by_row(model, table):
    parts = model.explain(table)
    assert parts.index.equals(table.index)
    np.testing.assert_array_equal(parts["customer_id"], table["customer_id"])
    np.testing.assert_allclose(
        parts["value"],
        parts["discounted_orders"] * parts["expected_spend"] * parts["margin"],
    )
    assert (parts["discounted_orders"] <= parts["expected_orders"]).all()
    np.testing.assert_array_equal(parts["value"], model.predict(table))
    np.testing.assert_allclose(
        parts["expected_orders"], model.purchases_.predict(table, horizon="12M")
    )


def test_a_polars_table_gives_a_polars_table(model, table):
    pl = pytest.importorskip("polars")
    import custvalue._frames as frames

    facts = frames.facts_of(table)
    other = frames.with_facts(pl.from_pandas(table.head(5)), facts)
    assert type(model.explain(other)) is pl.DataFrame
    np.testing.assert_allclose(model.predict(other), model.predict(table)[:5])


class SteadyOrders(BaseEstimator):
    """Orders go on at the rate so far; the least that CustomerValue asks of an estimator."""

    def fit(self, X, y=None):
        self.unit_ = "W"
        return self

    def predict(self, X, horizon=None):
        return (X["n_orders"] / X["T"]).to_numpy() * in_units(horizon, "W")


def test_any_estimator_of_orders_will_do(table):
    value = CustomerValue(
        purchases=SteadyOrders(),
        spend=GammaGamma(),
        annual_discount_rate=0.1,
        horizon="12M",
    ).fit(table)
    out = value.predict(table)
    assert (out > 0).all()
    # orders come evenly, so the mean discount factor of a year is known
    rate = np.log(1.1)
    factor = (1 - np.exp(-rate)) / rate
    spend = value.spend_.predict(table[["n_orders", "mean_value"]].to_numpy())
    plain = table["n_orders"] / table["T"] * 365.25 / 7 * spend
    np.testing.assert_allclose(out, plain * factor, rtol=1e-9)
    for ask in (value.predict_interval, value.predict_chance, value.draws):
        with pytest.raises(NotSupportedError, match="SteadyOrders"):
            ask(table)
    # whose spread is not known has a total all the same
    assert list(value.predict_total(table)) == ["customers", "value"]


def test_discrete_opportunities_are_discounted_where_they_fall():
    orders = BGBB.from_params(alpha=1.204, beta=0.75, gamma=0.657, delta=2.783, unit="Y")
    X = pd.DataFrame({"frequency": [4], "recency": [5], "T": [6], "monetary_value": [30.0]})
    value = CustomerValue.from_fitted(orders, SPEND, orders="repeat", annual_discount_rate=0.1)
    by = np.diff([orders.predict(X, f"{t}Y")[0] for t in range(6)])
    expected = (by / 1.1 ** np.arange(1, 6)).sum() * SPEND.predict(X)[0]
    assert value.predict(X, "5Y")[0] == pytest.approx(expected, rel=1e-12)


def test_new_customers_are_worth_their_first_order_and_what_follows(model):
    spend = model.spend_.new_customer()
    with_first = model.new_customer_value()
    without = model.new_customer_value(include_first_order=False)
    assert with_first - without == pytest.approx(0.3 * spend)
    other = CustomerValue.from_fitted(model.purchases_, model.spend_, margin="share", horizon="12M")
    with pytest.raises(NotSupportedError, match="is a column"):
        other.new_customer_value()


def test_equity_is_the_base_and_the_plan(model, table):
    found = model.equity(table, acquired=[10, 20], acquisition_cost=3.0)
    assert found.loc["current", "value"] == pytest.approx(model.predict(table).sum())
    each = model.new_customer_value() - 3.0
    monthly = 1.15 ** (-np.array([0.5, 1.5]) / 12)
    assert found.loc["acquired", "value"] == pytest.approx(each * (monthly @ [10, 20]))
    assert found.loc["equity", "customers"] == len(table) + 30
    assert model.equity(table).loc["acquired", "value"] == 0.0


def test_prediction_intervals_are_quantiles_of_simulated_outcomes(table):
    few = table.iloc[[0, 7, 20, 60]]
    orders = ORDERS["ParetoNBD"]
    value = CustomerValue.from_fitted(orders, SPEND, margin=0.5, orders="repeat")
    rng = np.random.default_rng(2)
    size = 40_000
    counts = orders.sample_future(few, "52W", size=size, random_state=rng)
    shape, rate = gamma_gamma.posterior(few["frequency"], few["monetary_value"], *SPEND.params_)
    nu = rng.gamma(shape[:, None], size=(4, size)) / rate[:, None]
    total = 0.5 * rng.gamma(np.maximum(6.25 * counts, 1e-12)) / nu * (counts > 0)
    found, mean = value.predict_interval(few, "52W", level=0.8), value.predict(few, "52W")
    for i in range(4):
        for end, u in zip(found[i], (0.1, 0.9), strict=True):
            below = (total[i] <= end).mean()
            # an end that is drawn to the expected value, to hold it, leaves more below
            if end > 0 and end != mean[i]:
                assert abs(below - u) < 5 * np.sqrt(u * (1 - u) / size)
            else:
                assert below >= u - 5 * np.sqrt(u * (1 - u) / size)


def test_parameter_intervals_agree_with_parameter_draws(model, table):
    few = table.iloc[:6]
    found = model.predict_interval(few, level=0.8, kind="parameter")
    value = model.predict(few)
    assert ((found[:, 0] < value) & (value < found[:, 1])).all()
    orders = model.purchases_.parameter_draws(200, random_state=1)
    spends = model.spend_.parameter_draws(200, random_state=2)
    drawn = np.array(
        [
            CustomerValue.from_fitted(
                MBGNBD.from_params(unit="W", **dict(zip(("r", "alpha", "a", "b"), o, strict=True))),
                GammaGamma.from_params(p=s[0], q=s[1], gamma=s[2]),
                margin=0.3,
                annual_discount_rate=0.15,
            ).predict(few, "12M")
            for o, s in zip(orders, spends, strict=True)
        ]
    )
    low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
    np.testing.assert_allclose(np.log(found[:, 1] / found[:, 0]), np.log(high / low), rtol=0.25)


def test_totals_add_up_and_widen_by_both_kinds_of_uncertainty(model, table):
    by = np.where(table["frequency"] > 0, "repeat", "once")
    groups, whole = model.predict_total(table, groups=by), model.predict_total(table)
    assert groups["customers"].sum() == len(table)
    assert groups["value"].sum() == pytest.approx(whole.loc["all", "value"])
    assert whole.loc["all", "outcome_sd"] == pytest.approx(
        np.sqrt((groups["outcome_sd"] ** 2).sum())
    )
    # errors of the parameters are shared: they add up with their signs
    one, other = groups["parameter_error"]
    assert abs(one - other) <= whole.loc["all", "parameter_error"] <= one + other
    assert (whole["lower"] < whole["value"]).all()
    assert (whole["value"] < whole["upper"]).all()
    with pytest.raises(ValueError, match="a group a row"):
        model.predict_total(table, groups=["a"])


def test_outcome_variance_agrees_with_simulation(table):
    few = table.iloc[[0, 7, 20, 60]]
    orders = ORDERS["BGNBD"]
    spend = GammaGamma.from_params(p=6.0, q=9.0, gamma=40.0)
    value = CustomerValue.from_fitted(orders, spend, orders="repeat")
    rng = np.random.default_rng(3)
    size = 60_000
    counts = orders.sample_future(few, "52W", size=size, random_state=rng)
    shape, rate = gamma_gamma.posterior(few["frequency"], few["monetary_value"], 6.0, 9.0, 40.0)
    nu = rng.gamma(shape[:, None], size=(4, size)) / rate[:, None]
    total = rng.gamma(np.maximum(6.0 * counts, 1e-12)) / nu * (counts > 0)
    variance, none = value._spread(value._read(few), value.terms("52W"))
    np.testing.assert_allclose(np.sqrt(variance), total.std(axis=1), rtol=0.06)
    np.testing.assert_allclose(none, (counts == 0).mean(axis=1), atol=0.01)


def test_a_fitted_value_travels_as_json_without_customers(model, table):
    text = json.dumps(model.to_dict(), allow_nan=False)
    assert len(text) < 8_000
    again = CustomerValue.from_dict(json.loads(text))
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    for kind in ("outcome", "parameter"):
        np.testing.assert_array_equal(
            again.predict_interval(table.iloc[:5], kind=kind),
            model.predict_interval(table.iloc[:5], kind=kind),
        )
    for name in ("margin", "annual_discount_rate", "horizon", "timing", "period"):
        assert getattr(again, name) == getattr(model, name)
    assert again.purchases_.fit_report() == model.purchases_.fit_report()


def test_a_value_of_timedeltas_and_a_margin_column_travels_too(table):
    value = CustomerValue.from_fitted(
        ORDERS["BGNBD"], SPEND, margin="share", horizon=timedelta(days=91), period=timedelta(7)
    )
    again = CustomerValue.from_dict(json.loads(json.dumps(value.to_dict())))
    shared = table.assign(share=0.25)
    np.testing.assert_array_equal(again.predict(shared), value.predict(shared))


def test_a_value_that_cannot_travel_and_one_of_the_future_are_refused(model, table):
    rate = CustomerValue.from_fitted(SteadyOrders().fit(table), SPEND)
    with pytest.raises(NotSupportedError, match="SteadyOrders has no plain JSON form"):
        rate.to_dict()
    with pytest.raises(ValueError, match=r"schema 99; expected 'CustomerValue', schema 2"):
        CustomerValue.from_dict({**model.to_dict(), "schema": 99})
    with pytest.raises(ValueError, match="expected 'CustomerValue'"):
        CustomerValue.from_dict(model.purchases_.to_dict())


def test_constructor_only_stores_and_clones(table):
    value = CustomerValue(purchases=BGNBD(), spend=GammaGamma(), horizon="12M")
    assert clone(value).get_params()["horizon"] == "12M"
    fitted = value.fit(table)
    assert fitted.purchases_ is not value.purchases
    assert not hasattr(value.purchases, "params_")
    with pytest.raises(ValueError, match="timing="):
        fitted.set_params(timing="noon").predict(table)
    with pytest.raises(ValueError, match="orders="):
        CustomerValue(purchases=BGNBD(), orders="some").fit(table)
    for margin in (30, 1.01, float("nan"), True):
        fitted.set_params(timing="end", margin=margin)
        with pytest.raises(ValueError, match="margin="):
            fitted.predict(table)


def loyal(n, seed):
    """Customers of whom few have left: how their rates of leaving differ hardly shows."""
    rng = np.random.default_rng(seed)
    truth = ParetoNBD.from_params(r=0.8, alpha=12.0, s=0.5, beta=80.0)
    X = truth.sample_histories(n, rng.uniform(28.0, 40.0, n), random_state=seed)
    X["n_orders"] = X["frequency"] + 1
    X["mean_value"] = rng.gamma(6.0 * X["n_orders"]) / rng.gamma(3.7, 1 / 15.0, n) / X["n_orders"]
    return truth, X


@pytest.mark.parametrize("seed", [0, 4, 5])
def test_the_usual_law_has_no_edge_where_few_have_left(seed):
    truth, X = loyal(1000, seed)
    with pytest.warns(BoundaryFitWarning, match="no spread in drop-out"):
        ParetoNBD().fit(X)
    usual = CustomerValue(spend=GammaGamma(), horizon=36.0).fit(X)
    assert usual.purchases_.fit_report().status == "interior"
    said, true = usual.purchases_.predict(X, 36.0).sum(), truth.predict(X, 36.0).sum()
    total = usual.predict_total(X, level=0.95).iloc[0]
    assert abs(np.log(said / true)) < 2.0 * total["parameter_error"] / total["value"]


def test_what_the_usual_law_believes_fades_as_customers_come():
    _, X = loyal(1000, 1)
    many = CustomerValue(spend=GammaGamma(), horizon=36.0).fit(
        X, sample_weight=np.full(len(X), 1000)
    )
    np.testing.assert_allclose(
        many.purchases_.fitted_.values, ParetoNBD().fit(X).fitted_.values, rtol=0.01
    )


@pytest.mark.parametrize("annual", [0.0, 0.15])
def test_of_many_alike_each_is_worth_what_one_alone_is(model, table, annual, monkeypatch):
    """Histories come ten times over, with other spends: asked once, answered for each."""
    monkeypatch.setattr(_customer_value, "MANY", 100)
    rng = np.random.default_rng(2)
    whole = pd.concat([table.iloc[:60]] * 10).iloc[rng.permutation(600)].reset_index(drop=True)
    whole["monetary_value"] *= rng.uniform(0.5, 2.0, 600)
    more = {"annual_discount_rate": annual, "contact_cost": 0.1}
    valued = clone(model).set_params(**more).fit(table)
    few, _ = _customer_value._distinct(valued.purchases_, open_table(whole))
    assert few is not None  # it is the short way that is tried
    assert few.n <= 60
    parts = [whole.iloc[k : k + 50] for k in range(0, 600, 50)]
    alone = np.concatenate([valued.predict(part, "26W") for part in parts])
    np.testing.assert_allclose(valued.predict(whole, "26W"), alone, rtol=1e-12)
