"""How far a forecast of the chain can be believed: chance of an order, intervals, draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from custvalue._sklearn import check_is_fitted
from custvalue._units import Span
from custvalue.exceptions import NotSupportedError
from custvalue.markov import _uncertainty
from custvalue.markov._chain import Chain
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import mean_by_move, mean_square, reward_error, reward_noise
from custvalue.markov._factored import FactoredForecast, History
from custvalue.markov._levels import Levels
from custvalue.markov._orders_error import error_scores
from custvalue.markov._roll import Roll
from custvalue.markov._shock import Shock
from custvalue.markov._sparse import Floats, Sparse, csr, row_sums, times
from custvalue.markov._states import StateList

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["customer", "parameter", "group"]


class MarkovIntervals:
    """Chances and intervals of a fitted estimator; mixed into ``MarkovCLVEstimator``."""

    chain_: Chain
    reward_: Floats
    reward_matrix_: Sparse | None
    counts_: TransitionCounts
    concentration_: float
    forecast_: FactoredForecast | None
    levels_: Levels | None
    law_reward_: Floats | None
    shock_: Shock
    buys_: Sparse | None
    state_list_: StateList
    # the estimator's parameters and methods that the intervals are made of
    timing: Any
    contact_cost: Any
    predict: Any
    _over: Any
    _roll: Any
    _where: Any
    _periods: Any
    _delta: Any
    _margins: Any
    _contact_costs: Any

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
        periods = self._finite(horizon, "predict_proba_any")
        whole = int(np.floor(periods + 1e-9))
        part = max(periods - whole, 0.0)
        quiet = self._quiet_rows(X, whole)
        if part > 1e-9:
            quiet = _geometric(quiet, self._quiet_rows(X, whole + 1), part)
        return 1.0 - quiet

    def _finite(self, horizon: Span | None, what: str) -> float:
        periods: float | None = self._periods(horizon)
        if periods is None:
            raise ValueError(f"{what} needs a finite horizon, e.g. horizon='52W'.")
        return periods

    def _quiet_rows(self, X: Any, periods: int) -> Floats:
        if self.forecast_ is not None:
            return self.forecast_.orders(History.read(X), periods, 1.0)[2]
        if self.buys_ is None:
            raise NotSupportedError(
                "the chance of an order needs a panel with a column 'orders' in fit; for other "
                "rows ask predict_states for the chance of a state."
            )
        return self._no_order(periods)[self._where(X)]

    def _silent_moves(self, roll: Roll) -> tuple[Any, ...]:
        """For each of the chains, its moves without an order."""
        assert self.buys_ is not None
        out = []
        for chain in roll.chains:
            bought = mean_by_move(self.buys_, self.counts_, self.state_list_, chain.matrix)
            out.append(csr(csr(chain.matrix) - times(csr(chain.matrix), bought)))
        return tuple(out)

    def _no_order(self, periods: int) -> Floats:
        """Chance of no order by clock and state: only moves without one, one after the other."""
        roll = self._roll()
        return roll.stay_within(self._silent_moves(roll), periods)

    def draw_state_values(
        self,
        n_draws: int = 1000,
        *,
        horizon: Span | None = None,
        at: float | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> Floats:
        """Draw the states' values from the posterior of the matrix and the rewards.

        Rows are Dirichlet with the counted moves plus the prior; rewards are normal around their
        means; with ``by=`` the factors of each level are gamma with the moves behind them. A
        customer's draw is the draw of the state: no array of customers x draws is made.

        Parameters
        ----------
        n_draws : int, default=1000
        horizon : str or number, optional
        at : number, optional
            With ``by=``: as in ``state_values``.
        random_state : int or Generator, optional

        Returns
        -------
        ndarray of shape (n_draws, n_states)
        """
        check_is_fitted(self)
        each = np.arange(self.chain_.n_states)
        if at is None:
            return self._draws(None, (np.zeros_like(each), each), n_draws, horizon, random_state)
        face = np.full(len(each), self._face(at))
        return self._draws(self.levels_, (face, each), n_draws, horizon, random_state)

    def _face(self, at: float) -> int:
        if self.levels_ is None:
            raise ValueError(f"at={at!r} says which chain of by=, but the model has no by=.")
        return int(self.levels_.find(np.asarray([float(at)]))[0])

    def _draws(
        self,
        levels: Levels | None,
        cells: tuple[Any, Any],
        n_draws: int,
        horizon: Span | None,
        random_state: int | np.random.Generator | None,
    ) -> Floats:
        """Values under posterior draws, of pairs (face, state); shape (n_draws, n_cells)."""
        if n_draws < 1:
            raise ValueError(f"n_draws={n_draws!r} must be 1 or more.")
        seed = np.random.default_rng(random_state).bit_generator.random_raw()
        drawn: Floats = self._over(
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
                np.random.default_rng(seed),
                self._reward_error(),
                levels,
                self._contact_costs(),
                cells,
            ),
        )
        return drawn

    def _reward_error(self) -> Floats:
        weight = None if self.law_reward_ is None else min(self.concentration_, 1e12)
        return reward_error(self.counts_, self.state_list_, weight)

    def draw_totals(
        self,
        X: Any,
        n_draws: int = 1000,
        *,
        horizon: Span | None = None,
        by: npt.ArrayLike | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> Floats:
        """Draw the expected total of groups of customers from the posterior of all parameters.

        By state: draws of the matrix and the rewards. Factored: draws of the purchase law, its
        correction and the spend law, each value moving with them as its logarithm does near the
        estimate. On both comes the level's error from the shocks that all customers share. What
        customers will do, given the parameters, is not in it. Draws are summed as they come, so no
        array of customers x draws is made.

        Parameters
        ----------
        X : panel frame or array-like
            The customers' latest rows.
        n_draws : int, default=1000
        horizon : str or number, optional
        by : array-like of shape (n_rows,), optional
            Group of each row; None is one group.
        random_state : int or Generator, optional

        Returns
        -------
        ndarray of shape (n_draws, n_groups)
            Groups in sorted order.
        """
        check_is_fitted(self)
        rng = np.random.default_rng(random_state)
        value = self.predict(X, horizon=horizon)
        names, at = _uncertainty.groups_of(by, len(value))
        cost = self._total_cost(horizon)
        gross = value + cost
        if self.forecast_ is not None:
            scores = self._over(horizon, lambda periods, delta: self._scores(X, periods, delta))
            out = _uncertainty.draw_sums(gross, scores, at, len(names), n_draws, rng)
        else:
            face, place = self._where(X)
            cells, back = _uncertainty.cells_of(face, place)
            drawn = self._draws(self.levels_, cells, n_draws, horizon, rng)
            share = np.zeros((len(cells[0]), len(names)))
            np.add.at(share, (back, at), 1.0)
            out = drawn @ share + cost * np.bincount(at, minlength=len(names))
        out *= 1.0 + self._shocks().level * rng.standard_normal((n_draws, 1))
        return np.asarray(out - cost * np.bincount(at, minlength=len(names)))

    def _scores(self, X: Any, periods: int | None, delta: float) -> Floats:
        assert self.forecast_ is not None
        return error_scores(self.forecast_, History.read(X), periods, delta)

    def _shocks(self) -> Shock:
        return self.shock_ if self.forecast_ is None else self.forecast_.shock

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
            ``"customer"``: what one customer will really bring, given the parameters, from the
            closed second moment of a Markov reward process (Sobel 1982): no order at all has its
            own chance, the rest is gamma with the right mean and variance. ``"parameter"``: the
            expected value, the parameters being estimates: by state from posterior draws of rows
            and rewards, factored from the errors of the purchase law, its correction and the spend
            law (a customer's own mean spend, with ``spend=None``, is taken as it is).
            ``"group"``: the total of all rows, what customers will do and the parameters' error
            together; ``predict_total`` shows the two apart.
        n_draws, random_state
            Of the posterior draws of money by state.

        Returns
        -------
        ndarray of shape (n_rows, 2), or (2,) for kind "group"
        """
        check_is_fitted(self)
        tail = (1.0 - _uncertainty.check_level(level)) / 2.0
        if kind == "parameter":
            return self._parameter_interval(X, horizon, tail, n_draws, random_state)
        if kind == "group":
            table = self.predict_total(
                X, horizon=horizon, level=level, n_draws=n_draws, random_state=random_state
            )
            return np.asarray(table[["lower", "upper"]].to_numpy()[0])
        if kind != "customer":
            raise ValueError(f"kind={kind!r} must be 'customer', 'parameter' or 'group'.")
        mean, variance, none = self._moments(X, self._finite(horizon, f"kind={kind!r}"))
        return _uncertainty.spike_and_gamma(mean, variance, none, tail) - self._total_cost(horizon)

    def _parameter_interval(
        self, X: Any, horizon: Span | None, tail: float, n_draws: int, random_state: Any
    ) -> Floats:
        if self.forecast_ is None:
            cells, back = _uncertainty.cells_of(*self._where(X))
            rng = np.random.default_rng(random_state)
            draws = self._draws(self.levels_, cells, n_draws, horizon, rng)
            cost = self._total_cost(horizon)  # shocks hit what customers pay, not what they cost
            gross = (draws + cost) * (1.0 + self.shock_.level * rng.standard_normal((n_draws, 1)))
            return np.quantile(gross, [tail, 1.0 - tail], axis=0).T[back] - cost
        scores = self._over(horizon, lambda periods, delta: self._scores(X, periods, delta))
        error = np.sqrt((scores**2).sum(axis=1) + self._shocks().level ** 2)
        cost = self._total_cost(horizon)
        value = self.predict(X, horizon=horizon) + cost
        return _uncertainty.log_normal_interval(value, error, tail) - cost

    def predict_total(
        self,
        X: Any,
        *,
        horizon: Span | None = None,
        by: npt.ArrayLike | None = None,
        level: float = 0.8,
        n_draws: int = 200,
        random_state: int | np.random.Generator | None = 0,
    ) -> pd.DataFrame:
        """Value of groups of customers together, with both kinds of uncertainty.

        Parameters
        ----------
        X : panel frame or array-like
            The customers' latest rows.
        horizon : str or number, optional
            Finite.
        by : array-like of shape (n_rows,), optional
            Group of each row; None is one group ``"all"``.
        level : float, default=0.8
        n_draws, random_state
            Of the posterior draws of money by state.

        Returns
        -------
        DataFrame
            Index: the group; columns ``customers``, ``value``, ``parameter_error`` (of the fitted
            parameters, shared by all customers, so it does not average out), ``outcome_sd`` (of
            what customers will do given the parameters, with the shocks of coming periods that all
            share), ``lower``, ``upper`` (both together, normal).
        """
        import pandas as pd

        check_is_fitted(self)
        tail = (1.0 - _uncertainty.check_level(level)) / 2.0
        periods = self._finite(horizon, "an interval of a total")
        value = self.predict(X, horizon=horizon)
        names, at = _uncertainty.groups_of(by, len(value))
        draws = self.draw_totals(X, n_draws, horizon=horizon, by=by, random_state=random_state)
        mean, variance, _ = self._moments(X, periods)
        steps = max(int(np.ceil(periods - 1e-9)), 1)
        ahead = self._shocks().ahead(self._money_ahead(X, steps))
        total, gross, own = (
            np.bincount(at, weights=v, minlength=len(names)).astype(np.float64)
            for v in (value, mean, variance)
        )
        outcome = np.sqrt(own + (ahead * gross) ** 2)
        parameter = draws.std(axis=0)
        ends = _uncertainty.normal_interval(total, outcome**2 + parameter**2, tail)
        return pd.DataFrame(
            {
                "customers": np.bincount(at, minlength=len(names)),
                "value": total,
                "parameter_error": parameter,
                "outcome_sd": outcome,
                "lower": ends[:, 0],
                "upper": ends[:, 1],
            },
            index=pd.Index(names, name="group"),
        )

    def _money_ahead(self, X: Any, steps: int) -> Floats:
        """Money expected of all rows in each coming period; a cost by customer not taken off."""
        if self.forecast_ is not None:
            return self.forecast_.by_period(History.read(X), steps, self._margins(X))
        roll = self._roll()
        mass = np.zeros(roll.shape)
        np.add.at(mass, self._where(X), 1.0)
        money: Floats = roll.money_ahead(mass, steps)
        return money

    def _total_cost(self, horizon: Span | None) -> float:
        """Discounted contact cost of one customer, where all have the same; else it is in r."""
        if isinstance(self.contact_cost, dict):
            return 0.0
        lead = 1.0 if self.timing == "start" else self._delta()
        cost = float(self.contact_cost) * lead
        if cost == 0.0:
            return 0.0
        spent: float = self._over(horizon, lambda n, delta: cost * _uncertainty.annuity(n, delta))
        return spent

    def _moments(self, X: Any, periods: float) -> tuple[Floats, Floats, Floats]:
        """Mean, variance and chance of nothing, of one customer's discounted money.

        A contact cost that all customers share is left out: it does not vary.
        """
        whole = int(np.floor(periods + 1e-9))
        part = max(periods - whole, 0.0)
        low = self._whole_moments(X, whole)
        if part < 1e-9:
            return low
        high = self._whole_moments(X, whole + 1)
        mean, variance = (a + part * (b - a) for a, b in zip(low[:2], high[:2], strict=True))
        return mean, variance, _geometric(low[2], high[2], part)

    def _whole_moments(self, X: Any, periods: int) -> tuple[Floats, Floats, Floats]:
        delta = self._delta()
        lead = 1.0 if self.timing == "start" else delta
        if self.forecast_ is None:
            roll = self._roll()
            shared = 0.0 if isinstance(self.contact_cost, dict) else float(self.contact_cost)
            paid, noise = self._paid_by_level(roll, shared)
            first, variance = roll.moments(periods, delta, paid, noise)
            quiet = np.zeros(roll.shape)
            if self.buys_ is not None:
                quiet = self._no_order(periods)
            where = self._where(X)
            return lead * first[where], lead * lead * variance[where], quiet[where]
        history = History.read(X)
        orders, spread, quiet = self.forecast_.orders(history, periods, delta)
        price = self.forecast_.per_order(history) * self._margins(X) * lead
        variance = price * price * (spread + self.forecast_.variation * orders)
        return orders * price, variance, quiet

    def _paid_by_level(
        self, roll: Roll, shared_cost: float
    ) -> tuple[tuple[Any, ...], tuple[Floats, ...]]:
        """Mean money and the variance around it, by level; the shared cost put back."""
        if self.reward_matrix_ is not None:
            paid = self.reward_matrix_
            matrix = roll.chains[0].matrix
            within = mean_square(self.counts_) - row_sums(times(times(matrix, paid), paid))
            own = self._contact_costs() - shared_cost
            if own.any():
                paid = csr(paid).copy()
                paid.data -= np.repeat(own, np.diff(paid.indptr))
            return (paid,), (np.maximum(within, 0.0),)
        noise = reward_noise(self.counts_)
        gross = tuple(r + shared_cost for r in roll.rewards)
        if self.levels_ is None:
            return gross, (noise,)
        return gross, tuple(
            noise * scale for scale in self.levels_.scales(self.reward_ + self._contact_costs())
        )


def _geometric(low: Floats, high: Floats, part: float) -> Floats:
    mixed: Floats = low * (high / np.maximum(low, 1e-300)) ** part
    return mixed
