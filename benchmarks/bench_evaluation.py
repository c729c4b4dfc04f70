"""Metrics under resampling and a whole backtest, against the plain way to write them."""

from __future__ import annotations

import numpy as np

import custvalue as cv
from benchmarks._race import Job
from custvalue.data import TransactionLog
from custvalue.metrics import normalized_gini_score
from custvalue.metrics._resampled import resampled_scores

CDNOW = {"customer": "customer_id", "time": "date", "amount": "amount"}
ORIGINS = ["1997-06-30", "1997-08-31", "1997-10-31"]
HORIZON = "26W"


def customers(n: int = 20_000, resamples: int = 50) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    truth = np.where(rng.random(n) < 0.4, rng.gamma(1.0, 50.0, n), 0.0).round(2)
    forecast = (truth * 0.2 + rng.gamma(1.0, 20.0, n)).round(0)
    weights = rng.multinomial(n, np.full(n, 1 / n), resamples).astype(float)
    return truth, forecast, weights


def one_by_one(data: tuple[np.ndarray, ...]) -> np.ndarray:
    """The metric called once a resample."""
    truth, forecast, weights = data
    return np.array([normalized_gini_score(truth, forecast, sample_weight=w) for w in weights])


def same_ginis(results: dict[str, object]) -> None:
    np.testing.assert_allclose(results["custvalue"], results["one by one"], rtol=1e-10)


def whole_backtest(log: TransactionLog) -> np.ndarray:
    result = cv.backtest({}, log, cutoffs=ORIGINS, horizon=HORIZON)
    rows = result.table[result.table["estimator"] == "rate carried forward"]
    return rows["mae"].to_numpy()


def pandas_backtest(log: TransactionLog) -> np.ndarray:
    """Two naive forecasts at three origins, written by hand with pandas."""
    import pandas as pd

    errors = []
    rows = log.frame
    for origin in pd.to_datetime(ORIGINS):
        end = origin + pd.Timedelta(weeks=26)
        past = rows[(rows["date"] <= origin) & (rows["amount"] > 0)]
        ahead = rows[(rows["date"] > origin) & (rows["date"] <= end)]
        known = past.groupby("customer_id").agg(
            total=("amount", "sum"), first=("date", "min"), last=("date", "max")
        )
        actual = ahead.groupby("customer_id")["amount"].sum().reindex(known.index, fill_value=0.0)
        seen = (origin - known["first"]).dt.days
        forecast = known["total"] / np.maximum(seen, seen.mean()) * (26 * 7)
        recent = past[past["date"] > origin - pd.Timedelta(weeks=26)]
        again = recent.groupby("customer_id")["amount"].sum().reindex(known.index, fill_value=0.0)
        for predicted in (forecast, again):
            for metric in (_gini, _spearman, _decile):
                metric(actual.to_numpy(), predicted.to_numpy())
        errors.append(float((forecast - actual).abs().mean()))
    return np.array(errors)


def _gini(truth: np.ndarray, forecast: np.ndarray) -> float:
    return normalized_gini_score(truth, forecast)


def _spearman(truth: np.ndarray, forecast: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(truth, forecast).statistic)


def _decile(truth: np.ndarray, forecast: np.ndarray) -> float:
    import pandas as pd

    group = pd.qcut(pd.Series(forecast), 10, duplicates="drop", labels=False)
    return float(pd.Series(truth - forecast).groupby(group).sum().abs().sum())


def same_errors(results: dict[str, object]) -> None:
    np.testing.assert_allclose(results["custvalue"], results["pandas by hand"], rtol=1e-9)


JOBS = [
    Job(
        name="normalised Gini of 20,000 customers under 50 resamples",
        prepare=customers,
        methods={
            "custvalue": lambda data: resampled_scores("gini", *data),
            "one by one": one_by_one,
        },
        agree=same_ginis,
    ),
    Job(
        name="backtest of two naive forecasts, CDNOW, 3 origins",
        prepare=lambda: TransactionLog(cv.datasets.load_cdnow(), **CDNOW),
        methods={"custvalue": whole_backtest, "pandas by hand": pandas_backtest},
        agree=same_errors,
    ),
]
