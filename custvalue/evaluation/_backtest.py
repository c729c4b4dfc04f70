"""Rolling-origin backtest: learn before each cutoff, forecast, then look at what came."""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from custvalue._dates import instant
from custvalue._units import Span
from custvalue._warn import warn_caller
from custvalue.contracts import SubscriptionTable
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import horizon_end, known_at
from custvalue.evaluation._baselines import LastPeriodRepeated
from custvalue.evaluation._reads import Candidate, Forecaster
from custvalue.evaluation._result import BacktestResult
from custvalue.exceptions import InterruptedWarning, UndefinedMetricError
from custvalue.metrics import (
    brier_error,
    decile_calibration_error,
    interval_coverage,
    mean_tweedie_error,
    normalized_gini_score,
    spearman_score,
    top_share_score,
    total_bias,
)
from custvalue.metrics._for_rooms import mean_absolute_error, root_mean_squared_error
from custvalue.value import RateForward

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._typing import Floats


Progress: TypeAlias = "bool | Callable[[int, int, str], None]"
Estimators: TypeAlias = "Mapping[str, Any] | Sequence[Any] | Any"

BASELINES: dict[str, Any] = {
    "rate carried forward": RateForward(),
    "last period repeated": LastPeriodRepeated(),
}
NEW_CUSTOMERS = "(customers new in the horizon)"
_METRICS: dict[str, Callable[[Any, Any], float]] = {
    "total_bias": total_bias,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "tweedie": mean_tweedie_error,
    "spearman": spearman_score,
    "gini": normalized_gini_score,
    "top_decile": top_share_score,
    "decile_calibration": decile_calibration_error,
}


def backtest(
    estimators: Estimators,
    log: Any,
    *,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    cutoffs: Sequence[Any],
    horizon: Span,
    unit: str = "D",
    period: str = "4W",
    level: float = 0.8,
    on_error: Literal["raise", "note"] = "raise",
    progress: Progress = False,
    **policies: Any,
) -> BacktestResult:
    """Compare estimators of customer value on what really came after each cutoff.

    At each cutoff everything is learned from the rows up to it: estimators get tables made of
    those rows alone. Then each predicts the money that every known customer brings within the
    horizon; discounting, margin and contact cost are switched off on the copies that are fitted,
    so that all answer one question. Two naive forecasts always take part.

    Parameters
    ----------
    estimators : dict of str to estimator, sequence of estimators, or estimator
        Any mix; what each reads is told in :class:`Candidate`. They are copied, never changed.
    log : frame, TransactionLog or SubscriptionTable
        A frame needs the names of its columns; a :class:`TransactionLog` has them. Of a
        :class:`custvalue.contracts.SubscriptionTable` the payments are the log, and estimators
        that read contracts see what was known of them at each cutoff.
    customer, time, amount : str
        Names of the log's columns.
    cutoffs : sequence of str or datetime64
        Ends of observation, one origin each; a date includes its whole day.
    horizon : str or timedelta
        How far each forecast looks, e.g. ``"39W"``.
    unit : str, default="D"
        Unit of the summary's times.
    period : str, default="4W"
        Period of the panel, for estimators that read one.
    level : float, default=0.8
        Level of the intervals whose coverage is counted.
    on_error : {"raise", "note"}, default="raise"
        What an estimator's failure does: end the backtest, or leave its scores at that cutoff
        missing with the error in the column ``note``.
    progress : bool or callable, default=False
        True writes a line to standard error after each fit; a callable gets (done, total, text).
    **policies
        Of the log (``refunds=``, ``zero_amounts=``, ...), see :func:`custvalue.summarize`.

    Returns
    -------
    BacktestResult
        Tables of scores, predictions, bootstrap intervals of differences, and words.

    Raises
    ------
    DataContractError
        If a horizon ends after the log does, or nobody is known at a cutoff.
    ValueError
        If there is no cutoff, two are the same, or an estimator takes a baseline's name.

    Warns
    -----
    InterruptedWarning
        If it is interrupted (Ctrl-C) after at least one whole origin: the result has the origins
        that were finished.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.evaluation import backtest
    >>> log = cv.datasets.load_cdnow("sample")
    >>> result = backtest({}, log, customer="customer_id", time="date", amount="amount",
    ...                   cutoffs=["1997-09-30"], horizon="39W")
    >>> result.table[["estimator", "total_bias", "gini"]].round(2).iloc[:2].to_numpy().tolist()
    [['rate carried forward', 1.79, 0.68], ['last period repeated', 1.44, 0.68]]
    """
    if on_error not in ("raise", "note"):
        raise ValueError(f"on_error={on_error!r} must be 'raise' or 'note'.")
    whole = as_log(log, customer, time, amount, unit, policies)
    candidates = _named(estimators)
    origins = _checked_cutoffs(whole, cutoffs, horizon)
    tell = _teller(progress, len(origins) * len(candidates))
    tables: list[pd.DataFrame] = []
    predictions: list[pd.DataFrame] = []
    contracts = log if isinstance(log, SubscriptionTable) else None
    setting = Setting(horizon, period, level, on_error, contracts)
    try:
        for origin in origins:
            table, predicted = _one_origin(candidates, whole, origin, setting, tell)
            tables.append(table)
            predictions.append(predicted)
    except KeyboardInterrupt:
        if not tables:
            raise
        warn_caller(
            f"interrupted: the result has {len(tables)} of {len(origins)} origins.",
            InterruptedWarning,
        )
    import pandas as pd

    return BacktestResult(
        table=pd.concat(tables, ignore_index=True),
        predictions=pd.concat(predictions, ignore_index=True),
        horizon=str(horizon),
        customer=whole.customer,
        complete=len(tables) == len(origins),
    )


