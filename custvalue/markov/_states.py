"""From the columns of a panel to states: discretisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue._histories import warn_beyond
from custvalue._open_table import Table, open_table
from custvalue._row_scorer import OneRow, RowScorer, refuse_nameless
from custvalue._sklearn import DocLink, check_is_fitted, read_columns, read_vectors
from custvalue._typing import Floats, Ints
from custvalue.exceptions import ContractProblem, DataContractError, NotSupportedError, first_ids

PANEL_COLUMNS = ("silence", "n_orders", "mean_value")


class PanelStates(DocLink, TransformerMixin, BaseEstimator):
    """States of a customer-period: silence, number of orders, mean spend, each in classes.

    Parameters
    ----------
    recency_max : int, default=12
        Periods since the last purchase are kept as they are up to here; the last class is
        "this many or more".
    frequency_classes : int, default=5
        Orders so far, in doubling classes: 1, 2, 3-4, 5-8, ..., the last one open.
    monetary_classes : int, default=5
        Mean spend so far, cut at its quantiles over all rows of ``fit``.

    Attributes
    ----------
    frequency_cuts_ : ndarray
        A count above ``frequency_cuts_[k]`` is in class k + 1 or higher.
    monetary_cuts_ : ndarray
        Cuts of mean spend, frozen in ``fit``.
    longest_silence_ : float
        The longest silence of ``fit``, in periods; more than twice that is said (`DataWarning`).

    Notes
    -----
    Reads ``silence``, ``n_orders`` and ``mean_value`` of a panel by name, or the first three
    columns of an array.

    Examples
    --------
    >>> from custvalue.markov import PanelStates
    >>> PanelStates(recency_max=2, monetary_classes=2).fit_transform(
    ...     [[0, 1, 10.0], [1, 1, 10.0], [7, 3, 40.0]]).tolist()
    [[0, 0, 0], [1, 0, 0], [2, 2, 1]]
    """

    def __init__(
        self, *, recency_max: int = 12, frequency_classes: int = 5, monetary_classes: int = 5
    ) -> None:
        self.recency_max = recency_max
        self.frequency_classes = frequency_classes
        self.monetary_classes = monetary_classes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # classes are whole numbers
        return tags

    def fit(self, X: Any, y: Any = None) -> PanelStates:
        """Learn the cuts of mean spend from customer-periods."""
        for name in ("recency_max", "frequency_classes", "monetary_classes"):
            least = 0 if name == "recency_max" else 1
            if int(getattr(self, name)) < least:
                raise ValueError(f"{name}={getattr(self, name)!r} must be at least {least}.")
        silence, _, spend = read_vectors(self, X, PANEL_COLUMNS, reset=True)
        self.longest_silence_ = float(silence.max())
        self.frequency_cuts_ = 2.0 ** np.arange(self.frequency_classes - 1)
        self.monetary_cuts_ = class_cuts(spend, self.monetary_classes)
        return self

    def transform(self, X: Any) -> Ints:
        """Classes of each row, shape (n_rows, 3): silence, orders, mean spend."""
        return self._classes(X)

    def scorer(self) -> RowScorer:
        """Freeze the classes for single customers: ``{"R": 0, "F": 2, "M": 1}`` of a panel's row.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        return _scorer(self)

    def _classes(self, X: Any) -> Ints:
        check_is_fitted(self)
        values, _ = read_columns(self, X, PANEL_COLUMNS, reset=False, min_columns=3)
        longest = getattr(self, "longest_silence_", 0.0)  # of before: not known
        warn_beyond(type(self).__name__, values[:, 0], longest, None, "silence")
        out = np.empty((len(values), 3), dtype=np.int64, order="F")
        out[:, 0] = np.clip(values[:, 0], 0, self.recency_max)
        out[:, 1] = np.searchsorted(self.frequency_cuts_, values[:, 1], side="left")
        out[:, 2] = np.searchsorted(self.monetary_cuts_, values[:, 2], side="left")
        return out

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the three classes."""
        return np.asarray(["R", "F", "M"], dtype=object)


class ColumnStates(DocLink, TransformerMixin, BaseEstimator):
    """States from any columns: words and few distinct numbers as they are, else quantile classes.

    Parameters
    ----------
    columns : sequence of str, optional
        Columns of a frame, of numbers or of text; an array is read by position (its first
        ``max_columns`` columns). Text has one class a word, in the order of the alphabet.
    n_classes : int, default=10
        A column with more distinct values than this is cut at its quantiles.
    max_columns : int, default=3
        How many columns of an array are read.

    Attributes
    ----------
    cuts_ : list of ndarray
        Upper ends of the classes of each column but the last.
    words_ : list of (list of str or None)
        The words of each column; None for a column of numbers.
    values_ : list of (list or None)
        The value of each class of a column; None where classes are stretches between cuts.

    Examples
    --------
    >>> from custvalue.markov import ColumnStates
    >>> ColumnStates(n_classes=2).fit_transform([[5, 0.1], [5, 0.2], [9, 0.7]]).tolist()
    [[0, 0], [0, 0], [1, 1]]
    >>> import pandas as pd
    >>> ColumnStates(["stage"]).fit_transform(
    ...     pd.DataFrame({"stage": ["new", "core", "new"]})).tolist()
    [[1], [0], [1]]
    """

    def __init__(
        self, columns: Sequence[str] | None = None, *, n_classes: int = 10, max_columns: int = 3
    ) -> None:
        self.columns = columns
        self.n_classes = n_classes
        self.max_columns = max_columns

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # classes are whole numbers
        return tags

    def fit(self, X: Any, y: Any = None) -> ColumnStates:
        """Learn the classes of each column."""
        if int(self.n_classes) < 1:
            raise ValueError(f"n_classes={self.n_classes!r} must be at least 1.")
        values = self._read(X, reset=True)
        self.cuts_, self.values_ = [], []
        for column, words in zip(values.T, self.words_, strict=True):
            distinct = np.unique(column)
            if words is not None or len(distinct) <= self.n_classes:
                self.cuts_.append(distinct[:-1])
                self.values_.append(list(words) if words is not None else distinct.tolist())
            else:
                self.values_.append(None)
                self.cuts_.append(class_cuts(column, self.n_classes))
        return self

    def transform(self, X: Any) -> Ints:
        """Classes of each row, shape (n_rows, n_columns)."""
        return self._classes(X)

    def scorer(self) -> RowScorer:
        """Freeze the classes for single customers: ``{"stage": 2}`` of a row's columns.

        Raises
        ------
        NotSupportedError
            If columns were read by position.
        """
        if self.columns is None:
            raise NotSupportedError(
                "these ColumnStates read columns by position, and a scorer takes values by name; "
                "name them: ColumnStates([...])."
            )
        return _scorer(self)

    def _classes(self, X: Any) -> Ints:
        check_is_fitted(self)
        values = self._read(X, reset=False)
        return np.column_stack(
            [
                np.searchsorted(cuts, column, side="left")
                for cuts, column in zip(self.cuts_, values.T, strict=True)
            ]
        ).astype(np.int64)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns, or x0, x1, ... for arrays."""
        check_is_fitted(self)
        names = [f"x{k}" for k in range(len(self.cuts_))] if self.columns is None else self.columns
        return np.asarray(list(names), dtype=object)

    def _read(self, X: Any, *, reset: bool) -> Floats:
        names, table = list(self.columns or ()), open_table(X)
        if reset:
            self.words_: list[list[str] | None] = [_words(table, name) for name in names]
        if not any(words is not None for words in self.words_):
            values, named = read_columns(self, table, tuple(names), reset=reset)
            values = values if named else values[:, : self.max_columns]
            if reset:
                self.words_ = [None] * values.shape[1]
            return values
        numbers = [n for n, words in zip(names, self.words_, strict=True) if words is None]
        caller = f"{type(self).__name__}'s X"
        found = dict(
            zip(numbers, table.floats(numbers, caller=caller), strict=True) if numbers else ()
        )
        for name, words in zip(names, self.words_, strict=True):
            if words is not None:
                found[name] = _codes(table, name, words)
        if reset:
            self.feature_names_in_ = np.asarray(names, dtype=object)
            self.n_features_in_ = len(names)
        return np.column_stack([found[name] for name in names])


