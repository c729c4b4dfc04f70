"""A forecast that was fitted before is asked of today's log, and said to be of that day."""

from __future__ import annotations

import copy
import json
import sys

import pandas as pd
import pytest

from custvalue import cli, monthly
from custvalue.data import TransactionLog
from custvalue.evaluation import BestValue
from custvalue.exceptions import DataContractError
from custvalue.purchase import MBGNBD
from custvalue.report import make_report
from custvalue.value import CustomerValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
LINES = ["--customer=customer_id", "--time=date", "--amount=amount", "--as-of=1998-06-30"]


@pytest.fixture(scope="module")
def fitted(cdnow_sample, law_alone):
    log = TransactionLog(cdnow_sample, **NAMES, as_of="1998-03-31")
    return BestValue(law_alone, progress=False).fit(log)


def never(*_):
    raise AssertionError("fitted again")


def test_the_forecast_fitted_on_the_same_log_makes_the_same_page(
    cdnow_sample, law_alone, fitted, monkeypatch
):
    asked = {**NAMES, "as_of": "1998-03-31", "margin": 0.3, "horizon": "26W"}
    anew = make_report(cdnow_sample, **asked, models=law_alone)
    monkeypatch.setattr(BestValue, "fit", never)
    given = make_report(cdnow_sample, **asked, forecast=fitted)
    pd.testing.assert_frame_equal(anew.customers, given.customers)
    assert anew.html == given.html
    assert fitted.horizon is None  # the user's own stays as it is


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_older_forecast_says_of_which_day_it_is(cdnow_sample, fitted, monkeypatch, language):
    monkeypatch.setattr(BestValue, "fit", never)
    made = make_report(
        cdnow_sample, **NAMES, as_of="1998-06-30", margin=0.3, horizon="26W", forecast=fitted,
        language=language,
    )  # fmt: skip
    assert made.facts["forecast"]["learned_until"] == "1998-03-31"
    said = "until 1998-03-31" if language == "en" else "截至 1998-03-31"
    assert made.html.count(said) == 1
    # what it says is what the fitted model says of today's log
    log = TransactionLog(cdnow_sample, **NAMES, as_of="1998-06-30")
    asked = copy.copy(fitted).set_params(margin=0.3, annual_discount_rate=0.1)
    assert made.customers["future_value"].sum() == pytest.approx(
        asked.predict(log, horizon="26W").sum()
    )
    # dates of its tests are counted from the day it was fitted
    back = fitted.scores().query("method == 'forecast'")["days_back"]
    told = [one["date"] for one in made.facts["forecast"]["dates"]]
    assert told == [str((pd.Timestamp("1998-03-31") - pd.Timedelta(days=d)).date()) for d in back]


def test_a_forecast_that_knows_the_future_is_refused(cdnow_sample, fitted):
    with pytest.raises(
        DataContractError, match=r"until 1998-03-31, and the log ends on 1997-09-30"
    ):
        make_report(cdnow_sample, **NAMES, as_of="1997-09-30", forecast=fitted)


def test_a_forecast_that_knows_no_profit_is_not_asked_for_profits(cdnow_sample, law_alone, fitted):
    log = cdnow_sample.assign(gain=0.25 * cdnow_sample["amount"])
    asked = {**NAMES, "as_of": "1998-03-31", "profit": "gain", "horizon": "26W"}
    with pytest.raises(DataContractError, match="told no profit, and profit= says"):
        make_report(log, **asked, forecast=fitted)
    known = TransactionLog(log, **NAMES, as_of="1998-03-31", profit="gain")
    made = make_report(log, **asked, forecast=BestValue(law_alone, progress=False).fit(known))
    spend = make_report(log, **{**asked, "profit": None}, forecast=fitted)
    assert made.customers["future_value"].sum() == pytest.approx(
        0.25 * spend.customers["future_value"].sum(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("forecast", "models", "said"),
    [(BestValue(), None, "must be a fitted"), ("best", None, "must be a fitted"),
     (BestValue(), {}, "not both")],
)  # fmt: skip
def test_what_is_no_fitted_forecast_is_refused_at_once(cdnow_sample, forecast, models, said):
    with pytest.raises(ValueError, match=said):
        make_report(cdnow_sample, **NAMES, forecast=forecast, models=models)


@pytest.fixture(scope="module")
def files(tmp_path_factory, cdnow_sample, fitted):
    """A log, its forecast as `custvalue fit` writes it, and a model that no past has proven."""
    folder = tmp_path_factory.mktemp("given")
    cdnow_sample.to_csv(folder / "log.csv", index=False)
    log = TransactionLog(cdnow_sample, **NAMES, as_of="1998-03-31")
    for name, model in (("best", fitted), ("law", CustomerValue(purchases=MBGNBD()))):
        monthly.fit(log, model, horizon="26W").write(folder / f"{name}.json")
    return folder


def test_the_command_takes_a_forecast_from_its_file(files, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(BestValue, "fit", never)
    call = ["report", files / "log.csv", "--forecast", files / "best.json", "--out", tmp_path / "o"]
    monkeypatch.setattr(sys, "argv", ["custvalue", *map(str, call), *LINES])
    assert cli.run() == 0
    told = json.loads((tmp_path / "o" / "ledger.json").read_text())
    assert "report.html" in str(told)
    assert "fitted again" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--forecast", "law.json"], "has a CustomerValue, which no earlier date has tested"),
        (["--forecast", "best.json", "--estimator", "law"], "leave out --estimator"),
        (["--forecast", "log.csv"], "log.csv"),
    ],
)
def test_a_file_without_a_proven_forecast_is_refused(files, monkeypatch, capsys, more, said):
    monkeypatch.chdir(files)
    monkeypatch.setattr(sys, "argv", ["custvalue", "report", "log.csv", *more, *LINES])
    assert cli.run() == 2
    assert said in capsys.readouterr().err
