"""What every law of how long contracts last answers, and how to add one.

A law says one thing, the log of its survival function: the chance that a contract is still there
after ``t`` renewal dates (``discrete=True``), or after a time ``t``. Who is still
there at age T is there t later with chance S(T + t) / S(T); everything else follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories, compress, legendre
from custvalue._open_table import open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import RowScorer, refuse_nameless
from custvalue._sklearn import check_is_fitted, read_vectors, weights_of
from custvalue._typing import Floats, Mask
from custvalue._units import DAYS_PER, Span, check_annual_rate, days_per, in_units, plain_span
from custvalue._work import MOST_CELLS, MOST_TERMS, check_count, check_work
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.likelihood import Law, LawModel
from custvalue.likelihood._for_rooms import Units
from custvalue.purchase._for_rooms import survivor_rows

FAR = 40.0  # discounting by e^-40 leaves nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class ContractLaw(Law):
    """A law of how long a contract lasts.

    Parameters
    ----------
    log_survival : callable (params..., t) -> array
        Log of the chance of making the renewal at date ``t``, or of lasting longer than ``t``.
    simulate : callable (params..., n, rng) -> array of shape (n,)
        Renewals made, or time lasted, of n contracts from their start to their end.
    discrete : bool
        Whether renewals are counted instead of time.
    guesses : callable (leaving) -> list of tuple
        Parameters to start from, given the share that leaves a renewal or a unit of time.

    Examples
    --------
    >>> from custvalue.contracts import BetaDiscreteWeibull
    >>> BetaDiscreteWeibull.law.names, BetaDiscreteWeibull.law.discrete
    (('alpha', 'beta', 'c'), True)
    """

    log_survival: Callable[..., Floats]
    simulate: Callable[..., Floats]
    guesses: Callable[[float], list[tuple[float, ...]]]
    discrete: bool

    def units(self, rows: Histories) -> Units:
        """Time counts in the mean time seen."""
        return Units() if self.discrete else Units(time=float(rows.w @ rows.T) / rows.n or 1.0)

    def counted(self, rows: Histories, units: Units) -> Histories:
        """Contracts with time counted in these units."""
        return rows if units.time == 1.0 else rows.counted(units.time)

    def columns(self, rows: Histories) -> tuple[Floats, ...]:
        """How long each contract was seen, and whether it ended then."""
        return rows.T, rows.x

    def log_unit(self, rows: Histories, units: Units) -> Floats:
        """Take a time for each contract that ended: its density is one per unit of time."""
        return rows.x * np.log(units.time)

    def starts(self, rows: Histories) -> list[Floats]:
        """Take logs of the guesses, given how often contracts ended."""
        ended = float(rows.w @ rows.x)
        chances = float(rows.w @ rows.T) + (ended if self.discrete else 0.0)
        share = max(ended, 0.5) / max(chances, 1.0)
        return [np.log(values) for values in self.guesses(share)]

    def facts(self, rows: Histories) -> dict[str, float]:
        """Enough to recognise the same rows."""
        return {
            "customers": rows.n,
            "ended": float(rows.w @ rows.x),
            "sum_T": float(rows.w @ rows.T),
            "max_T": float(rows.T.max()),
        }

    def seen(self, facts: Any) -> str:
        """How many contracts, how many of them ended."""
        return f"{facts['customers']:,.0f} contracts, {facts['ended']:,.0f} of them ended."


class ContractModel(LawModel):
    """Base of the laws of how long contracts last.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of time where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    """

    law: ClassVar[ContractLaw]

    def __init__(self, *, unit: str | None = None, horizon: Span | None = None) -> None:
        self.unit = unit
        self.horizon = horizon

    @property
    def unit_(self) -> str | None:
        """Unit of time of the parameters."""
        return self.fitted_.unit

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the parameters by maximum likelihood; contracts that still run are censored.

        Parameters
        ----------
        X : table with the columns of ``SubscriptionTable.contracts``, or array
            ``frequency`` and ``T`` where renewals are counted, ``duration`` and ``ended`` where
            time is.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional
            How many customers a row stands for.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If the columns break their meaning.
        FitFailedError
            If the search ends without an answer.

        Warns
        -----
        BoundaryFitWarning
            If the likelihood is highest at a limit; forecasts are usable.
        """
        table = open_table(X)
        t, gone = self._lifetimes(table, reset=True)
        unit = table.unit(self.unit, caller=f"this {type(self).__name__}")
        weight = weights_of(sample_weight, len(t), table)
        if not (t > 0).any() and not gone.any():
            raise DataContractError(
                ContractProblem(
                    "no-time-observed",
                    "no contract has come to a renewal date, so nothing has been seen of them",
                    "Use a later as-of date.",
                    len(t),
                )
            )
        return self._learn(self._distinct(t, gone, weight), unit)

    def fit_cohorts(self, survivors: npt.ArrayLike) -> Self:
        """Fit to numbers of survivors instead of customers; several cohorts share one law.

        Parameters
        ----------
        survivors : array-like of shape (n_periods + 1,) or (n_cohorts, n_periods + 1)
            Customers at the start and after each period, one cohort a row, NaN where a younger one
            has not come so far: what ``SubscriptionTable.retention("survivors", share=False)``
            gives.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If a cohort grows, or counts are missing in between.
        NotSupportedError
            By a law of continuous time: counts do not say when within a period a contract ended.
        """
        from custvalue.exceptions import NotSupportedError

        if not self.law.discrete:
            raise NotSupportedError(
                f"{type(self).__name__} reads when each contract ended; fit it on "
                "SubscriptionTable.contracts(), or use a law that counts renewals."
            )
        x, T, weight = np.concatenate(survivor_rows(survivors)[1]).T
        return self.fit(np.column_stack([x, T]), sample_weight=weight)

    # ---- forecasts -------------------------------------------------------------------------------

    def predict(
        self, X: Any, horizon: Span | None = None, *, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """Expect how long each contract goes on within the horizon, one value a row.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning.

        Returns
        -------
        ndarray of shape (n_rows,)
            Renewals at the coming dates, or time; 0 where the contract has ended.
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, horizon, on_invalid=on_invalid)
        t, gone = self._contracts(X)
        until = self._time(horizon)
        if self.law.discrete:
            check_work(until, MOST_TERMS, "renewal dates", "Shorten the horizon.")
            at = np.arange(1.0, np.floor(until + 1e-9) + 1.0)
            return self._summed(t, gone, at, np.ones(len(at)))
        return self._summed(t, gone, *_panels(until, 0.0))

    def scorer(self, horizon: Span | None = None) -> RowScorer:
        """Freeze the law and a horizon for single contracts, as a service asks for them.

        Parameters
        ----------
        horizon : str or number, optional

        Returns
        -------
        RowScorer
            ``score({...})`` of a contract's row is what :meth:`predict` says of it;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "params_")
        refuse_nameless(self)
        asked = self.horizon if horizon is None else horizon
        self._time(asked)  # a horizon that is none is said at once
        return RowScorer(lambda row: self.predict(row, asked), self.unit_, "lifetime")

    def predict_alive(
        self, X: Any, at: Span | None = None, *, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """P(the contract still runs), now (1 or 0) or a while later, one value a row.

        Parameters
        ----------
        X : table or array
        at : str or number, optional
            How long after the as-of date.
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if on_invalid != "raise":
            return flagged(self.predict_alive, X, at, on_invalid=on_invalid)
        t, gone = self._contracts(X)
        later = 0.0 if at is None else self._time(at, "at")
        return self._summed(t, gone, np.array([self._dates(later)]), np.ones(1))

    def derl(self, X: Any, annual_discount_rate: float) -> Floats:
        """Discounted expected residual lifetime of each contract (Fader & Hardie 2010, eq. 6).

        Parameters
        ----------
        X : table or array
        annual_discount_rate : float
            Above 0.

        Returns
        -------
        ndarray of shape (n_rows,)
            Counted renewals: as it stands just before the next renewal date, whose renewal is not
            discounted. Time: the integral of the discounted chance of being there.
        """
        t, gone = self._contracts(X)
        rate = check_annual_rate(annual_discount_rate)
        if self.unit_ is None:
            raise ValueError(
                "an annual discount rate needs the unit of time: fit on a table of "
                "SubscriptionTable.contracts, or set unit= on the estimator."
            )
        if rate <= 0.0:
            raise ValueError(f"annual_discount_rate={rate:g} must be above 0.")
        pull = float(np.log1p(rate)) * days_per(self.unit_) / DAYS_PER["Y"]
        if not self.law.discrete:
            return self._summed(t, gone, *_panels(FAR / pull, pull))
        check_work(FAR / pull, MOST_TERMS, "renewal dates", "Give a higher rate.")
        at = np.arange(1.0, np.ceil(FAR / pull) + 1.0)
        return self._summed(t, gone, at, np.exp(-pull * (at - 1.0)))

    def survival_curve(self, horizon: Span | None = None, *, steps: int = 100) -> Floats:
        """Share of new contracts that still run after 0, 1, 2, ... periods.

        Parameters
        ----------
        horizon : str or number, optional
        steps : int, default=100
            Of a law of continuous time: equal steps to the horizon.

        Returns
        -------
        ndarray of shape (n_dates + 1,) or (steps + 1,)
        """
        check_is_fitted(self, "params_")
        until = self._time(horizon)
        if self.law.discrete:
            check_work(until, MOST_TERMS, "renewal dates", "Shorten the horizon.")
            at = np.arange(np.floor(until + 1e-9) + 1.0)
        else:
            at = np.linspace(0.0, until, check_count("steps", steps, 1, MOST_TERMS) + 1)
        return np.exp(self.law.log_survival(*self.params_, at))

    def retention_rate(self, T: npt.ArrayLike) -> Floats:
        """Chance that who is still there at T - 1 is there at T.

        Parameters
        ----------
        T : array-like
            Number of the renewal (1 is the first), or age in the model's unit of time.

        Returns
        -------
        ndarray
        """
        check_is_fitted(self, "params_")
        end = np.asarray(T, dtype=np.float64)
        if (end < 1.0).any():
            raise ValueError("T must be 1 or more: a renewal rate is that of a whole period.")
        log_survival = self.law.log_survival
        return np.exp(log_survival(*self.params_, end) - log_survival(*self.params_, end - 1.0))

    def sample_contracts(
        self, n: int, T: Any, *, random_state: int | np.random.Generator | None = None
    ) -> Any:
        """Simulate contracts seen for a time T from their start.

        Parameters
        ----------
        n : int
        T : float or array-like of shape (n,)
            Renewal dates, or time, in the model's unit.
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame of shape (n, 2)
            The columns that ``fit`` reads.
        """
        import pandas as pd

        check_is_fitted(self, "params_")
        n = check_count("n", n, 0, MOST_CELLS)
        end = np.broadcast_to(np.asarray(T, dtype=np.float64), (n,))
        rng = np.random.default_rng(random_state)
        lasted = self.law.simulate(*self.params_, n, rng)
        seen = np.minimum(lasted, end)
        second = end if self.law.discrete else (lasted < end).astype(np.float64)
        return pd.DataFrame(dict(zip(self.columns, (seen, second), strict=True)))

    # ---- what the methods share ------------------------------------------------------------------

    def _contracts(self, X: Any) -> tuple[Floats, Mask]:
        check_is_fitted(self, "params_")
        return self._lifetimes(X, reset=False)

    def _lifetimes(self, X: Any, *, reset: bool) -> tuple[Floats, Mask]:
        """How long each contract was seen, and whether it ended then."""
        first, second = read_vectors(self, X, self.columns, reset=reset)
        names = self.columns
        if self.law.discrete:
            text = f"{names[0]!r} and {names[1]!r} must be whole numbers of renewals, 0 or more"
            bad = (first != np.floor(first)) | (second != np.floor(second)) | (first < 0)
            more = (f"{names[0]!r} is above {names[1]!r}", first > second,
                    "There cannot be more renewals than dates for them.")  # fmt: skip
            gone = first < second
        else:
            text = f"{names[0]!r} must not be negative, and above 0 where the contract ended"
            bad = (first < 0) | ((first == 0) & (second == 1))
            more = (f"{names[1]!r} must be 1 or 0", (second != 0) & (second != 1),
                    "Say of each contract whether it has ended.")  # fmt: skip
            gone = second == 1
        faults = [(text, bad, "Pass the table of SubscriptionTable.contracts."), more]
        problems = [
            ContractProblem.at("no-contract", said, cure, np.flatnonzero(mask))
            for said, mask, cure in faults
            if mask.any()
        ]
        if problems:
            raise DataContractError(problems)
        return first, gone

    def _rows(self, X: Any, sample_weight: Any = None) -> Histories:
        table = open_table(X)
        t, gone = self._contracts(table)
        return self._distinct(t, gone, weights_of(sample_weight, len(t), table))

    def _distinct(self, t: Floats, gone: Mask, weight: Floats | None) -> Histories:
        """Equal contracts put together, those without weight left out."""
        if weight is not None:
            some = weight > 0
            t, gone, weight = t[some], gone[some], weight[some]
        tick = 1.0 if self.law.discrete else None
        return compress(gone.astype(np.float64), np.zeros(len(t)), t, weight, tick)

    def _summed(self, t: Floats, gone: Mask, at: Floats, weight: Floats) -> Floats:
        """Sum the chances of being there ``at`` later, each times its weight; 0 of who has left."""
        age, place = np.unique(t, return_inverse=True)
        base = self.law.log_survival(*self.params_, age)
        total = np.zeros(len(age))
        for lo in range(0, len(at), step := max(1, MOST_CELLS // 50 // max(len(age), 1))):
            part = slice(lo, lo + step)
            ahead = self.law.log_survival(*self.params_, age[:, None] + at[part])
            total += np.exp(ahead - base[:, None]) @ weight[part]
        return np.where(gone, 0.0, total[place])

    def _dates(self, t: float) -> float:
        """Renewal dates that have come ``t`` later, where they are counted."""
        return float(np.floor(t + 1e-9)) if self.law.discrete else t

    def _time(self, span: Span | None, name: str = "horizon") -> float:
        span = self.horizon if span is None else span
        if span is None:
            raise ValueError(
                f"{type(self).__name__} needs a horizon: predict(X, horizon='12M'), or horizon= in "
                "the constructor."
            )
        return in_units(span, self.unit_, name)

    def _settings(self) -> dict[str, Any]:
        return {
            "unit": self.unit_,
            "horizon": None if self.horizon is None else plain_span(self.horizon),
        }


def _panels(until: float, pull: float) -> tuple[Floats, Floats]:
    """Points and weights of an integral over time from now, dense where survival is steep."""
    node, weight = legendre(16)
    edge = until * np.r_[0.0, 0.25 ** np.arange(12.0, -1.0, -1.0)]
    width = np.diff(edge)[:, None]
    at = (edge[:-1, None] + width * node).ravel()
    return at, (width * weight).ravel() * np.exp(-pull * at)
