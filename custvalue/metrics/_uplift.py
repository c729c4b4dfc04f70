"""Whether a score ranks customers by what a campaign adds, judged on a random experiment.

Nobody's own effect is ever seen. What can be seen is a score of each customer whose mean, over any
customers chosen before the outcome, is the mean effect on them: the doubly robust score

    psi = m1 - m0 + A (Y - m1) / e - (1 - A) (Y - m0) / (1 - e),

with A the treatment, e its chance, Y the outcome, m1 and m0 any guess of the outcome with and
without treatment (the better the guess, the smaller the noise). Every figure here is a mean of psi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.metrics._arrays import checked

if TYPE_CHECKING:
    import pandas as pd


class Estimate(NamedTuple):
    """A figure, its standard error, and the ends of its interval.

    Attributes
    ----------
    value, error, lower, upper : float

    Examples
    --------
    >>> Estimate(1.5, 0.5, 0.5, 2.5).upper
    2.5
    """

    value: float
    error: float
    lower: float
    upper: float


def effect_scores(
    y: Any, treatment: Any, *, propensity: Any = None, expected: Any = None
) -> Floats:
    """Doubly robust score of each customer; its mean over any customers is the mean effect on them.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        What each customer brought, treated or not, zeros included.
    treatment : array-like of shape (n_rows,)
        1 or True where the customer was treated, 0 or False in the control group.
    propensity : float or array-like of shape (n_rows,), optional
        Chance of treatment that the experiment gave. Default: the share that was treated.
    expected : array-like of shape (n_rows, 2), optional
        Guess of the outcome without and with treatment, made without this customer's outcome.
        Default: the mean of each group.

    Returns
    -------
    ndarray of shape (n_rows,)
        In the unit of ``y``. By the defaults its mean is the difference of the groups' means.

    Raises
    ------
    DataContractError
        If outcomes are missing, treatments are none of the above or all alike, or propensities are
        not strictly between 0 and 1; all of it together.

    References
    ----------
    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994), Estimation of regression coefficients when
    some regressors are not always observed, Journal of the American Statistical Association 89.

    Examples
    --------
    >>> from custvalue.metrics import effect_scores
    >>> effect_scores([3, 5, 1, 1], [1, 1, 0, 0]).tolist()
    [1.0, 5.0, 3.0, 3.0]
    """
    outcome = np.asarray(y, dtype=np.float64)
    arm = np.asarray(treatment)
    n = len(outcome)
    if outcome.ndim != 1 or arm.shape != (n,):
        raise ValueError(
            f"y and treatment must have one dimension and one length, not {outcome.shape} and "
            f"{arm.shape}."
        )
    problems = []
    if len(gone := np.flatnonzero(~np.isfinite(outcome))):
        problems.append(
            ContractProblem.at(
                "missing-outcome",
                "y has missing or infinite outcomes",
                "A customer who brought nothing has 0; leave out who was not followed up.",
                gone,
            )
        )
    treated = np.isin(arm, (1, True))
    if len(strange := np.flatnonzero(~(treated | np.isin(arm, (0, False))))):
        problems.append(
            ContractProblem.at(
                "unknown-treatment",
                f"treatment has values other than 0 and 1, such as {arm[strange[0]]!r}",
                "Compare one arm with the control group at a time.",
                strange,
            )
        )
    elif n and (treated.all() or not treated.any()):
        problems.append(
            ContractProblem(
                "one-arm",
                f"all customers are {'treated' if treated.all() else 'in the control group'}",
                "An effect needs both: hold out a random control group.",
            )
        )
    if problems or not n:
        raise DataContractError(
            problems or ContractProblem("empty", "there is no customer", "Pass some.")
        )
    e = np.broadcast_to(
        treated.mean() if propensity is None else np.asarray(propensity, np.float64), (n,)
    )
    check_propensity(e)
    if expected is None:
        means = np.array([outcome[~treated].mean(), outcome[treated].mean()])
        guess = np.broadcast_to(means, (n, 2))
    else:
        guess = np.asarray(expected, dtype=np.float64)
        if guess.shape != (n, 2) or not np.isfinite(guess).all():
            raise ValueError(f"expected, of shape {guess.shape}, must be ({n}, 2) finite numbers.")
    gamma = outcome_scores(outcome, treated.astype(np.intp), np.column_stack([1 - e, e]), guess)
    return np.asarray(gamma[:, 1] - gamma[:, 0])


def check_propensity(e: Floats) -> None:
    """Refuse chances of a treatment that nobody, or everybody like a customer, would get."""
    bad = ~((e > 0) & (e < 1)).reshape(len(e), -1).all(axis=1)
    if bad.any():
        raise DataContractError(
            ContractProblem.at(
                "propensity",
                "chances of treatment are not strictly between 0 and 1",
                "Customers who could only be treated, or never, tell no effect: leave them out.",
                np.flatnonzero(bad),
            )
        )


def outcome_scores(y: Floats, arm: Any, propensity: Floats, expected: Floats) -> Floats:
    """Doubly robust score of the outcome under each arm; shape (n_rows, n_arms).

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    arm : ndarray of shape (n_rows,), int
        Position of each customer's arm.
    propensity, expected : ndarray of shape (n_rows, n_arms)

    Examples
    --------
    >>> import numpy as np
    >>> outcome_scores(np.array([3.0, 1.0]), np.array([0, 1]), np.full((2, 2), 0.5),
    ...                np.full((2, 2), 1.0)).tolist()
    [[5.0, 1.0], [1.0, 1.0]]
    """
    rows = np.arange(len(y))
    scores = np.array(expected, dtype=np.float64)
    scores[rows, arm] += (y - scores[rows, arm]) / propensity[rows, arm]
    return scores


def qini_table(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    expected: Any = None,
    level: float = 0.95,
    n_points: int = 101,
) -> pd.DataFrame:
    """Gain of treating the customers of greatest uplift, share by share, against a random choice.

    Parameters
    ----------
    y, treatment, propensity, expected
        As in :func:`effect_scores`.
    uplift : array-like of shape (n_rows,)
        Predicted effect, made without these customers' outcomes; only its order counts. Customers
        with equal predictions are taken in equal parts.
    level : float, default=0.95
    n_points : int, default=101
        Rows of the table.

    Returns
    -------
    DataFrame
        ``share`` of customers treated, ``gain`` (mean over *all* customers, in the unit of ``y``),
        ``error``, ``lower``, ``upper``, ``random`` (what treating so many at random brings).

    Raises
    ------
    DataContractError, ValueError
        As in :func:`effect_scores`.

    References
    ----------
    Radcliffe, N. J. (2007), Using control groups to target on predicted lift, Direct Marketing
    Analytics Journal 1, 14-21.

    Examples
    --------
    >>> from custvalue.metrics import qini_table
    >>> y, treated = [9, 0, 1, 1], [1, 0, 1, 0]
    >>> table = qini_table(y, [5, 5, 1, 1], treated, n_points=3)
    >>> table[["share", "gain", "random"]].to_numpy().tolist()
    [[0.0, 0.0, 0.0], [0.5, 4.5, 2.25], [1.0, 4.5, 4.5]]
    """
    import pandas as pd

    psi = effect_scores(y, treatment, propensity=propensity, expected=expected)
    share = np.linspace(0.0, 1.0, n_points)
    gain, error = gains_of(psi, _ranked_by(psi, uplift), share)
    half = normal_quantile(level) * error
    return pd.DataFrame(
        {
            "share": share,
            "gain": gain,
            "error": error,
            "lower": gain - half,
            "upper": gain + half,
            "random": share * psi.mean(),
        }
    )


def qini_score(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    propensity: Any = None,
    expected: Any = None,
    level: float = 0.95,
) -> Estimate:
    """Area between the curve of :func:`qini_table` and its random line.

    Parameters
    ----------
    y, uplift, treatment, propensity, expected, level
        As in :func:`qini_table`.

    Returns
    -------
    Estimate
        In the unit of ``y`` a customer: what the order gains over a random one, on average over all
        shares to treat. Not divided by a best possible area, which nobody knows.

    Notes
    -----
    With r the share of customers ranked before (ties half), the area is the mean of psi (1/2 - r).
    Its error is that of a statistic of pairs (Hoeffding's projection), so that the ranks may change
    with the customers drawn.

    Examples
    --------
    >>> from custvalue.metrics import qini_score
    >>> y, treated = [9, 0, 1, 1], [1, 0, 1, 0]
    >>> qini_score(y, [5, 5, 1, 1], treated).value
    1.125
    >>> qini_score(y, [1, 1, 1, 1], treated).value
    0.0
    """
    psi = effect_scores(y, treatment, propensity=propensity, expected=expected)
    return _estimate(*qini_of(psi, _ranked_by(psi, uplift)), level)


def uplift_at_k(
    y: Any,
    uplift: Any,
    treatment: Any,
    *,
    k: float = 0.3,
    propensity: Any = None,
    expected: Any = None,
    level: float = 0.95,
) -> Estimate:
    """Mean effect on the share ``k`` of customers whose predicted effect is greatest.

    Parameters
    ----------
    y, uplift, treatment, propensity, expected, level
        As in :func:`qini_table`.
    k : float in (0, 1], default=0.3

    Returns
    -------
    Estimate
        In the unit of ``y``, a customer treated.

    Examples
    --------
    >>> from custvalue.metrics import uplift_at_k
    >>> y, treated = [9, 0, 1, 1], [1, 0, 1, 0]
    >>> uplift_at_k(y, [5, 5, 1, 1], treated, k=0.5).value
    9.0
    """
    if not 0 < k <= 1:
        raise ValueError(f"k={k!r} must be a share above 0 and up to 1.")
    psi = effect_scores(y, treatment, propensity=propensity, expected=expected)
    gain, error = gains_of(psi, _ranked_by(psi, uplift), np.array([float(k)]))
    return _estimate(float(gain[0]) / k, float(error[0]) / k, level)


def gains_of(psi: Floats, uplift: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Gain a customer of treating so large a share, best first, and its standard error."""
    n = len(psi)
    order = np.argsort(-uplift, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(uplift[order]) != 0])
    sums = np.array(
        [np.add.reduceat(v[order], starts) for v in (np.ones(n), psi, psi**2)]
    )  # a group of ties each
    before = np.concatenate([np.zeros((3, 1)), np.cumsum(sums, axis=1)], axis=1)
    taken = share * n
    at = np.clip(np.searchsorted(before[0], taken, side="right") - 1, 0, len(starts) - 1)
    part = np.clip((taken - before[0, at]) / sums[0, at], 0.0, 1.0)
    total = before[1, at] + part * sums[1, at]
    mean = np.divide(total, taken, out=np.zeros_like(total), where=taken > 0)

    def squares(s: Floats) -> Floats:
        return np.asarray(s[2] - 2.0 * mean * s[1] + mean**2 * s[0])

    spread = squares(before[:, at]) + part**2 * squares(sums[:, at])
    return total / n, np.sqrt(np.maximum(spread, 0.0)) / n


def qini_of(psi: Floats, uplift: Floats) -> tuple[float, float]:
    """Area over the random line, and its standard error."""
    n = len(psi)
    order = np.argsort(-uplift, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(uplift[order]) != 0])
    size = np.diff(np.r_[starts, n])
    sums = np.add.reduceat(psi[order], starts)
    rank, below = np.empty(n), np.empty(n)
    rank[order] = np.repeat((starts + size / 2.0) / n, size)
    below[order] = np.repeat((psi.sum() - np.cumsum(sums) + sums / 2.0) / n, size)
    area = float((psi * (0.5 - rank)).mean())
    own = psi * (0.5 - rank) - below
    return (0.0 if len(starts) == 1 else area), float(own.std(ddof=1) / np.sqrt(n))


def _ranked_by(psi: Floats, uplift: Any) -> Floats:
    return checked(psi, uplift, name="uplift")[1]


def normal_quantile(level: float) -> float:
    """Half width of an interval, in standard errors.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ValueError(f"level={level!r} must lie in (0, 1).")
    return float(ndtri(0.5 + level / 2))


def _estimate(value: float, error: float, level: float) -> Estimate:
    half = normal_quantile(level) * error
    return Estimate(value, error, value - half, value + half)
