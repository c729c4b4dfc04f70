"""MarkovCLVEstimator: what each customer will bring, from a chain over customer states."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin, clone
from sklearn.metrics import r2_score

from custvalue import _frames
from custvalue._open_table import Table, open_table
from custvalue._portable import reading, seal
from custvalue._sklearn import check_is_fitted, validate_data
from custvalue._typing import Floats, Ints
from custvalue._units import Span, days_per
from custvalue._value_model import (
    OpenedTable,
    Terms,
    Timing,
    ValueModel,
    check_cost,
    check_margin,
    read_value,
    tail_of,
    write_value,
)
from custvalue._warn import warn_caller
from custvalue.chains import Chain, TransitionCounts
from custvalue.chains._for_rooms import (
    ChainTest,
    StateList,
    homogeneity,
    order_one_against_two,
    order_zero,
)
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    NotSupportedError,
    first_ids,
)
from custvalue.markov import _learn, _tables
from custvalue.markov._forecast import ChainForecast, Moves
from custvalue.markov._learn import LAW_COLUMNS, ChainMoney, StateCounts
from custvalue.markov._rows import Gaps, PanelRows, link
from custvalue.markov._states import PANEL_COLUMNS, ColumnStates, PanelStates
from custvalue.purchase import NBD, ParetoNBD

if TYPE_CHECKING:
    import pandas as pd

# A panel is read in blocks of about so many rows, cut between customers.
_BLOCK = 2_000_000
# Parameter draws behind intervals: enough for a standard deviation good to 7 %.
_DRAWS = 100


class Placed(NamedTuple):
    """Rows to be valued: the state of each, and its own margin where that is a column."""

    place: Ints
    share: Floats | None


class MarkovCLVEstimator(RegressorMixin, ValueModel):
    """Customer value from a Markov chain over customer states.

    Time is cut into periods; a customer's state at a period's end says how long ago, how often
    and how much was bought. The chain learns from a panel how states follow each other and what
    an order from each of them brings. A row's value is the value of its state, and nothing else:
    other states give other values.

    Parameters
    ----------
    states : transformer, sequence of str, or None, default=None
        How rows become states: any transformer or clusterer with ``fit`` and ``transform`` (or
        ``predict``) over the rows, or names of columns (numbers or words) whose values are states
        as they are. None: the columns ``R``, ``F``, ``M`` where a frame has them (a
        ``RFMTransformer`` step scored them), else ``PanelStates()`` on a panel, else the first
        three columns of an array in classes.
    transitions : {"shrunk", "counts", "bayes"}, default="shrunk"
        ``"counts"``: moves as they were counted, one matrix for all periods to come. ``"bayes"``:
        the purchase law's posterior says how likely an order is; where an order leads, and where
        none does, is counted. ``"shrunk"``: the same, each state's orders drawn from the law
        towards what was counted as far as the evidence says. Without a law (arrays, or panels
        without ``frequency``, ``recency``, ``T``) it shrinks counts to those of states alike.
    purchases : ParetoNBD or NBD, optional
        The purchase law; None: ``ParetoNBD()``. Not used by ``"counts"``.
    reward_by : {"state", "transition"}, default="state"
        A profit vector, or a profit matrix: the mean of what came with each move with an order.
    horizon : str, timedelta, number or None, default=None
        How far to look, e.g. ``"52W"``; ``"forever"`` has no end; a bare number counts periods of
        plain arrays. A method may be given another.
    annual_discount_rate : float, default=0.0
        0.10 is 10 % a year.
    margin : float, str or None, default=None
        Share of spend that is profit; a name is a column of X with each row's margin. None: the
        panel's ``profit`` (spend, unless the panel was made with ``margin=`` or ``cost=``).
    contact_cost : float or dict, default=0.0
        Cost a period of keeping in touch; a dict gives it by state, 0 where it says nothing.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
        When a period's money counts: as it comes, or at that point of the period.
    absorbing : sequence, default=()
        States that are never left and bring nothing.
    customer : str, optional
        Customer column of a frame that carries no facts of its own.
    gaps : {"error", "skip"}, default="error"
        What a missing period of a customer does: refuse, or make no transition there.
    unit : str, optional
        Length of a period where the table does not say it, e.g. ``"4W"``.

    Attributes
    ----------
    forecast_ : ChainForecast
        All that was learned: frozen, and without a customer. Everything below and every method
        reads it.
    chain_ : Chain
        The matrix of the next period.
    reward_ : ndarray of shape (n_states,)
        Expected profit of the next period by state, contact cost taken off.
    unit_ : str or None
        Length of a period.

    See Also
    --------
    custvalue.value.CustomerValue : each customer by the own history instead of a state.

    Notes
    -----
    Customers of one state order at different rates, so one average matrix applied again and again
    says too much: 1.3 to 1.8 times what came on CDNOW and Online Retail. With a purchase law the
    value of a state is the average over hidden classes of customers, each a chain of its own; see
    ``ChainForecast``. ``transitions="counts"`` is the single matrix of the textbooks.

    What a coarse chain cannot do: tell apart two customers of one state. A row is worth the mean
    of its state, so that the ranking within a state, and above all within the highest class of
    money, is lost; ``CustomerValue`` has it.

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
    >>> model = cv.MarkovCLVEstimator(transitions="counts", horizon=2).fit(X, y)
    >>> model.predict([[0], [1]]).round(2).tolist()
    [5.56, 4.44]
    """

    reads_table: ClassVar[str] = "panel"
    _takes_log: ClassVar[bool] = True
    _learned = ChainForecast
    _written = ("settings", "features", "learned", "states", "discretizer")

    def __init__(
        self,
        states: Any = None,
        *,
        transitions: Literal["shrunk", "counts", "bayes"] = "shrunk",
        purchases: Any = None,
        reward_by: Literal["state", "transition"] = "state",
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: Any = 0.0,
        timing: Timing = "continuous",
        absorbing: Any = (),
        customer: str | None = None,
        gaps: Gaps = "error",
        unit: str | None = None,
    ) -> None:
        self.states = states
        self.transitions = transitions
        self.purchases = purchases
        self.reward_by = reward_by
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
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

    @property
    def chain_(self) -> Chain:
        """The matrix of the next period."""
        check_is_fitted(self)
        return self.forecast_.chain()

    @property
    def reward_(self) -> Floats:
        """Expected profit of the next period by state, contact cost taken off."""
        check_is_fitted(self)
        reward: Floats = self.forecast_.reward(self._next_period())
        return reward

    def _next_period(self) -> Terms:
        margin = check_margin(self.margin)
        if isinstance(margin, str):
            raise NotSupportedError(
                f"margin={margin!r} is a column of rows, and a state has none; set margin= to a "
                "number."
            )
        return Terms(1.0, 0.0, "start", 1.0, margin, check_cost(self.contact_cost))

    # ---- learning -------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> MarkovCLVEstimator:
        """Learn states, transitions and what orders bring from customer-periods.

        Parameters
        ----------
        X : panel frame, TransactionLog or array-like of shape (n_rows, n_columns)
            A log is cut into periods of ``unit`` ("4W" unless given).
        y : array-like of shape (n_rows,), optional
            Money of each row's period; needed for arrays. Orders are then not known.
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
        if callable(getattr(X, "panel", None)):  # a TransactionLog
            X = X.panel(self.unit or "4W")
        X, y = self._checked(X, y, reset=True)
        unit = open_table(X).unit(self.unit, caller=type(self).__name__)
        self.discretizer_ = self._discretizer(X)
        blocks, known, n_customers = self._placed_blocks(X, y, groups)
        self.state_list_ = known
        labels = self._labels()
        step = max(n_customers // _learn._SAMPLE, 1)
        wants_law = self.transitions != "counts" and y is None
        has_law = wants_law and _learn.has_columns(X, LAW_COLUMNS) and self._has_orders(X, y)
        counts: StateCounts | None = None
        latest: list[tuple[Floats, Ints]] = []
        checked: list[tuple[Floats, Ints, Floats]] = []
        singles: list[tuple[Floats, Floats, Floats]] = []
        done = 0
        for block, place, links, money, orders, usual in blocks:
            part = _learn.count_states(
                place, links, money, len(known), orders=orders, usual=usual,
                by_move=self.reward_by == "transition",
            )  # fmt: skip
            counts = part if counts is None else counts.plus(part)
            if has_law:
                latest.append((_history(block, links.last), place[links.last]))
                some = links.before[(links.customer[links.before] + done) % step == 0]
                after = links.after[(links.customer[links.before] + done) % step == 0]
                assert orders is not None
                checked.append((_history(block, some), place[some], orders[after]))
                if usual is not None:
                    singles.append((orders[after], money.spend[after], usual[some]))
            done += int(links.is_first.sum())
        assert counts is not None
        if counts.moves.n_moves == 0:
            raise ValueError(
                f"no customer has two periods in a row (n_samples={int(counts.rows.sum())}; 1 "
                "sample a customer makes no transition); a chain cannot be learned."
            )
        law = self._see_law(latest, checked, len(known)) if has_law else None
        if law is None and self.transitions == "bayes":
            raise ValueError(
                "transitions='bayes' needs a panel with orders, frequency, recency and T, from "
                "which the purchase law is learned; custvalue.panel makes them."
            )
        variation = (
            _learn.variation_of(*(np.concatenate(v) for v in zip(*singles, strict=True)))
            if singles
            else 1.0
        )
        self.forecast_ = _learn.build(
            counts, known, labels, law, transitions=self.transitions, unit=unit,
            has_orders=self._has_orders(X, y), variation=variation,
            absorbing=tuple(self.absorbing),
        )  # fmt: skip
        return self

    def _see_law(self, latest: Any, checked: Any, n: int) -> _learn.ChainLaw | None:
        rows, place = (np.concatenate(v) for v in zip(*latest, strict=True))
        seen, state, weight = (np.concatenate(v) for v in zip(*checked, strict=True))
        if len(seen) == 0:
            return None
        few = rows[:: max(len(rows) // _learn._LAW_SAMPLE, 1)]
        law = _learn.try_law(self.purchases, few, needed=self.transitions == "bayes")
        if law is None:
            return None
        return _learn.see_through(law, rows, place, (seen, state, weight), n)

    def _check_parameters(self) -> None:
        check_margin(self.margin)
        check_cost(self.contact_cost)
        if self.transitions not in ("shrunk", "counts", "bayes"):
            raise ValueError(
                f"transitions={self.transitions!r} must be 'shrunk', 'counts' or 'bayes'."
            )
        if self.reward_by not in ("state", "transition"):
            raise ValueError(f"reward_by={self.reward_by!r} must be 'state' or 'transition'.")

    def _has_orders(self, X: Any, y: Any) -> bool:
        return y is None and _learn.has_columns(X, ("orders",))

    # ---- reading --------------------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """X as it will be used, and y as finite numbers of its length."""
        if not self._is_named(X):
            if y is None:
                raise ValueError(
                    "requires y to be passed, but the target y is None: an array has no profit "
                    "column, so y must give the money of each row."
                )
            return validate_data(self, X, y, reset=reset, dtype=np.float64, y_numeric=True)
        if reset:
            names = _frames.column_names(X) or []
            self.feature_names_in_ = np.asarray(names, dtype=object)
            self.n_features_in_ = len(names)
        if y is None:
            return X, None
        money = np.asarray(y, dtype=np.float64)
        if money.shape != (len(X),):
            raise ValueError(f"y has shape {money.shape}; X has {len(X)} rows.")
        unknown = ~np.isfinite(money)
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
        return X, money

    def _is_named(self, X: Any) -> bool:
        names = open_table(X).names
        if names is None:
            return False
        wanted = {"period", "R", "F", "M", *PANEL_COLUMNS}
        if isinstance(self.states, (list, tuple)):
            wanted |= set(self.states)
        return bool(wanted & set(names))

    def _discretizer(self, X: Any) -> Any:
        if isinstance(self.states, (list, tuple)):
            _refuse_absent(X, self.states)
            return ColumnStates(list(self.states), n_classes=10**6).fit(X)
        if self.states is not None:
            return clone(self.states).fit(X)
        if not self._is_named(X):
            return ColumnStates().fit(X)
        if _learn.has_columns(X, ("R", "F", "M")):
            return ColumnStates(["R", "F", "M"], n_classes=10**6).fit(X)
        return PanelStates().fit(X)

    def _classes(self, X: Any) -> Ints:
        reader = self.discretizer_
        as_classes = hasattr(reader, "transform") and not hasattr(reader, "predict")
        if not isinstance(reader, (PanelStates, ColumnStates)):  # somebody's own
            X = open_table(X).given
        made = np.asarray(reader.transform(X) if as_classes else reader.predict(X))
        made = made[:, None] if made.ndim == 1 else made
        if made.dtype.kind in "iu":
            return made
        whole = made.astype(np.int64)
        if not np.array_equal(whole, made):
            raise ValueError(
                f"{type(reader).__name__} gives values that are not whole numbers; states must be "
                "classes."
            )
        return whole

    def _labels(self) -> tuple[Any, ...]:
        """Names of the states: the values of columns where they are states, else classes."""
        values = getattr(self.discretizer_, "values_", None)
        if values is None or any(v is None for v in values):
            return self.state_list_.labels()
        named = [
            tuple(_plain(values[k][c]) for k, c in enumerate(row))
            for row in self.state_list_.classes.tolist()
        ]
        return tuple(row[0] if len(row) == 1 else row for row in named)

    def _placed_blocks(self, X: Any, y: Any, groups: Any) -> tuple[Iterator[Any], StateList, int]:
        """Blocks of whole customers with the states of their rows, the states, the customers."""
        parts = list(_blocks(X, groups, self.customer))
        own, lists = [], []
        for part in parts:
            classes = self._classes(_frames.rows_between(X, part.start, part.stop))
            states, place = StateList.sorted_in(classes)
            lists.append(states)
            own.append(place.astype(np.int32, copy=False))
        known = StateList.seen_in(np.vstack([s.classes for s in lists]))
        maps = [known.find(s.classes)[0] for s in lists]
        ids = _ids(X, groups, self.customer)
        n_customers = len(X) if ids is None else int(np.count_nonzero(ids[1:] != ids[:-1])) + 1

        def read() -> Iterator[Any]:
            for part, local, to in zip(parts, own, maps, strict=True):
                block = _frames.rows_between(X, part.start, part.stop)
                group = None if groups is None else np.asarray(groups)[part]
                links = link(block, group, self.customer, self.gaps, like=X)
                money = self._money(block, None if y is None else y[part])
                orders = usual = None
                if self._has_orders(X, y):
                    orders = _frames.float_columns(block, ["orders"])[:, 0]
                    if _learn.has_columns(X, ("mean_value",)):
                        usual = _frames.float_columns(block, ["mean_value"])[:, 0]
                yield block, to[local], links, money, orders, usual

        return read(), known, n_customers

    def _money(self, X: Any, y: Any) -> ChainMoney:
        if y is not None:
            return ChainMoney(y, y)
        caller = type(self).__name__
        if _learn.has_columns(X, ("spend", "profit")):
            both = _frames.float_columns(X, ["spend", "profit"], caller=caller)
            return ChainMoney(both[:, 0], both[:, 1])
        one = "profit" if _learn.has_columns(X, ("profit",)) else "spend"
        money = _frames.float_columns(X, [one], caller=caller)[:, 0]
        return ChainMoney(money, money)

    def _rows(self, X: Any) -> Placed:
        if not isinstance(X, OpenedTable):
            table = open_table(X)
            if callable(getattr(table.given, "summary", None)):  # a TransactionLog, in its order
                table = open_table(table.given.summary())
            X = _in_periods(table, self.unit_)
        placed: Placed = super()._rows(X)
        return placed

    def _read(self, X: Any) -> Placed:
        check_is_fitted(self)
        table, share = open_table(X), None
        if not self._is_named(table):
            table = open_table(validate_data(self, table.given, reset=False, dtype=np.float64))
        elif isinstance(self.margin, str):
            (share,) = table.floats([self.margin], caller=type(self).__name__)
        if isinstance(self.margin, str) and share is None:
            raise ValueError("margin names a column, but X is not a frame with that column.")
        classes = self._classes(table)
        place, known = self.state_list_.find(classes)
        if not known.all():
            strange = np.unique(classes[~known], axis=0)[:5].tolist()
            warn_caller(
                f"{int((~known).sum()):,} rows are in states that fit did not see (classes "
                f"{strange}); each gets the nearest state that was seen.",
                DataWarning,
            )
        return Placed(place, share)

    # ---- what is expected -----------------------------------------------------------------------

    def _value(self, rows: Placed, terms: Terms) -> Floats:
        return self._under_terms(terms)(rows)

    def _under_terms(self, terms: Terms) -> Callable[[Placed], Floats]:
        if not isinstance(self.margin, str):
            values: Floats = self.forecast_.values(terms)
            return lambda rows: values[rows.place]
        whole = self.forecast_.values(replace(terms, margin=1.0, contact_cost=0.0))
        cost = self._cost_by_state(terms)
        return lambda rows: np.asarray(rows.share * whole[rows.place] - cost[rows.place])

    def _cost(self, rows: Placed, terms: Terms) -> Any:
        return self._cost_by_state(terms)[rows.place]

    def _cost_by_state(self, terms: Terms) -> Floats:
        if not isinstance(terms.contact_cost, dict) and terms.contact_cost == 0.0:
            return np.zeros(self.forecast_.n_states)
        return np.asarray(-self.forecast_.values(replace(terms, margin=0.0)))

    def _spread(self, rows: Placed, terms: Terms) -> tuple[Floats, Floats]:
        share = 1.0 if rows.share is None else rows.share**2
        whole = terms if rows.share is None else replace(terms, margin=1.0)
        variance = share * self.forecast_.variance(whole)[rows.place]
        none = np.zeros(len(rows.place))
        if self.forecast_.buys is not None:
            none = self.forecast_.none(terms)[rows.place]
        return variance, none

    def _chance(self, rows: Placed, terms: Terms) -> Floats:
        return np.asarray(1.0 - self.forecast_.none(terms)[rows.place])

    def _state_draws(self, rows: Placed, terms: Terms, n: int, rng: np.random.Generator) -> Floats:
        if rows.share is None:
            drawn: Floats = self.forecast_.draws(terms, n, rng)
            return drawn
        return np.asarray(
            self.forecast_.draws(replace(terms, margin=1.0, contact_cost=0.0), n, rng)
        )

    def _parameter_draws(
        self, rows: Placed, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        drawn = self._state_draws(rows, terms, n_draws, rng)[:, rows.place]
        return drawn if rows.share is None else drawn * rows.share - self._cost(rows, terms)

    def _parameter_interval(self, rows: Placed, terms: Terms, tail: float) -> Floats:
        value = self._value(rows, terms)
        drawn = self._state_draws(rows, terms, _DRAWS, np.random.default_rng(0))
        below, above = np.quantile(drawn - drawn.mean(axis=0), [tail, 1.0 - tail], axis=0)
        share = 1.0 if rows.share is None else rows.share
        ends = value[:, None] + np.reshape(share, (-1, 1)) * np.stack([below, above]).T[rows.place]
        return np.sort(ends, axis=1)

    def _total_error(self, rows: Placed, terms: Terms, at: Ints, n_groups: int) -> Floats:
        # draws are by state, so that a million customers need no array of customers x draws
        drawn = self._state_draws(rows, terms, _DRAWS, np.random.default_rng(0))
        n = self.forecast_.n_states
        weight = np.bincount(at * n + rows.place, weights=rows.share, minlength=n_groups * n)
        return np.asarray((drawn @ weight.reshape(n_groups, n).T).std(axis=0))

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        forecast = self.forecast_
        later = float(forecast.entry @ forecast.values(terms))
        spend, profit = forecast.first
        return (profit if terms.margin is None else terms.margin * spend), later

    def _parts(self, rows: Placed, terms: Terms) -> dict[str, Any]:
        forecast = self.forecast_
        columns: dict[str, Any] = {"state": _tables.state_columns(forecast.states)[rows.place]}
        if np.isfinite(terms.until) and forecast.buys is not None:
            columns["chance"] = self._chance(rows, terms)
            columns["expected_orders"] = forecast.expected_orders(terms)[rows.place]
        columns["contact_cost"] = self._cost(rows, terms)
        return columns

    # ---- the chain itself -----------------------------------------------------------------------

    def predict_states(self, X: Any, periods: int) -> Floats:
        """Chance of each state after ``periods`` periods, shape (n_rows, n_states).

        Parameters
        ----------
        X : panel frame or array-like
        periods : int

        Returns
        -------
        ndarray of shape (n_rows, n_states)
            Columns in the order of ``forecast_.states``.
        """
        check_is_fitted(self)
        if periods != int(periods) or periods < 0:
            raise ValueError(f"periods={periods!r} must be a whole number, 0 or more.")
        ahead: Floats = self.forecast_.states_ahead(int(periods))
        return ahead[self._rows(X).place]

    def transition_table(self) -> pd.DataFrame:
        """List the moves of the next period that have a chance, one row a pair of states.

        Returns
        -------
        DataFrame
            ``from``, ``to``, ``probability``, ``observations`` (moves seen out of ``from``),
            ``standard_error``; with ``reward_by="transition"`` also ``spend`` and ``profit``.
        """
        check_is_fitted(self)
        return _tables.transition_table(self.forecast_)

    def state_table(
        self, horizon: Span | None = None, *, level: float = 0.8, n_draws: int = _DRAWS
    ) -> pd.DataFrame:
        """States with their customers, chance of an order, profit and value.

        Parameters
        ----------
        horizon : str, timedelta, number or None, default=None
        level : float, default=0.8
            Of the interval of the value, which is of the estimate.
        n_draws : int, default=100

        Returns
        -------
        DataFrame
            ``state``, ``customers`` (there at the end of ``fit``), ``observations`` (moves out),
            ``purchase_chance`` and ``expected_orders`` of the next period (where orders are known),
            ``expected_profit`` of it, ``value`` (what ``predict`` gives a row in the state),
            ``lower``, ``upper``.
        """
        terms = self.terms(horizon)
        rng = np.random.default_rng(0)
        return _tables.state_table(self.forecast_, terms, tail_of(level), int(n_draws), rng)

    def count(self, X: Any, y: Any = None, *, groups: Any = None) -> StateCounts:
        """Count moves of further customers over the fitted states; counts add up.

        Parameters
        ----------
        X, y, groups
            As in ``fit``.

        Returns
        -------
        StateCounts
            ``a.plus(b)`` counts both.
        """
        place, links, X, y = self._again(X, y, groups)
        orders = _frames.float_columns(X, ["orders"])[:, 0] if self._has_orders(X, y) else None
        usual = None
        if orders is not None and _learn.has_columns(X, ("mean_value",)):
            usual = _frames.float_columns(X, ["mean_value"])[:, 0]
        return _learn.count_states(
            place, links, self._money(X, y), len(self.state_list_), orders=orders, usual=usual,
            by_move=self.reward_by == "transition",
        )  # fmt: skip

    def with_counts(self, counts: StateCounts) -> MarkovCLVEstimator:
        """Fit a copy to other counts over the same states, e.g. the sum of many partitions.

        Parameters
        ----------
        counts : StateCounts

        Returns
        -------
        MarkovCLVEstimator

        Raises
        ------
        NotSupportedError
            With a purchase law, which counts of states do not determine.
        """
        check_is_fitted(self)
        if not self.forecast_.is_counted:
            raise NotSupportedError(
                "counts of states do not determine the purchase law; add them up with "
                "transitions='counts', or fit on all rows."
            )
        if counts.n_states != len(self.state_list_):
            raise ValueError(
                f"counts over {counts.n_states} states do not fit a chain of "
                f"{len(self.state_list_)}; count with this estimator's own count(X)."
            )
        other = clone(self)
        vars(other).update(vars(self))
        other.forecast_ = _learn.build(
            counts, self.state_list_, self.forecast_.states, None,
            transitions=self.transitions, unit=self.forecast_.unit,
            has_orders=self.forecast_.buys is not None, variation=1.0,
            absorbing=tuple(self.absorbing),
        )  # fmt: skip
        return other

    def _again(self, X: Any, y: Any, groups: Any) -> tuple[Ints, PanelRows, Any, Any]:
        check_is_fitted(self)
        X, y = self._checked(X, y, reset=False)
        place = self.state_list_.find(self._classes(X))[0]
        return place, link(X, groups, self.customer, self.gaps), X, y

    def score(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, groups: Any = None
    ) -> float:
        """R² of the value of rows against what their customers then brought within X.

        The truth of a row is the money of the customer's next periods under the model's terms, as
        many as the horizon has; rows with fewer periods after them are left out. To choose between
        methods use ``custvalue.evaluation.backtest``.

        Parameters
        ----------
        X, y
            As in ``fit``: periods of customers, ``y`` the money of each.
        sample_weight : array-like of shape (n_rows,), optional
        groups : array-like of shape (n_rows,), optional
            As in ``fit``. With arrays in a search: ``set_score_request(groups=True)``.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If fewer than two rows have a whole horizon after them.
        """
        terms = self.terms()
        steps = max(round(terms.until), 1) if np.isfinite(terms.until) else 1
        place, links, X, y = self._again(X, y, groups)
        money = self._money(X, y)
        came = money.profit if terms.margin is None else money.spend
        if isinstance(terms.margin, str):
            came = came * _frames.float_columns(X, [terms.margin])[:, 0]
        elif terms.margin is not None:
            came = came * terms.margin
        cost = self.forecast_.cost(terms)[place]
        follows = np.full(len(place), -1)
        follows[links.before] = links.after
        now, total = np.arange(len(place)), np.zeros(len(place))
        for h in range(steps):
            after = np.where(now >= 0, follows[now], -1)
            total += terms.lead * terms.delta**h * (came[after] - cost[now])
            now = after
        whole = now >= 0
        if whole.sum() < 2:
            raise ValueError(
                f"only {int(whole.sum())} row(s) of X have {steps} periods of their customer after "
                "them; score more periods, or set a shorter horizon."
            )
        span: Any = steps
        if self.forecast_.unit is not None:
            span = timedelta(days=steps * days_per(self.forecast_.unit))
        weight = None if sample_weight is None else np.asarray(sample_weight)[whole]
        return float(r2_score(total[whole], self.predict(X, span)[whole], sample_weight=weight))

    def test_order(self, X: Any, *, groups: Any = None) -> dict[str, ChainTest]:
        """Test order 1 against 0 and 2 on customer-periods, by likelihood ratio.

        Parameters
        ----------
        X : panel frame or array-like
        groups : array-like, optional

        Returns
        -------
        dict
            ``"0 against 1"``: a small p-value says that the last state matters; ``"1 against
            2"``: a small one says that the state before it matters too.
        """
        place, links = self._linked(X, groups)
        moves = TransitionCounts.of(
            place[links.before], place[links.after], n_states=len(self.state_list_)
        )
        return {
            "0 against 1": order_zero(moves),
            "1 against 2": order_one_against_two(place, links.before, links.after),
        }

    def test_homogeneity(self, X: Any, *, groups: Any = None) -> ChainTest:
        """Test whether moves are the same in all periods, by likelihood ratio.

        Parameters
        ----------
        X : panel frame with a column ``period``
        groups : array-like, optional

        Returns
        -------
        ChainTest
        """
        place, links = self._linked(X, groups)
        if links.period is None:
            raise ValueError("X has no column 'period'.")
        return homogeneity(place[links.before], place[links.after], links.period[links.after])

    def _linked(self, X: Any, groups: Any) -> tuple[Ints, PanelRows]:
        check_is_fitted(self)
        place = self.state_list_.find(self._classes(X))[0]
        return place, link(X, groups, self.customer, self.gaps)

    def _facts(self) -> dict[str, Any]:
        forecast = self.forecast_
        facts: dict[str, Any] = {
            "states": forecast.n_states,
            "moves": int(forecast.observed.sum()),
            "states never left": int((forecast.observed == 0).sum()),
            "never left, so like the nearest that was": [
                str(s) for s, n in zip(forecast.states, forecast.observed, strict=True) if n == 0
            ][:20],
            "transitions": forecast.transitions,
            "unit": forecast.unit,
            "evidence": forecast.evidence,
        }
        if forecast.law:
            facts["purchase law"] = "Pareto/NBD" if len(forecast.law) == 4 else "NBD"
            facts["purchase parameters"] = dict(forecast.law)
        return facts

    # ---- to JSON and back -----------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Write the fitted estimator as plain JSON values; they hold no customer's row.

        Returns
        -------
        dict

        Raises
        ------
        NotSupportedError
            If ``states`` is neither None, names of columns, ``PanelStates`` nor ``ColumnStates``.
        """
        plain = super().to_dict()
        plain["states"] = write_value(self.state_list_.classes)
        plain["discretizer"] = _write_states(self.discretizer_)
        return seal(plain)

    def _plain_setting(self, name: str, value: Any) -> Any:
        if isinstance(value, (PanelStates, ColumnStates)):
            return {"is": "states", "cells": _write_states(value)}
        if name == "purchases" and value is not None:
            return {"is": "law", "cells": [type(value).__name__, value.unit]}
        return super()._plain_setting(name, value)

    @classmethod
    def _read_setting(cls, name: str, value: Any) -> Any:
        if isinstance(value, dict) and value.get("is") == "states":
            return _read_states(value["cells"])
        if isinstance(value, dict) and value.get("is") == "law":
            kind = {"ParetoNBD": ParetoNBD, "NBD": NBD}[value["cells"][0]]
            return kind(unit=value["cells"][1])
        return super()._read_setting(name, value)

    @classmethod
    def from_dict(cls, plain: Any) -> MarkovCLVEstimator:
        """Read back what ``to_dict`` wrote; it predicts the same numbers.

        Parameters
        ----------
        plain : mapping
            As written, or after a journey through ``json``.

        Returns
        -------
        MarkovCLVEstimator

        Raises
        ------
        ArtefactError
            If it holds another model, a schema this version does not read, or is damaged or
            changed. It is a ``ValueError``.
        """
        model = super().from_dict(plain)
        with reading(f"{cls.__name__} (damaged; write it anew with to_dict)"):
            forecast = model.forecast_
            model.forecast_ = replace(
                forecast,
                **{k: Moves(*getattr(forecast, k)) for k in ("on_order", "on_none")},
                by_move=forecast.by_move and tuple(Moves(*m) for m in forecast.by_move),
            )
            model.state_list_ = StateList(read_value(plain["states"]))
            model.discretizer_ = _read_states(plain["discretizer"])
            model.forecast_.check()
        return model


_STATES = {kind.__name__: kind for kind in (ColumnStates, PanelStates)}


def _write_states(states: Any) -> dict[str, Any]:
    kind = type(states).__name__
    if kind not in _STATES:
        raise NotSupportedError(
            f"states={kind} has no plain JSON form; PanelStates, ColumnStates and names of columns "
            "have. Pickle this estimator instead."
        )
    learned = {k: v for k, v in vars(states).items() if k.endswith("_")}
    return {
        "kind": kind,
        "settings": write_value(states.get_params(deep=False)),
        "learned": write_value(learned),
    }


def _read_states(plain: Any) -> Any:
    states = _STATES[plain["kind"]](**read_value(plain["settings"]))
    for name, value in read_value(plain["learned"]).items():
        setattr(states, name, value)
    return states


def _refuse_absent(X: Any, names: Any) -> None:
    if not _frames.is_frame(X):
        return
    have = _frames.column_names(X) or []
    absent = [name for name in names if name not in have]
    if absent:
        raise DataContractError(
            [
                ContractProblem(
                    "missing-column",
                    f"X has no column {name!r}; it has {sorted(map(str, have))}",
                    "Name columns that X has in states=.",
                )
                for name in absent
            ]
        )


def _in_periods(table: Table, period: str | None) -> Table:
    """Give a summary the silence that the latest rows of a panel have: whole periods.

    The last period ends with the as-of date, so that whole periods of silence are its length over
    the period's, rounded down.
    """
    facts = table.facts
    if facts is None or facts.kind != "summary" or period is None:
        return table
    if table.names is None or not table.has("silence"):
        return table
    ratio = days_per(facts.unit) / days_per(period)
    columns = {name: table.column(name) for name in table.names}
    columns["silence"] = np.floor(np.asarray(columns["silence"], dtype=float) * ratio + 1e-9)
    like = _frames.frame_like(table.given, columns)
    return open_table(_frames.keep_facts(table.given, like, unit=period))


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _history(block: Any, rows: npt.NDArray[Any]) -> Floats:
    return np.column_stack(
        [v[rows] for v in _frames.float_vectors(block, LAW_COLUMNS, caller="MarkovCLVEstimator")]
    )


def _ids(X: Any, groups: Any, customer: str | None) -> npt.NDArray[Any] | None:
    """Name the customer of each row where it can be told without looking further."""
    if groups is not None:
        return np.asarray(groups)
    facts = _frames.facts_of(X) if _frames.is_frame(X) else None
    name = customer or (facts.customer if facts is not None else None)
    if name is None or name not in (_frames.column_names(X) or ()):
        return None
    return _frames.column(X, name)


def _blocks(X: Any, groups: Any, customer: str | None) -> list[slice]:
    """Stretches of rows that hold whole customers; one stretch where rows are not in order."""
    n = len(X) if not hasattr(X, "shape") else X.shape[0]
    if n <= _BLOCK:
        return [slice(0, n)]
    ids = _ids(X, groups, customer)
    if ids is None or ids.dtype.kind not in "iufUM" or not np.all(ids[1:] >= ids[:-1]):
        return [slice(0, n)]
    edges = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    at = np.searchsorted(edges, np.arange(_BLOCK, n, _BLOCK))
    cuts = np.unique(np.concatenate([[0], edges[np.minimum(at, len(edges) - 1)], [n]]))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(cuts)]
