"""How sure a customer's value is: of the outcome, of the estimate, of a group's total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints
from custvalue._value_model import Terms
from custvalue.exceptions import NotSupportedError
from custvalue.likelihood._for_rooms import FittedGroups, read_groups, root
from custvalue.purchase import PurchaseModel
from custvalue.spend import OwnMean, SpendModel
from custvalue.value import _outcome

if TYPE_CHECKING:
    from custvalue.value._customer_value import CustomerValue, ValuedCustomers

WIDTH = 1e-4  # of the central differences, in logs


class Piece(NamedTuple):
    """Customers who share all parameters, and the plain model that has these.

    Parameters
    ----------
    model : CustomerValue
    rows : ValuedCustomers
    at : slice or ndarray of int
        Where they stand in the table.
    groups : tuple of str or None
        Group of the purchase law and of the spend law, where these go by group.
    """

    model: CustomerValue
    rows: ValuedCustomers
    at: Any
    groups: tuple[str | None, str | None]


def pieces(model: CustomerValue, rows: ValuedCustomers) -> list[Piece]:
    """Cut a table where laws have parameters by group; one piece where they have none."""
    parts = (model.purchases_, model.spend_)
    found = [groups_in(part) for part in parts]
    if not any(found):
        return [Piece(model, rows, slice(None), (None, None))]
    names: list[tuple[str | None, ...]] = []
    codes: list[Ints] = []
    for part, groups in zip(parts, found, strict=True):
        if groups is None:
            names.append((None,))
            codes.append(np.zeros(rows.n, dtype=np.intp))
            continue
        groups.at(rows.table, part.fitted_)  # refuses what fit did not see
        read = read_groups(rows.table, groups.by)
        names.append(read.names)
        codes.append(read.code)
    made = []
    pair = codes[0] * len(names[1]) + codes[1]
    for code in np.unique(pair):
        own = names[0][code // len(names[1])], names[1][code % len(names[1])]
        laws = (p if g is None else p.of_group(g) for p, g in zip(parts, own, strict=True))
        at = np.flatnonzero(pair == code)
        made.append(Piece(model._with_parts(*laws), rows.part(at), at, own))
    return made


def outcome_interval(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, tail: float
) -> Floats:
    """Quantiles of what each customer will bring, given the parameters."""
    ends = np.empty((rows.n, 2))
    for piece in pieces(model, rows):
        ends[piece.at] = _outcome_ends(piece.model, piece.rows, terms, tail)
    return ends


def _outcome_ends(model: CustomerValue, rows: ValuedCustomers, terms: Terms, tail: float) -> Floats:
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
    gross, own, shared = _in_logs(model, rows, terms)
    wide = reach * np.sqrt((own**2).sum(axis=0) + (shared**2).sum(axis=0))
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
    gross, own, shared = _in_logs(model, rows, terms)
    # a draw's mean is the value: half the variance comes off the logarithm
    logs = rng.standard_normal((n_draws, len(shared))) @ shared
    logs -= 0.5 * ((own**2).sum(axis=0) + (shared**2).sum(axis=0))
    for piece in pieces(model, rows):  # groups err apart but for what they share
        logs[:, piece.at] += rng.standard_normal((n_draws, len(own))) @ own[:, piece.at]
    return np.asarray(gross * np.exp(logs) - model._cost(rows, terms))


def total_error(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms, at: Ints, n_groups: int
) -> Floats:
    """Find the standard error of each group's expected total."""
    apart: Any = 0.0
    together: Any = 0.0
    for piece in pieces(model, rows):
        here = at[piece.at]

        def totals(v: Floats, here: Ints = here) -> Floats:
            return np.bincount(here, weights=v, minlength=n_groups).astype(float)

        slopes = _slopes(piece.model, piece.rows, terms, totals)
        own, shared = _roots(model, piece.groups)
        apart = apart + ((own.T @ slopes) ** 2).sum(axis=0)
        together = together + shared.T @ slopes
    return np.asarray(np.sqrt(apart + np.sum(np.square(together), axis=0)))


