"""Fitted models that pictures are drawn from."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import custvalue as cv
from custvalue.purchase import MBGNBD

COLUMNS = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="session")
def base(cdnow_sample):
    """A log, its tables, and models fitted on them."""
    first = cv.summarize(cdnow_sample, **COLUMNS, as_of="1997-09-30", unit="W")
    now = cv.summarize(cdnow_sample, **COLUMNS, as_of="1998-06-30", unit="W")
    history = cv.panel(cdnow_sample, **COLUMNS, as_of="1998-06-30", period="4W")
    rfm = cv.RFMTransformer(n_bins={"F": 3})
    chain = make_pipeline(
        cv.RFMTransformer(n_bins=3), cv.MarkovCLVEstimator(horizon="52W", margin=0.3)
    )
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.exceptions.BinWarning)
        rfm.fit(now)
        chain.fit(history)
        law = MBGNBD(unit="W").fit(first)
    same = now.set_index("customer_id").loc[first["customer_id"]]
    return SimpleNamespace(
        log=cdnow_sample,
        first=first,
        now=now,
        history=history,
        rfm=rfm,
        chain=chain,
        law=law,
        scorer=cv.SilenceScorer().fit(first),
        lifecycle=cv.LifecycleClassifier().fit(first),
        returned=np.asarray(same["n_orders"].to_numpy() > first["n_orders"].to_numpy()),
        spent=np.asarray(same["total_value"].to_numpy() - first["total_value"].to_numpy()),
    )
