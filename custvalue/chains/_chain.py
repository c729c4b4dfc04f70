"""A Markov chain as an immutable value: states, a transition matrix, and what follows from them.

Letters: P the transition matrix, r the reward of a period by state, v the value by state,
d the discount rate of one period and δ = 1 / (1 + d).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from custvalue._html import html_table
from custvalue._portable import check_names, number, places, reading, sealed, unseal
from custvalue._sparse import from_entries, is_sparse, row_sums, times
from custvalue._typing import Floats
from custvalue.chains import _chain_math as _math
from custvalue.chains._absorption import Absorption, absorb
from custvalue.exceptions import ArtefactError, first_ids

Timing: TypeAlias = Literal["start", "end"]

_ROW_TOLERANCE = 1e-9
_ROUNDING = 0.01  # of a row: 100 published entries of four digits may miss one by half of it


@dataclass(frozen=True, eq=False, repr=False)
class Chain:
    """States and the chances of moving between them in one period.

    A chain may be learned (``MarkovCLVEstimator(...).fit(panel).chain_``) or written down from a
    paper. It never changes; every question is a method that returns a new value.

    Parameters
    ----------
    states : sequence of hashable
        Distinct names of the n states, in the order of the matrix.
    matrix : array-like or scipy sparse, shape (n, n)
        ``matrix[i, j]`` is the chance of being in state j one period after state i. Rows sum to
        one. A sparse matrix stays sparse. The labels of a pandas table are states, in any order.
    absorbing : sequence of hashable, default=()
        States that are never left. They are declared, never guessed: a row of zeros is an error.
    normalize : bool, default=False
        Whether rows that miss one by rounding, as those of a matrix published with four digits do,
        are divided by their sum; up to 1 % is rounding.

    Raises
    ------
    ValueError
        If names repeat, sizes differ, an entry is negative or not finite, a row does not sum to
        one (the states are named), a declared absorbing state can be left, or a pandas table has
        other labels than the states.

    References
    ----------
    Pfeifer, P. E. & Carraway, R. L. (2000), Modeling customer relationships as Markov chains,
    Journal of Interactive Marketing 14(2), 43-55.

    Examples
    --------
    A customer who bought last period (r1) buys again with chance 0.3, one period later with 0.2,
    and so on; after four silent periods the customer is gone.

    >>> from custvalue.chains import Chain
    >>> chain = Chain(
    ...     ["r1", "r2", "r3", "r4", "gone"],
    ...     [[.3, .7, 0, 0, 0], [.2, 0, .8, 0, 0], [.15, 0, 0, .85, 0], [.05, 0, 0, 0, .95],
    ...      [0, 0, 0, 0, 1]],
    ...     absorbing=["gone"],
    ... )
    >>> chain.value([36, -4, -4, -4, 0], discount_rate=0.2).round(2).tolist()
    [52.32, 5.55, 1.25, -1.82, 0.0]
    """

    states: tuple[Hashable, ...]
    matrix: Any
    absorbing: tuple[Hashable, ...] = ()
    normalize: InitVar[bool] = False

    def __post_init__(self, normalize: bool) -> None:
        states = tuple(self.states)
        n = len(states)
        if len(set(states)) != n:
            twice = [s for s in dict.fromkeys(states) if states.count(s) > 1]
            raise ValueError(f"states repeat: {', '.join(first_ids(twice))}; names must differ.")
        matrix = _as_matrix(by_state(self.matrix, states, "matrix"))
        if matrix.shape != (n, n):
            raise ValueError(f"{n} states need a matrix of shape ({n}, {n}), not {matrix.shape}.")
        entries = matrix.data if is_sparse(matrix) else matrix
        if not np.all(np.isfinite(entries)) or np.any(entries < 0):
            raise ValueError("matrix has entries that are negative or not finite.")
        sums = row_sums(matrix)
        bad = np.flatnonzero(np.abs(sums - 1.0) > (_ROUNDING if normalize else _ROW_TOLERANCE))
        if normalize and not len(bad):
            matrix = _as_matrix(sp.diags_array(1.0 / sums) @ matrix)
        if len(bad):
            which = ", ".join(f"{states[i]!r} sums to {sums[i]:.6g}" for i in bad[:5])
            raise ValueError(
                f"{len(bad)} row(s) of the matrix do not sum to one: {which}. A state that is "
                "never left has a 1 on the diagonal and is named in absorbing=; normalize=True "
                "mends rounding of up to 1 %."
            )
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "absorbing", tuple(self.absorbing))
        stay = matrix.diagonal()
        for name in self.absorbing:
            if abs(stay[self.position(name)] - 1.0) > _ROW_TOLERANCE:
                raise ValueError(
                    f"state {name!r} is declared absorbing, yet its row leaves it with chance "
                    f"{1.0 - stay[self.position(name)]:.6g}."
                )

    def __repr__(self) -> str:
        kind = "sparse" if self.is_sparse else "dense"
        gone = f", absorbing={list(self.absorbing)!r}" if self.absorbing else ""
        return f"Chain({self.n_states} states, {kind}{gone})"

    def _repr_html_(self) -> str:
        n = min(self.n_states, 12)
        names = [str(state) for state in self.states[:n]]
        rows = [
            [name, *(round(float(p), 4) for p in line)]
            for name, line in zip(names, self.dense()[:n, :n], strict=True)
        ]
        more = f", the first {n} shown" if n < self.n_states else ""
        return html_table(f"Chain of {self.n_states:,} states{more}", ["from", *names], rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Chain):
            return NotImplemented
        same = self.states == other.states and set(self.absorbing) == set(other.absorbing)
        return same and np.array_equal(self.dense(), other.dense())

    def __hash__(self) -> int:
        return hash((self.states, frozenset(self.absorbing)))

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    @property
    def is_sparse(self) -> bool:
        """Whether the matrix is kept sparse."""
        return is_sparse(self.matrix)

    def dense(self) -> Floats:
        """Transition matrix as a plain array of shape (n, n)."""
        dense: Floats = self.matrix.toarray() if self.is_sparse else self.matrix
        return dense

    def position(self, state: Hashable) -> int:
        """Row of ``state`` in the matrix.

        Raises
        ------
        KeyError
            If the chain has no such state.
        """
        try:
            return self.states.index(state)
        except ValueError:
            raise KeyError(f"no state {state!r}; the chain has {self.n_states} states.") from None

    def value(
        self,
        reward: Any,
        *,
        horizon: int | None = None,
        discount_rate: float = 0.2,
        timing: Timing = "start",
    ) -> Floats:
        """Discounted expected reward from each state.

        With ``timing="start"`` the reward of the state is earned at once, then at the start of
        every period: v = Σ_{t=0..T} (δP)^t r (Pfeifer & Carraway's convention; ``horizon=T``
        means T + 1 rewards). With ``timing="end"`` the first reward comes after one period:
        v = Σ_{h=1..H} δ^h P^{h-1} r. ``horizon=None`` is the limit, solved from
        (I - δP) v = r, times δ for ``"end"``.

        Parameters
        ----------
        reward : array-like of shape (n,) or (n, n), or sparse (n, n)
            Money of one period by state, or by transition (row: from, column: to). The labels of a
            pandas Series or table, and the keys of a dict, are states, in any order.
        horizon : int or None, default=None
            Number of periods; None is infinite.
        discount_rate : float, default=0.2
            Discount rate of one period.
        timing : {"start", "end"}, default="start"

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        ValueError
            If shapes differ, the rate is not above -1, or the infinite sum does not exist: at
            rate 0 a state that is visited for ever must earn nothing.

        Examples
        --------
        >>> from custvalue.chains import Chain
        >>> chain = Chain(["buys", "gone"], [[0.5, 0.5], [0, 1]], absorbing=["gone"])
        >>> chain.value([8.0, 0.0], discount_rate=0.0).tolist()
        [16.0, 0.0]
        >>> chain.value([8.0, 0.0], discount_rate=0.0, horizon=1).tolist()
        [12.0, 0.0]
        """
        r = self.expected_reward(reward)
        delta = discount_factor(discount_rate)
        lead = 1.0 if check_timing(timing) == "start" else delta
        if horizon is None:
            return lead * self._limit(r, delta)
        steps = check_horizon(horizon) + (timing == "start")
        v = np.zeros_like(r)
        for _ in range(steps):
            v = r + delta * (self.matrix @ v)
        return lead * v

    def expected_reward(self, reward: Any) -> Floats:
        """Reward by state: as given, or Σ_j P_ij R_ij of a reward by transition."""
        given = self._reward(reward)
        n = self.n_states
        if given.shape == (n,):
            r: Floats = given.copy()
        elif given.shape == (n, n):
            r = row_sums(times(self.matrix, given))
        else:
            raise ValueError(
                f"reward has shape {given.shape}; {n} states need ({n},) or ({n}, {n})."
            )
        if not np.all(np.isfinite(r)):
            raise ValueError("reward has values that are missing or infinite.")
        return r

    def _reward(self, reward: Any) -> Any:
        given = by_state(reward, self.states, "reward")
        return given if is_sparse(given) else np.asarray(given, dtype=np.float64)

    def _limit(self, r: Floats, delta: float) -> Floats:
        if delta < 1.0:
            return _math.solve(self.matrix, r, delta)
        if delta > 1.0:
            raise ValueError("an infinite horizon needs a discount rate of at least 0.")
        for_ever = self.recurrent()
        paid = np.flatnonzero(for_ever & (r != 0.0))
        if len(paid):
            raise ValueError(
                "infinite horizon at discount rate 0: state(s) "
                f"{', '.join(first_ids(self.states[i] for i in paid))} are visited for ever and "
                "earn something each time, so the sum has no limit. Give a horizon, a discount "
                "rate above 0, or an absorbing state that earns nothing and can be reached."
            )
        v = np.zeros_like(r)
        go = np.flatnonzero(~for_ever)
        if len(go):
            v[go] = _math.solve_inside(self.matrix, go, r[go])
        return v

    def moments(
        self,
        reward: Any,
        *,
        horizon: int,
        discount_rate: float = 0.2,
        reward_variance: Any = 0.0,
        timing: Timing = "start",
    ) -> tuple[Floats, Floats]:
        """Mean and variance of one customer's discounted reward.

        The mean is what ``value`` says: ``horizon`` has one meaning.

        Parameters
        ----------
        reward : array-like of shape (n,) or (n, n)
        horizon : int
            As in ``value``: with ``timing="start"`` one reward more than periods.
        discount_rate : float, default=0.2
        reward_variance : float or array-like of shape (n,), default=0.0
            Variance of a period's reward around its mean, by state.
        timing : {"start", "end"}, default="start"

        Returns
        -------
        mean, variance : ndarray of shape (n,)
        """
        delta = discount_factor(discount_rate)
        lead = 1.0 if check_timing(timing) == "start" else delta
        self.expected_reward(reward)  # refuses wrong shapes and missing values
        given = self._reward(reward)
        spread = by_state(reward_variance, self.states, "reward_variance")
        noise = np.broadcast_to(np.asarray(spread, dtype=np.float64), (self.n_states,))
        steps = check_horizon(horizon) + (timing == "start")
        mean, square = _math.moments(self.matrix, given, noise, steps, delta)
        return lead * mean, lead * lead * np.maximum(square - mean * mean, 0.0)

    def recurrent(self) -> npt.NDArray[np.bool_]:
        """Which states are visited again and again once their class is entered, shape (n,)."""
        label, closed = _math.classes(self.matrix)
        return closed[label]

    def stationary(self) -> Floats:
        """Long-run share of each state, shape (n,).

        Raises
        ------
        ValueError
            If more than one class of states is never left: the shares depend on the start.
        """
        return _math.stationary(self.matrix)

    def fundamental_matrix(self) -> tuple[tuple[Hashable, ...], Floats]:
        """Count expected visits to each state that is left for good some day, before it is.

        Returns
        -------
        states : tuple
            The transient states.
        visits : ndarray of shape (n_transient, n_transient)
            N = (I - Q)^-1, Q the moves among them; row: start, column: visited.
        """
        go = np.flatnonzero(~self.recurrent())
        visits = _math.solve_inside(self.matrix, go, np.eye(len(go)))
        return tuple(self.states[i] for i in go), visits

    def absorption(self) -> Absorption:
        """Chance of each absorbing state, and mean and variance of the time to it.

        B = (I - Q)^-1 R, t = N 1, variance (2N - I) t - t∘t; given an outcome, by the Doob
        transform q_ij b_j / b_i (Kemeny & Snell 1960, chapter 3).

        Returns
        -------
        Absorption

        Raises
        ------
        ValueError
            If no state is absorbing, or other states can be visited for ever (they are named).

        Examples
        --------
        >>> from custvalue.chains import Chain
        >>> chain = Chain(["lead", "won", "lost"], [[0.5, 0.2, 0.3], [0, 1, 0], [0, 0, 1]],
        ...               absorbing=["won", "lost"])
        >>> chain.absorption().chance[0].round(6).tolist()
        [0.4, 0.6]
        """
        if not self.absorbing:
            raise ValueError("the chain has no absorbing state; name it in absorbing=.")
        ends = set(self.absorbing)
        for_ever = [self.states[i] for i in np.flatnonzero(self.recurrent())]
        never = [state for state in for_ever if state not in ends]
        if never:
            raise ValueError(
                f"{len(never)} state(s) can be visited for ever without an end: "
                f"{', '.join(first_ids(never))}. Name them in absorbing=, or let them be left."
            )
        return absorb(self.states, self.matrix, self.absorbing)

    def expected_time_to(self, states: Any) -> Floats:
        """Count expected periods until one of ``states`` is entered, shape (n,).

        From one of them it is the time of return. inf where it may never happen.
        """
        names = states if isinstance(states, (list, set, frozenset)) else [states]
        target = np.zeros(self.n_states, dtype=bool)
        target[[self.position(name) for name in names]] = True
        return _math.time_to(self.matrix, target)

    def simulate(
        self, start: Any, periods: int, *, random_state: int | np.random.Generator | None = None
    ) -> npt.NDArray[np.int64]:
        """Draw paths of positions, shape (n_paths, periods + 1).

        Parameters
        ----------
        start : array-like of int, shape (n_paths,)
            Position of each path's first state.
        periods : int
        random_state : int or Generator, optional
        """
        rng = np.random.default_rng(random_state)
        return _math.walk(self.matrix, np.asarray(start), check_horizon(periods), rng)

    def distribution(self, start: Any, periods: int) -> Floats:
        """Chance of each state after 0, 1, ..., ``periods`` periods.

        Parameters
        ----------
        start : hashable or array-like of shape (n,)
            A state, or chances (or numbers of customers) by state.
        periods : int

        Returns
        -------
        ndarray of shape (periods + 1, n)
        """
        out = np.empty((check_horizon(periods) + 1, self.n_states))
        out[0] = self.start_vector(start)
        for h in range(periods):
            out[h + 1] = self.matrix.T @ out[h]
        return out

    def start_vector(self, start: Any) -> Floats:
        """``start`` as a vector over states: a state's name, or numbers by state."""
        if isinstance(start, Hashable) and start in self.states:
            vector = np.zeros(self.n_states)
            vector[self.position(start)] = 1.0
            return vector
        vector = np.asarray(by_state(start, self.states, "start"), dtype=np.float64)
        if vector.shape != (self.n_states,):
            raise ValueError(f"start must be a state or {self.n_states} numbers.")
        return vector

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values (tuples of numbers or strings as names become lists)."""
        coo = sp.coo_array(self.matrix)
        return sealed(
            "Chain",
            states=[list(s) if isinstance(s, tuple) else s for s in self.states],
            absorbing=[list(s) if isinstance(s, tuple) else s for s in self.absorbing],
            sparse=self.is_sparse,
            row=coo.row.tolist(),
            col=coo.col.tolist(),
            chance=coo.data.tolist(),
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Chain:
        """Chain from what ``to_dict`` gave.

        Raises
        ------
        ArtefactError
            If the dictionary is broken, was changed since it was written, or holds another model.
            It is a ``ValueError``; to change a chain on purpose, build it from its matrix.
        """
        with reading("chain"):
            if isinstance(plain, Mapping) and plain.get("version") == 1:  # written without a seal
                check_names(plain, {"version", *_WRITTEN}, "the chain")
            else:
                plain = unseal(plain, schemas=(2,), keys=_WRITTEN, model="Chain")
            states = [tuple(s) if isinstance(s, list) else s for s in plain["states"]]
            gone = [tuple(s) if isinstance(s, list) else s for s in plain["absorbing"]]
            if not isinstance(plain["sparse"], bool):
                raise ArtefactError("sparse must be true or false.")
            chance = [number(value, "a chance") for value in plain["chance"]]
            at = [places(plain[name], len(states)) for name in ("row", "col")]
            if not len(chance) == len(at[0]) == len(at[1]):
                raise ArtefactError("row, col and chance must be of one length.")
            matrix = from_entries(chance, at[0], at[1], len(states))
            made = matrix if plain["sparse"] else matrix.toarray()
            return cls(tuple(states), made, tuple(gone))


_WRITTEN = ("states", "absorbing", "sparse", "row", "col", "chance")


def by_state(given: Any, states: tuple[Hashable, ...], name: str) -> Any:
    """Put the labels of a pandas object, or a dict's keys, in the order of the states.

    An index that only counts rows names nothing, so that its values are taken as they stand.

    Raises
    ------
    ValueError
        If there are labels other than the states.
    """
    if isinstance(given, Mapping):
        given = pd.Series(dict(given))
    if not isinstance(given, (pd.Series, pd.DataFrame)):
        return given
    axes = [given.index] if isinstance(given, pd.Series) else [given.index, given.columns]
    out = given.to_numpy()
    for axis, index in enumerate(axes):
        labels = list(index)
        if isinstance(index, pd.RangeIndex) and set(labels) != set(states):
            continue
        if len(set(labels)) < len(labels) or set(labels) != set(states):
            odd = [label for label in labels if label not in states]
            lost = [state for state in states if state not in labels]
            what = f"has {', '.join(map(repr, odd[:5]))}" if odd else "has labels twice"
            what = f"lacks {', '.join(map(repr, lost[:5]))}" if lost and not odd else what
            raise ValueError(
                f"{name} has labels that are not the chain's states: it {what}. Label it with the "
                "states, or pass plain numbers in their order."
            )
        out = np.take(out, [labels.index(state) for state in states], axis=axis)
    return out


def discount_factor(discount_rate: float) -> float:
    """δ = 1 / (1 + d), for a rate of one period above -1."""
    rate = float(discount_rate)
    if not np.isfinite(rate) or rate <= -1.0:
        raise ValueError(f"discount_rate={discount_rate!r} must be finite and above -1.")
    if rate > 1.0:
        raise ValueError(
            f"discount_rate={discount_rate!r} would be {rate:.0%} a period; {rate:g} % is "
            f"{rate / 100:g}."
        )
    return 1.0 / (1.0 + rate)


def check_horizon(horizon: int) -> int:
    """Return a whole, non-negative number of periods."""
    whole = int(horizon)
    if whole != horizon or whole < 0:
        raise ValueError(f"horizon={horizon!r} must be a whole number of periods, 0 or more.")
    return whole


def check_timing(timing: str) -> str:
    """Return ``timing`` if it is one of the two that exist."""
    if timing not in ("start", "end"):
        raise ValueError(f"timing={timing!r} must be 'start' or 'end'.")
    return timing


def _as_matrix(matrix: Any) -> Any:
    if is_sparse(matrix):
        out: Any = sp.csr_array(matrix, dtype=np.float64, copy=True)
        out.data.setflags(write=False)
        return out
    dense = np.array(matrix, dtype=np.float64)
    dense.setflags(write=False)
    return dense
