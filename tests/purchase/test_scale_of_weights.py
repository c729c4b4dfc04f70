"""Weights count customers: in whatever they are counted, the fit and its checks are the same."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, SelectionWarning

LAWS = [cv.NBD, cv.BGNBD, cv.MBGNBD, cv.ParetoNBD]


def turned_round(n):
    """Histories whose recency is small where orders are many, as silence's would be."""
    few, many = n // 2, n - n // 2
    x = np.r_[np.full(few, 2.0), np.full(many, 9.0)]
    t_x = np.r_[np.full(few, 20.0), np.full(many, 5.0)] + np.arange(n) / 100.0
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": np.full(n, 30.0)})


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("size", [1.0, 1e9, 1e-9])
def test_ten_customers_are_no_evidence_against_a_column_however_heavy(law, size):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = law().fit(turned_round(10))
        other = law().fit(turned_round(10), sample_weight=np.full(10, size))
    ours, theirs = one.fit_report(), other.fit_report()
    assert theirs.log_likelihood / size == pytest.approx(ours.log_likelihood, rel=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e9, 1e-9])
def test_eighty_are_and_so_is_their_compressed_table(size):
    X = turned_round(80)
    with pytest.raises(DataContractError, match="recency-is-silence"):
        cv.MBGNBD().fit(X, sample_weight=np.full(80, size))
    small = cv.compress(pd.concat([X] * 3, ignore_index=True))
    with pytest.raises(DataContractError, match="recency-is-silence"):
        cv.MBGNBD().fit(small, sample_weight=small["weight"] * size)


@pytest.mark.parametrize("size", [1.0, 1e9, 1e-9])
def test_who_is_selected_is_told_of_many_customers_not_of_heavy_ones(size):
    rng = np.random.default_rng(4)
    X = cv.NBD.from_params(r=2.0, alpha=5.0).sample_histories(400, T=30.0, random_state=rng)
    X = X[X["frequency"] > 0][["frequency", "recency", "T"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SelectionWarning)
        cv.NBD().fit(X.head(40), sample_weight=np.full(40, size))
    with pytest.warns(SelectionWarning):
        cv.NBD().fit(X, sample_weight=np.full(len(X), size))


@pytest.mark.parametrize("law", [cv.NBD, cv.GammaGamma])
def test_a_bootstrap_of_less_than_a_customer_is_refused(law, cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    X = cv.summarize(cdnow_sample, **names, as_of="1997-09-30", unit="W").head(300)
    model = law().fit(X)
    with pytest.raises(ValueError, match=r"weights add up to .* customers"):
        model.bootstrap(X, n_draws=2, sample_weight=np.full(len(X), 1e-9))
    assert len(model.bootstrap(X, n_draws=2, sample_weight=np.full(len(X), 2.0))) == 2
