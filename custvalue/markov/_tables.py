"""Tables of a fitted chain: its moves, its states, waiting times, long-run shares and visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from custvalue._sklearn import check_is_fitted
from custvalue._units import Span
from custvalue.exceptions import NotSupportedError
from custvalue.markov import _chain_math as _math
from custvalue.markov import _uncertainty
from custvalue.markov._chain import Chain
from custvalue.markov._intervals import MarkovIntervals
from custvalue.markov._roll import Roll
from custvalue.markov._sparse import Floats, csr, row_sums
from custvalue.markov._states import PanelStates

if TYPE_CHECKING:
    import pandas as pd


class MarkovTables(MarkovIntervals):
    """Tables of a fitted estimator; mixed into ``MarkovCLVEstimator``.

    They show ``chain_``, which with ``by=`` is the chain of all levels together; ``at=`` shows the
    chain of one level.
    """

    state_size_: npt.NDArray[np.int64]
    discretizer_: Any
    state_values: Any

    def chain_at(self, at: float | None = None) -> Chain:
        """Chain of one level of the column ``by``.

        Parameters
        ----------
        at : number, optional
            The age, the period (of a season) or the level; None: all levels together.

        Returns
        -------
        Chain
        """
        check_is_fitted(self)
        return self._one(at)[0]

    def _one(self, at: float | None) -> tuple[Chain, Floats]:
        if at is None:
            return self.chain_, self.reward_
        roll: Roll = self._roll()
        level = roll.level[self._face(at)]
        return roll.chains[level], roll.rewards[level]

    def _names(self) -> npt.NDArray[np.object_]:
        names = np.empty(self.chain_.n_states, dtype=object)
        names[:] = self.chain_.states
        return names

    def transition_table(self, *, at: float | None = None) -> pd.DataFrame:
        """List the moves that have a chance, one row a pair of states.

        Parameters
        ----------
        at : number, optional
            As in ``chain_at``; counts and standard errors stay those of all levels together.

        Returns
        -------
        DataFrame
            ``from``, ``to``, ``probability``, ``count`` (moves seen), ``standard_error`` of the
            probability; with ``reward_by="transition"`` also ``profit`` of the move, before
            contact costs.
        """
        import pandas as pd

        chain = self.chain_at(at)
        entries: Any = sp.coo_array(chain.matrix)
        order = np.lexsort((entries.col, entries.row))
        start, end, chance = entries.row[order], entries.col[order], entries.data[order]
        known = self.counts_.n_out + min(self.concentration_, 1e9)
        error = np.sqrt(chance * (1.0 - chance) / (known[start] + 1.0))
        names = self._names()
        columns = {
            "from": names[start],
            "to": names[end],
            "probability": chance,
            "count": np.asarray(self.counts_.moves[start, end]).ravel().astype(np.int64),
            "standard_error": error,
        }
        if self.reward_matrix_ is not None:
            columns["profit"] = np.asarray(self.reward_matrix_[start, end]).ravel()
        return pd.DataFrame(columns)

    def state_table(
        self,
        *,
        horizon: Span | None = None,
        level: float = 0.9,
        at: float | None = None,
        n_draws: int = 200,
        random_state: int | np.random.Generator | None = 0,
    ) -> pd.DataFrame:
        """States with their size, profit and value; the interval is of the estimate.

        Parameters
        ----------
        horizon : str or number, optional
            Overrides the constructor's.
        level : float, default=0.9
            Of the interval of the value, from posterior draws of the matrix and the rewards.
        at : number, optional
            With ``by=``: profit and value from this age, period or level on, as ``predict`` has
            them; None: by the chain of all levels together.
        n_draws : int, default=200
        random_state : int or Generator, default=0

        Returns
        -------
        DataFrame
            ``state``, ``customers`` (there now), ``observations`` (moves out),
            ``purchase_chance`` (of an order in the next period; panels only),
            ``expected_profit`` of the next period, ``value``, ``lower``, ``upper``.
        """
        import pandas as pd

        check_is_fitted(self)
        draws = self.draw_state_values(n_draws, horizon=horizon, at=at, random_state=random_state)
        tail = (1.0 - _uncertainty.check_level(level)) / 2.0
        columns: dict[str, Any] = {
            "state": self._names(),
            "customers": self.state_size_,
            "observations": self.counts_.n_out.astype(np.int64),
        }
        if self.buys_ is not None:
            n, bought = self.counts_.n_out, row_sums(self.buys_)
            columns["purchase_chance"] = np.where(n > 0, bought / np.maximum(n, 1), np.nan)
        columns["expected_profit"] = self._one(at)[1]
        columns["value"] = self.state_values(horizon=horizon, at=at)
        columns["lower"], columns["upper"] = np.quantile(draws, [tail, 1.0 - tail], axis=0)
        return pd.DataFrame(columns)

    def waiting_table(self, *, silent: Any = None, at: float | None = None) -> pd.DataFrame:
        """Count expected periods until the next order, and until a customer has gone silent.

        Parameters
        ----------
        silent : int or sequence of states, optional
            What silence is: so many periods without an order (states made by ``PanelStates``,
            up to its ``recency_max``), or states by name. None: the last recency class of
            ``PanelStates``; with other states there is then no column ``to_silence``.
        at : number, optional
            As in ``chain_at``: that chain for ever, the clock standing still.

        Returns
        -------
        DataFrame
            ``state``, ``to_order`` (return: periods until one with an order; panels only) and
            ``to_silence`` (0 in silent states). inf where it may never come.

        Raises
        ------
        NotSupportedError
            If neither can be said: no column ``orders`` in fit, and no silent states.
        """
        import pandas as pd

        chain = self.chain_at(at)
        columns: dict[str, Any] = {"state": self._names()}
        if self.buys_ is not None:
            columns["to_order"] = self._time_to_order(chain)
        target = self._silent_states(silent)
        if target:
            wait = chain.expected_time_to(target)
            wait[[chain.position(state) for state in target]] = 0.0
            columns["to_silence"] = wait
        if len(columns) == 1:
            raise NotSupportedError(
                "no waiting time can be said: the rows of fit had no column 'orders'. Name the "
                "states that count as silent, silent=[...]."
            )
        return pd.DataFrame(columns)

    def _time_to_order(self, chain: Chain) -> Floats:
        silent = self._silent_moves(Roll.of(chain, self.reward_))[0]
        n = chain.n_states
        order = sp.csr_array(np.maximum(1.0 - row_sums(silent), 0.0)[:, None])
        end = sp.csr_array(([1.0], ([0], [n])), shape=(1, n + 1))
        whole = csr(sp.vstack([sp.hstack([silent, order]), end]))
        target = np.arange(n + 1) == n
        return _math.time_to(whole, target)[:n]

    def _silent_states(self, silent: Any) -> list[Any]:
        states = self.chain_.states
        by_recency = isinstance(self.discretizer_, PanelStates)
        if silent is None:
            if not by_recency:
                return []
            silent = int(self.state_list_.classes[:, 0].max())
        if isinstance(silent, (int, np.integer)) and by_recency:
            longest = int(self.state_list_.classes[:, 0].max())
            if not 1 <= silent <= longest:
                raise ValueError(
                    f"silent={silent} must lie between 1 and {longest}, the longest silence that "
                    "the states tell apart; raise PanelStates(recency_max=)."
                )
            apart = self.state_list_.classes[:, 0] >= silent
            return [state for state, quiet in zip(states, apart, strict=True) if quiet]
        names = list(silent) if isinstance(silent, (list, tuple, set, frozenset)) else [silent]
        if silent in states:  # a state may be a tuple itself
            names = [silent]
        unknown = [state for state in names if state not in states]
        if unknown:
            raise ValueError(f"silent names states that do not exist: {unknown[:5]!r}.")
        return names

    def long_run_table(self, *, at: float | None = None) -> pd.DataFrame:
        """Share of customers in each state now and in the long run of the chain.

        Parameters
        ----------
        at : number, optional
            As in ``chain_at``.

        Returns
        -------
        DataFrame
            ``state``, ``now`` (share of the customers of fit), ``long_run`` (stationary share).

        Raises
        ------
        ValueError
            If the chain has more than one class of states that is never left.
        """
        import pandas as pd

        chain = self.chain_at(at)
        now = self.state_size_ / max(int(self.state_size_.sum()), 1)
        return pd.DataFrame({"state": self._names(), "now": now, "long_run": chain.stationary()})

    def visits_table(self, *, at: float | None = None) -> pd.DataFrame:
        """Fundamental matrix: expected visits to states that are left for good some day.

        Parameters
        ----------
        at : number, optional
            As in ``chain_at``.

        Returns
        -------
        DataFrame
            ``from``, ``to``, ``visits`` (the start counted), pairs that are ever visited only.
            Empty where no state is left for good: smoothing and the laws let every move happen.
        """
        import pandas as pd

        states, visits = self.chain_at(at).fundamental_matrix()
        names = np.empty(len(states), dtype=object)
        names[:] = states
        start, end = np.nonzero(visits > 1e-12)
        return pd.DataFrame({"from": names[start], "to": names[end], "visits": visits[start, end]})