def as_log(
    log: Any,
    customer: str | None,
    time: str | None,
    amount: str | None,
    unit: str,
    policies: Mapping[str, Any],
) -> TransactionLog:
    """``log`` as a handle; refuses names missing for a frame, and names given twice."""
    if isinstance(log, SubscriptionTable):
        log = log.log
    if isinstance(log, TransactionLog):
        if any(name is not None for name in (customer, time, amount)) or policies:
            raise ValueError(
                "log is a TransactionLog, which has its column names and policies; leave "
                "customer=, time=, amount= and the policies out."
            )
        return log
    if customer is None or time is None or amount is None:
        raise ValueError("name the log's columns: customer=, time= and amount=.")
    return TransactionLog(
        log, customer=customer, time=time, amount=amount, unit=unit, **dict(policies)
    )


class Setting(NamedTuple):
    """What is the same at every origin."""

    horizon: Span
    period: str
    level: float
    on_error: str
    contracts: SubscriptionTable | None


def _one_origin(
    candidates: Mapping[str, Candidate],
    whole: TransactionLog,
    origin: np.datetime64,
    setting: Setting,
    tell: Callable[[str], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    known = known_at(whole, origin)
    coming = whole.between(origin, horizon_end(whole, origin, setting.horizon))
    customers = known.customers()
    actual, orders = coming.totals(customers)
    predictions: dict[str, Any] = {
        whole.customer: customers,
        "cutoff": pd.Timestamp(origin),
        "actual": actual,
        "actual_orders": orders,
    }
    rows = []
    for name, candidate in candidates.items():
        row: dict[str, Any] = {
            "estimator": name,
            "cutoff": pd.Timestamp(origin),
            "n_customers": len(customers),
            "actual_total": actual.sum(),
        }
        try:
            predictions[name], found = _one_estimator(candidate, known, actual, orders, setting)
        except Exception as error:
            if setting.on_error == "raise":
                raise
            predictions[name] = np.full(len(customers), np.nan)
            found = {"note": f"{type(error).__name__}: {error}"}
        rows.append({**row, **found})
        tell(f"{name} at {np.datetime_as_string(origin, unit='D')}")
    rows.append(_new_customers(coming, customers, origin))
    return pd.DataFrame(rows), pd.DataFrame(predictions)


def _one_estimator(
    candidate: Candidate,
    known: TransactionLog,
    actual: Floats,
    orders: Floats,
    setting: Setting,
) -> tuple[Floats, dict[str, Any]]:
    forecaster = Forecaster(candidate, setting.horizon, setting.period, setting.contracts)
    start = clock.perf_counter()
    forecaster.fit(known)
    fitted = clock.perf_counter()
    predicted = forecaster.predict(known)
    done = clock.perf_counter()
    scores, note = _scores(actual, predicted)
    return predicted, {
        "predicted_total": predicted.sum(),
        **scores,
        **_chances(forecaster, known, orders),
        **_intervals(forecaster, known, actual, setting.level),
        "fit_seconds": fitted - start,
        "predict_seconds": done - fitted,
        "note": note,
    }


def _scores(actual: Floats, predicted: Floats) -> tuple[dict[str, float], str]:
    """Score by every metric; NaN, and a note why, where what came gives one no value."""
    scores: dict[str, float] = {}
    without: dict[str, list[str]] = {}
    for name, metric in _METRICS.items():
        try:
            scores[name] = metric(actual, predicted)
        except UndefinedMetricError as error:
            scores[name] = np.nan
            why = str(error).removeprefix(metric.__name__ + " ")
            without.setdefault(why, []).append(name)
    return scores, " ".join(
        f"{', '.join(names)} not defined: {why}" for why, names in without.items()
    )


def _chances(forecaster: Forecaster, known: TransactionLog, orders: Floats) -> dict[str, float]:
    chance = forecaster.chance(known)
    return {"brier": np.nan if chance is None else brier_error(orders > 0, chance)}


def _intervals(
    forecaster: Forecaster, known: TransactionLog, actual: Floats, level: float
) -> dict[str, float]:
    ends = forecaster.interval(known, level)
    return {"coverage": np.nan if ends is None else interval_coverage(actual, *ends)}


def _new_customers(
    coming: TransactionLog, customers: npt.NDArray[Any], origin: np.datetime64
) -> dict[str, Any]:
    """Those who first bought within the horizon: no estimator of known customers can see them."""
    import pandas as pd

    buyers = coming.customers() if len(coming) else np.empty(0)
    new = buyers[~pd.Index(buyers).isin(pd.Index(customers))]
    value = float(coming.totals(new)[0].sum())
    return {
        "estimator": NEW_CUSTOMERS,
        "cutoff": pd.Timestamp(origin),
        "n_customers": len(new),
        "actual_total": value,
        "predicted_total": 0.0,
        "note": "not known at the cutoff, so not in any score",
    }


def _named(estimators: Estimators) -> dict[str, Candidate]:
    named: dict[str, Any]
    if isinstance(estimators, Mapping):
        named = dict(estimators)
    else:
        several = estimators if isinstance(estimators, (list, tuple)) else [estimators]
        named = {}
        for estimator in several:
            inner = estimator.estimator if isinstance(estimator, Candidate) else estimator
            name = type(inner).__name__
            if name in named:
                raise ValueError(f"two estimators are called {name}; pass a dict with own names.")
            named[name] = estimator
    for name in named:
        if name in BASELINES or name == NEW_CUSTOMERS:
            raise ValueError(f"{name!r} is the name of a row that every backtest has.")
    return {
        name: each if isinstance(each, Candidate) else Candidate(each)
        for name, each in {**named, **BASELINES}.items()
    }


def _checked_cutoffs(
    whole: TransactionLog, cutoffs: Sequence[Any], horizon: Span
) -> list[np.datetime64]:
    if isinstance(cutoffs, str):
        raise ValueError(f"cutoffs must be a list; write cutoffs=[{cutoffs!r}].")
    origins = sorted(instant(date) for date in cutoffs)
    if not origins:
        raise ValueError("give at least one cutoff.")
    if len(set(origins)) < len(origins):
        raise ValueError("two cutoffs are the same.")
    for origin in origins:
        horizon_end(whole, origin, horizon)
    return origins


def _teller(progress: Progress, total: int) -> Callable[[str], None]:
    done = 0

    def tell(text: str) -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done, total, text)
        elif progress:
            sys.stderr.write(f"[{done}/{total}] {text}\n")

    return tell
