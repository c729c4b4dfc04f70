"""FunnelChain: from events of deals to chances, money and forecasts of those still open."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from custvalue import _frames
from custvalue._portable import reading
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import Floats
from custvalue._units import Span, rate_per
from custvalue._words import Language
from custvalue.funnel import _tables
from custvalue.funnel._counts import Exposure, FunnelCounts, warn_of
from custvalue.funnel._draws import FunnelDraws
from custvalue.funnel._events import DealLog, read_events
from custvalue.funnel._law import FunnelLaw, group_hazards, pooled_hazards
from custvalue.funnel._open import open_deals_table, read_open
from custvalue.funnel._plain import counts_from_plain, counts_to_plain
from custvalue.funnel._settings import columns_by, event_columns, periods_of, shape_of, since_of


class FunnelChain(DocLink, BaseEstimator):
    """Deals through stages to won or lost: an absorbing chain over (stage, age in the stage).

    Open deals are censored, not lost: each week in a stage counts as a week at risk of moving on,
    and hazards by age are the discrete Aalen-Johansen estimator with competing outcomes. A deal
    that sits loses its chance as it does in life.

    Parameters
    ----------
    stages : sequence of str, or a name of `custvalue.funnel.PRESETS`
        Stages in order. They may be skipped and entered again.
    deal, stage, time : str
        Columns of the event log: which deal entered which stage when.
    amount : str, default="amount"
        Column with the amount; the default is used where the log has it.
    by : str or sequence of str, optional
        Columns that make groups (rep, channel, segment). Each has a chain of its own, drawn to the
        pooled one by evidence.
    period : str or timedelta, default="1W"
        Period of the chain.
    age_classes : int, default=4
        Ages from this one on share one hazard: a geometric tail.
    won : str, optional
        Outcome that is a win; default ``"won"``, or the preset's.
    lost : str or sequence of str, default="lost"
        Competing outcomes that are no win.
    observed_from : date, optional
        When observation began, where earlier closings are not in the log. Visits begun before
        enter late, at the age they had reached.
    recent : str or timedelta, optional
        Use only what happened in this span before ``as_of``: a period table.
    expire : str or timedelta, optional
        A deal longer than this in one stage counts as lost, everywhere.
    horizon : str or timedelta, optional
        How far to forecast; None is until every deal has ended.
    annual_discount_rate : float, default=0.1
        Of money that comes later.
    timing : {"end", "start"}, default="end"
        Whether a win is paid at the end or the start of the period it falls in.
    concentration : float, optional
        Weight of the pooled chain in each group's, in moves a state; None learns it.
    bad : {"error", "drop"}, default="error"
        What to do with deals whose dates are missing or contradict each other.
    time_format : str, optional
        Of dates as text that are not ISO 8601.

    Attributes
    ----------
    counts_ : FunnelCounts
        All that was learned of the log; no deal's row.
    law_ : FunnelLaw
        The pooled chain (``law_.chain``).
    group_laws_ : dict of FunnelLaw
        By group; empty without ``by``.
    concentration_ : float or None
        Weight of the pooled chain.
    ledger_ : FunnelLedger
        Where every row went.

    References
    ----------
    Kemeny, J. G. & Snell, J. L. (1960), Finite Markov Chains. Aalen, O. O. & Johansen, S. (1978),
    An empirical transition matrix for non-homogeneous Markov chains based on censored observations,
    Scandinavian Journal of Statistics 5, 141-150.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 1, 2, 2, 3], "stage": ["lead", "offer", "won", "lead", "lost", "lead"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-22", "2024-01-01",
    ...                             "2024-01-15", "2024-01-08"])})
    >>> funnel = FunnelChain(["lead", "offer"], age_classes=2).fit(events, as_of="2024-01-29")
    >>> funnel.predict_proba(funnel.open_deals(events), horizon="8W").round(3)
         won   lost  stalled   open
    0  0.496  0.498      0.0  0.006
    """

    def __init__(
        self,
        stages: Sequence[str] | str,
        *,
        deal: str = "deal",
        stage: str = "stage",
        time: str = "time",
        amount: str = "amount",
        by: str | Sequence[str] | None = None,
        period: str | timedelta | np.timedelta64 = "1W",
        age_classes: int = 4,
        won: str | None = None,
        lost: str | Sequence[str] = "lost",
        observed_from: Any = None,
        recent: Span | None = None,
        expire: Span | None = None,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.1,
        timing: str = "end",
        concentration: float | None = None,
        bad: str = "error",
        time_format: str | None = None,
    ) -> None:
        self.stages = stages
        self.deal = deal
        self.stage = stage
        self.time = time
        self.amount = amount
        self.by = by
        self.period = period
        self.age_classes = age_classes
        self.won = won
        self.lost = lost
        self.observed_from = observed_from
        self.recent = recent
        self.expire = expire
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.timing = timing
        self.concentration = concentration
        self.bad = bad
        self.time_format = time_format

    def fit(self, X: Any, y: Any = None, *, as_of: Any = None) -> Self:
        """Learn the hazards of a log of events.

        Parameters
        ----------
        X : frame
            One row an event; any engine's table.
        y : None
            Not used.
        as_of : date, optional
            When you looked; default: the last event, with a warning.

        Returns
        -------
        FunnelChain
            Itself, fitted.

        Raises
        ------
        DataContractError
            All problems of the log at once: unknown stages, deals without a date, closed before
            opened, events after the outcome (these are left out with ``bad="drop"``).

        Warns
        -----
        DataWarning
            If over a third of all moves fall in the first period: then the period is too long.
        SmallSampleWarning
            If nothing was won, or a stage had no deal.
        """
        return self.fit_counts(self.count(X, as_of=as_of))

    def count(self, X: Any, *, as_of: Any = None) -> FunnelCounts:
        """Count the moves of a log, or of a part of it whose deals are in no other part.

        Parameters
        ----------
        X : frame
        as_of : date, optional
            The same for every part.

        Returns
        -------
        FunnelCounts
            ``sum(parts)`` are the counts of all, for :meth:`fit_counts`.
        """
        log = self._read(X, as_of)
        return FunnelCounts.of(log, shape_of(self), since_of(self, log.as_of))

    def fit_counts(self, counts: FunnelCounts) -> Self:
        """Learn from counts.

        Parameters
        ----------
        counts : FunnelCounts
            As :meth:`count` gives them, or a sum of such.
        """
        if counts.shape != shape_of(self):
            raise ValueError(
                "these counts were made with other stages, outcomes, period, age_classes or expire."
            )
        rate_per(self.annual_discount_rate, "Y")
        if self.timing not in ("start", "end"):
            raise ValueError(f"timing={self.timing!r} must be 'start' or 'end'.")
        pooled = pooled_hazards(counts.pooled, counts.shape)
        self.group_laws_: dict[Hashable, FunnelLaw] = {}
        self.concentration_: float | None = None
        if columns_by(self.by):
            made, kappa = group_hazards(counts.moves, pooled, counts.shape, self.concentration)
            self.group_laws_ = {g: FunnelLaw.of(h, counts.shape) for g, h in made.items()}
            self.concentration_ = kappa
        self.law_ = FunnelLaw.of(pooled, counts.shape)
        self.ledger_ = counts.ledger
        self.counts_ = counts
        warn_of(counts)
        return self

    def _read(self, events: Any, as_of: Any) -> DealLog:
        return read_events(events, event_columns(self, events), as_of)

    def _laws(self) -> list[FunnelLaw]:
        return [*self.group_laws_.values(), self.law_]

    def _rate(self) -> float:
        return rate_per(self.annual_discount_rate, self.period)

    @property
    def as_of_(self) -> datetime:
        """When the log was looked at."""
        check_is_fitted(self, "counts_")
        when: datetime = np.datetime64(self.counts_.as_of, "us").astype(datetime)
        return when

    @property
    def outcomes_(self) -> tuple[str, ...]:
        """Won, the ways to lose, stalled."""
        check_is_fitted(self, "counts_")
        return self.law_.outcomes

    def open_deals(self, events: Any, *, as_of: Any = None) -> Any:
        """Open deals of a log, as the other methods take them; expired ones count as lost.

        Parameters
        ----------
        events : frame
            The log; the estimator keeps no deal of it.
        as_of : date, optional
            Default: that of ``fit``.

        Returns
        -------
        frame of the kind of ``events``
            ``deal``, ``stage``, ``age`` (periods in the stage, 1 for just entered), ``entered_on``,
            ``opened_on``, ``amount`` (the last told; NaN where none was), and the log's other
            columns as the deal's last row has them.
        """
        check_is_fitted(self, "counts_")
        table = _frames.eager(events)
        log = self._read(table, self.as_of_ if as_of is None else as_of)
        return open_deals_table(table, log, self.counts_.shape, event_columns(self, table))

    def predict_proba(
        self, X: Any, *, horizon: Span | None = None, on_invalid: OnInvalid = "raise"
    ) -> Any:
        """Chance of each outcome, and of being open still, within a horizon.

        Parameters
        ----------
        X : frame
            Open deals, with ``stage`` and ``age``; those of ``by`` where given.
        horizon : str or timedelta, optional
            Default: the constructor's; ``"forever"`` is until the end.
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        frame of the kind of ``X``
            One column an outcome, ``stalled`` and ``open``; rows sum to one. Same rows, same order.

        Raises
        ------
        NotSupportedError
            Without a horizon, if no deal was ever lost.
        """
        if on_invalid != "raise":
            return flagged(self.predict_proba, X, horizon=horizon, on_invalid=on_invalid)
        check_is_fitted(self, "counts_")
        periods = periods_of(self, horizon)
        open_ = read_open(self, X)
        chance = open_.per_row(self._laws(), lambda law: law.outcome_chances(periods))
        columns = dict(zip(self.outcomes_, chance.T, strict=True))
        columns["open"] = np.maximum(1.0 - chance.sum(axis=1), 0.0)
        return _frames.frame_like(X, columns)

    def predict(
        self, X: Any, *, horizon: Span | None = None, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """Expect discounted money of each open deal.

        Amount times the discounted chance of winning; where a deal has no amount, the mean of what
        was won through its stage.

        Parameters
        ----------
        X : frame
            Open deals, with ``stage``, ``age`` and ``amount``.
        horizon : str or timedelta, optional
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_deals,)
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, horizon=horizon, on_invalid=on_invalid)
        check_is_fitted(self, "counts_")
        periods, rate = periods_of(self, horizon), self._rate()
        open_ = read_open(self, X, money=True)
        worth = open_.per_row(self._laws(), lambda law: law.discounted(periods, rate, self.timing))
        return open_.amount * worth

    def bootstrap(
        self,
        events: Any,
        *,
        n_draws: int = 200,
        random_state: int | np.random.Generator | None = None,
    ) -> FunnelDraws:
        """Draw funnels by resampling the deals of the log.

        Parameters
        ----------
        events : frame
            The log that was fitted.
        n_draws : int, default=200
        random_state : int, Generator or None

        Returns
        -------
        FunnelDraws
            For ``draws=`` of the tables: how sure the estimate is.
        """
        check_is_fitted(self, "counts_")
        if int(n_draws) < 2:
            raise ValueError(f"n_draws={n_draws!r} must be 2 or more.")
        log = self._read(events, self.as_of_)
        exposure = Exposure.of(log, self.counts_.shape, since_of(self, log.as_of))
        rng = np.random.default_rng(random_state)
        return FunnelDraws.of(
            exposure, log, list(self.group_laws_), self.concentration_, int(n_draws), rng
        )

    def stage_table(
        self, *, group: Any = None, horizon: Span | None = None, language: Language = "en"
    ) -> Any:
        """One row a stage: what enters, sits, gets on and is won.

        Parameters
        ----------
        group : hashable, optional
            One of the groups of ``by``; its chain instead of the pooled one.
        horizon : str or timedelta, optional
            Reach, conversion and outcomes within a span of entering; default: until the end.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``stage``, ``entered`` (visits under observation), ``open_now``, ``open_amount``,
            ``mean_days`` and ``median_days`` in the stage (inf where some never leave), ``reach``
            (of a new deal, this stage or beyond), ``conversion`` (to a later stage or won),
            ``won_from_here``, ``lost_from_here``, ``stalled_from_here``, and ``days_left`` until
            the outcome where no horizon is given.
        """
        check_is_fitted(self, "counts_")
        law = self.law_
        if group is not None:
            if group not in self.group_laws_:
                raise ValueError(f"group={group!r} was not seen; known: {list(self.group_laws_)}.")
            law = self.group_laws_[group]
        periods = None if horizon is None else periods_of(self, horizon)
        return _tables.stages_of(self, law, periods, language)

    def pipeline_table(
        self,
        X: Any,
        by: str | Sequence[str] | None = None,
        *,
        horizon: Span | None = None,
        draws: FunnelDraws | None = None,
        language: Language = "en",
    ) -> Any:
        """Sum what open deals are expected to bring, by group; the last row is all of them.

        Parameters
        ----------
        X : frame
            Open deals.
        by : str or sequence of str, optional
            Columns of ``X`` that make groups.
        horizon : str or timedelta, optional
        draws : FunnelDraws, optional
            As :meth:`bootstrap` gives them: adds the estimate's share of the spread.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X``
            The groups, ``deals``, how many have an ``own_amount``, ``face`` value,
            ``expected_wins``, ``expected_money`` (discounted), ``sd_outcome`` (Σ a² p (1 - p)
            where nothing is discounted), and with ``draws`` ``sd_parameter`` and ``sd`` of both.
        """
        check_is_fitted(self, "counts_")
        periods = periods_of(self, horizon)
        return _tables.pipeline(self, X, by, periods, draws, language)

    def forecast(
        self,
        X: Any,
        arrivals: Any = None,
        *,
        horizon: Span | None = None,
        language: Language = "en",
    ) -> Any:
        """Wins and undiscounted money by period, of open deals and of those to come.

        Parameters
        ----------
        X : frame
            Open deals.
        arrivals : float or array-like of shape (n_periods,), optional
            New deals a period; default: as many as under observation; 0 for none.
        horizon : str or timedelta, optional
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X``
            ``period``, ``from``, ``to``, ``wins_open``, ``wins_new``, ``wins``, ``money_open``,
            ``money_new``, ``money``, ``sd`` of the period's money. New deals come in the middle
            of their period on average and bring the mean amount won.
        """
        check_is_fitted(self, "counts_")
        periods = _tables.check_periods(periods_of(self, horizon), "forecast")
        return _tables.forecast_by_period(self, X, arrivals, periods, language)

    def bottleneck_table(self, *, language: Language = "en") -> Any:
        """Where one point of chance, moved from lost to the next stage, wins most.

        Returns
        -------
        DataFrame
            ``stage``, ``visits`` (mean periods a new deal spends there), ``lost_here``, ``gain``
            (N_1i (B_next - B_lost)), ``wins_per_point`` a period, ``money_per_point`` where
            amounts are known, and the ``bottleneck``: the greatest gain where deals are lost.
        """
        check_is_fitted(self, "counts_")
        return _tables.bottlenecks(self, language)

    def velocity_table(self, *, language: Language = "en") -> Any:
        """Sales velocity beside the chain's own wins a period, and Little's law as the check.

        Returns
        -------
        DataFrame
            ``quantity``, ``value``, ``unit``. In a steady state the deals open now are the deals
            that enter times their time to the outcome (Little 1961), and both velocities agree.
        """
        check_is_fitted(self, "counts_")
        return _tables.velocity(self, language)

    def to_dict(self) -> dict[str, Any]:
        """Everything learned as plain JSON values; no deal's row."""
        check_is_fitted(self, "counts_")
        return counts_to_plain(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FunnelChain:
        """Read back what ``to_dict`` wrote; it predicts the same numbers.

        Raises
        ------
        ArtefactError
            If the dictionary is broken, was changed since it was written, holds another model, or
            has a schema that this version does not read. It is a ``ValueError``.
        """
        with reading("FunnelChain"):
            settings, counts = counts_from_plain(plain, cls._get_param_names())
            return cls(**settings).fit_counts(counts)
