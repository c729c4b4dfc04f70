"""RFM scores as a scikit-learn transformer: cut points learned once, frozen, never renumbered."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue._drift import DriftReport, class_shares, drift_report
from custvalue._frames import TIME_COLUMNS, frame_like, keep_facts
from custvalue._histories import warn_beyond
from custvalue._kernels import quantile_cuts
from custvalue._open_table import Table, open_table
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import OneRow, RowScorer, refuse_nameless
from custvalue._sklearn import (
    DocLink,
    check_input_features,
    check_is_fitted,
    output_template,
    read_columns,
)
from custvalue._typing import Floats
from custvalue._units import Span
from custvalue._warn import warn_caller
from custvalue._words import Language
from custvalue._work import check_kinds
from custvalue._written import Portable
from custvalue.exceptions import DataWarning, NotSupportedError
from custvalue.rfm._cycle import (
    Cycle,
    check_spans,
    cycle_cuts,
    learn_cycle,
    order_cuts,
    usual_gap,
)
from custvalue.rfm._rfm_law import VariableCuts, bin_bounds, nested_cuts, scores_of
from custvalue.rfm._rfm_options import (
    CYCLE,
    HISTORY,
    asks_cycle,
    bins_by_letter,
    check_halves,
    check_scoring,
    check_width,
    cuts_by_letter,
    given_letters,
    letter_of,
    passed_columns,
    scored_columns,
    warn_few_values,
    weights_by_letter,
    without_cycle,
)
from custvalue.rfm._segment_map import SegmentMap, lay_out_segments

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.data import TransactionLog
    from custvalue.rfm._segment_test import SegmentTest

MONEY_COLUMNS = ("total_value", "mean_value", "monetary_value", "total_profit")
COMPOSITE = "score"


class RFMTransformer(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Scores for recency, frequency and money, 1 to n, where n is best.

    Recency is scored on ``silence`` (shorter is better), frequency on ``n_orders``, money on
    ``total_value`` or ``mean_value``. Cut points are learned in ``fit`` and frozen: the same
    customer has the same score next month unless the customer changed. Equal values always get
    equal scores, whatever the order of the rows and the currency.

    Parameters
    ----------
    n_bins : int, sequence or mapping, default=5
        Number of scores: one for all variables, one each, or by letter (``{"F": 3}``; the letters
        not named get 5).
    method : {"independent", "nested", "mean", "fixed"}, default="independent"
        ``"independent"``: each variable by its own quantiles. ``"nested"`` (Hughes): F within each
        R group, M within each R x F group, so that cells are of near-equal size. ``"mean"``: above
        or below the mean of each variable (with ``n_bins=2``), as the eight classes of
        ``SegmentMap.ready(2)`` are usually cut. ``"fixed"``: all cut points are given in ``cuts``.
    cuts : "cycle", mapping of letter to ascending cut points, or one sequence for all, optional
        A cut is the largest value of its bin, in the data's own units; those of a time may be
        spans such as ``"30D"``. With ``method="independent"`` a mapping may name some letters
        only. One sequence suits variables of one scale, such as answers from 1 to 5.
        ``"cycle"`` cuts recency on the log's own cycle, at 1, 2, 3, 5, ... of the customer's usual
        gaps (so a cut means the same for a grocer and for a dealer in cars), frequency at one
        order and at quantiles of the repeat customers, money at quantiles. ``{"R": "cycle",
        "F": (1, 5)}`` gives some of them.
    monetary : {"total_value", "mean_value"}, default="total_value"
        Column that M is scored on.
    weights : sequence, mapping, "equal" or "learn", optional
        Adds a column ``score``, the weighted sum of the scores (Stone). ``"equal"`` adds the scores
        up; ``"learn"`` takes the weights that best follow the response ``y`` given to ``fit``.
    columns : mapping of letter to column, optional
        Other variables, e.g. ``{"R": "silence", "F": "n_orders", "M": "total_value", "L": "T"}``.
    less_is_better : collection of str, default=("R",)
        Letters of the variables of which less is better.
    remainder : {"auto", "drop", "passthrough"}, default="auto"
        What happens to the other columns of a frame. ``"auto"`` passes them through where the
        frame is a panel (it has columns ``period``, ``orders`` and ``profit``) and drops them
        otherwise.
    unit : str, optional
        Unit of the times, such as ``"D"``, where the table does not say it.

    Attributes
    ----------
    variables_ : tuple of VariableCuts
        The frozen cut points.
    longest_silence_ : float
        The longest silence of ``fit``; more than twice that is said (`DataWarning`). 0 where the
        cut points were given or no silence is scored.
    weights_ : tuple of float or None
    shares_ : tuple of tuple of float
        Share of the fitted rows at each score 1 to n, a variable each; ``drift`` compares them.
    unit_ : str or None
        Unit of time of the table it was fitted on.
    passed_ : list of str
        Columns of the frame that pass through.
    cycle_ : Cycle or None
        Usual gaps by number of orders (:meth:`cycle_table` shows them) where recency is cut on the
        cycle; None where it is not, or where nobody ordered twice.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    See Also
    --------
    SegmentMap : Named segments over the cells.

    Notes
    -----
    A frame that has the named columns is read by name, and a frame of the same kind, with the same
    rows and index, comes back. Any other frame and every array is read by position: the first
    column is silence, where less is better, every further column more-is-better; an array comes
    back.

    On the cycle a customer's usual gap is the own mean gap, drawn by one gap to the usual gap of
    customers with as many orders: their median, drawn to the median of all repeat customers as if
    20 more had that. A one-time buyer has everybody's. Besides the scored columns ``n_orders`` and
    ``recency`` (first to last order) are read; of an array the last column is ``recency``. Where
    nobody ordered twice a log shows no cycle: a `DataWarning` says so, and recency is cut at
    quantiles.

    References
    ----------
    Hughes, A. M. (1994), *Strategic Database Marketing*. Stone, B. (1995), *Successful Direct
    Marketing Methods*.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue import RFMTransformer
    >>> customers = pd.DataFrame({"silence": [5.0, 40.0, 200.0, 90.0],
    ...                           "n_orders": [9, 4, 1, 2],
    ...                           "total_value": [900.0, 350.0, 20.0, 80.0]})
    >>> RFMTransformer(n_bins=2).fit_transform(customers)
       R  F  M
    0  2  2  2
    1  2  2  2
    2  1  1  1
    3  1  1  1
    """

    def __init__(
        self,
        *,
        n_bins: int | Sequence[int] | Mapping[str, int] = 5,
        method: Literal["independent", "nested", "mean", "fixed"] = "independent",
        cuts: Literal["cycle"] | Mapping[str, Any] | Sequence[Span] | None = None,
        monetary: Literal["total_value", "mean_value"] = "total_value",
        weights: Sequence[float] | Mapping[str, float] | Literal["equal", "learn"] | None = None,
        columns: Mapping[str, str] | None = None,
        less_is_better: Collection[str] = ("R",),
        remainder: Literal["auto", "drop", "passthrough"] = "auto",
        unit: str | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.method = method
        self.cuts = cuts
        self.monetary = monetary
        self.weights = weights
        self.columns = columns
        self.less_is_better = less_is_better
        self.remainder = remainder
        self.unit = unit

    def fit(self, X: Any, y: npt.ArrayLike | None = None) -> RFMTransformer:
        """Learn the cut points, and the weights where asked for.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        y : array-like of shape (n_customers,), optional
            Response that ``weights="learn"`` follows; else ignored.

        Returns
        -------
        RFMTransformer

        Raises
        ------
        DataContractError
            If a column is missing or has missing or infinite values.
        ValueError
            If a parameter is not legal.

        Warns
        -----
        BinWarning
            If a variable has too few distinct values for its bins.
        DataWarning
            If cuts on the cycle are asked of a log in which nobody ordered twice.
        """
        self._check_options()
        names = scored_columns(self.columns, self.monetary)
        # what was fitted stays so, whatever set_params says before the next fit
        self._on_cycle = on_cycle = asks_cycle(self.cuts, self.method, names)
        table = open_table(X)
        values, named = read_columns(self, table, self._wanted(), reset=True)
        self.unit_ = table.unit(self.unit, caller=f"this {type(self).__name__}")
        if on_cycle:
            check_width(values, self._wanted())
        if named or on_cycle:
            blank = [VariableCuts(a, n, a in self.less_is_better, ()) for a, n in names.items()]
        else:
            seen = getattr(self, "feature_names_in_", range(values.shape[1]))
            blank = [
                VariableCuts(letter_of(j), str(name), j == 0, ()) for j, name in enumerate(seen)
            ]
        self.passed_ = passed_columns(table, self.remainder) if named else []
        letters = [v.letter for v in blank]
        if unknown := sorted(set(self.less_is_better) - {*letters, "R"}):
            raise ValueError(f"less_is_better names {unknown}, which are not among {letters}.")
        given = self._given_cuts(blank)
        sizes = bins_by_letter(self.n_bins, letters)
        check_halves(self.method, sizes)
        self.cycle_ = self._learn_cycle(values) if on_cycle else None
        self.variables_ = self._learn(values, blank, sizes, given)
        scores = scores_of(self._scored(values), self.variables_)
        learned = [v for v in self._silences(values, blank) if not given]
        self.longest_silence_ = max((float(v.max()) for v in learned), default=0.0)
        self.shares_ = class_shares(scores - 1, sizes)
        self.weights_ = weights_by_letter(self.weights, letters, scores, y)
        warn_few_values(self._scored(values), scores, self.variables_, given)
        return self

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Scores of every row by the frozen cut points.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        frame or ndarray of shape (n_customers, n_scores)
            Scores R, F, M (and ``score`` with weights); a frame where ``X`` is read by name, with
            the other columns of a panel behind them.

        Raises
        ------
        DataContractError
            If a column is missing or has missing or infinite values.
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid)
        table = open_table(X)
        values, named = self._asked(table)
        scores = scores_of(self._scored(values), self.variables_)
        weighted = None if self.weights_ is None else scores @ np.asarray(self.weights_)
        if not named:
            out = scores.astype(np.float64)
            return out if weighted is None else np.column_stack([out, weighted])
        columns: dict[str, npt.NDArray[Any]] = {
            v.letter: scores[:, j] for j, v in enumerate(self.variables_)
        }
        if weighted is not None:
            columns[COMPOSITE] = weighted
        for name in self.passed_:
            columns[name] = table.column(name)
        given = table.given
        return keep_facts(given, frame_like(output_template(self, given), columns))

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is the scores, ``{"R": 5, "F": 3, "M": 4}``;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self)
        refuse_nameless(self)

        def answer(row: OneRow) -> dict[str, Any]:
            scores = scores_of(self._scored(self._asked(row)[0]), self.variables_)
            made: dict[str, Any] = {v.letter: scores[:, j] for j, v in enumerate(self.variables_)}
            if self.weights_ is not None:
                made[COMPOSITE] = scores @ np.asarray(self.weights_)
            return made

        return RowScorer(answer, self.unit_, "scores")

    def segments(self, X: Any, *, segment_map: SegmentMap | None = None) -> npt.NDArray[np.object_]:
        """Name the segment of every row.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, n_columns)
        segment_map : SegmentMap, optional
            Default: the ready map of as many scores (R, F and M with 2 to 5 each). Its names
            say what a cut means: "lost" and the like where recency is cut on the cycle or at
            given silences, the scores alone ("recent, frequent, high spend") where it is cut at
            quantiles, which say who is before whom and not how long ago.

        Returns
        -------
        ndarray of shape (n_customers,) of str

        Raises
        ------
        ValueError
            If there is no ready map for these scores and none is given.
        """
        check_is_fitted(self)
        values = self._scored(self._asked(open_table(X))[0])
        return self._map(segment_map).assign(scores_of(values, self.variables_))

    def segment_table(
        self,
        X: Any = None,
        *,
        segment_map: SegmentMap | None = None,
        value: str = "total_value",
        language: Language = "en",
    ) -> pd.DataFrame:
        """Segments with their bounds in the data's own units, their size and their money.

        Parameters
        ----------
        X : frame, optional
            Customers to count.
        segment_map : SegmentMap, optional
            Default: the ready map of as many scores (R, F and M with 2 to 5 each), with names
            that say what a cut means; see :meth:`segments`.
        value : str, default="total_value"
            Column whose sum is the segment's money.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        pandas.DataFrame
            One row a segment, empty ones included: ``segment``, ``scores``, and of each scored
            column the least ``<column>_above`` (excluded) and the greatest ``<column>_up_to``
            (included): infinite where the range is open, NaN where scoring is nested. On the cycle
            these are ``usual_gaps_above`` and ``usual_gaps_up_to``, and ``silence_above`` and
            ``silence_up_to`` say the same in the unit of the table for a customer with everybody's
            usual gap. A segment of several rules lies within these; ``SegmentMap.bounds`` has each
            rule. With ``X`` also
            ``customers``, ``customer_share``, ``<value>``, ``value_share``, ``mean``, and ``note``,
            which says why a segment is empty: ``nobody now``, or ``out of reach`` where ties left
            its scores without values, so that nobody can ever be there.

        Raises
        ------
        ValueError
            If there is no ready map for these scores and none is given, or the map has other
            letters or another number of scores.
        DataContractError
            If ``X`` has no numeric column ``value``.

        Warns
        -----
        EmptySegmentWarning
            If a segment is out of reach.

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue import RFMTransformer
        >>> customers = pd.DataFrame({"silence": [5, 20, 90], "n_orders": [9, 1, 3],
        ...     "total_value": [200.0, 50.0, 20.0]})
        >>> rfm = RFMTransformer(n_bins=3, unit="D").fit(customers)
        >>> rfm.segment_table().loc[0, ["segment", "silence_up_to"]].map(str).tolist()
        ['recent, frequent, high spend', '5.0']
        """
        check_is_fitted(self)
        return lay_out_segments(self._map(segment_map), self, X, value, language)

    def _map(self, segment_map: SegmentMap | None) -> SegmentMap:
        """Take the map given, or the ready one of as many scores."""
        if segment_map is not None:
            return segment_map
        sizes = {v.n_bins for v in self.variables_}
        if [v.letter for v in self.variables_] != ["R", "F", "M"] or len(sizes) > 1:
            raise ValueError(
                "there is a ready map only for R, F and M with equal n_bins of 2 to 5; "
                "pass segment_map=SegmentMap(...)."
            )
        r = self.variables_[0]
        known = r.column == CYCLE or (r.column in TIME_COLUMNS and r.letter in given_letters(self))
        return SegmentMap.ready(sizes.pop(), plain=not known)

    def validate(
        self,
        log: TransactionLog,
        *,
        segment_map: SegmentMap | None = None,
        dates: int | Sequence[Any] = 3,
        horizon: Span = "90D",
        level: float = 0.8,
    ) -> SegmentTest:
        """Test the names of the segments on earlier dates of a log; see `SegmentMap.validate`.

        Parameters
        ----------
        log : TransactionLog
        segment_map : SegmentMap, optional
            Default: the ready map that :meth:`segments` takes.
        dates : int or sequence of dates, default=3
        horizon : span, default="90D"
        level : float, default=0.8

        Returns
        -------
        SegmentTest
        """
        check_is_fitted(self)
        cells = self._map(segment_map)
        return cells.validate(log, self, dates=dates, horizon=horizon, level=level)

    def cycle_table(self) -> pd.DataFrame:
        """Usual gap by number of orders, and where the cuts of recency lie then.

        Returns
        -------
        pandas.DataFrame
            One row a class of order counts, one-time buyers first: ``orders_from``, ``orders_to``
            (infinite where open), ``customers`` (repeat customers it was learned on, 0 for
            one-time buyers), ``usual_gap``, and ``silence_up_to_<k>`` for the cuts at k usual gaps;
            in the unit of the fitted table. A customer's own gaps move these, see the notes.

        Raises
        ------
        NotSupportedError
            If recency is not cut on the cycle.

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue import RFMTransformer
        >>> customers = pd.DataFrame({"silence": [5, 20, 90], "n_orders": [9, 1, 3],
        ...     "recency": [80, 0, 60], "total_value": [200.0, 50.0, 20.0]})
        >>> rfm = RFMTransformer(n_bins=3, cuts="cycle", unit="D").fit(customers)
        >>> rfm.cycle_table().loc[0, ["usual_gap", "silence_up_to_2"]].tolist()
        [20.0, 40.0]
        """
        import pandas as pd

        check_is_fitted(self)
        cycle = getattr(self, "cycle_", None)  # of before: there was none
        if cycle is None:
            raise NotSupportedError(
                "recency is not cut on the cycle: ask for it by cuts='cycle', of a log in which "
                "somebody ordered twice."
            )
        gaps = np.array([cycle.whole, *cycle.gaps])
        table = pd.DataFrame(
            {
                "orders_from": [1, *cycle.orders],
                "orders_to": np.array([*cycle.orders, np.inf]) - 1.0,
                "customers": [0, *cycle.customers],
                "usual_gap": gaps,
            }
        )
        for v in self.variables_:
            for k in v.cuts[0] if v.column == CYCLE else ():
                table[f"silence_up_to_{k:g}"] = k * gaps
        return table

    def inverse_transform(self, X: Any) -> Any:
        """Ranges of values behind scores, in the data's own units.

        Parameters
        ----------
        X : frame or array-like of shape (n, n_scores)
            Scores 1 to n, as ``transform`` gives them (a column ``score`` is ignored).

        Returns
        -------
        frame
            Two columns a variable: ``<column>_above`` (excluded) and ``<column>_up_to``
            (included); infinite where the range is open. Of the kind of ``X`` (pandas for arrays).

        Raises
        ------
        ValueError
            If a score is not a whole number from 1 to n.
        """
        check_is_fitted(self)
        letters = [v.letter for v in self.variables_]
        table = open_table(X)
        if table.names is not None:
            columns_of = [np.asarray(table.column(a), dtype=np.float64) for a in letters]
            scores = np.column_stack(columns_of)
        else:
            scores = np.asarray(X, dtype=np.float64)[:, : len(letters)]
        columns: dict[str, Floats] = {}
        cell = np.zeros(len(scores), dtype=np.intp)
        for j, v in enumerate(self.variables_):
            legal = np.isin(scores[:, j], np.arange(1, v.n_bins + 1))
            if not legal.all():
                raise ValueError(
                    f"{v.letter} must be a whole number from 1 to {v.n_bins}; "
                    f"{int((~legal).sum()):,} rows are not, first: row "
                    f"{int(np.flatnonzero(~legal)[0])} with {scores[~legal, j][0]:g}."
                )
            whole = scores[:, j].astype(np.intp)
            bounds = bin_bounds(v, whole, cell if v.is_nested else None)
            columns[f"{v.column}_above"] = bounds[:, 0]
            columns[f"{v.column}_up_to"] = bounds[:, 1]
            cell = cell * v.n_bins + whole - 1
        return frame_like(X, columns)

    def thresholds_table(self) -> Any:
        """Show the frozen cut points, one row a score (and group, where scoring is nested).

        Returns
        -------
        pandas.DataFrame
            Columns ``variable``, ``column``, ``unit``, ``group`` (scores of the variables before,
            empty unless nested), ``score``, ``above`` (excluded) and ``up_to`` (included). Time is
            in the unit of the fitted table, money in its currency.
        """
        import pandas as pd

        check_is_fitted(self)
        rows: list[dict[str, Any]] = []
        sizes: list[int] = []
        for v in self.variables_:
            scores = np.arange(v.n_bins, 0, -1)
            for g in range(len(v.cuts)):
                group = ""
                if v.is_nested:
                    group = "-".join(str(int(s) + 1) for s in np.unravel_index(g, sizes))
                cell = np.full(len(scores), g, dtype=np.intp)
                for score, (low, high) in zip(scores, bin_bounds(v, scores, cell), strict=True):
                    rows.append(
                        {
                            "variable": v.letter,
                            "column": v.column,
                            "unit": self._unit_of(v.column),
                            "group": group,
                            "score": int(score),
                            "above": low,
                            "up_to": high,
                        }
                    )
            sizes.append(v.n_bins)
        return pd.DataFrame(rows)

    def drift(self, new: Any) -> DriftReport:
        """How far a newer table has moved from the one that the cut points were learned on.

        Parameters
        ----------
        new : frame or array-like
            Customers of today.

        Returns
        -------
        DriftReport
            Population stability index by variable, and the share of customers whose score would
            change if the cut points were learned anew; ``print`` shows it.
        """
        values, _ = self._read(open_table(new))
        scores = scores_of(self._scored(values), self.variables_)
        old = self.variables_
        sizes = [v.n_bins for v in old]
        again = copy.copy(self)
        again.cycle_ = self._learn_cycle(values) if getattr(self, "cycle_", None) else None
        anew = again._learn(values, old, sizes, self._given_cuts(old))
        fresh = scores_of(again._scored(values), anew)
        return drift_report([v.column for v in old], self.shares_, scores - 1, fresh - 1)

    def _check_options(self) -> None:
        check_kinds(
            self,
            columns="mapping or None",
            less_is_better="names",
            weights="sequence or mapping or text or None",
        )
        check_scoring(self.method, self.remainder)

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "variables_": tuple[VariableCuts, ...],
            "cycle_": Cycle | None,
            "longest_silence_": float,
            "weights_": tuple[float, ...] | None,
            "shares_": tuple[tuple[float, ...], ...],
            "unit_": str | None,
            "passed_": list[str],
        }

    def _check_written(self) -> None:
        self._check_options()
        names = scored_columns(self.columns, self.monetary)
        self._on_cycle = asks_cycle(self.cuts, self.method, names)
        for at, variable in enumerate(self.variables_):
            variable.check(math.prod(v.n_bins for v in self.variables_[:at]))
        sizes = [v.n_bins for v in self.variables_]
        # shares of fewer classes than others have are filled up with zeros
        held = [len(one) for one in self.shares_]
        if (
            not sizes
            or len(held) != len(sizes)
            or any(m < n for m, n in zip(held, sizes, strict=True))
        ):
            raise ValueError("the shares are not those of these cut points.")
        if self.cycle_ is not None and len({len(part) for part in self.cycle_[1:]}) != 1:
            raise ValueError("a cycle has one usual gap for each class of orders.")
        if self.weights_ is not None and len(self.weights_) != len(sizes):
            raise ValueError("there must be a weight for each variable.")
        if self.n_features_in_ != (len(self._wanted()) if self._on_cycle else len(sizes)):
            raise ValueError("the columns are not those that these settings ask for.")

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the output columns: R, F, M, ``score`` with weights, then what passes through.

        Parameters
        ----------
        input_features : array-like of str, optional
            Checked against the names seen in ``fit``; they do not change the answer.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        check_input_features(self, input_features)
        names = [v.letter for v in self.variables_]
        names += [COMPOSITE] if self.weights_ is not None else []
        return np.asarray([*names, *self.passed_], dtype=object)

    def _given_cuts(self, variables: Sequence[VariableCuts]) -> dict[str, tuple[float, ...]]:
        """Cut points given by the user, which may be spans for R and the columns of time."""
        letters = [v.letter for v in variables]
        of_time = [v.letter for v in variables if v.letter == "R" or v.column in TIME_COLUMNS]
        cuts = without_cycle(self.cuts)
        return cuts_by_letter(cuts, letters, self.method, self.unit_, of_time)

    def _wanted(self) -> list[str]:
        """Columns that are read: those scored, then what the cycle needs besides."""
        names = list(scored_columns(self.columns, self.monetary).values())
        if getattr(self, "_on_cycle", False):
            names += [name for name in HISTORY if name not in names]
        return names

    def _read(self, table: Table) -> tuple[Floats, bool]:
        check_is_fitted(self)
        return read_columns(self, table, self._wanted(), reset=False)

    def _learn_cycle(self, values: Floats) -> Cycle | None:
        """Usual gaps of the customers, said to be missing where nobody ordered twice."""
        n, span = (values[:, self._wanted().index(name)] for name in HISTORY)
        check_spans(span, n)
        cycle = learn_cycle(n, span)
        if cycle is None:
            warn_caller(
                f"none of {len(values):,} customers ordered twice, so that the log shows no cycle: "
                "recency is cut at quantiles, and names say no more than that.",
                DataWarning,
            )
        return cycle

    def _scored(self, values: Floats) -> Floats:
        """Values that are scored: on the cycle silence in the customer's usual gaps."""
        if not getattr(self, "_on_cycle", False):
            return values
        letters, wanted = list(scored_columns(self.columns, self.monetary)), self._wanted()
        scored = values[:, : len(letters)].copy()
        if self.cycle_ is not None:
            n, span = (values[:, wanted.index(name)] for name in HISTORY)
            check_spans(span, n)
            r = letters.index("R")
            scored[:, r] = values[:, r] / usual_gap(self.cycle_, n, span)
        return scored

    def _learn(
        self,
        values: Floats,
        variables: Sequence[VariableCuts],
        sizes: Sequence[int],
        given: Mapping[str, tuple[float, ...]],
    ) -> tuple[VariableCuts, ...]:
        """Cut points of every variable; those on the cycle have the column ``usual_gaps``."""
        if self.cycle_ is None:
            return _learn(self._scored(values), variables, sizes, self.method, given)
        given, blank = dict(given), list(variables)
        for j, v in enumerate(variables):
            if v.letter == "R":
                given["R"], blank[j] = cycle_cuts(sizes[j]), v._replace(column=CYCLE)
            elif v.letter not in given and v.column == "n_orders":
                given[v.letter] = order_cuts(values[:, j], sizes[j])
        return _learn(self._scored(values), blank, sizes, self.method, given)

    def _asked(self, table: Table) -> tuple[Floats, bool]:
        """Values of the rows that are scored; silences far beyond those of the fit are told."""
        values, named = self._read(table)
        longest = getattr(self, "longest_silence_", 0.0)  # of before: not known
        for silence in self._silences(values, self.variables_):
            warn_beyond(type(self).__name__, silence, longest, self.unit_, "silence")
        return values, named

    def _silences(self, values: Floats, variables: Sequence[VariableCuts]) -> list[Floats]:
        """Return the column of silence, where one is scored."""
        scored = ("silence", CYCLE)
        return [values[:, j] for j, v in enumerate(variables) if v.column in scored]

    def _unit_of(self, name: str) -> str:
        if name in TIME_COLUMNS:
            return self.unit_ or ""
        if name == CYCLE:
            return "usual gaps"
        return "money" if name in MONEY_COLUMNS else ""


def _learn(
    values: Floats,
    variables: Sequence[VariableCuts],
    sizes: Sequence[int],
    method: str,
    given: Mapping[str, tuple[float, ...]],
) -> tuple[VariableCuts, ...]:
    """Cut points of every variable; only letter, column and direction of ``variables`` count."""
    found: list[VariableCuts] = []
    cell = np.zeros(len(values), dtype=np.intp)
    for j, blank in enumerate(variables):
        if blank.letter in given:
            cuts: tuple[tuple[float, ...], ...] = (given[blank.letter],)
        elif method == "nested":
            cuts = nested_cuts(values[:, j], sizes[j], cell, sizes[:j])
        elif method == "mean":
            cuts = ((float(np.mean(values[:, j])),),)
        else:
            cuts = (tuple(float(c) for c in quantile_cuts(values[:, j], sizes[j])),)
        found.append(blank._replace(cuts=cuts))
        if method == "nested":
            score = scores_of(values[:, : j + 1], found)[:, j]
            cell = cell * sizes[j] + score - 1
    return tuple(found)
