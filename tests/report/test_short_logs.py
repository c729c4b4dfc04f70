"""A log of a few rows gets a page or a clear refusal, never a traceback or a figure of nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataContractError
from custvalue.report import make_report

NAMES = {"customer": "c", "time": "t", "amount": "a"}
START = pd.Timestamp("2024-01-01")


def log(customers, days, amounts=10.0):
    return pd.DataFrame(
        {"c": customers, "t": START + pd.to_timedelta(np.asarray(days, dtype=float), "D"),
         "a": amounts}
    )  # fmt: skip


PAGES = {
    "one customer on two days": (log([1, 1], [0, 1], [5.0, 6.0]), {}),
    "one row, looked at later": (log([1], [4]), {"as_of": "2024-06-30"}),
    "thirty customers on one day, looked at later": (
        log(range(30), [4] * 30, np.arange(30) + 1.0),
        {"as_of": "2024-06-30"},
    ),
    "two customers years apart": (log([1, 2], [0, 1100]), {}),
    "twenty days": (log(np.arange(60) % 20, np.arange(60) // 3), {}),
    "a week of hours": (log([1, 1, 2, 2], [0.1, 1.5, 3.2, 6.9]), {"period": "1W"}),
    "one-time buyers at one price": (log(range(50), np.arange(50) * 5), {}),
    "who only gave back": (
        log([1, 2, 2], [0, 1, 60], [-5.0, 6.0, 7.0]),
        {"refunds": "net_occasion"},
    ),
    "an amount beside which all others are nothing": (
        log([1, 1, 2, 3] * 5, np.arange(20) * 9, [1e9, 2.0, 3.0, 4.0] * 5),
        {},
    ),
}
REFUSED = {
    "one row": (log([1], [4]), "no-time-observed"),
    "one day": (log(range(30), [4] * 30, np.arange(30) + 1.0), "no-time-observed"),
    "hours of one day": (log([1, 1, 2], [0.1, 0.3, 0.5]), "no-time-observed"),
    "nothing but zeros": (log([1, 2], [0, 9], 0.0), "no-customers"),
}


def page(table, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_report(table, **NAMES, **options)


@pytest.mark.parametrize("name", list(PAGES))
def test_a_short_log_gets_its_page(name):
    table, options = PAGES[name]
    report = page(table, **options)
    said = (report.html + report.summary_text()).lower()
    for nothing in (">nan<", "nan %", "nan%", ">inf<", " nan ", " inf "):
        assert nothing not in said
    assert len(report.customers) == table["c"].nunique() - (name == "who only gave back")


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_log_of_which_nothing_can_be_said_is_refused_with_its_cure(name):
    table, code = REFUSED[name]
    with pytest.raises(DataContractError) as caught:
        page(table)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert "as-of date" in str(caught.value)
