"""A report says what it cannot work through before it begins, and how its log begins."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, DataWarning
from custvalue.report import make_report
from custvalue.report._backtest import chain, running_spend
from custvalue.report._work import warn_of_old_customers

NAMES = {"customer": "c", "time": "t", "amount": "a"}


def shop(*odd):
    rng = np.random.default_rng(1)
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 390, 60), "D")
    log = pd.DataFrame({"c": rng.integers(1, 12, 60), "t": when, "a": 9.0})
    more = pd.DataFrame({"c": 1, "t": [pd.Timestamp(o) for o in odd], "a": 5.0})
    return pd.concat([log, more]) if odd else log


@pytest.mark.parametrize(
    ("log", "asked", "says"),
    [
        (shop(), {"period": "1D"}, r"385 periods of 1D, and 364 in .* Give a longer period"),
        (shop(), {"horizon": "1000Y"}, r"13,045 in the horizon of 1000Y"),
        (shop(), {"as_of": "9999-12-31"}, r"The last order is of 2024-01-1.: give an earlier"),
        (shop("1900-01-01"), {}, r"as old as the first, of 1900-01-01: correct its date"),
    ],
)
def test_a_report_without_end_is_refused_before_it_begins(log, asked, says):
    with pytest.raises(DataContractError, match=f"too-many-periods: .*{says}"):
        make_report(log, **NAMES, **{"as_of": "2024-01-28", **asked})


def test_sums_between_those_asked_for_lie_on_the_curve(cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    history = cv.panel(cdnow_sample, **names, as_of="1997-09-30", period="4W")
    model = chain("52W", 0.0, 1.0).fit(history)
    latest = history.groupby("customer_id", sort=False).tail(1).iloc[::20]
    found = running_spend(model, latest, 28, 40)
    for k in (1, 7, 20, 33, 40):
        exact = float(model.predict(latest, horizon=f"{28 * k}D").sum())
        assert found[k] == pytest.approx(exact, rel=1e-3)
    assert found[0] == 0.0


def first_orders(counts):
    """Customers whose first order falls into each block of four weeks."""
    start = np.datetime64("2023-01-01")
    born = np.repeat(start + 28 * np.arange(len(counts)).astype("timedelta64[D]"), counts)
    return pd.DataFrame({"first_order": born})


def test_a_log_that_begins_in_the_middle_is_said():
    as_of = np.datetime64("2023-12-31")
    with pytest.warns(DataWarning, match="300 customers .* against 20 in four later ones"):
        warn_of_old_customers(first_orders([300, 90, 40, *[20] * 9]), as_of)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_old_customers(first_orders([300, 280, 250, *[0] * 9]), as_of)  # a cohort
        warn_of_old_customers(first_orders([30] * 12), as_of)  # a shop from its first day
        warn_of_old_customers(first_orders([10, *[1] * 11]), as_of)  # few customers say nothing
