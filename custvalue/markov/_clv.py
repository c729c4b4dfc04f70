"""MarkovCLVEstimator: what each customer will bring, from a chain over customer states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin

from custvalue import _frames
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._units import Span, check_annual_rate, in_units, rate_per
from custvalue.markov._chain import Chain, Timing, check_timing, discount_factor
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import (
    fit_concentration,
    mean_by_move,
    mean_reward,
    mix_rows,
    pooled_moves,
)
from custvalue.markov._factored import History
from custvalue.markov._learning import MarkovLearning
from custvalue.markov._orders_fit import TERMS
from custvalue.markov._outputs import MarkovOutputs
from custvalue.markov._portable import MarkovPortable
from custvalue.markov._reading import MarkovReading
from custvalue.markov._roll import Roll
from custvalue.markov._rows import Gaps, link
from custvalue.markov._sparse import Sparse, from_entries, scale_rows
from custvalue.markov._states import StateList
from custvalue.markov._uncertainty import annuity

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Up to this many states a dense matrix is smaller and faster than a sparse one.
_DENSE_STATES = 400


class MarkovCLVEstimator(
    DocLink,
    MarkovOutputs,
    MarkovLearning,
    MarkovReading,
    MarkovPortable,
    RegressorMixin,
    BaseEstimator,
):
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
    transitions : {"shrunk", "counts", "bayes"}, default="shrunk"
        ``"counts"``: what was counted (with ``smoothing``). ``"bayes"``: what the purchase and
        spend laws expect of each state's customers. ``"shrunk"``: the laws, drawn towards the
        counts as far as the data's evidence says; states never seen follow the laws.
    money : {"auto", "factored", "state"}, default="auto"
        ``"state"``: a state's mean profit. ``"factored"``: a chain over orders, silence and age
        forecasts each customer's orders, and the customer's own spend per order prices them; the
        states then only serve the tables. ``"auto"``: factored on a panel without own ``states``
        or ``y``, where it forecasts best; else by state.
    purchases : purchase model, optional
        The purchase law; None: ``ParetoNBD()``.
    spend : spend model, optional
        E.g. ``GammaGamma()``, fitted on number of orders and mean spend, the first order
        included. None: each customer's own mean so far.
    correct_by : sequence of {"orders", "cohort", "spend"}, default=("orders",)
        What the purchase law is corrected by, with ``transitions="shrunk"`` and factored money.
        ``"cohort"`` follows a trend from cohort to cohort, and takes a season for one too.
    by : str or dict, optional
        Money by state only: a column of the panel that transitions and rewards depend on.
        ``"age"`` moves on with each period, so that a cohort's decay is in the forecast; a season
        goes round and is given with the length of its cycle, ``{"season": "52W"}``; any other
        column (channel, segment) stays with the customer.
    smoothing : float, default=1.0
        With ``transitions="counts"``: pseudo-observations per state, spread like the moves of all
        states with the same first class. 0 is plain maximum likelihood (states never left still
        fall back).
    horizon : str, timedelta or number, optional
        How far to look, e.g. ``"52W"``; a bare number counts periods of plain arrays. None:
        for ever.
    annual_discount_rate : float, default=0.1
        Converted to the period; with plain arrays of unknown period it is the rate of one period.
    margin : float, str or dict, optional
        Share of spend that is profit: reward = margin x ``spend``; a name is a column of X with
        each row's margin; a dict gives it by the state that the period begins in (money by state
        only), and states it does not name keep the panel's ``profit``. None: the panel's
        ``profit``. With ``y`` given, reward = y x margin (1 where None).
    contact_cost : float or dict, default=0.0
        Cost a period of keeping in touch; a dict gives it by state (``chain_.states``), 0 where
        it says nothing.
    reward_by : {"state", "transition"}, default="state"
        ``"transition"`` (money by state only, without ``by``) learns a profit for each move, drawn
        by one pseudo-observation to the mean of the moves between the same first classes; a
        state's profit is then its mean over the chain's moves, and a changed matrix can be valued
        with ``Chain.value(model.reward_matrix_)``. The spend law then has no say in rewards.
    timing : {"end", "start"}, default="end"
        Whether a period's reward is discounted to the period's end or comes at its start.
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
        Expected profit of the next period by state, contact cost taken off.
    reward_matrix_ : sparse array of shape (n_states, n_states) or None
        With ``reward_by="transition"``: expected profit of each move, before contact costs.
    counts_ : TransitionCounts
    concentration_ : float
        Weight κ of the prior, in observations a state; inf for ``"bayes"``.
    forecast_ : FactoredForecast or None
        The chain for orders, with factored money.
    levels_ : Levels or None
        The chains by level of the column ``by``; ``chain_`` is then that of all levels together.
    shock_ : Shock
        What all customers' money of a period has in common, money by state.
    unit_ : str or None
        Length of a period.

    Notes
    -----
    Why this default: see the page "The default chain" of the documentation, with all that was
    tried. Memory and time of ``predict`` go with the number of different histories.

    References
    ----------
    Pfeifer, P. E. & Carraway, R. L. (2000), Modeling customer relationships as Markov chains,
    Journal of Interactive Marketing 14(2), 43-55.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.datasets.load_cdnow("sample")
    >>> history = cv.panel(log, customer="customer_id", time="date", amount="amount",
    ...                    as_of="1997-09-30", period="4W")
    >>> model = cv.MarkovCLVEstimator(horizon="39W", margin=0.3).fit(history)
    >>> value = model.predict(history.groupby("customer_id").tail(1))
    >>> value.shape
    (2349,)

    One customer's periods in order, state 0 or 1, with the money of each period:

    >>> X = [[0], [1], [0], [0], [1], [1], [0]]
    >>> y = [0.0, 5.0, 0.0, 0.0, 5.0, 5.0, 0.0]
    >>> model = cv.MarkovCLVEstimator(
    ...     transitions="counts", smoothing=0.0, horizon=2, annual_discount_rate=0.0
    ... )
    >>> model.fit(X, y).predict([[0], [1]]).round(2).tolist()
    [5.56, 4.44]
    """

    reads_table = "panel"  # what a backtest gives it

    def __init__(
        self,
        states: Any = None,
        *,
        transitions: Literal["shrunk", "counts", "bayes"] = "shrunk",
        money: Literal["auto", "factored", "state"] = "auto",
        purchases: Any = None,
        spend: Any = None,
        correct_by: Any = ("orders",),
        by: str | Mapping[str, Span] | None = None,
        smoothing: float = 1.0,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.1,
        margin: Any = None,
        contact_cost: Any = 0.0,
        reward_by: Literal["state", "transition"] = "state",
        timing: Timing = "end",
        absorbing: Any = (),
        customer: str | None = None,
        gaps: Gaps = "error",
        unit: str | None = None,
    ) -> None:
        self.states = states
        self.transitions = transitions
        self.money = money
        self.purchases = purchases
        self.spend = spend
        self.correct_by = correct_by
        self.by = by
        self.smoothing = smoothing
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.reward_by = reward_by
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

        Returns
        -------
        self : MarkovCLVEstimator

        Raises
        ------
        DataContractError
            Missing columns or customers, gaps or repeated periods, by column and customer.
        ValueError
            If no customer has two periods in a row.
        """
        self._check_parameters()
        X, reward = self._read(X, y)
        facts = _frames.facts_of(X) if _frames.is_frame(X) else None
        self.unit_ = self.unit or (facts.period or facts.unit if facts is not None else None)
        rows = link(X, groups, self.customer, self.gaps)
        if len(rows.before) == 0:
            raise ValueError(
                f"no customer has two periods in a row (n_samples={len(rows.customer)}; 1 sample "
                "a customer makes no transition); a chain cannot be learned."
            )
        self.discretizer_ = self._discretizer(X)
        classes = self._classes(X)
        self.forecast_ = self._fit_factored(X, y, rows)
        law = self._fit_law_moves(X, y, rows, classes)
        known = classes
        if law is not None:
            known = np.vstack([classes, self._classes(_frames.frame_like(None, law.columns))])
        self.state_list_ = StateList.seen_in(known)
        place, _ = self.state_list_.find(classes)
        paid = self._paid(X, y, reward, rows, place)
        self.counts_ = TransitionCounts.of(
            place[rows.before],
            place[rows.after],
            n_states=len(self.state_list_),
            reward=paid,
            by_move=self.reward_by == "transition",
        )
        names = _frames.column_names(X) or []
        self.buys_: Sparse | None = None
        if "orders" in names:
            bought = _frames.float_columns(X, ["orders"])[rows.after, 0] > 0
            where = place[rows.before], place[rows.after]
            self.buys_ = from_entries(bought, *where, len(self.state_list_))
        begins = np.zeros(len(place), dtype=bool)
        begins[rows.before] = True
        begins[rows.after] = False
        first = np.flatnonzero(begins)
        entries = np.bincount(place[first], minlength=len(self.state_list_))
        self.entry_ = entries / max(int(entries.sum()), 1)
        self.state_size_ = np.bincount(place[rows.last], minlength=len(self.state_list_))
        self.law_rows_: Any = None
        self.law_reward_: Any = None
        if law is not None:
            self._average_law(law, place)
        self._estimate(self.law_rows_)
        self.levels_, moved = self._fit_levels(X, place, rows, paid, first)
        self.shock_ = self._shock_by_state(place, rows, paid, moved)
        return self

    def _check_parameters(self) -> None:
        check_timing(self.timing)
        check_annual_rate(self.annual_discount_rate)
        if self.transitions not in ("shrunk", "counts", "bayes"):
            raise ValueError(
                f"transitions={self.transitions!r} must be 'shrunk', 'counts' or 'bayes'."
            )
        if self.reward_by not in ("state", "transition"):
            raise ValueError(f"reward_by={self.reward_by!r} must be 'state' or 'transition'.")
        if self.reward_by == "transition" and (self.money != "state" or self.by is not None):
            raise ValueError("reward_by='transition' needs money='state' and no by=.")
        if isinstance(self.margin, dict) and self.reward_by == "transition":
            raise ValueError("reward_by='transition' takes one margin, not a margin by state.")
        if self.money not in ("auto", "factored", "state"):
            raise ValueError(f"money={self.money!r} must be 'auto', 'factored' or 'state'.")
        if not float(self.smoothing) >= 0.0:
            raise ValueError(f"smoothing={self.smoothing!r} must be 0 or more.")
        if set(self.correct_by) - set(TERMS):
            raise ValueError(f"correct_by={self.correct_by!r} may name {', '.join(TERMS)}.")
        for name in ("contact_cost", "margin"):
            given = getattr(self, name)
            numbers = given.values() if isinstance(given, dict) else [given]
            if any(not isinstance(v, (str, type(None))) and not np.isfinite(v) for v in numbers):
                raise ValueError(f"{name}={given!r} must be finite.")
            if self.money == "factored" and isinstance(getattr(self, name), dict):
                raise ValueError(f"{name} by state needs money='state'.")
        if self.money == "factored" and self.transitions == "counts":
            raise ValueError(
                "factored money forecasts orders by a purchase law; counts alone have none. Use "
                "transitions='shrunk' or 'bayes', or money='state'."
            )

    def _estimate(self, law_rows: Sparse | None) -> None:
        pooled = pooled_moves(self.counts_, self.state_list_)
        prior = pooled
        if law_rows is not None:
            # a hundredth of what states alike do: no move that was seen is impossible
            prior = law_rows if self.transitions == "bayes" else 0.99 * law_rows + 0.01 * pooled
        if self.transitions == "counts":
            self.concentration_ = float(self.smoothing)
        elif self.transitions == "bayes" and law_rows is not None:
            self.concentration_ = np.inf
        else:
            self.concentration_ = fit_concentration([self.counts_], prior)
        matrix: Any = mix_rows(self.counts_, prior, self.concentration_)
        labels = self.state_list_.labels()
        if len(self.absorbing):
            matrix = self._never_left(matrix, labels)
        if len(labels) <= _DENSE_STATES:
            matrix = matrix.toarray()
        self.chain_ = Chain(labels, matrix, tuple(self.absorbing))
        weight = min(self.concentration_, 1e12)
        if self.law_reward_ is None:
            weight = min(weight, max(float(self.smoothing), 1.0))
        reward = mean_reward(
            self.counts_, self.state_list_, weight, self.law_reward_, self._state_margins()
        )
        self.reward_matrix_: Sparse | None = None
        if self.reward_by == "transition":
            reward = self._learn_reward_matrix()
        self.reward_ = reward - self._contact_costs()

    def _never_left(self, matrix: Sparse, labels: tuple[Any, ...]) -> Sparse:
        """Give the declared absorbing states a row of their own, unless they were seen left."""
        n = len(labels)
        unknown = [state for state in self.absorbing if state not in labels]
        if unknown:
            raise ValueError(f"absorbing names states that do not exist: {unknown[:5]!r}.")
        place = np.asarray([labels.index(state) for state in self.absorbing])
        left = self.counts_.n_out[place] - self.counts_.moves.diagonal()[place]
        if left.any():
            seen = ", ".join(
                f"{labels[i]!r} ({int(k)} moves)" for i, k in zip(place, left, strict=True) if k
            )
            raise ValueError(
                f"absorbing states are never left, yet these were: {seen}. Leave them out of "
                "absorbing=, or mend the rows."
            )
        stay = np.ones(n)
        stay[place] = 0.0
        return scale_rows(matrix, stay) + from_entries(np.ones(len(place)), place, place, n)

    def _learn_reward_matrix(self) -> Floats:
        if self.counts_.money_by_move is None:
            raise ValueError("reward_by='transition' needs counts made with by_move=True.")
        chain = self.chain_
        paid = mean_by_move(
            self.counts_.money_by_move, self.counts_, self.state_list_, chain.matrix
        )
        reward = chain.expected_reward(paid)
        self.reward_matrix_ = paid
        return reward

    def _contact_costs(self) -> Floats:
        if not isinstance(self.contact_cost, dict):
            return np.full(len(self.state_list_), float(self.contact_cost))
        return self._by_state("contact_cost", self.contact_cost, 0.0)

    def predict(self, X: Any, *, horizon: Span | None = None) -> Floats:
        """Discounted future value of each row, shape (n_rows,).

        Parameters
        ----------
        X : panel frame or array-like of shape (n_rows, n_columns)
            The latest row of a customer gives that customer's value.
        horizon : str, timedelta or number, optional
            Overrides the constructor's.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        if self.forecast_ is None:
            return self._rolled_values(horizon)[self._where(X)]
        return self._value_rows(History.read(X), self._margins(X), horizon)

    def _roll(self) -> Roll:
        if self.levels_ is None:
            return Roll.of(self.chain_, self.reward_)
        return self.levels_.roll(self._contact_costs())

    def _where(self, X: Any) -> tuple[Ints, Ints]:
        """Clock and state of each row."""
        place = self._place(X)
        if self.levels_ is None:
            return np.zeros(len(place), dtype=np.int64), place
        values = _frames.float_columns(X, [self.levels_.reads], caller=type(self).__name__)
        return self.levels_.find(values[:, 0]), place

    def _rolled_values(self, horizon: Span | None) -> Floats:
        """Values by clock and state."""
        roll = self._roll()

        def value_of(periods: int | None, delta: float) -> Floats:
            lead = 1.0 if self.timing == "start" else delta
            return lead * roll.values(periods, delta)

        values: Floats = self._over(horizon, value_of)
        return values

    def _value_rows(self, history: History, margin: Any, horizon: Span | None) -> Floats:
        forecast = self.forecast_
        assert forecast is not None
        price = forecast.per_order(history) * margin

        def value_of(periods: int | None, delta: float) -> Floats:
            if periods is None and delta >= 1.0:
                raise ValueError(
                    "an infinite horizon needs annual_discount_rate above 0: customers may order "
                    "for ever, so the sum has no limit. Give a horizon, e.g. horizon='52W', or a "
                    "rate."
                )
            lead = 1.0 if self.timing == "start" else delta
            orders = forecast.orders(history, periods, delta)[0]
            return lead * (orders * price - float(self.contact_cost) * annuity(periods, delta))

        return self._over(horizon, value_of)

    def state_values(self, *, horizon: Span | None = None, at: float | None = None) -> Floats:
        """Discounted future value by state, in the order of ``chain_.states``.

        Parameters
        ----------
        horizon : str, timedelta or number, optional
        at : number, optional
            With ``by=``: the age, the period (of a season) or the level that states are looked at
            from. None: by the chain of all levels together, ``chain_``.

        Returns
        -------
        ndarray of shape (n_states,)
        """
        check_is_fitted(self)
        if at is not None:
            return self._rolled_values(horizon)[self._face(at)]

        def value_of(periods: int | None, delta: float) -> Floats:
            lead = 1.0 if self.timing == "start" else delta
            return lead * Roll.of(self.chain_, self.reward_).values(periods, delta)[0]

        values: Floats = self._over(horizon, value_of)
        return values

    def _over(self, horizon: Span | None, value_of: Any) -> Any:
        """Value over a horizon; between two whole numbers of periods it lies between theirs."""
        periods = self._periods(horizon)
        delta = self._delta()
        if periods is None:
            return value_of(None, delta)
        whole = int(np.floor(periods + 1e-9))
        part = periods - whole
        low = value_of(whole, delta)
        if part < 1e-9:
            return low
        return low + part * (value_of(whole + 1, delta) - low)

    def _periods(self, horizon: Span | None) -> float | None:
        span = self.horizon if horizon is None else horizon
        return None if span is None else in_units(span, self.unit_)

    def _delta(self) -> float:
        rate = self.annual_discount_rate
        return discount_factor(rate if self.unit_ is None else rate_per(rate, self.unit_))