def outcome_variance(model: CustomerValue, rows: ValuedCustomers, terms: Terms) -> Floats:
    """Variance of each customer's value: K orders of shape p at mean spend Z, K and Z apart.

    ``E[V^2] = E[Z^2] (E[K^2] + E[K] / p)`` per unit of worth; infinite where E[Z^2] is.
    """
    out = np.empty(rows.n)
    for piece in pieces(model, rows):
        out[piece.at] = _variance(piece.model, piece.rows, terms)
    return out


def _variance(model: CustomerValue, rows: ValuedCustomers, terms: Terms) -> Floats:
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
) -> tuple[Floats, Any, Floats, Floats]:
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
) -> tuple[Floats, list[tuple[npt.NDArray[np.intp], Floats]], tuple[Any, Floats, Floats]]:
    """Worth today of a unit of spend, chances of counts, posterior of spend; a row a customer."""
    worth, p, shape, rate = _worth(model, rows, terms)
    purchases = model.purchases_
    span = model._span(terms.until)
    expected = model._orders(rows, terms.until)
    pmf = purchases.pmf_of_rows(rows.table, span)
    return worth, _outcome.count_chances(pmf, expected), (p, shape, rate)


def _in_logs(
    model: CustomerValue, rows: ValuedCustomers, terms: Terms
) -> tuple[Floats, Floats, Floats]:
    """Say what customers pay, and how its log moves with independent standard errors.

    Errors of a row's own parameters first, then those that groups share.
    """
    own: Any = None
    for piece in pieces(model, rows):
        slopes = _slopes(
            piece.model, piece.rows, terms, lambda v: np.log(np.maximum(np.abs(v), 1e-300))
        )
        moves = [each.T @ slopes for each in _roots(model, piece.groups)]
        if own is None:
            own, shared = (np.empty((len(m), rows.n)) for m in moves)
        own[:, piece.at], shared[:, piece.at] = moves
    return model._gross(rows, terms), own, shared


def _slopes(model: CustomerValue, rows: ValuedCustomers, terms: Terms, summary: Any) -> Floats:
    """Slopes of a summary of what customers pay in the logs of all parameters."""
    parts = (model.purchases_, model.spend_)
    for part in parts:
        if not isinstance(part, (PurchaseModel, SpendModel)):
            raise NotSupportedError(
                f"{type(part).__name__} has no covariance of its parameters; use laws of "
                "custvalue.purchase and custvalue.spend."
            )
    for part in parts:
        _check_sure(part)
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
    return np.asarray(slopes)


def _check_sure(part: Any) -> None:
    """Refuse parameters of which nothing is known."""
    if isinstance(part, OwnMean):  # a customer's own mean is taken as it is
        return
    report = part.fit_report()
    if report.status == "given" or np.isnan(np.asarray(report.log_covariance)).all():
        raise NotSupportedError(
            f"{type(part).__name__} was made from parameters, or its fit defines no standard "
            "errors, so nothing is known of how sure they are."
        )


def _roots(model: CustomerValue, groups: tuple[str | None, str | None]) -> tuple[Floats, Floats]:
    """Roots of the errors of a piece's log parameters: those of its own, and those groups share."""
    own, shared = [], []
    for part, name in zip((model.purchases_, model.spend_), groups, strict=True):
        if isinstance(part, OwnMean):
            continue
        if name is None:
            own.append(root(part.fitted_.spread))
            shared.append(np.empty((len(own[-1]), 0)))
        else:
            mine, common = part.fitted_.groups.roots(name, part.fitted_)
            own.append(mine)
            shared.append(common)
    return _blocks(own), _blocks(shared)


def _blocks(parts: list[Floats]) -> Floats:
    """Put matrices along the diagonal of one."""
    height, width = (sum(part.shape[axis] for part in parts) for axis in (0, 1))
    out = np.zeros((height, width))
    i = j = 0
    for part in parts:
        out[i : i + part.shape[0], j : j + part.shape[1]] = part
        i, j = i + part.shape[0], j + part.shape[1]
    return out


def groups_in(part: Any) -> FittedGroups | None:
    """Give the parameters by group of a part, where it has any."""
    found: FittedGroups | None = getattr(getattr(part, "fitted_", None), "groups", None)
    return found
