"""Value grades: five of them, key against general customers, and the 80/20 check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue import _frames
from custvalue._drift import DriftReport, class_shares, drift_report
from custvalue._group_sizes import group_sizes
from custvalue._open_table import Table, open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import OneRow, RowScorer, refuse_nameless
from custvalue._sklearn import DocLink, check_is_fitted, read_columns
from custvalue._typing import Floats
from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language, check_language
from custvalue._work import check_kinds
from custvalue._written import Portable
from custvalue.exceptions import BinWarning

GRADES = ("A", "B", "C", "D", "E")


class Concentration(NamedTuple):
    """The concentration curve: customers from the most valuable down.

    ``customer_share`` and ``value_share`` run from 0 to 1, of shape (n + 1,).

    Examples
    --------
    >>> from custvalue.grades import concentration
    >>> concentration([3.0, 1.0]).customer_share.tolist()
    [0.0, 0.5, 1.0]
    """

    customer_share: Floats
    value_share: Floats


class Pareto(NamedTuple):
    """The 80/20 check in three numbers.

    ``top_share``: share of value of the best 20 % (or ``top``) of customers. ``customers_for``:
    least share of customers that bring 80 % (or ``of_value``) of it. ``gini``: 0 if all are equal,
    close to 1 if one has all.

    Examples
    --------
    >>> from custvalue.grades import pareto
    >>> round(pareto([1.0, 1.0, 1.0, 1.0]).customers_for, 12)
    0.8
    """

    top_share: float
    customers_for: float
    gini: float


def concentration(values: npt.ArrayLike) -> Concentration:
    """Share of value that the best share of customers brings.

    Parameters
    ----------
    values : array-like of shape (n,)
        Value of each customer; may be below zero (then the curve rises above 1 and comes back).

    Returns
    -------
    Concentration

    Raises
    ------
    ValueError
        If values are missing or infinite, there are none, or they don't add up to more than zero.

    Examples
    --------
    >>> from custvalue.grades import concentration
    >>> concentration([1.0, 1.0, 6.0]).value_share.tolist()
    [0.0, 0.75, 0.875, 1.0]
    """
    value = np.asarray(values, dtype=np.float64)
    if value.ndim != 1 or not len(value):
        raise ValueError(f"values must be one column of one customer or more, not {value.shape}.")
    if not np.isfinite(value).all():
        raise ValueError("values has missing or infinite entries; drop or fill them.")
    down = np.sort(value)[::-1]
    total = down.sum()
    if not total > 0:
        raise ValueError(f"the values add up to {total:g}; shares need a total above zero.")
    share = np.concatenate([[0.0], np.cumsum(down) / total])
    share[-1] = 1.0  # the sum of shares, free of rounding
    return Concentration(np.arange(len(value) + 1) / len(value), share)


def pareto(values: npt.ArrayLike, *, top: float = 0.2, of_value: float = 0.8) -> Pareto:
    """How close a customer base is to "80 % of value from 20 % of customers".

    Parameters
    ----------
    values : array-like of shape (n,)
        Value of each customer.
    top : float, default=0.2
        Share of customers whose value is asked for.
    of_value : float, default=0.8
        Share of value whose customers are asked for.

    Returns
    -------
    Pareto
        ``gini`` is one minus twice the area under the curve from the least valuable up, 0 for
        equal customers and (n - 1) / n where one has all.

    Raises
    ------
    ValueError
        As :func:`concentration`; or if a share is outside 0 to 1.

    Examples
    --------
    >>> from custvalue.grades import pareto
    >>> pareto([10.0, 0.0, 0.0, 0.0, 0.0])
    Pareto(top_share=1.0, customers_for=0.16..., gini=0.8...)
    """
    for name, share in (("top", top), ("of_value", of_value)):
        check_share(share, name)
    curve = concentration(values)
    top_share = float(np.interp(top, curve.customer_share, curve.value_share))
    # the curve is concave: the first crossing is the least share of customers
    after = int(np.argmax(curve.value_share >= of_value - 1e-12))
    if after == 0:
        needed = 0.0
    else:
        low, high = curve.value_share[after - 1 : after + 1]
        step = (of_value - low) / (high - low) if high > low else 1.0
        needed = float(curve.customer_share[after - 1] + step / (len(curve.value_share) - 1))
    area = float((curve.value_share[1:] + curve.value_share[:-1]).mean()) / 2.0
    return Pareto(top_share, needed, 2.0 * area - 1.0)


class ValueGrades(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Five grades by value, A the best, with key and general customers.

    Parameters
    ----------
    column : str or sequence of str, default="total_value"
        Column(s) of a frame to grade: historic value, or a future value from a model. An array is
        graded column by column.
    shares : sequence of 4 floats, default=(0.2, 0.4, 0.6, 0.8)
        Where A, B, C and D end, as cumulative shares from the best customer down.
    by : {"customers", "value"}, default="customers"
        Whether ``shares`` count customers, or the value that they bring (then A are the fewest
        customers who bring the first 20 % of what all customers above zero bring together).
    key_grades : int, default=1
        The best grades that make a key customer (重点客户); the others are general (一般客户).

    Attributes
    ----------
    cuts_ : ndarray of shape (n_columns, 4)
        Least value of grades A, B, C and D, frozen in ``fit``: a customer keeps the grade next
        month if the value stays.
    grade_shares_ : ndarray of shape (n_columns, 5)
        Share of the fitted customers in each grade.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    Equal values always get equal grades, so grades may be larger or smaller than their shares.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.grades import ValueGrades
    >>> customers = pd.DataFrame({"total_value": [900.0, 60.0, 50.0, 40.0, 5.0]})
    >>> grades = ValueGrades().fit(customers)
    >>> grades.grade_table(customers)
       total_value grade  customer_kind
    0        900.0     A   key customer
    1         60.0     B  general customer
    2         50.0     C  general customer
    3         40.0     D  general customer
    4          5.0     E  general customer
    """

    def __init__(
        self,
        *,
        column: str | Sequence[str] = "total_value",
        shares: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
        by: str = "customers",
        key_grades: int = 1,
    ) -> None:
        self.column = column
        self.shares = shares
        self.by = by
        self.key_grades = key_grades

    def fit(self, X: Any, y: Any = None) -> ValueGrades:
        """Learn the cuts.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        y : None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        ValueGrades
            Itself, fitted.

        Raises
        ------
        ValueError
            If ``shares``, ``by`` or ``key_grades`` cannot be.

        Warns
        -----
        BinWarning
            If values are graded by value and none is above zero: then all are grade E.
        """
        shares = self._checked_shares()
        values = self._read(open_table(X), reset=True)
        self.cuts_ = np.stack([_cuts(column, shares, self.by) for column in values.T])
        empty = np.flatnonzero(np.isinf(self.cuts_[:, 0]))
        if len(empty):
            warn_caller(
                f"column {', '.join(np.array(self._column_names())[empty])}: no value is "
                "above zero, so nobody brings a share of it and all customers get grade E.",
                BinWarning,
            )
        self.grade_shares_ = np.asarray(
            class_shares(_grades(values, self.cuts_), (len(GRADES),) * values.shape[1])
        )
        return self

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {"cuts_": Floats, "grade_shares_": Floats}

    def _check_written(self) -> None:
        self._checked_shares()
        k = self.n_features_in_
        if not self._names():
            raise ValueError("column must name one column or more.")
        if self.cuts_.shape != (k, 4) or np.isnan(self.cuts_).any():
            raise ValueError("the cuts must be four numbers for each column.")
        if (self.cuts_[:, 1:] > self.cuts_[:, :-1]).any():
            raise ValueError("the cuts must not rise from A to D.")
        if self.grade_shares_.shape != (k, 5) or not np.isfinite(self.grade_shares_).all():
            raise ValueError("the shares must be five numbers for each column.")

    def _checked_shares(self) -> Floats:
        check_kinds(self, shares="sequence", column="text or names")
        shares = np.asarray(self.shares, dtype=np.float64)
        if shares.shape != (4,) or not (np.diff([0.0, *shares, 1.0]) > 0).all():
            raise ValueError(
                f"shares={self.shares!r} must be four rising numbers between 0 and 1, such as "
                "(0.2, 0.4, 0.6, 0.8)."
            )
        if self.by not in ("customers", "value"):
            raise ValueError(f"by={self.by!r} must be 'customers' or 'value'.")
        if self.key_grades not in range(6):
            raise ValueError(f"key_grades={self.key_grades!r} must be a whole number from 0 to 5.")
        return shares

    def _names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else list(self.column)

    def _column_names(self) -> list[str]:
        """Names of the fitted columns; those of an array by place."""
        by_place = [f"x{j}" for j in range(len(self.cuts_))]
        return [str(name) for name in getattr(self, "feature_names_in_", by_place)]

    def _read(self, table: Table, *, reset: bool) -> Floats:
        return read_columns(self, table, self._names(), reset=reset)[0]

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Grade of every value as a number, 1 (A) to 5 (E).

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, n_columns)
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid, width=len(self.cuts_))
        check_is_fitted(self, "cuts_")
        return _grades(self._read(open_table(X), reset=False), self.cuts_) + 1.0

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is the grade of each value, ``"A"`` to ``"E"``;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "cuts_")
        refuse_nameless(self)
        names = list(map(str, self.feature_names_in_))

        def answer(row: OneRow) -> dict[str, Any]:
            places = _grades(self._read(row, reset=False), self.cuts_)[0]
            return {name: [GRADES[int(at)]] for name, at in zip(names, places, strict=True)}

        return RowScorer(answer, None, "grade")

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns: the value's name and ``_grade``.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the columns, where the fitted data had none.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "cuts_")
        names = getattr(self, "feature_names_in_", input_features)
        if names is None:
            names = [f"x{j}" for j in range(len(self.cuts_))]
        if len(names) != len(self.cuts_):
            raise ValueError(
                f"input_features should have length equal to number of features ({len(self.cuts_)})"
                f", got {len(names)}."
            )
        return np.array([f"{name}_grade" for name in names], dtype=object)

    def grade_table(self, X: Any, *, language: Language = "en") -> Any:
        """Value, grade and kind of every customer, by the first graded column.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer where ``X`` states one, the value under its own name, ``grade`` (A to E),
            ``customer_kind`` (key or general customer); same rows, order and index.
        """
        check_is_fitted(self, "cuts_")
        language = check_language(language)
        table = open_table(X)
        values = self._read(table, reset=False)
        grade = _grades(values, self.cuts_)[:, 0]
        columns: dict[str, Any] = {} if table.ids is None else dict([table.ids])
        columns[HOUSE.name(self._value_name(), language)] = values[:, 0]
        columns[HOUSE("grade", language)] = _frames.words_at(X, GRADES, grade)
        kinds = [HOUSE(word, language) for word in ("general customer", "key customer")]
        is_key = (grade < self.key_grades).astype(np.intp)
        columns[HOUSE("customer_kind", language)] = _frames.words_at(X, kinds, is_key)
        return _frames.keep_facts(X, _frames.frame_like(X, columns), kind="grades")

    def _value_name(self) -> str:
        return str(getattr(self, "feature_names_in_", ["value"])[0])

    def summary_table(self, X: Any, *, language: Language = "en") -> Any:
        """Size and value of every grade.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            ``grade``, ``customer_kind``, ``customers``, ``customer_share``, ``value_from`` (the
            frozen cut; minus infinity for E), ``total_value``, ``value_share``.
        """
        check_is_fitted(self, "cuts_")
        language = check_language(language)
        value = self._read(open_table(X), reset=False)[:, 0]
        grade = _grades(value[:, None], self.cuts_[:1])[:, 0]
        sizes = group_sizes(grade, 5, value, "total_value")
        kind = ["key customer" if g < self.key_grades else "general customer" for g in range(5)]
        columns = {
            "grade": list(GRADES),
            "customer_kind": [HOUSE(word, language) for word in kind],
            "customers": sizes["customers"],
            "customer_share": sizes["customer_share"],
            "value_from": np.append(self.cuts_[0], -np.inf),
            "total_value": sizes["total_value"],
            "value_share": sizes["value_share"],
        }
        table = _frames.new_table(X, {HOUSE(k, language): v for k, v in columns.items()})
        return _frames.keep_facts(X, table, kind="grade sizes")

    def drift(self, X: Any) -> DriftReport:
        """How far new customers have moved from the fitted ones.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        DriftReport
            Stability of the grades' shares, and the share of customers whose grade would change
            if the cuts were learned anew.
        """
        check_is_fitted(self, "cuts_")
        values = self._read(open_table(X), reset=False)
        now = _grades(values, self.cuts_)
        shares = self._checked_shares()
        anew = _grades(values, np.stack([_cuts(c, shares, self.by) for c in values.T]))
        return drift_report(self._column_names(), list(self.grade_shares_), now, anew)


def _cuts(value: Floats, shares: Floats, by: str) -> Floats:
    """Least value of A to D: that of the last customer within each share, from the best down."""
    down = np.sort(value)[::-1]
    if by == "customers":
        last = np.ceil(shares * len(down) - 1e-9).astype(np.intp) - 1
    else:
        if not (down > 0).any():
            return np.full(len(shares), np.inf)
        # losses do not shrink the whole that shares are taken of: else few would bring "80 %"
        reached = concentration(np.maximum(down, 0.0)).value_share[1:]
        last = np.array([np.argmax(reached >= share - 1e-12) for share in shares])
    return down[np.maximum(last, 0)]


def _grades(values: Floats, cuts: Floats) -> npt.NDArray[np.intp]:
    """Grade 0 (A) to 4 (E) of every value; equal values get equal grades."""
    return np.stack(
        [
            4 - np.searchsorted(cut[::-1], column, side="right")
            for column, cut in zip(values.T, cuts, strict=True)
        ],
        axis=1,
    )
