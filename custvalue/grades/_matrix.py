"""Activity x loyalty matrix: two indexes of ranked columns, four named quadrants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from custvalue._words import HOUSE, Language, check_language
from custvalue._written import Portable

QUADRANTS = (
    "active and loyal",
    "active, not loyal",
    "loyal, not active",
    "neither active nor loyal",
)
QUADRANTS_OF = {
    ("activity", "loyalty"): QUADRANTS,
    ("contribution", "potential"): (
        "high contribution and potential",
        "high contribution, low potential",
        "dark horse",
        "low contribution and potential",
    ),
}
HIGH_AND_LOW = (
    "high {first}, high {second}",
    "high {first}, low {second}",
    "low {first}, high {second}",
    "low {first}, low {second}",
)
_ACTIVITY = {"n_orders": 1.0, "silence": -1.0}
_LOYALTY = {"recency": 1.0, "satisfaction": 1.0, "recommendation": 1.0}
_MOST_KNOTS = 1000


class RankLaw(NamedTuple):
    """Frozen ranks of one column: ``rank`` in 0..1 at each of ``knots``, ascending.

    Examples
    --------
    >>> RankLaw(knots=[1.0, 2.0], rank=[0.25, 0.75]).rank
    [0.25, 0.75]
    """

    knots: Floats
    rank: Floats

    def check(self) -> None:
        """Refuse ranks that no column has."""
        knots, rank = self
        if knots.ndim != 1 or not len(knots) or knots.shape != rank.shape:
            raise ValueError("ranks need as many knots, one or more.")
        if not np.isfinite(rank).all() or (np.diff(knots) <= 0).any() or (np.diff(rank) < 0).any():
            raise ValueError("ranks must rise with their knots.")


def rank_law(values: Floats) -> RankLaw:
    """Learn where values stand among the fitted ones: the share below plus half the share equal.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Missing values are left out. More than 1,000 distinct values are thinned to 1,000 knots.

    Returns
    -------
    RankLaw

    Examples
    --------
    >>> import numpy as np
    >>> rank_law(np.array([5.0, 5.0, 7.0, 9.0])).rank.tolist()
    [0.25, 0.625, 0.875]
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return RankLaw(np.zeros(1), np.full(1, 0.5))
    knots, count = np.unique(known, return_counts=True)
    rank = (np.cumsum(count) - count / 2.0) / len(known)
    if len(knots) > _MOST_KNOTS:
        keep = np.unique(np.linspace(0, len(knots) - 1, _MOST_KNOTS).astype(np.intp))
        knots, rank = knots[keep], rank[keep]
    return RankLaw(knots, rank)


def rank_index(values: Floats, laws: Sequence[RankLaw], weights: Floats) -> Floats:
    """Weighted mean of ranks; a weight below zero turns its column round.

    Parameters
    ----------
    values : ndarray of shape (n, k)
        NaN is no answer: the other columns count alone; without any answer the index is 0.5.
    laws : sequence of k RankLaw
    weights : ndarray of shape (k,)

    Returns
    -------
    ndarray of shape (n,)
        From 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.grades._matrix import rank_index
    >>> visits = np.array([1.0, 2.0])
    >>> rank_index(visits[:, None], [rank_law(visits)], np.array([-1.0])).tolist()
    [0.75, 0.25]
    """
    top, bottom = np.zeros(len(values)), np.zeros(len(values))
    for column, law, weight in zip(values.T, laws, weights, strict=True):
        known = ~np.isnan(column)
        rank = np.interp(column[known], law.knots, law.rank)
        top[known] += abs(weight) * (rank if weight > 0 else 1.0 - rank)
        bottom[known] += abs(weight)
    return np.divide(top, bottom, out=np.full(len(values), 0.5), where=bottom > 0)


