"""How sure a customer's value is: of the outcome, of the estimate, of a group's total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._fitted import check_level
from custvalue._units import Span
from custvalue.exceptions import NotSupportedError
from custvalue.purchase import PurchaseModel
from custvalue.spend import GammaGamma, gamma_gamma
from custvalue.value import _outcome

if TYPE_CHECKING:
    from custvalue.value._customer_value import CustomerValue

Array = npt.NDArray[np.float64]
WIDTH = 1e-4  # of the central differences, in logs


def outcome_interval(model: CustomerValue, X: Any, horizon: Span | None, level: float) -> Array:
    """Quantiles of what each customer will bring, given the parameters."""
    tail = (1.0 - check_level(level)) / 2.0
    worth, chances, (shape, rate) = _outcomes(model, X, horizon)
    p = model.spend_.params_.p
    out = np.empty((worth.size, 2))
    for rows, table in chances:
        for column, u in enumerate((tail, 1.0 - tail)):
            out[rows, column] = _outcome.total_quantile(u, table, p, shape[rows], rate[rows])
    return np.asarray(out * worth[:, None])


def parameter_interval(model: CustomerValue, X: Any, horizon: Span | None, level: float) -> Array:
    """Interval of each expected value by the delta method in logs: values stay positive."""
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + check_level(level) / 2.0))
    value = model.predict(X, horizon)
    slopes, cov = _slopes(model, X, horizon, lambda v: np.log(np.maximum(np.abs(v), 1e-300)))
    wide = reach * np.sqrt(np.maximum(np.einsum("pi,pq,qi->i", slopes, cov, slopes), 0.0))
    ends = np.column_stack([value * np.exp(-wide), value * np.exp(wide)])
    return np.asarray(np.sort(ends, axis=1))


def total_interval(
    model: CustomerValue, X: Any, horizon: Span | None, by: npt.ArrayLike | None, level: float
) -> pd.DataFrame:
    """Totals of groups: errors of the parameters are shared, outcomes independent."""
    from scipy.special import ndtri

    value = model.predict(X, horizon)
    group = np.full(value.size, "all", dtype=object) if by is None else np.asarray(by)
    if group.shape != value.shape:
        raise ValueError(f"by has shape {group.shape}; expected {value.shape}, a group a row.")
    names, at = np.unique(group, return_inverse=True)

    def totals(v: Array) -> Array:
        return np.bincount(at, weights=v, minlength=names.size).astype(float)

    slopes, cov = _slopes(model, X, horizon, totals)
    shared = np.sqrt(np.maximum(np.einsum("pi,pq,qi->i", slopes, cov, slopes), 0.0))
    own = np.sqrt(totals(_outcome_variance(model, X, horizon)))
    total = totals(value)
    s = np.sqrt(np.log1p((shared**2 + own**2) / np.maximum(total, 1e-300) ** 2))
    reach = float(ndtri(0.5 + check_level(level) / 2.0)) * s
    centre = total * np.exp(-0.5 * s * s)
    return pd.DataFrame(
        {
            "customers": np.bincount(at, minlength=names.size),
            "value": total,
            "parameter_error": shared,
            "outcome_sd": own,
            "lower": centre * np.exp(-reach),
            "upper": centre * np.exp(reach),
        },
        index=pd.Index(names, name="group"),
    )


def _outcome_variance(model: CustomerValue, X: Any, horizon: Span | None) -> Array:
    """Variance of each customer's value: K orders of shape p at mean spend Z, K and Z apart.

    ``E[V^2] = E[Z^2] (E[K^2] + E[K] / p)`` per unit of worth; infinite where E[Z^2] is.
    """
    worth, chances, (shape, rate) = _outcomes(model, X, horizon)
    p = model.spend_.params_.p
    if not (shape > 2.0).all():
        raise NotSupportedError(
            f"the variance of spend is infinite for {int((shape <= 2.0).sum()):,} customers "
            f"(p x + q <= 2), so a total has no standard deviation; predict_interval gives "
            "quantiles of each customer, which exist."
        )
    mean = p * rate / (shape - 1.0)
    square = mean**2 * (shape - 1.0) / (shape - 2.0)
    out = np.empty(worth.size)
    for rows, table in chances:
        first, second = _outcome.count_moments(table)
        out[rows] = square[rows] * (second + first / p) - (first * mean[rows]) ** 2
    return np.asarray(worth**2 * np.maximum(out, 0.0))


def _outcomes(
    model: CustomerValue, X: Any, horizon: Span | None
) -> tuple[Array, list[tuple[npt.NDArray[np.intp], Array]], tuple[Array, Array]]:
    """Worth today of a unit of spend, chances of counts, posterior of spend; a row a customer."""
    purchases, spend = model.purchases_, model.spend_
    if not isinstance(purchases, PurchaseModel) or not isinstance(spend, GammaGamma):
        raise NotSupportedError(
            "the spread of outcomes needs a model of custvalue.purchase and GammaGamma; "
            f"got {type(purchases).__name__} and {type(spend).__name__}."
        )
    until = model._horizon(horizon)
    span = model._span(until)
    expected = purchases.predict(X, horizon=span)
    counted = model.discounted_orders(X, horizon)
    some = expected > 0
    worth = np.where(some, counted / np.where(some, expected, 1.0), 1.0) * model._margin_of(X)
    x, t_x, T = purchases._read(X, reset=False)
    history = np.column_stack([x, t_x, T])
    same = type(purchases).from_params(unit=purchases.unit_, **purchases.params_._asdict())

    def pmf(rows: npt.NDArray[np.intp], n_max: int) -> Array:
        return same.predict_pmf(history[rows], horizon=span, n_max=n_max)

    chances = _outcome.count_chances(pmf, expected)
    return worth, chances, gamma_gamma.posterior(*spend._read(X, reset=False), *spend.params_)


def _slopes(
    model: CustomerValue, X: Any, horizon: Span | None, summary: Any
) -> tuple[Array, Array]:
    """Slopes of a summary of the values in the logs of all parameters, and their covariance."""
    parts = (model.purchases_, model.spend_)
    for part in parts:
        if not isinstance(part, (PurchaseModel, GammaGamma)):
            raise NotSupportedError(
                f"{type(part).__name__} has no covariance of its parameters; use a model of "
                "custvalue.purchase and GammaGamma."
            )
    blocks = [_log_covariance(part) for part in parts]
    size = [len(b) for b in blocks]
    cov = np.zeros((sum(size), sum(size)))
    cov[: size[0], : size[0]], cov[size[0] :, size[0] :] = blocks
    slopes = []
    for which, part in enumerate(parts):
        for name, value in part.params_._asdict().items():
            ends = []
            for sign in (1.0, -1.0):
                moved = _moved(part, name, value * np.exp(sign * WIDTH))
                pair = (moved, parts[1]) if which == 0 else (parts[0], moved)
                ends.append(summary(_with_parts(model, *pair).predict(X, horizon)))
            slopes.append((ends[0] - ends[1]) / (2.0 * WIDTH))
    return np.asarray(slopes), cov


def _log_covariance(part: Any) -> Array:
    report = part.fit_report()
    if report.status == "given" or set(report.undefined) == set(part.params_._fields):
        raise NotSupportedError(
            f"{type(part).__name__} was made from parameters, or its fit defines no standard "
            "errors, so nothing is known of how sure they are."
        )
    return np.nan_to_num(
        np.asarray(report.log_covariance)
    )  # a parameter on a boundary stays at its estimate


def _moved(part: Any, name: str, value: float) -> Any:
    params = {**part.params_._asdict(), name: float(value)}
    if isinstance(part, GammaGamma):
        return GammaGamma.from_params(**params, statistic=part.statistic, cap=part.cap)
    return type(part).from_params(unit=part.unit_, **params)


def _with_parts(model: CustomerValue, purchases: Any, spend: Any) -> CustomerValue:
    settings = {k: v for k, v in model.get_params(deep=False).items() if k not in
                ("purchases", "spend")}  # fmt: skip
    return type(model).from_fitted(purchases, spend, **settings)
