"""Shifted beta-geometric: contracts that are renewed, or not, at known times.

Story: at each renewal a customer leaves with an own chance theta; theta ~ Beta(alpha, beta) over
customers. Retention rises with age because the likely leavers leave first. Source: Fader, P. S. &
Hardie, B. G. S. (2007), How to project customer retention, Journal of Interactive Marketing 21(1),
76-90; equation numbers are theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._kernels import Histories, Objective, counts_of, rising_rows, rising_sums
from custvalue._typing import Floats, Values
from custvalue._units import Span
from custvalue._warn import heard
from custvalue.exceptions import (
    BoundaryFitWarning,
    ContractProblem,
    DataContractError,
    NotSupportedError,
    first_ids,
)
from custvalue.likelihood._for_rooms import ByPair
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._bgbb import expected_orders as _expected_stays
from custvalue.purchase._bgbb import log_left_after, log_stayed, whole
from custvalue.purchase._forecast import Past
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw

if TYPE_CHECKING:
    import pandas as pd


class ShiftedBetaGeometricParams(NamedTuple):
    """Chance of leaving at a renewal, theta ~ Beta(alpha, beta)."""

    alpha: float
    beta: float


def log_likelihood(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """Log P(left at renewal x + 1) (5), or log P(still there after T renewals) (6)."""
    stayed, left = log_stayed(alpha, beta, T), log_left_after(alpha, beta, x)
    return np.asarray(np.where(np.less(x, T), left, stayed) + 0.0 * np.asarray(t_x))


def prob_alive(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> Floats:
    """One or zero: who did not renew has left."""
    shape = np.broadcast(alpha, beta, x, t_x, T).shape
    return np.broadcast_to(np.where(np.less(x, T), 0.0, 1.0), shape).copy()


def alive(alpha: Values, beta: Values, x: Values, t_x: Values, T: Values) -> tuple[Floats, ...]:
    """Give the posterior Beta(alpha, beta + T) of a customer still there."""
    return np.add(alpha, 0.0 * np.add(x, T)), np.add(beta, T)


def expected_orders(alpha: Values, beta: Values, t: Values) -> Floats:
    """Expect the renewals at the next t dates: the sum of the survival function."""
    return np.asarray(_expected_stays(1.0, 0.0, alpha, beta, t))


def log_prob_none(alpha: Values, beta: Values, t: Values) -> Floats:
    """Log P(no renewal at the next t dates | still there): leaving at the first."""
    leaves = np.log(np.divide(alpha, np.add(alpha, beta)))
    return np.asarray(np.where(whole(t) >= 1.0, leaves, 0.0))


def survival(alpha: Values, beta: Values, t: Values) -> Floats:
    """P(still there after t renewal dates) (6)."""
    return np.exp(log_stayed(alpha, beta, whole(t)))


def pmf(alpha: Values, beta: Values, t: Values, n_max: int) -> Floats:
    """P(k renewals at the next t dates | still there), k = 0..n_max (5)."""
    alpha, beta, t = (np.asarray(v, float)[..., None] for v in np.broadcast_arrays(alpha, beta, t))
    m, k = whole(t), np.arange(n_max + 1.0)
    left = np.exp(log_left_after(alpha, beta, np.minimum(k, m)))
    return np.where(k < m, left, np.where(k == m, np.exp(log_stayed(alpha, beta, m)), 0.0))


def simulate(alpha: Values, beta: Values, t: Values, rng: np.random.Generator) -> Orders:
    """Renewals at the next t dates of customers still there."""
    alpha, beta, t = np.broadcast_arrays(np.atleast_1d(alpha), beta, t)
    theta, m = np.clip(rng.beta(alpha, beta), 1e-300, 1.0 - 1e-16), whole(t)
    stays = np.floor(np.log1p(-rng.random(theta.size)) / np.log1p(-theta))
    renewals = np.minimum(stays, m).astype(np.int64)
    owner = np.repeat(np.arange(theta.size), renewals)
    first = np.cumsum(renewals) - renewals
    time = np.arange(owner.size) - first[owner] + 1.0
    return Orders(owner, time, np.where(stays < m, stays, np.inf))


def objective(rows: Histories) -> Objective:
    """Mean log-likelihood, gradient and Hessian in (log alpha, log beta)."""
    n = float(rows.w.sum())
    gone = rows.x < rows.T
    stays = np.where(gone, rows.x, rows.T)
    above, w_above = counts_of(stays, rows.w)
    below, w_below = counts_of(stays + gone, rows.w)
    leavers = float(rows.w[gone].sum())

    def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
        alpha, beta = np.exp(theta)
        up, g_up, h_up = rising_sums(beta, above, w_above)
        down, g_down, h_down = rising_sums(alpha + beta, below, w_below)
        value = up - down + leavers * theta[0]
        g = np.array([leavers / alpha - g_down, g_up - g_down])
        h = np.full((2, 2), -h_down)
        h[0, 0] -= leavers / alpha**2
        h[1, 1] += h_up
        p = np.array([alpha, beta])
        return value / n, p * g / n, (h * np.outer(p, p) + np.diag(p * g)) / n

    return evaluate


def derivatives(
    alpha: Values, beta: Values, x: Floats, t_x: Floats, T: Floats
) -> tuple[Floats, list[Floats], ByPair]:
    """Log probability of each row and its derivatives in (alpha, beta)."""
    gone = (x < T).astype(np.float64)
    stays = np.where(x < T, x, T)
    up, down = rising_rows(beta, stays), rising_rows(np.add(alpha, beta), stays + gone)
    value = up[0] - down[0] + gone * np.log(alpha)
    gradient = [gone / alpha - down[1], up[1] - down[1]]
    hessian = {(0, 0): -down[2] - gone / np.square(alpha), (0, 1): -down[2]}
    hessian[1, 1] = up[2] - down[2]
    return value, gradient, hessian


class ShiftedBetaGeometric(PurchaseModel):
    """sBG: contracts; the chance of leaving at a renewal differs between customers.

    ``frequency`` counts the renewals made, ``T`` the renewal dates that have come; a customer with
    ``frequency < T`` has left (a contract that lapsed is not taken up again here), one with
    ``frequency = T`` is still there. Cohorts of different age go into one fit and share one law;
    ``fit_cohorts`` reads a table of survivors instead, ``compare_cohorts`` fits each by itself and
    says whether they may share, ``predict_survivors`` carries each on from its own age.

    Parameters
    ----------
    unit : str or None, default=None
        Length of a contract period, such as ``"Y"`` or ``"M"``, where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one; counted in whole renewals.
    prior : Prior or None, default=None
        What is known beforehand, in plain quantities.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how often a
        customer orders, and how soon one leaves; the docs have a page on them.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    params_ : ShiftedBetaGeometricParams
    unit_ : str or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Fader, P. S. & Hardie, B. G. S. (2007), How to project customer retention, Journal of
    Interactive Marketing 21(1), 76-90.
    Fader, P. S. & Hardie, B. G. S. (2010), Customer-base valuation in a contractual setting: the
    perils of ignoring heterogeneity, Marketing Science 29(1), 85-93.

    Examples
    --------
    >>> from custvalue.purchase import ShiftedBetaGeometric
    >>> model = ShiftedBetaGeometric().fit_cohorts([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> [round(v, 3) for v in model.params_]
    [0.668, 3.806]
    >>> model.predict_survivors([[491], [800]], horizon=2).round()  # two new cohorts
    array([[491., 418., 367.],
           [800., 681., 597.]])
    """

    law = PurchaseLaw(
        name="sBG",
        params=ShiftedBetaGeometricParams,
        dimensions={"alpha": "none", "beta": "none"},
        mixing=(Mixing("dropout", "beta", "alpha", "beta"),),
        log_likelihood=log_likelihood,
        prob_alive=prob_alive,
        alive=alive,
        expected_orders=expected_orders,
        log_prob_none=log_prob_none,
        survival=survival,
        pmf=pmf,
        simulate=simulate,
        objective=objective,
        derivatives=derivatives,
        discrete=True,
    )

    def fit_cohorts(self, survivors: npt.ArrayLike) -> ShiftedBetaGeometric:
        """Fit to numbers of survivors instead of customers; several cohorts share one law.

        A cohort's likelihood is Fader & Hardie's (2007, 2010) product over the dates it has seen,
        so a young cohort tells of its first renewals and an old one of the later ones too.

        Parameters
        ----------
        survivors : array-like of shape (n_periods + 1,) or (n_cohorts, n_periods + 1)
            Customers at the start and after each renewal date, one cohort a row, youngest or oldest
            first; NaN where a younger cohort has not come so far.

        Returns
        -------
        self : ShiftedBetaGeometric

        Raises
        ------
        DataContractError
            If a cohort grows, or counts are missing in between.
        """
        x, T, weight = np.concatenate(survivor_rows(survivors)[1]).T
        self.fit(np.column_stack([x, x, T]), sample_weight=weight)
        return self

    def compare_cohorts(self, survivors: npt.ArrayLike) -> pd.DataFrame:
        """Fit each cohort by itself and all together, to see whether they may share one law.

        Parameters
        ----------
        survivors : array-like of shape (n_cohorts, n_periods + 1)
            As for ``fit_cohorts``; the index of a frame names the cohorts. The model itself is left
            as it is.

        Returns
        -------
        DataFrame
            A row a cohort and one, ``"together"``, for the shared law: ``customers``, ``alpha``,
            ``beta``, ``mean_leaving`` (at the first renewal), ``status`` of the fit,
            ``log_likelihood``, and ``p_value``: how often cohorts of one law would differ this much
            (likelihood ratio, two degrees of freedom a cohort beyond the first; cautious where a
            fit ends on a boundary); NaN in the rows of single cohorts.
        """
        import pandas as pd
        from scipy.special import chdtrc

        names, cohorts = survivor_rows(survivors)
        lines = []
        for part in [*cohorts, np.concatenate(cohorts)]:
            x, T, weight = part.T
            with heard(BoundaryFitWarning):  # the column "status" says it
                fitted = clone(self).fit(np.column_stack([x, x, T]), sample_weight=weight)
            alpha, beta = fitted.params_
            lines.append(
                {
                    "customers": weight.sum(),
                    "alpha": alpha,
                    "beta": beta,
                    "mean_leaving": alpha / (alpha + beta),
                    "status": fitted.fit_report().status,
                    "log_likelihood": fitted.fit_report().log_likelihood,
                }
            )
        table = pd.DataFrame(lines, index=pd.Index([*names, "together"], name="cohort"))
        apart = float(table["log_likelihood"].iloc[:-1].sum())
        gain = 2.0 * (apart - float(table["log_likelihood"].iloc[-1]))
        p_value = chdtrc(2.0 * (len(cohorts) - 1), max(gain, 0.0)) if len(cohorts) > 1 else np.nan
        table["p_value"] = np.append(np.full(len(cohorts), np.nan), p_value)
        return table

    def predict_survivors(self, survivors: npt.ArrayLike, horizon: Span | None = None) -> Floats:
        """Expect these survivors of cohorts of any age at each of the coming renewal dates.

        Parameters
        ----------
        survivors : array-like of shape (n_periods + 1,) or (n_cohorts, n_periods + 1)
            As for ``fit_cohorts``; a cohort of one number has just begun.
        horizon : str or number, optional

        Returns
        -------
        ndarray of shape (n_cohorts, n_dates + 1)
            The last count seen, and what is expected of it after 1, 2, ... further dates.
        """
        self._plain("predict_survivors")
        dates = np.arange(int(whole(self._check_dates(self._time(horizon)))) + 1.0)
        alpha, beta = self._of_all()
        last = np.array([rows[-1] for rows in survivor_rows(survivors, least=1)[1]])
        age, count = last[:, 1, None], last[:, 2, None]
        return np.asarray(count * survival(alpha, beta + age, dates))

    def _of_all(self) -> ShiftedBetaGeometricParams:
        """Parameters that all customers share."""
        if self.fitted_.effects is not None:
            raise NotSupportedError(
                "columns give every customer an own curve, so a cohort has none of its own; ask "
                "predict_alive(X, at=) of the customers, and take the mean."
            )
        params: ShiftedBetaGeometricParams = self.params_
        return params

    def retention_rate(self, T: npt.ArrayLike) -> Floats:
        """Chance that a customer still there after T - 1 renewals makes the next one (8).

        Parameters
        ----------
        T : array-like
            Number of the renewal, 1 for the first.

        Returns
        -------
        ndarray
            ``(beta + T - 1) / (alpha + beta + T - 1)``: rises with T.
        """
        self._plain("retention_rate")
        alpha, beta = self._of_all()
        done = np.asarray(T, float) - 1.0
        return np.asarray((beta + done) / (alpha + beta + done))

    def survival_curve(self, horizon: Span | None = None) -> Floats:
        """Share of a new cohort still there after 0, 1, 2, ... renewal dates.

        Parameters
        ----------
        horizon : str or number, optional

        Returns
        -------
        ndarray of shape (n_dates + 1,)
        """
        self._plain("survival_curve")
        dates = int(whole(self._check_dates(self._time(horizon))))
        alpha, beta = self._of_all()
        return survival(alpha, beta, np.arange(dates + 1.0))

    def derl(self, X: Any, annual_discount_rate: float) -> Floats:
        """Discounted expected residual lifetime (Fader & Hardie 2010, eq. 6), one value a row.

        Parameters
        ----------
        X : table or array
        annual_discount_rate : float
            Above 0.

        Returns
        -------
        ndarray of shape (n_rows,)
            Expected renewals without end as they stand just before the next renewal date, whose
            renewal is not discounted: :meth:`dert` times 1 + d, with d the rate of a period.

        Examples
        --------
        >>> from custvalue.purchase import ShiftedBetaGeometric
        >>> model = ShiftedBetaGeometric.from_params(alpha=3.80, beta=15.20, unit="Y")
        >>> X = [[n, n, n] for n in range(5)]
        >>> model.derl(X, annual_discount_rate=0.1).round(2)  # their Table 3
        array([3.31, 3.45, 3.59, 3.72, 3.84])
        """
        pull = self._log_discount(annual_discount_rate)
        return np.asarray(self.dert(X, annual_discount_rate) * np.exp(pull))

    def retention_elasticity(self, X: Any, annual_discount_rate: float) -> Floats:
        """Say how residual lifetime answers to retention (Fader & Hardie 2010, eq. 8).

        Parameters
        ----------
        X : table or array
        annual_discount_rate : float
            Above 0.

        Returns
        -------
        ndarray of shape (n_rows,)
            By how many per cent the discounted residual lifetime of who made these renewals rises
            where the own chance of renewing rises by one: the mean of (1 + d) / (d + theta) over
            what is known of theta, which is above that of the mean theta; 0 where the contract has
            ended.
        """
        pull = self._log_discount(annual_discount_rate)
        here = self.predict_alive(X)
        return np.asarray(here + np.exp(-pull) * self.derl(X, annual_discount_rate))

    def _read(self, X: Any, *, reset: bool) -> Past:
        past = super()._read(X, reset=reset)
        late = past.t_x != past.x
        if late.any():
            raise DataContractError(
                ContractProblem.at(
                    "not-a-contract",
                    "'recency' differs from 'frequency': a renewal was left out and a later one "
                    "made",
                    "Contracts are renewed at every date until they end; for orders that may be "
                    "skipped use BGBB.",
                    np.flatnonzero(late),
                )
            )
        return past

    def _check_meaning(self, rows: Histories) -> None:
        """Nothing to look for: whoever never renewed is in the columns."""


def survivor_rows(survivors: Any, least: int = 2) -> tuple[list[Any], list[Floats]]:
    """Names of the cohorts, and of each an array of (renewals made, renewal dates, customers)."""
    named = np.ndim(survivors) == 2 and hasattr(survivors, "iloc")
    table = np.atleast_2d(np.asarray(survivors, dtype=float))
    cohorts, bad = [], []
    for i, line in enumerate(table):
        seen = line[~np.isnan(line)]
        gap = np.isnan(line[: seen.size]).any()
        if seen.size < least or gap or (np.diff(seen) > 0).any() or not (seen >= 0).all():
            bad.append(i)
            continue
        dates = seen.size - 1.0
        lost = [(k, dates, n) for k, n in enumerate(-np.diff(seen))]
        cohorts.append(np.array([*lost, (dates, dates, seen[-1])], dtype=float))
    if bad:
        raise DataContractError(
            ContractProblem(
                "survivors",
                "a cohort needs its start and one renewal, no gap, and must not grow",
                "Give customers at the start and after each renewal date, one cohort a row.",
                len(bad),
                first_ids(bad),
            )
        )
    return list(survivors.index) if named else list(range(len(table))), cohorts
