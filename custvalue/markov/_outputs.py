"""What people read of a fitted chain: tables, forecasts by period, equity, tests."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import r2_score

from custvalue import _frames
from custvalue._sklearn import check_is_fitted
from custvalue._units import Span, days_per
from custvalue.exceptions import NotSupportedError
from custvalue.markov import _uncertainty
from custvalue.markov._chain import Chain, check_horizon
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._factored import FactoredForecast, History
from custvalue.markov._rows import link
from custvalue.markov._sparse import Floats, Sparse, row_sums
from custvalue.markov._states import StateList
from custvalue.markov._tables import MarkovTables
from custvalue.markov._tests import ChainTest, homogeneity, order_one_against_two, order_zero

if TYPE_CHECKING:
    import pandas as pd


class MarkovOutputs(MarkovTables):
    """Tables and intervals of a fitted estimator; mixed into ``MarkovCLVEstimator``."""

    chain_: Chain
    reward_: Floats
    counts_: TransitionCounts
    concentration_: float
    forecast_: FactoredForecast | None
    state_list_: StateList
    state_size_: npt.NDArray[np.int64]
    unit_: str | None
    buys_: Sparse | None
    entry_: Floats
    margin_: float
    # the estimator's parameters and methods that the outputs are made of
    timing: Any
    margin: Any
    contact_cost: Any
    customer: Any
    gaps: Any
    predict: Any
    state_values: Any
    _over: Any
    _place: Any
    _classes: Any
    _periods: Any
    _delta: Any
    _margins: Any
    _value_rows: Any
    _rolled_values: Any
    _estimate: Any
    _paid: Any
    law_rows_: Any

    def predict_states(self, X: Any, periods: int) -> Floats:
        """Chance of each state after ``periods`` periods, shape (n_rows, n_states)."""
        check_is_fitted(self)
        cells, back = _uncertainty.cells_of(*self._where(X))
        return self._roll().states_ahead(*cells, check_horizon(periods))[back]

    def value_by_period(self, X: Any, *, horizon: Span | None = None) -> pd.DataFrame:
        """Profit expected from all rows together in each coming period.

        Parameters
        ----------
        X : panel frame or array-like
            The customers' latest rows.
        horizon : str or number, optional

        Returns
        -------
        DataFrame
            ``period`` (1 is the next), ``expected``, ``discounted``, ``cumulative`` (discounted).
        """
        import pandas as pd

        check_is_fitted(self)
        periods = self._periods(horizon)
        if periods is None:
            raise ValueError("value_by_period needs a finite horizon.")
        steps = int(np.ceil(periods - 1e-9))
        money = self._money_ahead(X, steps)
        if self.forecast_ is not None:
            money = money - float(self.contact_cost) * len(History.read(X).age)
        when = np.arange(steps) + (self.timing == "end")
        discounted = money * self._delta() ** when
        return pd.DataFrame(
            {
                "period": np.arange(1, steps + 1),
                "expected": money,
                "discounted": discounted,
                "cumulative": np.cumsum(discounted),
            }
        )

    def value_of_new_customer(self, *, horizon: Span | None = None) -> float:
        """Value of a customer who has just placed a first order, that order not counted.

        Parameters
        ----------
        horizon : str or number, optional

        Returns
        -------
        float
            By state: the mean over the states in which customers were seen first.
        """
        check_is_fitted(self)
        if self.forecast_ is None:
            start = np.ones(1) if self.levels_ is None else self.levels_.entry
            return float(start @ self._rolled_values(horizon) @ self.entry_)
        newcomer = self.forecast_.newcomer()
        return float(self._value_rows(newcomer, self.margin_, horizon)[0])

    def customer_equity(
        self,
        X: Any,
        *,
        acquired: Any = (),
        acquisition_cost: float = 0.0,
        horizon: Span | None = None,
    ) -> pd.DataFrame:
        """Value of the base and of the customers a plan will win.

        Parameters
        ----------
        X : panel frame or array-like
            The customers' latest rows.
        acquired : array-like of shape (k,), default=()
            Customers to be won in each of the next k periods.
        acquisition_cost : float, default=0.0
            Cost of winning one, paid in the period of winning.
        horizon : str or number, optional
            How far each customer is looked at, from today or from winning.

        Returns
        -------
        DataFrame
            ``part`` ("today's customers", "new customers", "total"), ``customers``, ``value``.
        """
        import pandas as pd

        base = self.predict(X, horizon=horizon)
        plan = np.asarray(acquired, dtype=np.float64).ravel()
        if np.any(~(plan >= 0.0)):
            raise ValueError(f"acquired={acquired!r} must be numbers of customers, 0 or more.")
        one = self.value_of_new_customer(horizon=horizon) - float(acquisition_cost)
        new = float((plan * self._delta() ** np.arange(1, len(plan) + 1)).sum()) * one
        return pd.DataFrame(
            {
                "part": ["today's customers", "new customers", "total"],
                "customers": [float(len(base)), float(plan.sum()), len(base) + float(plan.sum())],
                "value": [float(base.sum()), new, float(base.sum()) + new],
            }
        )

    def score(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, groups: Any = None
    ) -> float:
        """R² of the value of rows against what their customers then brought within X.

        The truth of a row is the discounted reward of the customer's next periods, contact costs
        taken off, as many as the horizon has (one if it is infinite); rows with fewer periods after
        them are left out. The row's own reward is past and is not what is forecast.

        R² rewards the right mean, as customer value asks for, but on money a few large customers
        decide it. To choose between methods use ``custvalue.evaluation.backtest``, which also ranks
        customers and checks totals.

        Parameters
        ----------
        X, y
            As in ``fit``: periods of customers, ``y`` the reward of each.
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
        check_is_fitted(self)
        periods = self._periods(None)
        steps = 1 if periods is None else max(round(periods), 1)
        X, reward = self._read_again(X, y)
        rows = link(X, groups, self.customer, "skip")
        cost = self._contact_costs()[self._place(X)]
        follows = np.full(len(cost), -1)
        follows[rows.before] = rows.after
        delta, now = self._delta(), np.arange(len(cost))
        came = np.zeros(len(cost))
        for h in range(steps):
            after = np.where(now >= 0, follows[now], -1)
            came += delta ** (h + (self.timing == "end")) * (reward[after] - cost[now])
            now = after
        whole = now >= 0
        if whole.sum() < 2:
            raise ValueError(
                f"only {int(whole.sum())} row(s) of X have {steps} periods of their customer after "
                "them; score more periods, or fit with a shorter horizon."
            )
        span = steps if self.unit_ is None else timedelta(days=steps * days_per(self.unit_))
        value = self.predict(X, horizon=span)
        weight = None if sample_weight is None else np.asarray(sample_weight)[whole]
        return float(r2_score(came[whole], value[whole], sample_weight=weight))

    def count(self, X: Any, y: Any = None, *, groups: Any = None) -> TransitionCounts:
        """Count moves of further customers over the fitted states; counts add up.

        Parameters
        ----------
        X, y, groups
            As in ``fit``.

        Returns
        -------
        TransitionCounts
        """
        check_is_fitted(self)
        X, reward = self._read_again(X, y)
        rows = link(X, groups, self.customer, self.gaps)
        place = self.state_list_.find(self._classes(X))[0]
        return TransitionCounts.of(
            place[rows.before],
            place[rows.after],
            n_states=len(self.state_list_),
            reward=self._paid(X, y, reward, rows, place),
            by_move=self.counts_.money_by_move is not None,
        )

    def with_counts(self, counts: TransitionCounts) -> Any:
        """Fit a copy to other counts over the same states, e.g. the sum of many partitions.

        Parameters
        ----------
        counts : TransitionCounts

        Returns
        -------
        MarkovCLVEstimator
            Values by state; customers by state and purchase chances are not known to counts.

        Raises
        ------
        NotSupportedError
            With ``by=``: counts over states do not say at which level a move was seen.
        """
        check_is_fitted(self)
        if self.levels_ is not None:
            raise NotSupportedError(
                f"counts do not say at which level of {self.levels_.column!r} a move was seen; fit "
                "without by= to add up counts, or fit by= on all rows."
            )
        if counts.n_states != len(self.state_list_):
            raise ValueError(
                f"counts over {counts.n_states} states do not fit a chain of "
                f"{len(self.state_list_)}; count with this estimator's own count(X)."
            )
        other = copy.copy(self)
        other.counts_ = counts
        other.forecast_ = None
        other.buys_ = None
        other._estimate(self.law_rows_)
        return other

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
        check_is_fitted(self)
        rows = link(X, groups, self.customer, self.gaps)
        place = self.state_list_.find(self._classes(X))[0]
        return {
            "0 against 1": order_zero(self._moves(place, rows)),
            "1 against 2": order_one_against_two(place, rows.before, rows.after),
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
        check_is_fitted(self)
        rows = link(X, groups, self.customer, self.gaps)
        if rows.period is None:
            raise ValueError("X has no column 'period'.")
        place = self.state_list_.find(self._classes(X))[0]
        return homogeneity(place[rows.before], place[rows.after], rows.period[rows.after])

    def _moves(self, place: Any, rows: Any) -> TransitionCounts:
        return TransitionCounts.of(
            place[rows.before], place[rows.after], n_states=len(self.state_list_)
        )

    def fit_report(self) -> dict[str, Any]:
        """Say in plain values what was fitted on what.

        Returns
        -------
        dict
        """
        check_is_fitted(self)
        n_out = row_sums(self.counts_.moves)
        report: dict[str, Any] = {
            "states": self.chain_.n_states,
            "moves": int(self.counts_.n_moves),
            "states never left": int((n_out == 0).sum()),
            "concentration": self.concentration_,
            "money": "state" if self.forecast_ is None else "factored",
            "unit": self.unit_,
        }
        if self.forecast_ is not None:
            report["purchase law"] = type(self.forecast_.purchases).__name__
            report["purchase parameters"] = dict(self.forecast_.purchases.params_._asdict())
            report["correction"] = dict(self.forecast_.chain.correction._asdict())
        shocks = self._shocks()
        report["shock of a period, shared by all"] = shocks.period
        report["error of the level that such shocks leave"] = shocks.level
        return report

    def _read_again(self, X: Any, y: Any) -> tuple[Any, Floats]:
        scale = 1.0 if isinstance(self.margin, (str, dict, type(None))) else self.margin_
        if y is not None:
            return X, scale * np.asarray(y, dtype=np.float64)
        if isinstance(self.margin, str):
            both = _frames.float_columns(X, ["spend", self.margin])
            return X, both[:, 0] * both[:, 1]
        name = "profit" if self.margin is None or isinstance(self.margin, dict) else "spend"
        return X, scale * _frames.float_columns(X, [name])[:, 0]