class ActivityLoyaltyMatrix(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Two indexes, activity and loyalty, and the quadrant in which each customer stands.

    Each index is the weighted mean of its columns' ranks among the fitted customers (0 lowest, 1
    highest, ties in the middle), so columns of any scale go together and units don't matter.

    Parameters
    ----------
    activity, loyalty : dict of str to float, or None
        Column names and weights; a weight below zero says that less is better. None takes, of what
        the table has, ``n_orders`` and (turned round) ``silence`` for activity; ``recency`` (how
        long the customer kept ordering), ``satisfaction`` and ``recommendation`` for loyalty. Of
        an array the first half of the columns (rounded up) is activity.
    cuts : pair of float, default=(0.5, 0.5)
        A customer is active, and loyal, above these.
    axes : pair of str, default=("activity", "loyalty")
        What the two indexes are called. ``("contribution", "potential")`` places customers by what
        they bring and by what they could bring: of little contribution and high potential is the
        dark horse (黑马), a general customer to develop.
    names : sequence of 4 str or None, default=None
        Names of the quadrants: high on both axes, on the first only, on the second only, on
        neither. None: made from ``axes``.

    Attributes
    ----------
    activity_, loyalty_ : dict of str to float
        Columns and weights in use.
    unit_ : str or None
        Unit of the columns of time, where one is in use.
    ranks_ : tuple of RankLaw
        Frozen ranks, first of the activity columns, then of the loyalty columns.
    quadrant_shares_ : ndarray of shape (4,)
        Shares of the fitted customers.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.grades import ActivityLoyaltyMatrix
    >>> customers = pd.DataFrame({"visits": [9, 8, 1, 2], "satisfaction": [5, 1, 4, 2]})
    >>> matrix = ActivityLoyaltyMatrix(activity={"visits": 1}, loyalty={"satisfaction": 1})
    >>> matrix.fit(customers).quadrant_table(customers)
       activity  loyalty                  quadrant
    0     0.875    0.875          active and loyal
    1     0.625    0.125         active, not loyal
    2     0.125    0.625         loyal, not active
    3     0.375    0.375  neither active nor loyal
    """

    def __init__(
        self,
        *,
        activity: Mapping[str, float] | None = None,
        loyalty: Mapping[str, float] | None = None,
        cuts: Sequence[float] = (0.5, 0.5),
        axes: Sequence[str] = ("activity", "loyalty"),
        names: Sequence[str] | None = None,
    ) -> None:
        self.activity = activity
        self.loyalty = loyalty
        self.cuts = cuts
        self.axes = axes
        self.names = names

    def fit(self, X: Any, y: Any = None) -> ActivityLoyaltyMatrix:
        """Learn the ranks.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        y : None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        ActivityLoyaltyMatrix
            Itself, fitted.

        Raises
        ------
        DataContractError
            If a column is missing or not numeric.
        ValueError
            If a weight is 0 or not finite, or an index has no column.
        """
        self._check_options()
        table = open_table(X)
        have = None if table.names is None else list(table.names)
        activity = _weights("activity", self.activity, _ACTIVITY, have)
        loyalty = _weights("loyalty", self.loyalty, _LOYALTY, have)
        wanted = [*activity, *loyalty] or ["activity", "loyalty"]
        values, named = read_columns(
            self,
            table,
            wanted,
            reset=True,
            allow_missing=wanted,
            min_columns=2,
        )
        if not named:
            half = (values.shape[1] + 1) // 2
            columns = [f"x{j}" for j in range(values.shape[1])]
            activity = dict.fromkeys(columns[:half], 1.0)
            loyalty = dict.fromkeys(columns[half:], 1.0)
        elif not activity or not loyalty:
            raise ValueError(
                f"X has no column for {'loyalty' if activity else 'activity'}; say which: "
                "activity={'visits': 1}, loyalty={'satisfaction': 1}."
            )
        self.activity_, self.loyalty_ = activity, loyalty
        self.__dict__.pop("unit_", None)
        if not {*activity, *loyalty}.isdisjoint(_frames.TIME_COLUMNS):
            self.unit_ = table.unit(None)
        self.ranks_ = tuple(rank_law(column) for column in values.T)
        places = self._quadrants(self._indexes(values, self.ranks_))
        self.quadrant_shares_ = np.asarray(class_shares(places[:, None], (4,))[0])
        return self

    def _check_options(self) -> None:
        if isinstance(self.axes, str) or len(self.axes) != 2 or self.axes[0] == self.axes[1]:
            raise ValueError(f"axes={self.axes!r} must be two different names.")
        self._quadrant_names("en")
        if np.shape(self.cuts) != (2,) or np.asarray(self.cuts).dtype.kind not in "fiu":
            raise ValueError(f"cuts={self.cuts!r} must be two numbers, for activity and loyalty.")

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "activity_": dict[str, float],
            "loyalty_": dict[str, float],
            "ranks_": tuple[RankLaw, ...],
            "quadrant_shares_": Floats,
        }

    @classmethod
    def _may_learn(cls) -> dict[str, Any]:
        return {"unit_": str | None}

    def _check_written(self) -> None:
        self._check_options()
        weights = [*self.activity_.values(), *self.loyalty_.values()]
        if not len(self.ranks_) == len(weights) == self.n_features_in_ or 0.0 in weights:
            raise ValueError("there must be a weight other than 0, and ranks, for each column.")
        if not self.activity_ or not self.loyalty_ or self.quadrant_shares_.shape != (4,):
            raise ValueError("both indexes need columns, and there are four quadrants.")
        wanted, names = [*self.activity_, *self.loyalty_], getattr(self, "feature_names_in_", ())
        if not {*wanted}.isdisjoint(names) and wanted != list(names):
            raise ValueError("the indexes are not of these columns.")
        for law in self.ranks_:
            law.check()

    def _quadrant_names(self, language: Language) -> list[str]:
        if self.names is None:
            known = QUADRANTS_OF.get((self.axes[0], self.axes[1]))
            if known is not None:
                return [HOUSE(name, language) for name in known]
            first, second = (HOUSE.name(axis, language) for axis in self.axes)
            return [
                HOUSE(pattern, language).format(first=first, second=second)
                for pattern in HIGH_AND_LOW
            ]
        if len(self.names) != 4:
            raise ValueError(f"names={self.names!r} must be four names.")
        return list(self.names)

    def _read(self, table: Table) -> Floats:
        check_is_fitted(self, "ranks_")
        wanted = [*self.activity_, *self.loyalty_]
        return read_columns(self, table, wanted, reset=False, allow_missing=wanted)[0]

    def _indexes(self, values: Floats, ranks: Sequence[RankLaw]) -> Floats:
        k = len(self.activity_)
        activity = rank_index(values[:, :k], ranks[:k], np.array([*self.activity_.values()]))
        loyalty = rank_index(values[:, k:], ranks[k:], np.array([*self.loyalty_.values()]))
        return np.column_stack([activity, loyalty])

    def _quadrants(self, indexes: Floats) -> npt.NDArray[np.intp]:
        active, loyal = indexes[:, 0] > self.cuts[0], indexes[:, 1] > self.cuts[1]
        return np.where(active, np.where(loyal, 0, 1), np.where(loyal, 2, 3))

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Activity and loyalty index of every customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, 2)
            From 0 to 1.
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid, width=2)
        return self._indexes(self._read(open_table(X)), self.ranks_)

    def quadrants(self, X: Any) -> npt.NDArray[Any]:
        """Quadrant of every customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,) of str
        """
        places = self._quadrants(self.transform(X))
        return np.array(self._quadrant_names("en"), dtype=object)[places]

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is both indexes and the ``quadrant``;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "ranks_")
        refuse_nameless(self)

        def answer(row: OneRow) -> dict[str, Any]:
            indexes = self.transform(row)
            quadrant = self._quadrant_names("en")[int(self._quadrants(indexes)[0])]
            axes = zip(self.axes, indexes.T, strict=True)
            return {**{str(axis): index for axis, index in axes}, "quadrant": [quadrant]}

        return RowScorer(answer, getattr(self, "unit_", None), "quadrant")

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns.

        Parameters
        ----------
        input_features : array-like or None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        ndarray of str
            ``activity``, ``loyalty``, or the two ``axes``.
        """
        check_is_fitted(self, "ranks_")
        return np.array([str(axis) for axis in self.axes], dtype=object)

    def quadrant_table(self, X: Any, *, language: Language = "en") -> Any:
        """Both indexes and the quadrant of every customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            The customer where ``X`` states one, ``activity``, ``loyalty`` (or the two ``axes``),
            ``quadrant``; same rows, order and index.
        """
        language = check_language(language)
        indexes = self.transform(X)
        columns: dict[str, Any] = dict([ids]) if (ids := _frames.customer_ids(X)) else {}
        for axis, index in zip(self.axes, indexes.T, strict=True):
            columns[HOUSE.name(axis, language)] = index
        columns[HOUSE("quadrant", language)] = _frames.words_at(
            X, self._quadrant_names(language), self._quadrants(indexes)
        )
        return _frames.keep_facts(X, _frames.frame_like(X, columns), kind="quadrants")

    def summary_table(
        self, X: Any, *, value: str | None = "total_value", language: Language = "en"
    ) -> Any:
        """Size and money of the four quadrants.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        value : str or None, default="total_value"
            Column with each customer's money; left out where ``X`` has none of the name.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            ``quadrant``, ``customers``, ``customer_share``, and with money the total under its own
            name and ``value_share``.
        """
        language = check_language(language)
        place = self._quadrants(self.transform(X))
        money = None
        if value is not None and value in (_frames.column_names(X) or []):
            money = _frames.float_columns(X, [value], allow_missing=[value])[:, 0]
        sizes = group_sizes(place, len(QUADRANTS), money, str(value))
        sizes.pop("mean_value", None)
        columns: dict[str, Any] = {"quadrant": self._quadrant_names(language), **sizes}
        named = {HOUSE.name(name, language): column for name, column in columns.items()}
        return _frames.keep_facts(X, _frames.new_table(X, named), kind="quadrant sizes")

    def drift(self, X: Any) -> DriftReport:
        """How far new customers have moved from the fitted ones.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        DriftReport
            Stability of the quadrants' shares, and the share of customers whose quadrant would
            change if ranks were learned anew.
        """
        values = self._read(open_table(X))
        now = self._quadrants(self._indexes(values, self.ranks_))
        anew = self._quadrants(self._indexes(values, [rank_law(column) for column in values.T]))
        return drift_report(["quadrant"], [self.quadrant_shares_], now[:, None], anew[:, None])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _weights(
    name: str,
    given: Mapping[str, float] | None,
    default: Mapping[str, float],
    have: list[str] | None,
) -> dict[str, float]:
    """Columns and weights: as given, or those of the default that the table has."""
    if given is None:
        return {column: weight for column, weight in default.items() if column in (have or [])}
    weights = {str(column): float(weight) for column, weight in given.items()}
    bad = [column for column, w in weights.items() if w == 0 or not np.isfinite(w)]
    if bad or not weights:
        raise ValueError(f"{name}={dict(given)!r} must give each column a weight other than 0.")
    return weights
