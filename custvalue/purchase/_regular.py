"""What the estimators of regular buyers share: k given or chosen, and what choosing it needs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from custvalue._kernels import Histories
from custvalue._open_table import Table, open_table
from custvalue._sklearn import check_is_fitted, weights_of
from custvalue._typing import Floats
from custvalue._units import Span
from custvalue.exceptions import ContractProblem, DataContractError, NotSupportedError
from custvalue.likelihood import fit_law
from custvalue.likelihood._for_rooms import Unseen
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._erlang import log_gap_terms
from custvalue.purchase._forecast import Past
from custvalue.purchase._law import PurchaseLaw
from custvalue.purchase._prior import Prior

CONDENSED = 2  # the k of the condensed NBD (Chatfield & Goodhardt 1973)
MOST_REGULAR = 12  # up to which k is looked for
LARGEST = 24  # that may be given: beyond, gaps are all but equal
SLACK = 1e-6
GapLogs = "litt"


class LawOfK:
    """The law of an estimator's ``k_`` once it is fitted, else of its ``k``."""

    def __init__(self, make: Callable[[int], PurchaseLaw]) -> None:
        self.make = make

    def __get__(self, model: Any, kind: Any = None) -> PurchaseLaw:
        if model is None:
            return self.make(CONDENSED)
        k = model.__dict__.get("k_", model.k)
        return self.make(CONDENSED if isinstance(k, str) else check_k(k))


def check_k(k: Any) -> int:
    """Take a whole number of events an order.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from custvalue.purchase._regular import check_k
    >>> check_k(3)
    3
    """
    good = isinstance(k, Integral) and not isinstance(k, bool) and 1 <= int(k) <= LARGEST
    if not good:
        raise ValueError(f"k={k!r} must be a whole number from 1 to {LARGEST}, or 'auto'.")
    return int(k)


