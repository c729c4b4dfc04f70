"""How sure a customer's value is: of the outcome, of the estimate, of a group's total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints
from custvalue._value_model import Terms
from custvalue.exceptions import NotSupportedError
from custvalue.purchase import PurchaseModel
from custvalue.spend import OwnMean, SpendModel
from custvalue.value import _outcome

if TYPE_CHECKING:
    from custvalue.value._customer_value import CustomerValue, ValuedCustomers

WIDTH = 1e-4  # of the central differences, in logs


def outcome_interval(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, tail: float
) -> Floats:
    """Quantiles of what each customer will bring, given the parameters."""
    worth, chances, (p, shape, rate) = _outcomes(model, rows, terms)
    out = np.empty((worth.size, 2))
    for part, table in chances:
        for column, u in enumerate((tail, 1.0 - tail)):
            out[part, column] = _outcome.total_quantile(u, table, p, shape[part], rate[part])
    ends = out * worth[:, None]
    return np.asarray(np.sort(ends, axis=1) - np.reshape(model._cost(rows, terms), (-1, 1)))


def outcome_draws(
    model: CustomerValue,
    rows: ValuedCustomers,
    terms: Terms,
    n_draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw what each customer will bring, shape (n_draws, n)."""
    worth, p, shape, rate = _worth(model, rows, terms)
    span = model._span(terms.until)
    counts = model.purchases_.sample_future(
        model._asked(rows), horizon=span, size=n_draws, random_state=rng
    ).T
    spent = rng.standard_gamma(p * counts) * (rate / rng.standard_gamma(shape, counts.shape))
    return np.asarray(np.where(counts > 0, spent, 0.0) * worth - model._cost(rows, terms))


def parameter_interval(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, tail: float
) -> Floats:
    """Interval of each expected value by the delta method in logs of what customers pay."""
    from scipy.special import ndtri

    reach = float(ndtri(1.0 - tail))
    gross, slopes = _in_logs(model, rows, terms)
    wide = reach * np.sqrt((slopes**2).sum(axis=0))
    ends = np.column_stack([gross * np.exp(-wide), gross * np.exp(wide)])
    return np.asarray(np.sort(ends, axis=1) - np.reshape(model._cost(rows, terms), (-1, 1)))


