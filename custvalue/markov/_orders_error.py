"""How sure the parameters of a factored forecast are, and what that does to its values.

Fitted are the purchase law (maximum likelihood, errors normal in the logs of its parameters), the
slopes of its correction, and the spend law, with errors independent of each other. Along their axes
they are a handful of independent directions. A value's error in a direction is half the difference
of its logs one standard error to either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from custvalue.exceptions import NotSupportedError
from custvalue.markov._factored import FactoredForecast, History
from custvalue.markov._orders import SLOPES
from custvalue.markov._orders_fit import law_of, log_covariance
from custvalue.markov._sparse import Floats

# Farther than this in the logs of parameters a value is not looked at but extrapolated.
_LONGEST = 0.5


def error_scores(
    forecast: FactoredForecast, history: History, periods: int | None, delta: float
) -> Floats:
    """Error of the log of each row's value in each direction, shape (n_rows, n_directions).

    A row's value has the standard error ``sqrt((scores ** 2).sum())`` in logs; a draw of all values
    together is ``value * exp(scores @ z)`` with ``z`` standard normal.
    """
    scores = []
    if periods is not None:  # no need of the law's far ages
        near = forecast.chain.law.up_to(float(history.age.max()) + periods + 1.0)
        forecast = replace(forecast, chain=replace(forecast.chain, law=near))
    for low, high, stretch in directions(forecast):
        ends = [
            np.log(
                np.maximum(
                    side.orders(history, periods, delta)[0] * side.per_order(history), 1e-300
                )
            )
            for side in (low, high)
        ]
        scores.append(0.5 * stretch * (ends[1] - ends[0]))
    return np.column_stack(scores) if scores else np.zeros((len(history.age), 0))


def directions(
    forecast: FactoredForecast,
) -> Iterator[tuple[FactoredForecast, FactoredForecast, float]]:
    """Forecasts to either side of the fitted one, and how many times their distance is an error."""
    law, spend = forecast.purchases, forecast.spend
    for step, stretch in _axes(_covariance_of(law)):
        yield _moved_law(forecast, -step), _moved_law(forecast, step), stretch
    for step, stretch in _axes(forecast.slope_covariance):
        yield _moved_slopes(forecast, -step), _moved_slopes(forecast, step), stretch
    if spend is not None:
        for step, stretch in _axes(_covariance_of(spend)):
            yield (
                replace(forecast, spend=_moved(spend, -step)),
                replace(forecast, spend=_moved(spend, step)),
                stretch,
            )


def _covariance_of(part: Any) -> Floats:
    table = log_covariance(part)
    if table is None:
        raise NotSupportedError(
            f"{type(part).__name__} does not say how sure its parameters are, so forecasts made "
            "of it have no parameter error; use a model of custvalue.purchase and GammaGamma."
        )
    return table


def _axes(covariance: Floats) -> Iterator[tuple[Floats, float]]:
    size, axes = np.linalg.eigh(covariance)
    for variance, axis in zip(size, axes.T, strict=True):
        sd = float(np.sqrt(max(variance, 0.0)))
        if sd > 1e-9:
            step = min(sd, _LONGEST)
            yield axis * step, sd / step


def _moved(part: Any, step: Floats) -> Any:
    params = {
        name: float(value * np.exp(by))
        for (name, value), by in zip(part.params_._asdict().items(), step, strict=True)
    }
    settings = {k: v for k, v in part.get_params(deep=False).items() if k in ("statistic", "cap")}
    return type(part).from_params(**params, **settings)


def _moved_law(forecast: FactoredForecast, step: Floats) -> FactoredForecast:
    law = _moved(forecast.purchases, step)
    table = forecast.chain.law.asked_of(law_of(law))
    return replace(forecast, purchases=law, chain=replace(forecast.chain, law=table))


def _moved_slopes(forecast: FactoredForecast, step: Floats) -> FactoredForecast:
    chain = forecast.chain
    old = chain.correction
    slopes = {name: getattr(old, name) + by for name, by in zip(SLOPES, step, strict=True)}
    return replace(forecast, chain=replace(chain, correction=old._replace(**slopes)))