class RegularModel(PurchaseModel):
    """Base of BG/CNBD-k and MBG/CNBD-k; parameters and attributes are those of each.

    Parameters
    ----------
    k : int or "auto", default=2
    unit : str or None, default=None
    horizon : str, number or None, default=None
    prior : Prior or None, default=None
    purchase_columns, leave_columns, equal_columns : list of str or None, default=None
    ridge : float, default=0.0
    missing : {"raise", "encode"}, default="raise"

    Examples
    --------
    >>> from custvalue.purchase import BGCNBD, MBGCNBD
    >>> from custvalue.purchase._regular import RegularModel
    >>> issubclass(BGCNBD, RegularModel), issubclass(MBGCNBD, RegularModel)
    (True, True)
    """

    k_: int

    def __init__(
        self,
        *,
        k: int | Literal["auto"] = CONDENSED,
        unit: str | None = None,
        horizon: Span | None = None,
        prior: Prior | None = None,
        purchase_columns: Sequence[str] | None = None,
        leave_columns: Sequence[str] | None = None,
        equal_columns: Sequence[str] | None = None,
        ridge: float = 0.0,
        missing: Literal["raise", "encode"] = "raise",
    ) -> None:
        super().__init__(
            unit=unit,
            horizon=horizon,
            prior=prior,
            purchase_columns=purchase_columns,
            leave_columns=leave_columns,
            equal_columns=equal_columns,
            ridge=ridge,
            missing=missing,
        )
        self.k = k

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        by: str | None = None,
        unseen: Unseen = "raise",
    ) -> Self:
        """Estimate the parameters by maximum likelihood, and k where it is ``"auto"``.

        Parameters
        ----------
        X : table with columns frequency, recency, T, or array with these three columns first
            One row a customer, the one-time buyers too. ``litt``, the sum of the logs of a
            customer's gaps, is needed by ``k="auto"`` (and by the log-likelihood of any k above 1).
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional
            How many customers a row stands for.
        by : None
            Refused: laws of regular buyers have no parameters by group yet.
        unseen : {"raise", "common"}, default="raise"
            Not read.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If the columns break the meaning of frequency, recency, T or litt, or ``k="auto"`` finds
            no litt.
        FitFailedError
            If the search ends without an answer.
        ValueError
            If k is neither ``"auto"`` nor a whole number from 1 to 24.

        Warns
        -----
        BoundaryFitWarning
            If the likelihood is highest at a limit; forecasts are usable.
        SelectionWarning
            If one-time buyers seem to have been removed.
        """
        if by is not None:
            raise NotSupportedError(
                f"{type(self).__name__} has no parameters by group yet; BGNBD and MBGNBD have, or "
                "fit each group by itself."
            )
        if isinstance(self.k, str) and self.k != "auto":
            check_k(self.k)
        table = open_table(X)
        self.__dict__.pop("k_", None)
        past = self._read(table, reset=True)
        weight = weights_of(sample_weight, len(past.x), table)
        rows, words = self._distinct(past, weight), []
        if self.k == "auto":
            logs = self._gap_logs(table, past)
            found = self._choose(rows, float(np.sum(logs if weight is None else weight * logs)))
            chosen = max(found, key=lambda k: found[k])
            tried = ", ".join(f"{k}: {v:,.2f}" for k, v in found.items())
            words.append(f"k = {chosen} has the highest log-likelihood ({tried}).")
        else:
            chosen = check_k(self.k)
        self.k_ = chosen
        super().fit(table, y, sample_weight)
        report = self.fitted_.report
        total = report.log_likelihood
        if chosen > 1 and not table.has(GapLogs):
            total = np.nan
            words.append("log_likelihood needs the column 'litt', the sum of the logs of the gaps.")
        else:
            terms = self._gap_terms(table, past)
            total += float(np.sum(terms if weight is None else weight * terms))
        report = replace(report, log_likelihood=total, notes=(*report.notes, *words))
        self.fitted_ = replace(self.fitted_, report=report)
        return self

    def _choose(self, rows: Histories, logs: float) -> dict[int, float]:
        """Log-likelihood of each k from 1 upwards until it falls."""
        found: dict[int, float] = {}
        if not rows.T.any() or not rows.x.any():  # nobody came back: every k says the same
            return {1: np.nan}
        for k in range(1, MOST_REGULAR + 1):
            self.k_ = k
            fitted = fit_law(self.law, rows, penalty=self._penalty())
            terms = log_gap_terms(k, np.array([float(rows.w @ rows.x)]), np.array([logs]))
            found[k] = fitted.log_likelihood + float(terms[0])
            if k > 1 and found[k] <= found[k - 1]:
                break
        return found

    def score_samples(self, X: Any) -> Floats:
        """Log-likelihood of each row.

        Parameters
        ----------
        X : table or array
            With ``litt`` unless k is 1.

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        DataContractError
            If there is no ``litt``.
        """
        table = open_table(X)
        return super().score_samples(table) + self._gap_terms(table, self._histories(table))

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean log-likelihood per customer; higher is better.

        Parameters
        ----------
        X : table or array
            With ``litt`` unless k is 1.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        float

        Warns
        -----
        InSampleWarning
            If these are the rows the model was fitted on.
        """
        table = open_table(X)
        past = self._histories(table)
        weight = weights_of(sample_weight, len(past.x), table)
        terms = float(np.average(self._gap_terms(table, past), weights=weight))
        return super().score(table, y, sample_weight) + terms

    def _gap_terms(self, table: Table, past: Past) -> Floats:
        """Part of each row's log-likelihood that only k moves."""
        if self.k_ == 1:
            return np.zeros(len(past.x))
        return log_gap_terms(self.k_, past.x, self._gap_logs(table, past))

    def _gap_logs(self, table: Table, past: Past) -> Floats:
        """Sum of the logs of each customer's gaps, held to what they can be.

        Raises
        ------
        DataContractError
        """
        if not table.has(GapLogs):
            raise DataContractError(
                ContractProblem(
                    "missing-column",
                    f"the table has no column {GapLogs!r}, the sum of the logs of a customer's "
                    "gaps, which tells how regular they are",
                    "custvalue.summarize makes it; without it give k= a whole number.",
                )
            )
        (logs,) = table.floats([GapLogs], caller=f"this {type(self).__name__}")
        most = np.zeros(len(past.x))
        np.log(past.t_x / np.maximum(past.x, 1.0), out=most, where=past.x > 0)
        most *= past.x
        slack = SLACK * (1.0 + past.x + np.abs(logs))
        wrong = (logs > most + slack) | ((past.x <= 1) & (logs < most - slack))
        if wrong.any():
            raise DataContractError(
                ContractProblem.at(
                    "litt-of-no-gaps",
                    f"{GapLogs!r} cannot be the sum of natural logs of gaps that add up to "
                    "'recency': it is at most frequency x log(recency / frequency), the log of "
                    "recency where there is one gap, and 0 where there is none",
                    "Take gaps in the unit of 'recency' and natural logs; row positions are "
                    "counted from 0.",
                    np.flatnonzero(wrong),
                )
            )
        return logs

    def _simulated(self, n: int, owner: npt.NDArray[np.intp], time: Floats) -> dict[str, Floats]:
        before = np.r_[0.0, time[:-1]]
        before[np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])[: len(time)]] = 0.0
        logs = np.log(np.maximum(time - before, np.finfo(float).tiny))
        return {GapLogs: np.bincount(owner, weights=logs, minlength=n).astype(np.float64)}

    # ---- the same k after fitting --------------------------------------------------------------

    @classmethod
    def from_params(cls, **values: Any) -> Self:
        """Make a model with given parameters, ready to forecast, for example published ones.

        Parameters
        ----------
        **values
            ``k`` (2 unless given), and ``r``, ``alpha``, ``a``, ``b``, each positive; any of the
            constructor's settings besides.

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If a parameter is missing, unknown or not positive, or k is no number.
        """
        if isinstance(values.get("k"), str):
            raise ValueError(f"{cls.__name__}.from_params wants k, a whole number; got 'auto'.")
        model = super().from_params(**values)
        model.k_ = check_k(model.k)
        return model

    def with_params(self, **moved: float) -> Self:
        """Make the same model with some parameters moved, as given ones; k stays.

        Parameters
        ----------
        **moved : float
            By name; the others stay.

        Returns
        -------
        estimator
        """
        check_is_fitted(self, "params_")
        held = copy.copy(self)
        held.k = self.k_
        return PurchaseModel.with_params(held, **moved)

    def _settings(self) -> dict[str, Any]:
        return {"k": self.k_, **super()._settings()}

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        plain = super()._from_settings(plain)
        check_k(plain["k"])
        return plain
