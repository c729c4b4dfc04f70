"""Value of contracts: laws of value models, Fader & Hardie's residual lifetime, past dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.contracts import (
    BetaDiscreteWeibull,
    ContractValue,
    ExponentialGamma,
    SubscriptionTable,
)
from custvalue.contracts._calendar import Calendar
from custvalue.exceptions import DataContractError, HorizonError
from custvalue.purchase import ShiftedBetaGeometric

LAW = ShiftedBetaGeometric.from_params(alpha=0.8, beta=6.0, unit="M")


X = pd.DataFrame(
    {"frequency": [2.0, 3.0, 1.0], "recency": [2.0, 3.0, 1.0], "T": [2.0, 3.0, 4.0],
     "duration": [2.5, 3.75, 1.0], "ended": [0, 0, 1], "to_renewal": [0.5, 0.25, 1.0],
     "price": [10.0, 20.0, 30.0]}
)  # fmt: skip


def valued(law=LAW, **terms):
    """A model with a given law: what it expects can be summed by hand."""
    return ContractValue.from_fitted(law, price=20.0, **terms)


def book(n=1500, seed=5):
    rng = np.random.default_rng(seed)
    start = np.datetime64("2021-01-01") + rng.integers(0, 700, n)
    months = np.minimum(rng.geometric(np.maximum(rng.beta(0.7, 6.0, n), 1e-4)), 999)
    end = Calendar.of("M").after(start, months)
    rows = pd.DataFrame({"who": np.arange(n), "from": start, "fee": rng.choice([5.0, 20.0], n)})
    rows["to"] = pd.Series(end).where(end <= np.datetime64("2023-12-31"))
    return SubscriptionTable(
        rows, customer="who", start="from", end="to", money="fee", as_of="2023-12-31"
    )


def test_the_value_is_the_sum_of_payments_each_with_its_chance():
    model = valued(annual_discount_rate=0.1)
    rate = 1.1 ** (1 / 12)
    first = sum(
        10.0 * float(LAW.predict_alive(X[:1], at=f"{k}M")[0]) * rate ** -(0.5 + k - 1)
        for k in range(1, 7)
    )
    found = model.predict(X, "6M")
    assert found[0] == pytest.approx(first, rel=1e-9)
    assert found[2] == 0.0
    assert model.predict_chance(X, "6M")[1] == pytest.approx(LAW.predict_alive(X, at="1M")[1])
    assert model.predict(X, "7D")[1] == 0.0  # the next date is a week and a day off
    model.set_params(timing="end")
    late = sum(
        10.0 * float(LAW.predict_alive(X[:1], at=f"{k}M")[0]) * rate**-k for k in range(1, 7)
    )
    assert model.predict(X, "6M")[0] == pytest.approx(late, rel=1e-9)


def test_for_ever_it_is_the_discounted_residual_lifetime():
    model = valued(annual_discount_rate=0.1)
    derl = LAW.derl(X, 0.1) * [10.0, 20.0, 30.0]
    wait = 1.1 ** (-X["to_renewal"] / 12)
    np.testing.assert_allclose(model.predict(X, "forever"), derl * wait, rtol=1e-9)
    with pytest.raises(HorizonError, match="does not converge"):
        valued().predict(X, "forever")


@pytest.mark.parametrize(
    "law",
    [
        LAW,
        BetaDiscreteWeibull.from_params(alpha=0.8, beta=6.0, c=1.3, unit="M"),
        ExponentialGamma.from_params(r=1.1, alpha=9.0, unit="M"),
    ],
)
def test_outcomes_are_those_of_the_law(law):
    model = valued(law)
    drawn = model.draws(X, "12M", n_draws=40_000, random_state=1)
    mean, spread = drawn.mean(axis=0), drawn.std(axis=0)
    np.testing.assert_allclose(mean, model.predict(X, "12M"), atol=0.8)
    variance, none = model._spread(model._read(X), model.terms("12M"))
    np.testing.assert_allclose(np.sqrt(variance), spread, rtol=0.02)
    np.testing.assert_allclose(none, (drawn == 0).mean(axis=0), atol=0.01)
    ends = model.predict_interval(X, "12M", level=0.5)
    share = ((drawn >= ends[:, 0]) & (drawn <= ends[:, 1])).mean(axis=0)
    assert (share[:2] >= 0.5).all()
    assert set(np.round(drawn[:, 0] / 10.0)) == set(range(13))


def test_equity_newcomers_and_words():
    model = valued(margin=0.5, contact_cost=1.0)
    both, later = (model.new_customer_value("12M", include_first_order=v) for v in (True, False))
    price = 0.5 * 20.0 - 1.0
    assert both - later == pytest.approx(price)
    assert later == pytest.approx(price * float(LAW.new_customer("12M")))
    told = model.explain(X, "12M")
    np.testing.assert_allclose(told["discounted_renewals"], told["expected_renewals"])
    np.testing.assert_allclose(
        told["value"], told["discounted_renewals"] * (told["profit_per_period"] - 1.0)
    )
    assert told["under_contract"].tolist() == [True, True, False]


def test_it_knows_of_past_dates_what_was_known_then_and_beats_the_naive():
    contracts = book()
    result = cv.backtest(
        {"contracts": ContractValue(), "aged": ContractValue(BetaDiscreteWeibull())},
        contracts,
        cutoffs=["2022-12-31", "2022-09-30"],
        horizon="26W",
    )
    table = result.table.set_index(["estimator", "cutoff"]).sort_index()
    ours, naive = table.loc["contracts"], table.loc["last period repeated"]
    assert (ours["total_bias"].sub(1).abs() < 0.06).all() or (ours["total_bias"].abs() < 0.06).all()
    assert (ours["mae"] < naive["mae"]).all()
    assert (ours["coverage"] >= 0.78).all()
    assert ours["brier"].max() < 0.1
    again = ContractValue().fit(contracts.until("2022-12-31").contracts(spells=True))
    worth = again.predict(contracts.until("2022-12-31").contracts(), "26W").sum()
    assert table.loc[("contracts", "2022-12-31"), "predicted_total"] == pytest.approx(worth)
    with pytest.raises(ValueError, match="reads contracts, and the log has none"):
        cv.backtest(ContractValue(), contracts.log, cutoffs=["2022-12-31"], horizon="26W")


def test_what_is_no_table_of_contracts_is_refused():
    model = valued()
    with pytest.raises(DataContractError, match="reads columns by name"):
        model.predict(X.to_numpy(), "6M")
    bad = X.assign(to_renewal=[0.0, 0.5, 2.0], price=[-1.0, 1.0, 1.0])
    with pytest.raises(DataContractError) as told:
        model.predict(bad, "6M")
    assert [list(p.rows) for p in told.value.problems] == [[0, 2], [0]]
    with pytest.raises(DataContractError, match="price"):
        model.predict(X.drop(columns="price"), "6M")


def test_columns_of_customers_move_their_values():
    """Customers of two channels: each is worth what a law of that channel alone says."""
    told = {"leave": {"channel": {"ad": 0.0, "friend": -0.8}}}
    law = ShiftedBetaGeometric.from_params(alpha=0.8, beta=6.0, unit="M", effects=told)
    Z = X.assign(channel=["ad", "friend", "ad"])
    model = ContractValue.from_fitted(law, annual_discount_rate=0.1)
    found = model.predict(Z, "8M")
    for i, name in enumerate(Z["channel"]):
        alone = Z.iloc[[i]]
        rate, wait = 1.1 ** (1 / 12), X["to_renewal"][i]
        count = int(np.floor(8 - wait)) + 1
        stays = [float(law.predict_alive(alone, at=f"{k}M")[0]) for k in range(1, count + 1)]
        worth = sum(s * rate ** -(wait + k) for k, s in enumerate(stays))
        assert found[i] == pytest.approx(X["price"][i] * worth, rel=1e-9), name
    drawn = model.draws(Z, "8M", n_draws=20_000, random_state=2).mean(axis=0)
    np.testing.assert_allclose(drawn, found, atol=0.8)
    plain = ContractValue.from_fitted(LAW, annual_discount_rate=0.1).predict(X, "8M")
    assert found[0] == pytest.approx(plain[0], rel=1e-9)
    assert found[1] > plain[1]


def test_a_fit_with_columns_answers_what_one_without_does():
    contracts = book(150)
    table = contracts.contracts()
    table["channel"] = np.where(np.arange(len(table)) % 3 > 0, "ad", "friend")
    model = ContractValue(ShiftedBetaGeometric(leave_columns=["channel"])).fit(table)
    worth = model.predict(table, "6M")
    total = model.predict_total(table, "6M", groups=table["channel"])
    assert total["value"].sum() == pytest.approx(worth.sum())
    assert (total["parameter_error"] > 0).all()
    again = ContractValue.from_dict(model.to_dict())
    np.testing.assert_allclose(again.predict(table, "6M"), worth, rtol=1e-12)
    with pytest.raises(NotImplementedError, match="a new customer has no row"):
        model.new_customer_value("6M")
