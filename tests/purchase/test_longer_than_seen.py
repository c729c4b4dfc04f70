"""Customers observed far longer than any whom a law learned from: that is said, once a call."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import custvalue as cv
from custvalue.exceptions import DataWarning

LAWS = [cv.NBD, cv.BGNBD, cv.MBGNBD, cv.ParetoNBD]
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def early(cdnow_sample):
    return cv.summarize(cdnow_sample, **NAMES, as_of="1997-09-30", unit="W")


def later(table, weeks):
    moved = table.assign(T=table["T"] + weeks, silence=table["silence"] + weeks)
    moved = moved.drop(columns=["first_order", "last_order"])
    moved.attrs = dict(table.attrs)
    return moved


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("method", ["predict", "predict_proba_any"])
def test_it_is_said_how_many_rows_and_how_far(law, method, early):
    model = law().fit(early)
    longest = float(early["T"].max())
    far = later(early, 1.2 * longest)
    count = int((far["T"] > 2 * longest).sum())
    with pytest.warns(DataWarning, match=f"^{count:,} of {len(far):,} rows have 'T' up to") as told:
        found = getattr(model, method)(far, "26W")
    assert len(told) == 1
    assert law.__name__ in str(told[0].message)
    assert told[0].filename == __file__
    given = law.from_params(**model.params_._asdict(), unit="W")  # which saw nobody
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(found, getattr(given, method)(far, "26W"))


@pytest.mark.parametrize("law", LAWS)
def test_a_later_date_of_the_same_shop_is_no_matter(law, early):
    model = law().fit(early)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(later(early, float(early["T"].max())), "26W")  # twice the longest, no more


def test_a_value_says_it_too_and_a_written_model_remembers(early):
    model = cv.CustomerValue(purchases=cv.MBGNBD(), spend=cv.GammaGamma(), horizon="26W").fit(early)
    far = later(early, 100.0)
    with pytest.warns(DataWarning, match="extrapolated"):
        model.predict(far)
    again = cv.CustomerValue.from_dict(model.to_dict())
    with pytest.warns(DataWarning, match="extrapolated"):
        again.predict(far)
