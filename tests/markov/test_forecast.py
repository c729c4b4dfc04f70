"""The chain behind the estimator: hidden classes against integrals, simulation and the law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

import custvalue as cv
from custvalue.markov import MarkovCLVEstimator, PanelStates
from custvalue.markov._forecast import hidden_period
from custvalue.markov._learn import hat_shares, staying_shares
from custvalue.purchase import NBD, ParetoNBD

COLUMNS = ["frequency", "recency", "T"]


@pytest.mark.parametrize(
    ("rate", "leaving", "length"),
    [(0.7, 0.2, 1.0), (3.0, 0.0, 0.5), (0.0, 1.5, 1.0), (8.0, 1e-6, 1.0)],
)
def test_a_period_of_a_hidden_class_is_what_integrals_over_its_life_say(rate, leaving, length):
    found = hidden_period(np.full((1, 1), rate), np.array([leaving]), length)
    stays = np.exp(-leaving * length)

    def over_lives(what):
        # a life that ends at a, and one that does not
        inner = quad(lambda a: leaving * np.exp(-leaving * a) * what(a), 0.0, length)[0]
        return inner, stays * what(length)

    gone, there = over_lives(lambda a: np.exp(-rate * a))
    assert found.none_goes[0, 0] == pytest.approx(gone, abs=1e-12)
    assert found.none_stays[0, 0] == pytest.approx(there, rel=1e-12)
    assert found.order_stays[0, 0] == pytest.approx(stays - there, abs=1e-12)
    assert found.order_goes[0, 0] == pytest.approx(1.0 - stays - gone, abs=1e-12)
    mean = over_lives(lambda a: rate * a)
    assert found.orders[0, 0] == pytest.approx(sum(mean), rel=1e-7)
    assert found.orders_stay[0, 0] == pytest.approx(mean[1], rel=1e-9)
    assert found.pairs[0, 0] == pytest.approx(sum(over_lives(lambda a: (rate * a) ** 2)), rel=1e-6)


def test_hats_keep_the_mean_of_a_gamma_and_share_all_of_it_out():
    shape, rate = np.array([0.3, 2.0, 40.0]), np.array([5.0, 9.0, 20.0])
    nodes = np.append(0.0, np.geomspace(1e-4, 6.0, 13))
    share = hat_shares(shape, rate, nodes)
    np.testing.assert_allclose(share.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(share @ nodes, shape / rate, rtol=1e-6)
    assert np.all(share >= 0.0)


def test_few_rates_of_leaving_keep_the_survival_of_a_pareto():
    s, rate = 0.6, np.linspace(12.0, 50.0, 7)
    nodes = np.append(0.0, np.geomspace(0.002, 0.4, 5))
    share = staying_shares(s, rate, nodes)
    for t in (0.5, 2.0, 10.0, 60.0, 300.0):
        right = (rate / (rate + t)) ** s
        np.testing.assert_allclose(share @ np.exp(-nodes * t), right, atol=0.004)


def simulated(seed, *, n=800, law=None):
    """A log of Pareto/NBD x Gamma-Gamma customers, its panel, and what came after."""
    rng = np.random.default_rng([seed, 77])
    law = law or ParetoNBD.from_params(r=0.55, alpha=10.6, s=0.6, beta=11.7, unit="W")
    log = law.sample(n, "76W", births="12W", random_state=seed)
    nu = rng.gamma(3.74, 1 / 15.44, n)
    log["amount"] = rng.gamma(6.25, 1 / nu[log["customer_id"]])
    cut = pd.Timestamp("2020-01-01") + pd.Timedelta(weeks=40)
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    panel = cv.panel(log[log["date"] < cut], **names, as_of=cut - pd.Timedelta(days=1), period="4W")
    last = panel.groupby("customer_id").tail(1)
    spent = log[log["date"] >= cut].groupby("customer_id")["amount"].sum()
    return panel, last, spent.reindex(last["customer_id"], fill_value=0.0).to_numpy()


@pytest.fixture(scope="module")
def shop():
    return simulated(1)


@pytest.mark.parametrize("states", [PanelStates(recency_max=3, frequency_classes=2), ["age"]])
@pytest.mark.parametrize("law", [ParetoNBD(), NBD()])
def test_orders_of_all_are_the_laws_whatever_the_states(shop, states, law):
    panel, last, _ = shop
    model = MarkovCLVEstimator(states, transitions="bayes", purchases=law).fit(panel)
    fitted = type(law)().fit(last[COLUMNS].to_numpy())
    for periods in (1, 5, 13, 65):
        own = model.explain(last, f"{4 * periods}W")["expected_orders"]
        right = fitted.predict(last[COLUMNS].to_numpy(), horizon=float(periods))
        assert own.sum() == pytest.approx(right.sum(), rel=0.004)
        # and those of a state are the mean of the law's answers for its customers
        state = model.explain(last, "4W")["state"].astype(str)
        means = pd.Series(right, index=last.index).groupby(state.to_numpy()).mean()
        told = own.groupby(state.to_numpy()).first()
        np.testing.assert_allclose(told, means[told.index], rtol=0.02)


def test_the_chance_of_no_order_is_the_laws(shop):
    panel, last, _ = shop
    model = MarkovCLVEstimator(transitions="bayes").fit(panel)
    law = ParetoNBD().fit(last[COLUMNS].to_numpy())
    for periods in (1, 6, 20):
        right = law.predict_proba_any(last[COLUMNS].to_numpy(), horizon=float(periods))
        said = model.predict_chance(last, f"{4 * periods}W")
        assert said.mean() == pytest.approx(right.mean(), abs=0.006)


def test_states_ahead_are_those_of_simulated_customers_of_the_hidden_classes(shop):
    panel, _, _ = shop
    states = PanelStates(recency_max=2, frequency_classes=2, monetary_classes=1)
    forecast = MarkovCLVEstimator(states, transitions="bayes").fit(panel).forecast_
    rng = np.random.default_rng(0)
    start, periods, n = 0, 3, 60_000
    there = forecast.weights[start]
    k = rng.choice(len(there) + 1, n, p=np.append(there, 1.0 - there.sum()))
    alive = k < len(there)
    rate = np.where(alive, np.append(forecast.rates, 0.0)[k], 0.0)
    leave = np.where(alive, np.append(forecast.leaving, 0.0)[k], 0.0)
    q1, q0 = (np.asarray(m.matrix()) for m in (forecast.on_order, forecast.on_none))
    at = np.full(n, start)
    for _ in range(periods):
        life = np.where(leave > 0, rng.exponential(1.0, n) / np.maximum(leave, 1e-12), np.inf)
        orders = rng.poisson(rate * np.minimum(life, 1.0) * alive)
        alive &= life > 1.0
        u = rng.random(n)[:, None]
        rows = np.where((orders > 0)[:, None], q1[at], q0[at])
        at = (rows.cumsum(axis=1) < u).sum(axis=1)
    share = np.bincount(at, minlength=len(forecast.states)) / n
    np.testing.assert_allclose(forecast.states_ahead(periods)[start], share, atol=0.012)
    np.testing.assert_allclose(forecast.states_ahead(1), forecast.chain().dense(), atol=1e-9)


def test_variance_is_that_of_simulated_outcomes(shop):
    panel, _, _ = shop
    states = PanelStates(recency_max=2, frequency_classes=2, monetary_classes=1)
    model = MarkovCLVEstimator(
        states, transitions="bayes", annual_discount_rate=0.3, timing="end"
    ).fit(panel)
    forecast, terms = model.forecast_, model.terms("12W")
    rng = np.random.default_rng(1)
    start, n = 0, 200_000
    there = forecast.weights[start]
    k = rng.choice(len(there) + 1, n, p=np.append(there, 1.0 - there.sum()))
    alive = k < len(there)
    rate = np.where(alive, np.append(forecast.rates, 0.0)[k], 0.0)
    leave = np.where(alive, np.append(forecast.leaving, 0.0)[k], 0.0)
    q1, q0 = (np.asarray(m.matrix()) for m in (forecast.on_order, forecast.on_none))
    at, paid = np.full(n, start), np.zeros(n)
    shape = 1.0 / forecast.variation[0]
    for h in range(3):
        life = np.where(leave > 0, rng.exponential(1.0, n) / np.maximum(leave, 1e-12), np.inf)
        orders = rng.poisson(rate * np.minimum(life, 1.0) * alive)
        alive &= life > 1.0
        spent = rng.gamma(np.maximum(shape * orders, 1e-300)) / shape * (orders > 0)
        paid += 1.3 ** (-28 * (h + 1) / 365.25) * spent * forecast.profit[at]
        u = rng.random(n)[:, None]
        rows = np.where((orders > 0)[:, None], q1[at], q0[at])
        at = (rows.cumsum(axis=1) < u).sum(axis=1)
    assert forecast.values(terms)[start] == pytest.approx(paid.mean(), rel=0.03)
    assert forecast.variance(terms)[start] == pytest.approx(paid.var(), rel=0.06)
    assert forecast.none(terms)[start] == pytest.approx((paid == 0).mean(), abs=0.005)


def test_totals_of_simulated_shops_lie_where_their_intervals_say():
    off = []
    for seed in range(10, 18):
        panel, last, came = simulated(seed)
        row = MarkovCLVEstimator(horizon="36W").fit(panel).predict_total(last).iloc[0]
        error = np.hypot(row["parameter_error"], row["outcome_sd"])
        off.append((came.sum() - row["value"]) / error)
    square = float(np.sum(np.square(off)))
    # eight standard normals; a biased chain of counts is off by ten errors each time
    assert chi2.ppf(0.0005, 8) < square < chi2.ppf(0.9995, 8)


@pytest.mark.parametrize("rate", [4.0, 8.0])
def test_frequent_buyers_are_forecast_without_bias(rate):
    # nobody leaves; an as-of date that cuts the first period to eleven days
    rng = np.random.default_rng(int(rate))
    n, known, ahead = 400, 151, 140
    own = rng.gamma(1.4, rate / 28.0 / 1.4, n)
    owner = np.repeat(np.arange(n), rng.poisson(own * (known + ahead)) + 1)
    day = np.floor(rng.random(len(owner)) * (known + ahead)).astype(int)
    day[np.append(True, owner[1:] != owner[:-1])] = rng.integers(0, 11, n)
    log = pd.DataFrame({"who": owner, "day": day, "paid": 10.0})
    log["when"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(log["day"], unit="D")
    born = log["who"].map(log.groupby("who")["day"].min())
    names = {"customer": "who", "time": "when", "amount": "paid"}
    end = pd.Timestamp("2022-01-01") + pd.Timedelta(days=known - 1)
    panel = cv.panel(log[log["day"] < known], **names, as_of=end, period="4W")
    last = panel.groupby("who").tail(1)
    later = log[(log["day"] >= known) & log["who"].isin(last["who"]) & (born < known)]
    came = 10.0 * len(later)
    said = MarkovCLVEstimator(horizon=f"{ahead}D").fit(panel).predict(last).sum()
    assert said == pytest.approx(came, rel=0.06)


def test_a_chain_forecasts_cdnow_decently(cdnow):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    panel = cv.panel(cdnow, **names, as_of="1997-09-30", period="4W")
    last = panel.groupby("customer_id").tail(1)
    later = cdnow[(cdnow["date"] > "1997-09-30") & (cdnow["date"] <= "1998-06-30")]
    spent = later.groupby("customer_id")["amount"].sum()
    came = spent.reindex(last["customer_id"], fill_value=0.0).to_numpy()
    value = MarkovCLVEstimator(horizon="39W").fit(panel).predict(last)
    assert 0.85 < value.sum() / came.sum() < 1.15
    assert cv.metrics.normalized_gini_score(came, value) > 0.70


def test_a_chain_is_as_unsure_of_its_total_as_the_law_behind_it(shop):
    panel, last, _ = shop
    names = ["frequency", "recency", "T", "n_orders", "mean_value", "first_order", "period_end"]
    law = cv.CustomerValue(horizon="36W").fit(last[names])
    chain = MarkovCLVEstimator(transitions="bayes", horizon="36W").fit(panel)
    mine, theirs = (m.predict_total(last).iloc[0]["parameter_error"] for m in (chain, law))
    assert mine == pytest.approx(theirs, rel=0.3)
