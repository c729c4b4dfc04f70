"""MarkovCLVEstimator: what each customer will bring, from a chain over customer states."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin, clone

from custvalue import _frames
from custvalue._sklearn import DocLink, check_is_fitted, validate_data
from custvalue._units import Span, check_annual_rate, in_units, rate_per
from custvalue.markov._chain import Chain, Timing, check_timing
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import mean_reward, mix_rows, pooled_moves
from custvalue.markov._rows import Gaps, link
from custvalue.markov._states import PANEL_COLUMNS, ColumnStates, PanelStates, StateList

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Up to this many states a dense matrix is smaller and faster than a sparse one.
_DENSE_STATES = 400


class MarkovCLVEstimator(DocLink, RegressorMixin, BaseEstimator):
    """Customer value from a Markov chain over customer states.

    Time is cut into periods; a customer's state at a period's end says how long ago, how often
    and how much was bought. The chain learns from a panel how states follow each other and what
    money comes with it; a row's value is the discounted money expected from its state on.

    Parameters
    ----------
    states : transformer, sequence of str, or None, default=None
        How rows become states: any transformer or clusterer with ``fit`` and ``transform`` (or
        ``predict``) over the rows, or names of columns whose values are states as they are.
        None: the columns ``R``, ``F``, ``M`` where a frame has them (the pipeline scored them),
        else ``PanelStates()`` on a panel, else the first three columns of an array in classes.
    transitions : {"counts"}, default="counts"
        How the transition matrix is estimated.
    smoothing : float, default=1.0
        Pseudo-observations per state, spread like the moves of all states with the same first
        class. 0 is plain maximum likelihood (states never left still fall back).
    horizon : str, timedelta or number, optional
        How far to look, e.g. ``"52W"``; a bare number counts periods of plain arrays. None:
        for ever.
    annual_discount_rate : float, default=0.1
        Converted to the period; with plain arrays of unknown period it is the rate of one period.
    margin : float, optional
        Share of spend that is profit: reward = margin x ``spend``. None: the panel's ``profit``.
        With ``y`` given, reward = y x margin (1 where None).
    timing : {"end", "start"}, default="end"
        Whether a period's reward is discounted to the period's end or comes at once.
    absorbing : sequence, default=()
        States that are never left.
    customer : str, optional
        Customer column of a frame that carries no facts of its own.
    gaps : {"error", "skip"}, default="error"
        What a missing period of a customer does: refuse, or make no transition there.
    unit : str, optional
        Length of a period where the table does not say it, e.g. ``"4W"``.

    Attributes
    ----------
    chain_ : Chain
    reward_ : ndarray of shape (n_states,)
        Expected profit of the next period by state.
    counts_ : TransitionCounts
    unit_ : str or None
        Length of a period.

    References
    ----------
    Pfeifer, P. E. & Carraway, R. L. (2000), Modeling customer relationships as Markov chains,
    Journal of Interactive Marketing 14(2), 43-55.

    Examples
    --------
    One customer's periods in order, state 0 or 1, with the money of each period:

    >>> from custvalue.markov import MarkovCLVEstimator
    >>> X = [[0], [1], [0], [0], [1], [1], [0]]
    >>> y = [0.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0]
    >>> model = MarkovCLVEstimator(horizon=2, annual_discount_rate=0.0, smoothing=0.0)
    >>> model.fit(X, y).predict([[0], [1]]).round(2).tolist()
    [5.56, 4.44]
    """

    reads_table = "panel"  # what a backtest gives it

    def __init__(
        self,
        states: Any = None,
        *,
        transitions: Literal["counts"] = "counts",
        smoothing: float = 1.0,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.1,
        margin: float | None = None,
        timing: Timing = "end",
        absorbing: Any = (),
        customer: str | None = None,
        gaps: Gaps = "error",
        unit: str | None = None,
    ) -> None:
        self.states = states
        self.transitions = transitions
        self.smoothing = smoothing
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.timing = timing
        self.absorbing = absorbing
        self.customer = customer
        self.gaps = gaps
        self.unit = unit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # A forecast from states alone: on noise it has nothing to say.
        tags.regressor_tags.poor_score = True
        tags.target_tags.required = False
        return tags

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> MarkovCLVEstimator:
        """Learn states, transitions and rewards from customer-periods.

        Parameters
        ----------
        X : panel frame or array-like of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,), optional
            Reward of each row's period; needed for arrays.
        groups : array-like of shape (n_rows,), optional
            Customer of each row, where X does not say it. Arrays without groups are one
            customer's periods in time order.
        """
        check_timing(self.timing)
        if self.transitions != "counts":
            raise ValueError(f"transitions={self.transitions!r} must be 'counts'.")
        if not float(self.smoothing) >= 0.0:
            raise ValueError(f"smoothing={self.smoothing!r} must be 0 or more.")
        X, reward = self._read(X, y)
        facts = _frames.facts_of(X) if _frames.is_frame(X) else None
        self.unit_ = self.unit or (facts.period or facts.unit if facts is not None else None)
        check_annual_rate(self.annual_discount_rate)
        rows = link(X, groups, self.customer, self.gaps)
        if len(rows.before) == 0:
            raise ValueError(
                f"no customer has two periods in a row (n_samples={len(rows.customer)}; 1 sample "
                "a customer makes no transition); a chain cannot be learned."
            )
        self.discretizer_ = self._discretizer(X)
        classes = self._classes(X)
        self.state_list_ = StateList.seen_in(classes)
        place, _ = self.state_list_.find(classes)
        self.counts_ = TransitionCounts.of(
            place[rows.before],
            place[rows.after],
            n_states=len(self.state_list_),
            reward=reward[rows.after],
        )
        self._estimate()
        return self

    def _estimate(self) -> None:
        prior = pooled_moves(self.counts_, self.state_list_)
        matrix: Any = mix_rows(self.counts_, prior, float(self.smoothing))
        labels = self.state_list_.labels()
        if len(labels) <= _DENSE_STATES:
            matrix = matrix.toarray()
        self.chain_ = Chain(labels, matrix, tuple(self.absorbing))
        self.reward_ = mean_reward(self.counts_, self.state_list_, float(self.smoothing))

    def predict(self, X: Any, *, horizon: Span | None = None) -> Floats:
        """Discounted future value of each row, shape (n_rows,).

        Parameters
        ----------
        X : panel frame or array-like of shape (n_rows, n_columns)
            The latest row of a customer gives that customer's value.
        horizon : str, timedelta or number, optional
            Overrides the constructor's.
        """
        place = self._place(X)
        return self.state_values(horizon=horizon)[place]

    def state_values(self, *, horizon: Span | None = None) -> Floats:
        """Discounted future value by state, in the order of ``chain_.states``."""
        check_is_fitted(self)
        span = self.horizon if horizon is None else horizon
        periods = None if span is None else in_units(span, self.unit_)
        rate = self.annual_discount_rate
        if self.unit_ is not None:
            rate = rate_per(rate, self.unit_)
        if periods is None:
            return self.chain_.value(self.reward_, discount_rate=rate, timing=self.timing)
        # a horizon between two whole numbers of periods lies between their values
        whole = int(np.floor(periods + 1e-9))
        part = max(periods - whole, 0.0)
        low = self._value_of(whole, rate)
        if part < 1e-9:
            return low
        return low + part * (self._value_of(whole + 1, rate) - low)

    def _value_of(self, periods: int, rate: float) -> Floats:
        if periods == 0:
            return np.zeros_like(self.reward_)
        last = periods - 1 if self.timing == "start" else periods
        return self.chain_.value(self.reward_, horizon=last, discount_rate=rate, timing=self.timing)

    def _place(self, X: Any) -> Ints:
        check_is_fitted(self)
        if not self._is_named(X):
            X = validate_data(self, X, reset=False, dtype=np.float64)
        return self.state_list_.find(self._classes(X))[0]

    def _read(self, X: Any, y: Any) -> tuple[Any, Floats]:
        """X as it will be used, and the reward of each row."""
        scale = 1.0 if self.margin is None else float(self.margin)
        if not self._is_named(X):
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
            return X, scale * reward
        source = "profit" if self.margin is None else "spend"
        return X, scale * _frames.float_columns(X, [source], caller=type(self).__name__)[:, 0]

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
