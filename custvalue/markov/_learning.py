"""What the estimator learns beside counts: chain for orders, moves of the laws, chains by level."""

from __future__ import annotations

from typing import Any

import numpy as np

from custvalue import _frames
from custvalue._warn import warn
from custvalue.exceptions import DataContractError, FitFailedError, SmallSampleWarning
from custvalue.markov._bayes import LawMoves, fit_spend, law_moves
from custvalue.markov._chain import Chain
from custvalue.markov._clock import Clock, split_by
from custvalue.markov._counts import TransitionCounts
from custvalue.markov._estimate import mean_reward, pooled_moves, reward_noise
from custvalue.markov._factored import COLUMNS, FactoredForecast, History, fit_law
from custvalue.markov._levels import Levels
from custvalue.markov._orders import Ints
from custvalue.markov._rows import Rows
from custvalue.markov._shock import Shock, shared_shock
from custvalue.markov._sparse import Floats, from_entries, scale_rows
from custvalue.markov._states import PANEL_COLUMNS, StateList


class MarkovLearning:
    """Learning steps, mixed into ``MarkovCLVEstimator``."""

    chain_: Chain
    reward_: Floats
    counts_: TransitionCounts
    forecast_: FactoredForecast | None
    levels_: Levels | None
    unit_: str | None
    state_list_: StateList
    margin_: float
    law_rows_: Any
    law_reward_: Any
    # parameters and methods of the estimator
    states: Any
    transitions: Any
    money: Any
    purchases: Any
    spend: Any
    correct_by: Any
    by: Any
    contact_cost: Any
    discretizer_: Any
    _classes: Any
    _contact_costs: Any
    _state_margins: Any
    margin: Any

    def _fit_factored(self, X: Any, y: Any, rows: Rows) -> FactoredForecast | None:
        names = set(_frames.column_names(X) or [])
        whole = set(COLUMNS) <= names
        if self.money == "state" or self.transitions == "counts":
            return None
        if isinstance(self.contact_cost, dict) or isinstance(self.margin, dict):
            return None
        if self.money == "auto" and (not whole or self.states is not None or y is not None):
            return None
        history = History.read(X)
        try:
            return FactoredForecast.fit(
                history,
                rows.before,
                rows.after,
                rows.last,
                purchases=self.purchases,
                spend=self.spend,
                correct_by=tuple(self.correct_by) if self.transitions == "shrunk" else (),
            )
        except (FitFailedError, DataContractError) as error:
            if self.money == "factored":
                raise
            warn(
                f"no purchase law could be fitted to {len(rows.last):,} customers ({error}); "
                "values are the states' mean profits instead (money='state').",
                SmallSampleWarning,
            )
            return None

    def _fit_law_moves(self, X: Any, y: Any, rows: Rows, classes: Ints) -> LawMoves | None:
        """Ask what the laws expect, where states can be worked out from the panel's columns."""
        names = set(_frames.column_names(X) or [])
        reads = getattr(self.discretizer_, "feature_names_in_", None)
        readable = reads is not None and set(reads) <= set(PANEL_COLUMNS)
        if self.transitions == "counts" or self.forecast_ is not None:
            # with factored money the law is in the forecast; the states only serve the tables
            return None
        if y is not None or not readable or not set(COLUMNS) <= names:
            if self.transitions == "bayes":
                raise ValueError(
                    "transitions='bayes' needs a panel with states made of silence, n_orders and "
                    "mean_value (PanelStates), whose next value follows from the next orders."
                )
            return None
        history = History.read(X)
        spend = fit_spend(history, rows.last, self.spend)
        try:
            purchases = fit_law(self.purchases, history.rows(rows.last))
        except (FitFailedError, DataContractError):
            purchases = None
        if spend is None or purchases is None:
            if self.transitions == "bayes":
                raise FitFailedError("the purchase and spend laws could not be fitted to X.")
            return None
        kinds = np.unique(classes, axis=0, return_inverse=True)[1].ravel()
        return law_moves(history, kinds, purchases, spend)

    def _average_law(self, law: LawMoves, place: Ints) -> None:
        """Average the laws' moves and money over the members of each state."""
        n = len(self.state_list_)
        start = place[law.row]
        goal, _ = self.state_list_.find(self._classes(_frames.frame_like(None, law.columns)))
        weight = law.chance * law.weight[law.kind]
        moves = from_entries(weight, start[law.kind], goal, n)
        size = np.bincount(start, weights=law.weight, minlength=n)
        # every state needs a row: one that only the law leads to moves like its recency class
        pooled = pooled_moves(self.counts_, self.state_list_)
        rows = scale_rows(moves, 1.0 / np.maximum(size, 1.0)) + scale_rows(
            pooled, (size == 0).astype(np.float64)
        )
        self.law_rows_ = rows
        money = np.bincount(start, weights=law.weight * law.money, minlength=n)
        shares = self._state_margins()
        mean = mean_reward(self.counts_, self.state_list_, 1.0, margin=shares)
        share = self.margin_ if shares is None else shares
        self.law_reward_ = np.where(size > 0, share * money / np.maximum(size, 1.0), mean)

    def _fit_levels(
        self, X: Any, place: Ints, rows: Rows, paid: Floats, first: Ints
    ) -> tuple[Levels | None, Ints]:
        """Chains by level of ``by=``, and the level of each move."""
        if self.by is None:
            return None, np.zeros(len(rows.before), dtype=np.int64)
        if self.forecast_ is not None:
            raise ValueError(
                "by= is for money='state'; factored money has age and cohort in it already."
            )
        column = split_by(self.by)[0]
        values = _frames.float_columns(X, [column], caller=type(self).__name__)[:, 0]
        clock = Clock.read(self.by, self.unit_, values, rows.period, values[first])
        moved = clock.moved(values, rows.before, rows.after)
        levels = Levels.fit(
            clock,
            moved,
            place[rows.before],
            place[rows.after],
            paid,
            self.chain_,
            self.state_list_.classes,
            self.reward_ + self._contact_costs(),
        )
        return levels, moved

    def _shock_by_state(self, place: Ints, rows: Rows, paid: Floats, moved: Ints) -> Shock:
        """Shocks of periods in money, against what the states were expected to bring."""
        if rows.period is None:
            return Shock()
        start = place[rows.before]
        expected = (self.reward_ + self._contact_costs())[start]
        if self.levels_ is not None:
            expected = np.stack(self.levels_.rewards)[moved, start]
        noise = reward_noise(self.counts_)[start]
        return shared_shock(rows.period[rows.after], paid, expected, noise)
