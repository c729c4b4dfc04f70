"""A funnel as an absorbing chain over (stage, age in stage), and what is read off it.

A semi-Markov process made Markov: a deal that sits loses its chance as it does in life. Letters of
Kemeny & Snell (1960): N = (I - Q)^-1 visits, B = N R chances of the outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from custvalue._typing import Floats, Ints
from custvalue.chains import Chain, TransitionCounts
from custvalue.chains._for_rooms import Absorption, fit_concentration
from custvalue.exceptions import NotSupportedError
from custvalue.funnel._counts import FunnelShape

STALLED = "stalled"


def hazards(matrix: Floats, shape: FunnelShape) -> Floats:
    """Read the moves out of each (stage, age class), shape (S, K, S + outcomes).

    ``matrix`` holds counts or rates between the states of a shape. What a row has besides is
    staying: a move to the next age class, in the last one to itself.
    """
    K, S = shape.age_classes, len(shape.stages)
    rows = matrix[: S * K].reshape(S, K, -1)
    out = np.concatenate([rows[:, :, np.arange(S) * K], rows[:, :, S * K :]], axis=2)
    out[np.arange(S), :, np.arange(S)] = 0.0  # no visit enters the stage it is in
    return out


def rates(moves: Floats, shape: FunnelShape) -> Floats:
    """Matrix of shape (n_states, n_states) of the hazards that ``hazards`` reads."""
    K, S, n = shape.age_classes, len(shape.stages), shape.n_states
    out = np.zeros((n, n))
    rows = out[: S * K].reshape(S, K, n)
    rows[:, :, np.arange(S) * K] = moves[:, :, :S]
    rows[:, :, S * K :] = moves[:, :, S:]
    stay = np.maximum(1.0 - moves.sum(axis=2), 0.0).ravel()
    row = np.arange(S * K)
    out[row, np.minimum(row + 1, row // K * K + K - 1)] += stay
    ends = np.arange(S * K, n)
    out[ends, ends] = 1.0
    return out


def pooled_hazards(counts: TransitionCounts, shape: FunnelShape) -> Floats:
    """h_ij(a) = moves / at risk; a class without deals borrows from its stage.

    The nearest younger class is taken, else the nearest older. A stage that no deal was seen in is
    never left.
    """
    K, S = shape.age_classes, len(shape.stages)
    at_risk = counts.n_out[: S * K].reshape(S, K)
    out = hazards(counts.moves.toarray(), shape)
    out /= np.where(at_risk > 0, at_risk, 1.0)[:, :, None]
    for s in range(S):
        seen = np.flatnonzero(at_risk[s] > 0)
        for k in np.flatnonzero(at_risk[s] == 0) if len(seen) else ():
            younger = seen[seen < k]
            out[s, k] = out[s, younger[-1] if len(younger) else seen[0]]
    return out


def group_hazards(
    parts: Mapping[Any, TransitionCounts],
    pooled: Floats,
    shape: FunnelShape,
    weight: float | None = None,
) -> tuple[dict[Any, Floats], float]:
    """Hazards of each group drawn to the pooled ones: rows (n_ij + κ π_ij) / (n_i + κ).

    ``weight`` is κ; None learns it by evidence (Dirichlet-multinomial).
    """
    prior = rates(pooled, shape)
    kappa = weight
    if kappa is None:
        kappa = fit_concentration(list(parts.values()), sp.csr_array(prior))
    out = {}
    for group, counts in parts.items():
        total = counts.n_out[:, None] + kappa
        mixed = (counts.moves.toarray() + kappa * prior) / np.where(total > 0, total, 1.0)
        out[group] = hazards(np.where(total > 0, mixed, prior), shape)
    return out, float(kappa)


@dataclass(frozen=True, eq=False)
class FunnelLaw:
    """Chain of a funnel and its stages; every question is a pure function of it.

    Parameters
    ----------
    shape : FunnelShape
    chain : Chain
        States (stage, age) by stage and age, then the outcomes, then ``"stalled"``.
    n_ages : int
        Ages by stage; the last one stands for all later ones, unless deals expire after it.
    has_losses : bool
        Whether a deal can end other than won; else everybody wins in the end.
    """

    shape: FunnelShape
    chain: Chain
    n_ages: int
    has_losses: bool

    @classmethod
    def of(cls, moves: Floats, shape: FunnelShape) -> FunnelLaw:
        """Chain of the hazards of shape (n_stages, age_classes, n_stages + n_outcomes)."""
        K, S, M = shape.age_classes, len(shape.stages), len(shape.outcomes)
        L = shape.expire or K
        inner = S * L
        n = inner + M + 1
        here = moves[:, np.minimum(np.arange(L), K - 1)].reshape(inner, S + M)
        stay = np.maximum(1.0 - here.sum(axis=1), 0.0)
        matrix = np.zeros((n, n))
        matrix[:inner, np.arange(S) * L] = here[:, :S]
        matrix[:inner, inner : inner + M] = here[:, S:]
        row = np.arange(inner)
        final = row % L == L - 1
        older = np.where(final, row if shape.expire is None else inner + 1, row + 1)
        matrix[row, older] += stay
        ends = np.arange(inner, n)
        matrix[ends, ends] = 1.0
        outcomes = (*shape.outcomes, STALLED)
        states = (*((s, a + 1) for s in shape.stages for a in range(L)), *outcomes)
        for_ever = np.flatnonzero(Chain(states, _kept(matrix), outcomes).recurrent()[:inner])
        # deals that sit where none was ever seen to move are an outcome of their own
        matrix[for_ever] = 0.0
        matrix[for_ever, n - 1] = 1.0
        losses = shape.expire is not None or bool((moves[:, :, S + 1 :] > 0).any())
        return cls(shape, Chain(states, _kept(matrix), outcomes), L, losses)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Won, the ways to lose, stalled."""
        return (*self.shape.outcomes, STALLED)

    @property
    def n_inner(self) -> int:
        """States that are no outcome."""
        return len(self.shape.stages) * self.n_ages

    def state(self, stage: Ints, age: Ints) -> Ints:
        """Position of (stage, age); a deal past its expiry is lost."""
        place = stage * self.n_ages + np.minimum(age, self.n_ages) - 1
        if self.shape.expire is None:
            return place
        return np.where(age > self.n_ages, self.n_inner + 1, place)

    def need_losses(self, what: str) -> None:
        """Refuse what has no meaning where everybody wins in the end."""
        if not self.has_losses:
            raise NotSupportedError(
                f"{what} without a horizon: no deal was ever seen lost, so in the end all would "
                "win. Give a horizon, or expire= (after which an open deal counts as lost)."
            )

    @cached_property
    def ends(self) -> Absorption:
        """Chances of the outcomes and times to them, without a horizon."""
        return self.chain.absorption()

    def outcome_chances(self, periods: float | None) -> Floats:
        """Chance of each outcome within some periods, shape (n_states, n_outcomes).

        A part of a period takes its part of the period's moves.
        """
        if periods is None:
            self.need_losses("chances of the outcomes")
            return self.ends.chance
        now = np.zeros((self.chain.n_states, len(self.outcomes)))
        now[self.n_inner :] = np.eye(len(self.outcomes))
        return _stepped(lambda x: self.chain.matrix @ x, now, periods)

    def won_by_period(self, periods: int) -> Floats:
        """Chance to have won after 0..periods periods, shape (periods + 1, n_states)."""
        out = np.zeros((periods + 1, self.chain.n_states))
        out[0, self.n_inner] = 1.0
        for h in range(periods):
            out[h + 1] = self.chain.matrix @ out[h]
        return out

    def discounted(self, periods: float | None, rate: float, timing: str) -> Floats:
        """Discounted value of 1 paid on winning, by state; 0 for who has won before."""
        reward = np.zeros((self.chain.n_states, self.chain.n_states))
        reward[: self.n_inner, self.n_inner] = 1.0
        by_state = self.chain.expected_reward(reward)

        def value(steps: int | None) -> Floats:
            if steps == 0:
                return np.zeros(self.chain.n_states)
            # under "start" the chain counts the reward of today beside those of the horizon
            horizon = steps - 1 if steps is not None and timing == "start" else steps
            how: Any = {"discount_rate": rate, "timing": timing, "horizon": horizon}
            return self.chain.value(by_state, **how)

        if periods is None:
            self.need_losses("money")
            return value(None)
        whole = int(np.floor(periods + 1e-9))
        part = max(periods - whole, 0.0)
        low = value(whole)
        return low if part < 1e-9 else low + part * (value(whole + 1) - low)

    def entry(self, shares: Floats) -> Floats:
        """Start vector over states from shares by stage."""
        start = np.zeros(self.chain.n_states)
        start[np.arange(len(shares)) * self.n_ages] = shares
        return start

    def reach(self, k: int, periods: float | None = None) -> Floats:
        """Chance to get to stage ``k`` or beyond (won, for k = n_stages), by state."""
        if periods is None:
            self.need_losses("reach and conversion")
        beyond = np.zeros(self.chain.n_states, dtype=bool)
        beyond[k * self.n_ages : self.n_inner + 1] = True
        if periods is not None:

            def step(x: Floats) -> Floats:
                return np.where(beyond, 1.0, self.chain.matrix @ x)

            return _stepped(step, beyond * 1.0, periods)
        go = np.flatnonzero(~beyond[: self.n_inner])
        out = beyond * 1.0
        if len(go):
            inner: Any = sp.csr_array(self.chain.matrix)
            right = np.asarray(inner[go] @ out).ravel()
            system: Any = sp.csc_array(sp.eye_array(len(go)) - inner[go][:, go])
            out[go] = spsolve(system, right)
        return out

    def visits(self, start: Floats) -> Floats:
        """Expect so many periods in each stage from a start vector, shape (n_stages,)."""
        return self._occupied(start).reshape(len(self.shape.stages), self.n_ages).sum(axis=1)

    def _occupied(self, start: Floats) -> Floats:
        n = self.n_inner
        inner: Any = sp.csr_array(self.chain.matrix)[:n][:, :n]
        system: Any = sp.csc_array(sp.eye_array(n) - inner.T)
        return np.asarray(spsolve(system, start[:n]))

    def losses(self, start: Floats) -> Floats:
        """Chance to be lost in each stage from a start vector, shape (n_stages,)."""
        n = self.n_inner
        into: Any = sp.csr_array(self.chain.matrix)[:n][:, n + 1 : n + len(self.shape.outcomes)]
        lost = self._occupied(start) * np.asarray(into.sum(axis=1)).ravel()
        return lost.reshape(len(self.shape.stages), self.n_ages).sum(axis=1)

    def bottleneck(self, start: Floats) -> Floats:
        """Wins gained by moving chance in each stage from lost to next: N_1i (B_next - B_lost)."""
        self.need_losses("bottlenecks")
        won = self.ends.chance[:, 0]
        entries = np.append(won[np.arange(len(self.shape.stages)) * self.n_ages][1:], 1.0)
        return self.visits(start) * entries

    def next_stages(self, stage: int) -> dict[str, float]:
        """Where a visit to a stage leads: chance of each other stage and outcome."""
        n, L = self.n_inner, self.n_ages
        mine = slice(stage * L, (stage + 1) * L)
        block: Any = sp.csr_array(self.chain.matrix)[mine]
        inside = block[:, mine].toarray()
        stay = np.zeros(L)
        stay[0] = 1.0
        occupied = np.linalg.solve((np.eye(L) - inside).T, stay)
        going = occupied @ block.toarray()
        going[mine] = 0.0
        names = (*self.shape.stages, *self.outcomes)
        at = [*(np.arange(len(self.shape.stages)) * L), *range(n, n + len(self.outcomes))]
        return {name: float(going[i]) for name, i in zip(names, at, strict=True) if going[i] > 0}

    def leaving(self, stage: int, *, winners: bool = False) -> tuple[Floats, float]:
        """Chance to leave a stage in each age, and in each later one a share of what is left.

        With ``winners`` of visits that lead to a win, by their chance of winning afterwards.
        """
        L = self.n_ages
        rows = np.arange(stage * L, (stage + 1) * L)
        block: Any = sp.csr_array(self.chain.matrix)[rows].toarray()
        nxt = np.append(rows[1:], rows[-1])
        stay = block[np.arange(L), nxt]
        weight = np.ones(self.chain.n_states)
        if winners:
            self.need_losses("winners' time")
            weight = self.ends.chance[:, 0]
        else:
            weight[-1] = 0.0  # who stalls does not leave
        block[np.arange(L), nxt] = 0.0
        out = block @ weight
        left = np.concatenate([[1.0], np.cumprod(stay)])[:L]
        tail = 0.0 if self.shape.expire is not None else float(stay[-1])
        return left * out, tail

    def time_in_stage(
        self, stage: int, share: float = 0.5, *, winners: bool = False
    ) -> tuple[float, float]:
        """Mean and quantile of the periods spent in a stage; inf where they have no end."""
        gone, tail = self.leaving(stage, winners=winners)
        age = np.arange(1.0, len(gone) + 1.0)
        if tail > 0.0:  # a geometric tail: the last age repeats
            last = gone[-1]
            total = gone[:-1].sum() + last / (1.0 - tail) if tail < 1.0 else gone[:-1].sum()
        else:
            total = gone.sum()
        if not total > 0.0:
            return np.inf, np.inf
        mean = float(age[:-1] @ gone[:-1])
        if tail < 1.0:
            mean += float(gone[-1] * (age[-1] / (1.0 - tail) + tail / (1.0 - tail) ** 2))
        whole = total if winners else 1.0
        if not winners and total < 1.0 - 1e-9:
            mean = np.inf  # some are never seen to leave
        reached = np.cumsum(gone) / whole
        hit = np.flatnonzero(reached >= share - 1e-12)
        if len(hit):
            return mean / whole, float(hit[0] + 1)
        if not 0.0 < tail < 1.0 or total / whole < share - 1e-12:
            return mean / whole, np.inf
        # 1 - reached after m more ages: rest of the geometric tail
        rest = gone[-1] * tail / (1.0 - tail) / whole
        need = (total / whole - share) / rest
        return mean / whole, float(len(gone) + np.ceil(np.log(max(need, 1e-300)) / np.log(tail)))


def _kept(matrix: Floats) -> Any:
    return sp.csr_array(matrix) if len(matrix) > 400 else matrix


def _stepped(step: Any, now: Floats, periods: float) -> Floats:
    whole = int(np.floor(periods + 1e-9))
    part = max(periods - whole, 0.0)
    for _ in range(whole):
        now = step(now)
    return now if part < 1e-9 else now + part * (step(now) - now)
