"""The error of a learned level, by plain pandas: sampling of customers and spread of origins."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.data import TransactionLog
from custvalue.evaluation import CalibratedTotal
from custvalue.value import RateForward


def test_the_error_adds_sampling_and_the_spread_between_origins(cdnow_sample):
    names = {"customer": "customer_id", "time": "date", "amount": "amount"}
    log = TransactionLog(cdnow_sample, **names, as_of="1997-12-31")
    model = CalibratedTotal(RateForward(), n_origins=2, spread=0.3).fit(log)
    rows = cdnow_sample[cdnow_sample["date"] <= "1997-12-31"]
    noise = []
    for origin in model.origins_.itertuples():
        known = rows.loc[rows["date"] <= origin.as_of, "customer_id"].unique()
        later = rows[(rows["date"] > origin.as_of) & rows["customer_id"].isin(known)]
        came = later.groupby("customer_id")["amount"].sum()
        assert came.sum() == pytest.approx(origin.observed, rel=1e-9)
        noise.append((came**2).sum() / came.sum() ** 2)
    logs = np.log(model.origins_["ratio"].to_numpy())
    between = (logs[0] - logs[1]) ** 2 / 2.0  # of two values, around their mean
    variance = np.mean(noise) + between
    assert model.standard_error_ == pytest.approx(np.sqrt(variance), rel=1e-9)
    weight = 0.3**2 / (0.3**2 + variance)
    assert model.factor_ == pytest.approx(np.exp(weight * logs.mean()), rel=1e-9)
