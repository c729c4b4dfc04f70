"""How far a forecast of the chain can be believed: chance of an order, intervals, draws."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from custvalue._sklearn import check_is_fitted
from custvalue._units import Span
from custvalue.exceptions import NotSupportedError
from custvalue.markov import _uncertainty
from custvalue.markov._chain import Chain
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import mean_by_move
from custvalue.markov._factored import FactoredForecast, History
from custvalue.markov._sparse import Floats, Sparse, csr, times
from custvalue.markov._states import StateList

Kind = Literal["customer", "parameter", "group"]


class MarkovIntervals:
    """Chances and intervals of a fitted estimator; mixed into ``MarkovCLVEstimator``."""

    chain_: Chain
    reward_: Floats
    counts_: TransitionCounts
    concentration_: float
    forecast_: FactoredForecast | None
    buys_: Sparse | None
    state_list_: StateList
    # the estimator's parameters and methods that the intervals are made of
    timing: Any
    _over: Any
    _place: Any
    _periods: Any
    _delta: Any
    _margins: Any

    def predict_proba_any(self, X: Any, *, horizon: Span | None = None) -> Floats:
        """Chance that each row's customer places at least one order within the horizon.

        Parameters
        ----------
        X : panel frame or array-like of shape (n_rows, n_columns)
            The customers' latest rows.
        horizon : str, timedelta or number, optional
            Finite; overrides the constructor's. Between two whole numbers of periods the chance
            of no order falls at a constant rate.

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        ValueError
            If there is no finite horizon.
        NotSupportedError
            If the estimator was fitted without a column ``orders``: then nothing says which
            moves are purchases.
        """
        check_is_fitted(self)
        periods = self._periods(horizon)
        if periods is None:
            raise ValueError("predict_proba_any needs a finite horizon.")
        whole = int(np.floor(periods + 1e-9))
        part = max(periods - whole, 0.0)
        quiet = self._quiet_rows(X, whole)
        if part > 1e-9:
            later = self._quiet_rows(X, whole + 1)
            quiet = quiet * (later / np.maximum(quiet, 1e-300)) ** part
        return 1.0 - quiet

    def _quiet_rows(self, X: Any, periods: int) -> Floats:
        if self.forecast_ is not None:
            return self.forecast_.orders(History.read(X), periods, 1.0)[2]
        if self.buys_ is None:
            raise NotSupportedError(
                "the chance of an order needs a panel with a column 'orders' in fit; for other "
                "rows ask predict_states for the chance of a state."
            )
        return self._no_order(periods)[self._place(X)]

    def _no_order(self, periods: int) -> Floats:
        """Chance of no order by state: only moves without one, one period after the other."""
        assert self.buys_ is not None
        matrix = self.chain_.matrix
        bought = mean_by_move(self.buys_, self.counts_, self.state_list_, matrix)
        silent = csr(matrix) - times(csr(matrix), bought)
        quiet = np.ones(self.chain_.n_states)
        for _ in range(periods):
            quiet = silent @ quiet
        return np.clip(quiet, 0.0, 1.0)

    def draw_state_values(
        self,
        n_draws: int = 1000,
        *,
        horizon: Span | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> Floats:
        """Draw the states' values from the posterior of the matrix and the rewards.

        Rows are Dirichlet with the counted moves plus the prior; rewards are normal around their
        means. A customer's draw is the draw of the state: no array of customers x draws is made.

        Parameters
        ----------
        n_draws : int, default=1000
        horizon : str or number, optional
        random_state : int or Generator, optional

        Returns
        -------
        ndarray of shape (n_draws, n_states)
        """
        check_is_fitted(self)
        rng = np.random.default_rng(random_state)
        return self._over(
            horizon,
            lambda periods, delta: _uncertainty.draw_values(
                self.chain_,
                self.counts_,
                self.concentration_,
                self.reward_,
                n_draws,
                periods,
                delta,
                self.timing == "start",
                np.random.default_rng(rng.bit_generator.random_raw()),
            ),
        )

    def predict_interval(
        self,
        X: Any,
        *,
        horizon: Span | None = None,
        level: float = 0.8,
        kind: Kind = "customer",
        n_draws: int = 200,
        random_state: int | np.random.Generator | None = 0,
    ) -> Floats:
        """Interval of the value of each row, or of their total.

        Parameters
        ----------
        X : panel frame or array-like
        horizon : str or number, optional
            Finite, for kinds ``"customer"`` and ``"group"``.
        level : float, default=0.8
        kind : {"customer", "parameter", "group"}, default="customer"
            ``"customer"``: what one customer will really bring, from the closed second moment of
            a Markov reward process (Sobel 1982): no order at all has its own chance, the rest is
            gamma with the right mean and variance. ``"parameter"``: the estimate of the mean,
            from posterior draws (by state only). ``"group"``: the total of all rows, customers
            independent but for the shocks of periods that all share (normal).
        n_draws, random_state
            Of the draws, for kind ``"parameter"``.

        Returns
        -------
        ndarray of shape (n_rows, 2), or (2,) for kind "group"
        """
        check_is_fitted(self)
        tail = (1.0 - _uncertainty.check_level(level)) / 2.0
        if kind == "parameter":
            if self.forecast_ is not None:
                raise NotSupportedError(
                    "factored money has no posterior draws; kind='customer' and kind='group' are "
                    "there, and money='state' has the draws."
                )
            draws = self.draw_state_values(n_draws, horizon=horizon, random_state=random_state)
            return np.quantile(draws, [tail, 1.0 - tail], axis=0).T[self._place(X)]
        if kind not in ("customer", "group"):
            raise ValueError(f"kind={kind!r} must be 'customer', 'parameter' or 'group'.")
        periods = self._periods(horizon)
        if periods is None:
            raise ValueError(f"kind={kind!r} needs a finite horizon.")
        mean, variance, none = self._moments(X, max(round(periods), 1))
        if kind == "group":
            shock = 0.0 if self.forecast_ is None else self.forecast_.shock * abs(mean.sum())
            return _uncertainty.normal_interval(
                float(mean.sum()), float(variance.sum()) + shock * shock, tail
            )
        return _uncertainty.spike_and_gamma(mean, variance, none, tail)

    def _moments(self, X: Any, periods: int) -> tuple[Floats, Floats, Floats]:
        """Mean, variance and chance of nothing at all, of one customer's discounted money."""
        delta = self._delta()
        lead = 1.0 if self.timing == "start" else delta
        if self.forecast_ is None:
            n = np.maximum(self.counts_.n_out, 1.0)
            mean = self.counts_.money / n
            noise = np.maximum(self.counts_.money_squared / n - mean * mean, 0.0)
            first, variance = self.chain_.moments(
                self.reward_,
                horizon=periods,
                discount_rate=1.0 / delta - 1.0,
                reward_variance=noise,
                timing=self.timing,
            )
            place = self._place(X)
            quiet = np.zeros(len(first))
            if self.buys_ is not None:
                quiet = self._no_order(periods)
            return first[place], variance[place], quiet[place]
        history = History.read(X)
        orders, spread, quiet = self.forecast_.orders(history, periods, delta)
        price = self.forecast_.per_order(history) * self._margins(X) * lead
        variance = price * price * (spread + self.forecast_.variation * orders)
        return orders * price, variance, quiet