def _scorer(states: PanelStates | ColumnStates) -> RowScorer:
    check_is_fitted(states)
    refuse_nameless(states)
    names = list(map(str, states.get_feature_names_out()))

    def answer(row: OneRow) -> dict[str, Ints]:
        return dict(zip(names, states._classes(row).T, strict=True))

    return RowScorer(answer, None, "state")


def _text(table: Table, name: str) -> npt.NDArray[np.object_] | None:
    """Return a frame's column where it holds text, else None."""
    if not table.has(name):
        return None
    values = np.asarray(table.column(name), dtype=object)
    is_text = [isinstance(value, str) for value in values]
    return values if any(is_text) else None


def _words(table: Table, name: str) -> list[str] | None:
    values = _text(table, name)
    if values is None:
        return None
    bad = np.flatnonzero([not isinstance(value, str) for value in values])
    if len(bad):
        raise DataContractError(
            ContractProblem.at(
                "missing-words",
                f"column {name!r} has values that are missing or no text",
                "Drop these rows or fill them; row positions are counted from 0.",
                bad,
            )
        )
    return sorted(set(values.tolist()))


def _codes(table: Table, name: str, words: list[str]) -> Floats:
    values = _text(table, name)
    place = {word: float(k) for k, word in enumerate(words)}
    codes = np.array([place.get(v, np.nan) for v in ([] if values is None else values)])
    bad = np.flatnonzero(np.isnan(codes))
    if values is None or len(bad):
        strange = [] if values is None else dict.fromkeys(str(v) for v in values[bad])
        raise DataContractError(
            ContractProblem.at(
                "unknown-words",
                f"column {name!r} has words that were not there in fit: "
                f"{', '.join(first_ids(strange)) or 'no text at all'}; it knows "
                f"{', '.join(first_ids(words))}",
                "Correct them, or fit on rows that have them; row positions are counted from 0.",
                bad,
            )
        )
    return codes


def class_cuts(values: Floats, n_classes: int) -> Floats:
    """Cuts at the quantiles, repeated cuts merged; a value equal to a cut is below it."""
    if n_classes < 2:
        return np.empty(0)
    cuts = np.quantile(values, np.arange(1, n_classes) / n_classes, method="lower")
    cuts = np.unique(cuts)
    return cuts[cuts < values.max()]
