"""How rows become states and rewards: the reading half of the estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from custvalue import _frames
from custvalue._sklearn import validate_data
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.markov._orders import Ints
from custvalue.markov._rows import Rows
from custvalue.markov._sparse import Floats
from custvalue.markov._states import PANEL_COLUMNS, ColumnStates, PanelStates, StateList


class MarkovReading:
    """Reads panels and arrays; mixed into ``MarkovCLVEstimator``."""

    states: Any
    margin: Any
    margin_: float
    state_list_: StateList
    discretizer_: Any

    def _margins(self, X: Any) -> Any:
        if isinstance(self.margin, str):
            return _frames.float_columns(X, [self.margin], caller=type(self).__name__)[:, 0]
        return self.margin_

    def _paid(self, X: Any, y: Any, reward: Floats, rows: Rows, place: Ints) -> Floats:
        """Reward of each move; a margin by state is that of the state the move starts from."""
        paid = reward[rows.after]
        if not isinstance(self.margin, dict):
            return paid
        spend = paid
        if y is None:
            spend = _frames.float_columns(X, ["spend"], caller=type(self).__name__)[rows.after, 0]
        share = self._by_state("margin", self.margin, np.nan)[place[rows.before]]
        return np.where(np.isnan(share), paid, share * spend)

    def _state_margins(self) -> Floats | None:
        """Margin of each state, where they differ."""
        if not isinstance(self.margin, dict):
            return None
        return self._by_state("margin", self.margin, self.margin_)

    def _by_state(self, name: str, given: Any, other: float) -> Floats:
        labels = self.state_list_.labels()
        unknown = [state for state in given if state not in set(labels)]
        if unknown:
            raise ValueError(f"{name} names states that do not exist: {unknown[:5]!r}.")
        return np.asarray([float(given.get(state, other)) for state in labels])

    def _place(self, X: Any) -> Ints:
        if not self._is_named(X):
            X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.state_list_.find(self._classes(X))[0]

    def _read(self, X: Any, y: Any) -> tuple[Any, Floats]:
        """X as it will be used, and the reward of each row."""
        scale = 1.0 if isinstance(self.margin, (str, dict, type(None))) else float(self.margin)
        self.margin_ = scale
        if not self._is_named(X):
            if isinstance(self.margin, str):
                raise ValueError("margin names a column, but X is not a frame with that column.")
            if y is None:
                raise ValueError(
                    "requires y to be passed, but the target y is None: an array has no profit "
                    "column, so y must give the reward of each row."
                )
            X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
            return X, scale * np.asarray(y, dtype=np.float64)
        names = _frames.column_names(X) or []
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        if y is not None:
            reward = np.asarray(y, dtype=np.float64)
            if reward.shape != (len(X),):
                raise ValueError(f"y has shape {reward.shape}; X has {len(X)} rows.")
            unknown = ~np.isfinite(reward)
            if unknown.any():
                raise DataContractError(
                    ContractProblem(
                        "not-finite",
                        "y has missing (NaN) or infinite values",
                        "Fill them (0 where nothing was earned) or drop these rows.",
                        int(unknown.sum()),
                        first_ids(np.flatnonzero(unknown)),
                    )
                )
            return X, scale * reward
        if isinstance(self.margin, str):
            both = _frames.float_columns(X, ["spend", self.margin], caller=type(self).__name__)
            return X, both[:, 0] * both[:, 1]
        if self.margin is not None and not isinstance(self.margin, dict):
            return X, scale * _frames.float_columns(X, ["spend"], caller=type(self).__name__)[:, 0]
        profit = _frames.float_columns(X, ["profit"], caller=type(self).__name__)[:, 0]
        if "spend" in names:
            total = float(_frames.float_columns(X, ["spend"])[:, 0].sum())
            self.margin_ = float(profit.sum()) / total if total > 0.0 else 1.0
        return X, profit

    def _is_named(self, X: Any) -> bool:
        names = _frames.column_names(X)
        if names is None:
            return False
        wanted = {"period", *PANEL_COLUMNS}
        if isinstance(self.states, (list, tuple)):
            wanted |= set(self.states)
        return bool(wanted & set(names))

    def _discretizer(self, X: Any) -> Any:
        if isinstance(self.states, (list, tuple)):
            if _frames.is_frame(X):  # refuses a column that is missing, by its name
                _frames.float_columns(X, list(self.states), caller=type(self).__name__)
            return ColumnStates(list(self.states), n_classes=10**6).fit(X)
        if self.states is not None:
            return clone(self.states).fit(X)
        if not self._is_named(X):
            return ColumnStates().fit(X)
        names = _frames.column_names(X) or []
        if {"R", "F", "M"} <= set(names):
            return ColumnStates(["R", "F", "M"]).fit(X)
        return PanelStates().fit(X)

    def _classes(self, X: Any) -> Ints:
        made = (
            self.discretizer_.transform(X)
            if hasattr(self.discretizer_, "transform") and not hasattr(self.discretizer_, "predict")
            else self.discretizer_.predict(X)
        )
        out = np.asarray(made)
        if out.ndim == 1:
            out = out[:, None]
        whole = out.astype(np.int64)
        if not np.array_equal(whole, out):
            raise ValueError(
                f"{type(self.discretizer_).__name__} gives values that are not whole numbers; "
                "states must be classes."
            )
        return whole
