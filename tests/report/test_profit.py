"""Profit instead of revenue: losses are losses, orders stay orders, and all of it adds up."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.exceptions import DataContractError
from custvalue.report import make_report, read_log

CALL = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1998-06-30"}


@pytest.fixture(scope="module")
def log(cdnow_sample):
    """Every third customer buys at a loss of a fifth, the others at a margin of 40 %."""
    rows = cdnow_sample[cdnow_sample["amount"] > 0]
    margin = np.where(rows["customer_id"] % 3 == 0, -0.2, 0.4)
    gain = margin * rows["amount"]
    return rows.assign(share=margin, gain=gain, cost=rows["amount"] - gain)


def drawn(profit, spend, n):
    """Own margins drawn to that of all by credibility (Buehlmann & Straub 1970), by hand."""
    own, group = profit / spend, profit.sum() / spend.sum()
    off = (own - group) ** 2
    each, by_orders = off.mean(), (n * off).sum() / n.sum()
    noise = max((each - by_orders) / ((1 / n).mean() - 1 / n.mean()), 0.0)
    between = by_orders - noise / n.mean()
    return (n * own + noise / between * group) / (n + noise / between)


@pytest.fixture(scope="module")
def spend(log, law_alone):
    return make_report(log, **CALL, models=law_alone)


@pytest.fixture(scope="module")
def profit(log, law_alone):
    return make_report(log, **CALL, profit="gain", models=law_alone, currency="USD")


def test_orders_and_spend_are_those_of_the_purchases(spend, profit):
    for name in ("customer_id", "n_orders", "total_value", "chance_of_order", "segment"):
        assert profit.customers[name].equals(spend.customers[name]), name
    assert profit.ledger["dropped"] == spend.ledger["dropped"]


def test_profit_so_far_is_the_sum_of_the_rows(log, profit):
    by_hand = log.groupby("customer_id")["gain"].sum()
    table = profit.customers.set_index("customer_id")
    pd.testing.assert_series_equal(
        table["total_profit"], by_hand.reindex(table.index), check_names=False
    )
    base = profit.facts["base"]
    assert base["profit"] == pytest.approx(log["gain"].sum())
    assert base["margin"] == pytest.approx(log["gain"].sum() / log["amount"].sum())
    assert base["loss_customers"] == (by_hand < 0).sum() > 0
    assert base["loss"] == pytest.approx(by_hand[by_hand < 0].sum())
    assert profit.segments["profit"].sum() == pytest.approx(base["profit"])
    lately = pd.to_datetime(log["date"]) > pd.Timestamp("1998-06-30") - pd.Timedelta(days=13 * 28)
    assert base["last_value"] == pytest.approx(log.loc[lately, "gain"].sum())


def test_expected_profit_is_expected_spend_at_each_customers_margin(spend, profit):
    table = profit.customers
    margin = drawn(table["total_profit"], table["total_value"], table["n_orders"])
    assert margin.to_numpy() == pytest.approx(
        np.where(table["customer_id"] % 3 == 0, -0.2, 0.4), abs=0.07
    )
    by_hand = spend.customers["future_value"] * margin
    np.testing.assert_allclose(profit.customers["future_value"], by_hand, rtol=1e-9)
    base = profit.facts["base"]
    assert base["future_value"] == pytest.approx(by_hand.sum())
    assert base["future_low"] < base["future_value"] < base["future_high"]
    assert base["future_loss_customers"] == (margin < 0).sum()
    ends = profit.customers[["future_value_low", "future_value_high"]].to_numpy()
    assert (ends[:, 0] <= by_hand + 1e-9).all()
    assert (by_hand <= ends[:, 1] + 1e-9).all()


@pytest.mark.parametrize("way", [{"cost": "cost"}, {"margin": "share"}])
def test_a_cost_and_a_column_of_margins_say_the_same(log, profit, law_alone, way):
    made = make_report(log, **CALL, **way, models=law_alone)
    for name in ("total_profit", "future_value", "at_stake"):
        np.testing.assert_allclose(made.customers[name], profit.customers[name], atol=1e-6)


def test_one_margin_for_all_rows_is_that_margin_as_a_number(log, law_alone):
    offer = {"response": 0.05, "contact_cost": 0.5, "models": law_alone}
    number = make_report(log, **CALL, **offer, margin=0.3)
    column = make_report(log.assign(cost=0.7 * log["amount"]), **CALL, **offer, cost="cost")
    for name in ("future_value", "future_value_low", "future_value_high", "at_stake"):
        np.testing.assert_allclose(column.customers[name], number.customers[name], atol=1e-6)
    assert column.facts["base"]["future_low"] == pytest.approx(number.facts["base"]["future_low"])
    assert column.facts["quiet"]["plan"]["gain"] == pytest.approx(
        number.facts["quiet"]["plan"]["gain"]
    )


def test_a_blend_values_who_brings_losses_below_nothing(log):
    """Parts that know states alone would give them what others of their state bring."""
    from custvalue.data import TransactionLog
    from custvalue.evaluation import StackedValue
    from custvalue.markov import MarkovCLVEstimator
    from custvalue.purchase import MBGNBD
    from custvalue.value import CustomerValue

    parts = {"law": CustomerValue(purchases=MBGNBD()), "chain": MarkovCLVEstimator()}
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    rows = TransactionLog(log, **names, as_of="1998-06-30", profit="gain")
    model = StackedValue(parts, horizon="26W").fit(rows)
    assert min(model.weights().values()) > 0.1
    table = rows.summary()
    margin = drawn(table["total_profit"], table["total_value"], table["n_orders"]).to_numpy()
    value = model.predict(rows)
    np.testing.assert_allclose(
        value, margin * model.set_params(margin=1.0).predict(rows), rtol=1e-9
    )
    model.set_params(margin=None)
    total = model.predict_total(rows, groups=np.where(margin < 0, "loss", "gain"))
    assert total.loc["loss", "value"] == pytest.approx(value[margin < 0].sum())
    assert total.loc["loss", "upper"] < 0 < total.loc["gain", "lower"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_profit_and_losses(profit, log, law_alone, language):
    made = profit
    if language == "zh":
        made = make_report(log, **CALL, profit="gain", models=law_alone, language="zh")
    base = made.facts["base"]
    said = {
        "en": ("Profit so far", "customers have brought a loss so far", "future profit"),
        "zh": ("累计利润", "位客户带来亏损", "未来利润"),
    }
    for text in said[language]:
        assert text in made.html
    assert f"{base['loss_customers']:,}" in made.html
    assert "gain" in made.html
    assert "not given" not in made.html
    assert "未给出" not in made.html.split("<main")[0]
    assert re.search(r"−(USD )?[\d,]+", made.html)


def test_without_losses_the_page_speaks_of_none(log, law_alone):
    made = make_report(log.assign(share=0.4), **CALL, margin="share", models=law_alone)
    assert "Profit so far" in made.html
    assert "brought a loss" not in made.html


@pytest.mark.parametrize(
    ("way", "error", "says"),
    [
        ({"cost": "cost", "profit": "gain"}, ValueError, "cost= and profit= tell the same"),
        ({"margin": 0.3, "cost": "cost"}, ValueError, "give one of them"),
        ({"cost": "costs"}, DataContractError, "'costs'"),
        ({"cost": 5.0}, ValueError, "name of one column"),
        ({"profit": "word"}, DataContractError, "not numeric"),
        ({"margin": "percent"}, DataContractError, "Divide per cents by 100"),
    ],
)
def test_profit_that_cannot_be_told_is_refused(log, way, error, says):
    given = log.head(50).assign(word="x", percent=30.0)
    with pytest.raises(error, match=says):
        make_report(given, **CALL, **way)


def test_a_log_that_only_loses_says_so(law_alone):
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(120) * 3, unit="D")
    rows = pd.DataFrame({"c": np.arange(120) % 15, "t": days, "a": 10.0, "gain": -1.0})
    made = make_report(rows, customer="c", time="t", amount="a", profit="gain", models=law_alone)
    base = made.facts["base"]
    assert base["profit"] == -120.0
    assert base["future_value"] < 0
    assert base["future_low"] <= base["future_value"] <= base["future_high"]
    assert ">nan<" not in made.html.lower()


def test_the_command_line_takes_numbers_and_columns(tmp_path, monkeypatch, capsys, log, profit):
    path = tmp_path / "log.csv"
    log.to_csv(path, index=False)
    call = [
        "custvalue", "report", path, "--customer", "customer_id", "--time", "date", "--amount",
        "amount", "--as-of", "1998-06-30", "--estimator", "law", "--out", tmp_path / "out",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*map(str, call), "--cost", "cost"])
    assert cli.run() == 0, capsys.readouterr().err
    table = pd.read_csv(tmp_path / "out" / "customers.csv")
    np.testing.assert_allclose(table["total_profit"], profit.customers["total_profit"], atol=1e-6)
    for wrong, says in (
        (["--margin", "shares"], "'shares'"),
        (["--margin", "30"], "30 % is 0.3"),
        (["--margin", "0.3", "--profit", "gain"], "give one"),
    ):
        monkeypatch.setattr(sys, "argv", [*map(str, call), *wrong, "--force"])
        assert cli.run() == 2
        assert says in capsys.readouterr().err


def test_a_column_of_money_is_read_with_its_marks(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("c;t;a;k\n1;2024-01-01;1.200,50;1.000,25\n", encoding="utf-8")
    call = {"customer": "c", "time": "t", "amount": "a", "decimal": ",", "thousands": "."}
    assert read_log(path, **call, money=["k"])["k"].tolist() == [1000.25]
    path.write_text("c,t,a,k\n1,2024-01-01,1,cheap\n", encoding="utf-8")
    with pytest.raises(DataContractError, match="column 'k'"):
        read_log(path, customer="c", time="t", amount="a", money=["k"])