def parameter_draws(
    model: CustomerValue,
    rows: ValuedCustomers,
    terms: Terms,
    n_draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw the expected values, the parameters being estimates; shape (n_draws, n)."""
    gross, slopes = _in_logs(model, rows, terms)
    # a draw's mean is the value: half the variance comes off the logarithm
    centre = gross * np.exp(-0.5 * (slopes**2).sum(axis=0))
    z = rng.standard_normal((n_draws, len(slopes)))
    return np.asarray(centre * np.exp(z @ slopes) - model._cost(rows, terms))


def total_error(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, at: Ints, n_groups: int
) -> Floats:
    """Find the standard error of each group's expected total."""

    def totals(v: Floats) -> Floats:
        return np.bincount(at, weights=v, minlength=n_groups).astype(float)

    slopes, root = _slopes(model, rows, terms, totals)
    return np.asarray(np.sqrt(((root.T @ slopes) ** 2).sum(axis=0)))


def outcome_variance(model: CustomerValue, rows: ValuedCustomers, terms: Terms) -> Floats:
    """Variance of each customer's value: K orders of shape p at mean spend Z, K and Z apart.

    ``E[V^2] = E[Z^2] (E[K^2] + E[K] / p)`` per unit of worth; infinite where E[Z^2] is.
    """
    worth, chances, (p, shape, rate) = _outcomes(model, rows, terms)
    if not (shape > 2.0).all():
        raise NotSupportedError(
            f"the variance of spend is infinite for {int((shape <= 2.0).sum()):,} customers "
            f"(p x + q <= 2), so a total has no standard deviation; predict_interval gives "
            "quantiles of each customer, which exist."
        )
    mean = p * rate / (shape - 1.0)
    square = mean**2 * (shape - 1.0) / (shape - 2.0)
    out = np.empty(worth.size)
    for part, table in chances:
        first, second = _outcome.count_moments(table)
        out[part] = square[part] * (second + first / p) - (first * mean[part]) ** 2
    return np.asarray(worth**2 * np.maximum(out, 0.0))


def _worth(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms
) -> tuple[Floats, float, Floats, Floats]:
    """Worth today of a unit of spend; an order's shape and the posterior of spend, a row each."""
    purchases, spend = model.purchases_, model.spend_
    if not isinstance(purchases, PurchaseModel) or not isinstance(spend, SpendModel):
        raise NotSupportedError(
            "the spread of outcomes needs a law of custvalue.purchase and of custvalue.spend; "
            f"got {type(purchases).__name__} and {type(spend).__name__}."
        )
    expected = model._orders(rows, terms.until)
    counted = model._counted(rows, terms)
    some = expected > 0
    worth = np.where(some, counted / np.where(some, expected, 1.0), 1.0)
    return worth * model._share(rows, terms), *spend.posterior(model._priced(rows.table, spend))


def _outcomes(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms
) -> tuple[Floats, list[tuple[npt.NDArray[np.intp], Floats]], tuple[float, Floats, Floats]]:
    """Worth today of a unit of spend, chances of counts, posterior of spend; a row a customer."""
    worth, p, shape, rate = _worth(model, rows, terms)
    purchases = model.purchases_
    span = model._span(terms.until)
    expected = model._orders(rows, terms.until)
    pmf = purchases.pmf_of_rows(rows.table, span)
    return worth, _outcome.count_chances(pmf, expected), (p, shape, rate)


def _in_logs(model: CustomerValue, rows: ValuedCustomers, terms: Terms) -> tuple[Floats, Floats]:
    """Say what customers pay, and how its log moves with independent standard errors."""
    slopes, root = _slopes(model, rows, terms, lambda v: np.log(np.maximum(np.abs(v), 1e-300)))
    return model._gross(rows, terms), root.T @ slopes


def _slopes(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, summary: Any
) -> tuple[Floats, Floats]:
    """Slopes of a summary of what customers pay in the logs of all parameters.

    Also a root of their covariance: covariance = root root'.
    """
    parts = (model.purchases_, model.spend_)
    for part in parts:
        if not isinstance(part, (PurchaseModel, SpendModel)):
            raise NotSupportedError(
                f"{type(part).__name__} has no covariance of its parameters; use laws of "
                "custvalue.purchase and custvalue.spend."
            )
    blocks = [_log_covariance(part) for part in parts]
    size = [len(b) for b in blocks]
    cov = np.zeros((sum(size), sum(size)))
    cov[: size[0], : size[0]], cov[size[0] :, size[0] :] = blocks
    slopes = []
    for which, part in enumerate(parts):
        if isinstance(part, OwnMean):
            continue
        for name, value in zip(part.fitted_.names, part.fitted_.values, strict=True):
            ends = []
            for sign in (1.0, -1.0):
                moved = part.with_params(**{name: value * np.exp(sign * WIDTH)})
                pair = (moved, parts[1]) if which == 0 else (parts[0], moved)
                ends.append(summary(model._with_parts(*pair)._gross(rows, terms)))
            slopes.append((ends[0] - ends[1]) / (2.0 * WIDTH))
    root: Floats = np.linalg.eigh(cov)[1] * np.sqrt(np.maximum(np.linalg.eigh(cov)[0], 0.0))
    return np.asarray(slopes), root


def _log_covariance(part: Any) -> Floats:
    if isinstance(part, OwnMean):  # a customer's own mean is taken as it is
        return np.empty((0, 0))
    report = part.fit_report()
    if report.status == "given" or np.isnan(np.asarray(report.log_covariance)).all():
        raise NotSupportedError(
            f"{type(part).__name__} was made from parameters, or its fit defines no standard "
            "errors, so nothing is known of how sure they are."
        )
    spread: Floats = part.fitted_.spread
    return spread
