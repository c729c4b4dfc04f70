"""Columns of customers go from the log's summary through what is stacked, chosen and written."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue.data import TransactionLog
from custvalue.evaluation import BestValue, StackedValue
from custvalue.exceptions import CustvalueWarning
from custvalue.purchase import MBGNBD
from custvalue.spend import GammaGamma


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(0)
    who = pd.DataFrame({"plan": rng.choice(["basic", "pro"], 500)})
    told = {"purchase": {"plan": {"basic": 0.0, "pro": 0.8}}}
    truth = MBGNBD.from_params(r=0.8, alpha=60.0, a=0.8, b=3.0, unit="D", effects=told)
    rows = truth.sample(500, "730D", births="400D", customers=who, random_state=1)
    rows["money"] = rng.gamma(3.0, 8.0, len(rows)) * np.where(rows["plan"] == "pro", 1.4, 1.0)
    return TransactionLog(rows, customer="customer_id", time="date", amount="money", keep=["plan"])


def models():
    told = cv.CustomerValue(
        purchases=MBGNBD(purchase_columns=["plan"]), spend=GammaGamma(spend_columns=["plan"])
    )
    return {"told": told, "plain": cv.CustomerValue(purchases=MBGNBD())}


@pytest.mark.parametrize("kind", [StackedValue, BestValue])
def test_what_is_stacked_and_chosen_carries_columns(kind, log):
    model = kind(models=models(), horizon="90D")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        model.fit(log)
        value = model.predict(log)
        copy = kind.from_dict(json.loads(json.dumps(model.to_dict())))
        np.testing.assert_allclose(copy.predict(log), value, rtol=1e-12)
    assert value.shape == (500,)
    assert "told" in json.dumps(model.fit_report(), default=str)
    assert "plan=pro" in json.dumps(model.to_dict())
