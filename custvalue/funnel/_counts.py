"""Moves of deals by stage and age: all that a funnel has to know of the data, and it adds up.

Letters: a visit to stage i has duration d, and p is the period. If it ended in a move to j it was
at risk in ages 1..a, and moved in a = max(1, ceil(d / p)); open visits of elapsed d were at risk in
ages 1..floor(d / p). Delayed entry leaves out the ages before anybody looked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats, Ints
from custvalue._warn import warn_caller
from custvalue.chains import TransitionCounts
from custvalue.exceptions import DataWarning, SmallSampleWarning
from custvalue.funnel._events import DealLog
from custvalue.funnel._ledger import FunnelLedger


def ages(duration: Ints, moved: npt.NDArray[np.bool_], period: int) -> Ints:
    """Last age at risk: the age of the move, or the last age that an open visit has finished."""
    whole, rest = np.divmod(duration, period)
    return np.where(moved, np.maximum(whole + (rest > 0), 1), whole)


def entry_ages(entered: Ints, observed_from: int | None, period: int) -> Ints:
    """First age at risk: 1, or ceil((observed_from - entered) / p) + 1 for visits begun before."""
    if observed_from is None:
        return np.ones(len(entered), dtype=np.int64)
    before = np.maximum(observed_from - entered, 0)
    return -(-before // period) + 1


@dataclass(frozen=True)
class FunnelShape:
    """What two counts must share to add up.

    Parameters
    ----------
    stages, outcomes : tuple of str
        The outcomes begin with what is won.
    age_classes : int
        Ages from this one on share one class.
    period : int
        Microseconds.
    expire : int or None
        Ages after which an open visit counts as lost.
    """

    stages: tuple[str, ...]
    outcomes: tuple[str, ...]
    age_classes: int
    period: int
    expire: int | None

    @property
    def n_states(self) -> int:
        """Stages by age class, then the outcomes."""
        return len(self.stages) * self.age_classes + len(self.outcomes)


@dataclass(frozen=True, eq=False)
class Exposure:
    """Visits at risk, put so that deals can be weighted.

    Parameters
    ----------
    deal : ndarray of int, shape (n_visits,)
    cell : ndarray of int, shape (n_visits,)
        Code of (group, stage, first class, last class, target + 1).
    tail : ndarray of shape (n_visits,)
        Ages at risk in the last class.
    moved_first : int
        Moves in age 1 that began under observation, of ``moved`` in all.
    """

    shape: FunnelShape
    n_groups: int
    deal: Ints
    cell: Ints
    tail: Floats
    moved_first: int
    moved: int

    @classmethod
    def of(cls, log: DealLog, shape: FunnelShape, observed_from: int | None) -> Exposure:
        """Exposure of the visits of a log."""
        moved = log.target >= 0
        last = ages(log.left - log.entered, moved, shape.period)
        first = entry_ages(log.entered, observed_from, shape.period)
        target = log.target
        if shape.expire is not None:
            target = np.where(last > shape.expire, -1, target)
            last = np.minimum(last, shape.expire)
        seen = last >= first
        n_groups = max(len(log.groups), 1)
        K, S, M = shape.age_classes, len(shape.stages), len(shape.outcomes)
        deal = log.deal[seen]
        group = log.group[deal]
        low, high, to = np.minimum(first[seen], K), np.minimum(last[seen], K), target[seen] + 1
        cell = (((group * S + log.stage[seen]) * K + low - 1) * K + high - 1) * (S + M + 1) + to
        tail = np.maximum(last[seen] - np.maximum(first[seen], K) + 1, 0).astype(np.float64)
        went = target[seen] >= 0
        at_once = int((went & (last[seen] == 1)).sum())
        return cls(shape, n_groups, deal, cell, tail, at_once, int(went.sum()))

    def moves(self, weights: Floats | None = None) -> Floats:
        """Count moves between states by group, shape (n_groups, n_states, n_states).

        Staying is a move to the next age class; in the last class to itself.
        """
        G, K = self.n_groups, self.shape.age_classes
        S, M = len(self.shape.stages), len(self.shape.outcomes)
        w = None if weights is None else weights[self.deal]
        size = G * S * K * K * (S + M + 1)
        n = np.bincount(self.cell, w, size).reshape(G, S, K, K, S + M + 1)
        tail = self.tail if w is None else self.tail * w
        long = np.bincount(self.cell // (K * K * (S + M + 1)), tail, G * S).reshape(G, S)
        enter, leave = n.sum(axis=(3, 4)), n.sum(axis=(2, 4))
        at_risk = np.cumsum(enter, axis=2) - np.cumsum(leave, axis=2) + leave
        at_risk[:, :, K - 1] = long
        moved = n.sum(axis=2)[..., 1:].astype(np.float64)  # group, stage, class, target
        stay = at_risk - moved.sum(axis=3)
        out = np.zeros((G, self.shape.n_states, self.shape.n_states))
        for s in range(S):
            for k in range(K):
                row = out[:, s * K + k]
                row[:, np.arange(S) * K] += moved[:, s, k, :S]
                row[:, S * K :] += moved[:, s, k, S:]
                row[:, s * K + min(k + 1, K - 1)] += stay[:, s, k]
        return out


@dataclass(frozen=True, eq=False)
class FunnelCounts:
    """Sufficient statistic of a funnel; counts of disjoint sets of deals add up (``a + b``).

    Parameters
    ----------
    shape : FunnelShape
    moves : dict
        `custvalue.chains.TransitionCounts` by group; one group, None, where there are none.
    started, entered : ndarray of shape (n_stages,)
        Deals that began in each stage, visits that began, both under observation.
    open_now : ndarray of shape (n_stages,)
        Open deals by stage.
    open_amount : ndarray of shape (2, n_stages)
        Number and sum of the amounts of open deals that have one.
    won_amount : ndarray of shape (3, n_stages)
        Number, sum and sum of squares of amounts won, of deals that passed through each stage.
    won_total : ndarray of shape (3,)
        The same of all deals won.
    haircut : ndarray of shape (2,)
        Amounts won, and the last amounts of the same deals while they were open.
    outcomes : ndarray of shape (n_outcomes,)
        Deals that ended, under observation.
    moves_at_once, moves_seen : float
        Moves in age 1, and all moves.
    periods : float
        Length of the observation.
    as_of : int
        Microseconds since 1970.
    observed_from : int
    ledger : FunnelLedger

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain
    >>> one = pd.DataFrame({"deal": [1, 1], "stage": ["lead", "won"],
    ...                     "time": ["2024-01-01", "2024-01-09"]})
    >>> two = one.assign(deal=2, stage=["lead", "lost"])
    >>> funnel = FunnelChain(["lead"], period="1W", age_classes=2)
    >>> parts = [funnel.count(log, as_of="2024-02-01") for log in (one, two)]
    >>> sum(parts).outcomes.tolist()
    [1.0, 1.0]
    """

    shape: FunnelShape
    moves: Mapping[Hashable, TransitionCounts]
    started: Floats
    entered: Floats
    open_now: Floats
    open_amount: Floats
    won_amount: Floats
    won_total: Floats
    haircut: Floats
    outcomes: Floats
    moves_at_once: float
    moves_seen: float
    periods: float
    as_of: int
    observed_from: int
    ledger: FunnelLedger = field(repr=False)

    @classmethod
    def of(cls, log: DealLog, shape: FunnelShape, observed_from: int | None) -> FunnelCounts:
        """Count a log."""
        exposure = Exposure.of(log, shape, observed_from)
        S, M = len(shape.stages), len(shape.outcomes)
        since = int(log.entered.min()) if len(log.entered) else log.as_of
        since = since if observed_from is None else observed_from
        last = log.last
        fresh = log.entered >= since
        ended = log.target[last] - S
        is_open = open_deals(log, shape)
        done = (ended >= 0) & (log.left[last] >= since)
        won = done & (ended == 0) & np.isfinite(log.won_amount)
        through, by_stage = log.passed(S)
        mine = won[through]
        a = log.won_amount[through[mine]]
        all_won = log.won_amount[won]
        known = is_open & np.isfinite(log.amount)
        both = won & np.isfinite(log.amount)
        return cls(
            shape=shape,
            moves=transition_counts(exposure.moves(), log.groups),
            started=_numbers(log.stage[log.start[fresh[log.start]]], S),
            entered=_numbers(log.stage[fresh], S),
            open_now=_numbers(log.stage[last[is_open]], S),
            open_amount=_powers(log.stage[last[known]], log.amount[known], S)[:2],
            won_amount=_powers(by_stage[mine], a, S),
            won_total=np.array([len(all_won), all_won.sum(), (all_won * all_won).sum()]),
            haircut=np.array([log.won_amount[both].sum(), log.amount[both].sum()]),
            outcomes=_numbers(ended[done], M),
            moves_at_once=float(exposure.moved_first),
            moves_seen=float(exposure.moved),
            periods=(log.as_of - since) / shape.period,
            as_of=log.as_of,
            observed_from=since,
            ledger=log.ledger,
        )

    @property
    def pooled(self) -> TransitionCounts:
        """Moves of all groups."""
        total: Any = sum(self.moves.values())
        return total

    def __add__(self, other: FunnelCounts) -> FunnelCounts:
        if not isinstance(other, FunnelCounts):
            return NotImplemented
        if self.shape != other.shape or self.as_of != other.as_of:
            raise ValueError(
                "these counts do not add up: they differ in stages, outcomes, period, age_classes, "
                "expire or as_of. Count every part with the same settings and as_of=."
            )
        moves = dict(self.moves)
        for group, counts in other.moves.items():
            moves[group] = moves[group] + counts if group in moves else counts
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in (
                "started", "entered", "open_now", "open_amount", "won_amount", "won_total",
                "haircut", "outcomes", "moves_at_once", "moves_seen", "ledger",
            )
        }  # fmt: skip
        since = min(self.observed_from, other.observed_from)
        periods = (self.as_of - since) / self.shape.period
        return replace(self, moves=moves, periods=periods, observed_from=since, **sums)

    def __radd__(self, other: object) -> FunnelCounts:
        # so that sum(parts) works, which starts at 0
        return self if other == 0 else NotImplemented


def open_deals(log: DealLog, shape: FunnelShape) -> npt.NDArray[np.bool_]:
    """Say which deals are open: without an outcome, and not expired, which counts as lost."""
    last = log.last
    is_open = log.target[last] < 0
    if shape.expire is not None:
        is_open &= ages(log.left[last] - log.entered[last], ~is_open, shape.period) < shape.expire
    return is_open


def warn_of(counts: FunnelCounts) -> None:
    """Warn of what makes the estimate of these counts doubtful; points at who called ``fit``."""
    if counts.moves_at_once * 3.0 > counts.moves_seen * (1.0 + 1e-12):
        warn_caller(
            f"{counts.moves_at_once:,.0f} of {counts.moves_seen:,.0f} moves fall in the first "
            "period of a stage, and every visit lasts one period at least: times come out too "
            "long. Take a shorter period=.",
            DataWarning,
        )
    if not counts.outcomes[0]:
        warn_caller(
            f"no deal was seen {counts.shape.outcomes[0]}: no chance of winning is known.",
            SmallSampleWarning,
        )
    K = counts.shape.age_classes
    risk = counts.pooled.n_out[: len(counts.shape.stages) * K].reshape(-1, K).sum(axis=1)
    empty = [s for s, n in zip(counts.shape.stages, risk, strict=True) if not n]
    if empty:
        warn_caller(
            f"no deal was observed a period in stage {', '.join(empty)}: a deal that gets there "
            "counts as stalled.",
            SmallSampleWarning,
        )


def transition_counts(
    moves: Floats, groups: tuple[Hashable, ...]
) -> dict[Hashable, TransitionCounts]:
    """Keep moves of shape (n_groups, n, n) as counts by group."""
    from scipy.sparse import csr_array

    n = moves.shape[1]
    nothing = np.zeros(n)
    return {
        group: TransitionCounts(csr_array(part), nothing, nothing)
        for group, part in zip(groups or (None,), moves, strict=True)
    }


def _numbers(place: Ints, size: int) -> Floats:
    return np.bincount(place, minlength=size).astype(np.float64)


def _powers(place: Ints, amount: Floats, size: int) -> Floats:
    """Sum powers 0, 1, 2 of the amounts by place."""
    return np.stack(
        [np.bincount(place, amount**k, minlength=size).astype(np.float64) for k in range(3)]
    )
