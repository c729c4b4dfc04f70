"""What to do with customers in each state: a Markov decision process over states and actions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from custvalue._sparse import is_sparse
from custvalue._typing import Floats, Ints
from custvalue.chains._chain import Chain, Timing, check_horizon, check_timing, discount_factor


class Policy(NamedTuple):
    """What to do in each state, and what it is worth.

    Attributes
    ----------
    actions : tuple
        One action a state; over a finite horizon, the action of the first period.
    value : ndarray of shape (n_states,)

    Examples
    --------
    >>> Policy(("mail", "rest"), [2.0, 0.0]).actions
    ('mail', 'rest')
    """

    actions: tuple[Hashable, ...]
    value: Floats


@dataclass(frozen=True, eq=False, repr=False)
class DecisionChain:
    """States, actions, and what each action does to next period's state and money.

    Parameters
    ----------
    chains : mapping of action to Chain
        The transition matrix under each action; the same states in the same order.
    rewards : mapping of action to array-like of shape (n_states,)
        Expected profit of a period by state under the action, its cost taken off.
    costs : mapping of action to float or array-like of shape (n_states,), optional
        What the action spends of a budget (already part of the reward); 0 where not given.

    Raises
    ------
    ValueError
        If actions or states differ between the mappings.

    References
    ----------
    Howard, R. A. (1960), Dynamic Programming and Markov Processes, MIT Press. Pfeifer, P. E. &
    Carraway, R. L. (2000), Journal of Interactive Marketing 14(2), 43-55.

    Examples
    --------
    Pfeifer & Carraway: contact costs 4, an order brings 40, and nobody orders without contact.

    >>> from custvalue.chains import Chain, DecisionChain
    >>> states = ["r1", "r2", "r3", "r4", "gone"]
    >>> mail = Chain(states, [[.3, .7, 0, 0, 0], [.2, 0, .8, 0, 0], [.15, 0, 0, .85, 0],
    ...                       [.05, 0, 0, 0, .95], [0, 0, 0, 0, 1]])
    >>> rest = Chain(states, [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0],
    ...                       [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]])
    >>> problem = DecisionChain(
    ...     {"mail": mail, "rest": rest},
    ...     {"mail": [36, -4, -4, -4, -4], "rest": [40, 0, 0, 0, 0]},
    ... )
    >>> problem.best(discount_rate=0.2).actions
    ('mail', 'mail', 'mail', 'rest', 'rest')
    """

    chains: Mapping[Hashable, Chain]
    rewards: Mapping[Hashable, Any]
    costs: Mapping[Hashable, Any] | None = None

    def __post_init__(self) -> None:
        if not self.chains or set(self.chains) != set(self.rewards):
            raise ValueError("chains and rewards must name the same actions, at least one.")
        if self.costs is not None and not set(self.costs) <= set(self.chains):
            raise ValueError("costs names actions that do not exist.")
        first = next(iter(self.chains.values()))
        for action, chain in self.chains.items():
            if chain.states != first.states:
                raise ValueError(f"action {action!r} has other states than the first action.")
        n = first.n_states
        rewards = {a: first_shape(self.rewards[a], n, f"rewards[{a!r}]") for a in self.chains}
        costs = {a: first_shape((self.costs or {}).get(a, 0.0), n, "costs") for a in self.chains}
        object.__setattr__(self, "chains", dict(self.chains))
        object.__setattr__(self, "rewards", rewards)
        object.__setattr__(self, "costs", costs)

    @classmethod
    def from_response(
        cls,
        rest: Chain,
        response: Any,
        *,
        order_state: Hashable,
        reward: Any,
        contact_cost: Any,
        order_value: Any = 0.0,
        actions: tuple[Hashable, Hashable] = ("contact", "rest"),
    ) -> DecisionChain:
        """Build contact and rest from the response that a random experiment measured by state.

        A contact adds ``response`` to the chance of an order; all other moves become rarer in
        proportion, as who does not order goes the way of those who did not before.

        Parameters
        ----------
        rest : Chain
            Moves without a contact: of a control group.
        response : float, array-like of shape (n_states,) or mapping of state to float
            Chance of an order with a contact less that without: mean of ``UpliftModel.predict`` by
            state, or treated less control. The share that answered is no such difference where some
            order anyway. States that a mapping does not name are not moved.
        order_state : hashable
            State that an order leads to.
        reward : float or array-like of shape (n_states,)
            Expected profit of a period by state without a contact.
        contact_cost : float or array-like of shape (n_states,)
        order_value : float or array-like of shape (n_states,), default=0.0
            Profit of an additional order in the period of the contact. 0 where ``reward`` pays it
            in ``order_state``.
        actions : tuple of two hashables, default=("contact", "rest")

        Returns
        -------
        DecisionChain
            With ``costs`` of the contact.

        Raises
        ------
        ValueError
            If a state is unknown, or chances of an order with a contact leave 0 to 1.

        Examples
        --------
        Pfeifer & Carraway's customers again, by their response at each recency:

        >>> from custvalue.chains import Chain, DecisionChain
        >>> states = ["r1", "r2", "r3", "r4", "gone"]
        >>> rest = Chain(states, [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0],
        ...                       [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]])
        >>> problem = DecisionChain.from_response(
        ...     rest, {"r1": 0.3, "r2": 0.2, "r3": 0.15, "r4": 0.05}, order_state="r1",
        ...     reward=[40, 0, 0, 0, 0], contact_cost=4,
        ... )
        >>> problem.best(discount_rate=0.2).actions
        ('contact', 'contact', 'contact', 'rest', 'rest')
        """
        states, n = rest.states, rest.n_states
        if isinstance(response, Mapping):
            unknown = [s for s in response if s not in states]
            if unknown:
                raise ValueError(f"response names {unknown!r}; the states are {list(states)!r}.")
            response = [response.get(s, 0.0) for s in states]
        if order_state not in states:
            raise ValueError(f"order_state={order_state!r} must be one of {list(states)!r}.")
        more = first_shape(response, n, "response")
        cost = first_shape(contact_cost, n, "contact_cost")
        if (cost < 0).any():
            raise ValueError(f"contact_cost={contact_cost!r} must be at least 0.")
        to = states.index(order_state)
        matrix = np.array(rest.dense(), dtype=np.float64)
        before = matrix[:, to].copy()
        after = before + more
        # who always orders has no other way to go
        off = (after < -1e-12) | (after > 1 + 1e-12) | ((before >= 1) & (more != 0))
        if off.any():
            told = ", ".join(
                f"{states[i]!r} ({before[i]:.4g} + {more[i]:.4g})" for i in np.flatnonzero(off)[:5]
            )
            raise ValueError(
                f"the chance of an order with a contact is none in {int(off.sum())} states: {told}."
            )
        after = np.clip(after, 0.0, 1.0)
        moved = more != 0
        matrix[moved] *= ((1 - after[moved]) / (1 - before[moved]))[:, None]
        matrix[moved, to] = after[moved]
        plain = first_shape(reward, n, "reward")
        added = plain + more * first_shape(order_value, n, "order_value") - cost
        contact, still = actions
        return cls(
            {contact: Chain(states, matrix), still: rest},
            {contact: added, still: plain},
            {contact: cost},
        )

    def __repr__(self) -> str:
        return f"DecisionChain({len(self.states)} states, actions={list(self.chains)!r})"

    @property
    def states(self) -> tuple[Hashable, ...]:
        """Names of the states."""
        return next(iter(self.chains.values())).states

    @property
    def actions(self) -> tuple[Hashable, ...]:
        """Names of the actions."""
        return tuple(self.chains)

    def follow(self, policy: Any) -> tuple[Chain, Floats]:
        """Chain and reward under one action a state.

        Parameters
        ----------
        policy : action or sequence of actions, one a state

        Returns
        -------
        chain : Chain
        reward : ndarray of shape (n_states,)
        """
        chosen = self._positions(policy)
        actions = self.actions
        matrix = np.empty((len(self.states), len(self.states)))
        reward = np.empty(len(self.states))
        for k, action in enumerate(actions):
            mine = chosen == k
            rows = self.chains[action].matrix[mine]
            matrix[mine] = rows.toarray() if is_sparse(rows) else rows
            reward[mine] = self.rewards[action][mine]
        return Chain(self.states, matrix), reward

    def value(
        self,
        policy: Any,
        *,
        horizon: int | None = None,
        discount_rate: float = 0.2,
        timing: Timing = "start",
    ) -> Floats:
        """Value by state when ``policy`` is followed in every period; see ``Chain.value``."""
        chain, reward = self.follow(policy)
        return chain.value(reward, horizon=horizon, discount_rate=discount_rate, timing=timing)

    def best(
        self,
        *,
        horizon: int | None = None,
        discount_rate: float = 0.2,
        timing: Timing = "start",
        price: float = 0.0,
    ) -> Policy:
        """Best action in each state.

        An infinite horizon is solved by policy iteration, a finite one backwards. Where two
        actions are worth the same, the one named last wins: name the cheapest last.

        Parameters
        ----------
        horizon : int or None, default=None
        discount_rate : float, default=0.2
        timing : {"start", "end"}, default="start"
        price : float, default=0.0
            What a unit of ``costs`` counts on top (the multiplier of a budget).

        Returns
        -------
        Policy
            Its value leaves the price out.
        """
        delta = discount_factor(discount_rate)
        lead = 1.0 if check_timing(timing) == "start" else delta
        rewards = {a: self.rewards[a] - price * self._cost(a) for a in self.actions}
        if horizon is not None:
            steps = check_horizon(horizon) + (timing == "start")
            v = np.zeros(len(self.states))
            true = np.zeros_like(v)
            chosen = np.full(len(v), len(self.actions) - 1)
            for _ in range(steps):
                chosen = self._choose(v, rewards, delta)
                v = self._step(v, rewards, chosen, delta)
                true = self._step(true, self.rewards, chosen, delta)
            return Policy(self._names(chosen), lead * true)
        if delta >= 1.0:
            raise ValueError(
                "an infinite horizon needs a discount rate above 0, or give a horizon."
            )
        chosen = np.full(len(self.states), len(self.actions) - 1)
        for _ in range(1000):
            chain, _ = self.follow(self._names(chosen))
            reward = np.choose(chosen, [rewards[a] for a in self.actions])
            v = chain.value(reward, discount_rate=discount_rate)
            better = self._choose(v, rewards, delta, keep=chosen)
            if np.array_equal(better, chosen):
                break
            chosen = better
        names = self._names(chosen)
        return Policy(names, self.value(names, discount_rate=discount_rate, timing=timing))

    def best_within(
        self,
        budget: float,
        customers: Any,
        *,
        horizon: int | None = None,
        discount_rate: float = 0.2,
        timing: Timing = "start",
    ) -> Policy:
        """Best policy whose cost in the coming period keeps within a budget.

        The price of a unit of cost is raised until the policy fits (Lagrange); the policy is best
        among all that cost as little.

        Parameters
        ----------
        budget : float
            Money for the coming period.
        customers : array-like of shape (n_states,)
            Customers in each state now.
        horizon, discount_rate, timing
            As in ``best``.

        Returns
        -------
        Policy

        Raises
        ------
        ValueError
            If even the cheapest actions cost more than the budget.
        """
        size = np.asarray(customers, dtype=np.float64)
        best = partial(self.best, horizon=horizon, discount_rate=discount_rate, timing=timing)

        def spent(policy: Policy) -> float:
            chosen = self._positions(policy.actions)
            return float(size @ np.choose(chosen, [self._cost(a) for a in self.actions]))

        free = best()
        if spent(free) <= budget:
            return free
        low, high = 0.0, 1.0
        policy = best(price=high)
        while spent(policy) > budget:
            low, high = high, 2.0 * high
            if high > 1e12:
                raise ValueError(f"no policy costs less than the budget of {budget:g}.")
            policy = best(price=high)
        for _ in range(60):
            middle = 0.5 * (low + high)
            tried = best(price=middle)
            if spent(tried) > budget:
                low = middle
            else:
                high, policy = middle, tried
        return policy

    def compare(self, policies: Mapping[str, Any], customers: Any, **how: Any) -> Any:
        """Value of several policies for today's customers, best policy included.

        Parameters
        ----------
        policies : mapping of name to policy
            E.g. ``{"today": [...], "never": "rest"}``.
        customers : array-like of shape (n_states,)
        **how
            ``horizon``, ``discount_rate``, ``timing`` as in ``value``.

        Returns
        -------
        DataFrame
            ``policy``, ``value``, ``gain`` (over the first policy).
        """
        import pandas as pd

        size = np.asarray(customers, dtype=np.float64)
        total = {name: float(size @ self.value(p, **how)) for name, p in policies.items()}
        total["best"] = float(size @ self.best(**how).value)
        table = pd.DataFrame({"policy": list(total), "value": list(total.values())})
        table["gain"] = table["value"] - table["value"].iloc[0]
        return table

    def sensitivity(self, action: Hashable, base: Hashable, factors: Any, **how: Any) -> Any:
        """How the best policy changes when ``action`` works less or better than assumed.

        Parameters
        ----------
        action, base : actions
            The effect of ``action`` is its difference from ``base``, in moves and in reward.
        factors : sequence of float
            Shares of the assumed effect, e.g. (0, 0.5, 1).
        **how
            ``horizon``, ``discount_rate``, ``timing`` as in ``best``.

        Returns
        -------
        DataFrame
            ``factor``, ``states`` (in which ``action`` is best), ``value`` (summed over states).
        """
        import pandas as pd

        rows = []
        to, start = self.chains[action].dense(), self.chains[base].dense()
        effect = self.rewards[action] + self._cost(action) - self.rewards[base] - self._cost(base)
        for factor in factors:
            matrix = np.clip(start + factor * (to - start), 0.0, None)
            matrix /= matrix.sum(axis=1, keepdims=True)
            reward = self.rewards[base] + self._cost(base) + factor * effect - self._cost(action)
            tried = DecisionChain(
                {**self.chains, action: Chain(self.states, matrix)},
                {**self.rewards, action: reward},
                self.costs,
            ).best(**how)
            where = tuple(s for s, a in zip(self.states, tried.actions, strict=True) if a == action)
            rows.append((float(factor), where, float(tried.value.sum())))
        return pd.DataFrame(rows, columns=["factor", "states", "value"])

    def _cost(self, action: Hashable) -> Floats:
        assert self.costs is not None  # given or not, every action has its cost since it was made
        cost: Floats = self.costs[action]
        return cost

    def _step(
        self, v: Floats, rewards: Mapping[Hashable, Floats], chosen: Ints, delta: float
    ) -> Floats:
        return np.choose(
            chosen, [rewards[a] + delta * (self.chains[a].matrix @ v) for a in self.actions]
        )

    def _choose(
        self,
        v: Floats,
        rewards: Mapping[Hashable, Floats],
        delta: float,
        keep: Ints | None = None,
    ) -> Ints:
        worth = np.stack([rewards[a] + delta * (self.chains[a].matrix @ v) for a in self.actions])
        slack = 1e-10 * (1.0 + np.abs(worth).max())
        top = worth.max(axis=0)
        last = len(self.actions) - 1 - (worth >= top - slack)[::-1].argmax(axis=0)
        if keep is None:
            return last
        stays = worth[keep, np.arange(worth.shape[1])] >= top - slack
        return np.where(stays, keep, last)

    def _names(self, chosen: Ints) -> tuple[Hashable, ...]:
        return tuple(self.actions[k] for k in chosen)

    def _positions(self, policy: Any) -> Ints:
        known = {action: k for k, action in enumerate(self.actions)}
        if isinstance(policy, Hashable) and policy in known:
            return np.full(len(self.states), known[policy])
        given = list(policy)
        if len(given) != len(self.states) or not set(given) <= set(known):
            raise ValueError(
                f"a policy is one of {list(known)!r}, or one of them for each of the "
                f"{len(self.states)} states."
            )
        return np.asarray([known[a] for a in given])


def first_shape(values: Any, n: int, name: str) -> Floats:
    """Values by state as an array of shape (n,); a single number serves all states."""
    out = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)).copy()
    if not np.all(np.isfinite(out)):
        raise ValueError(f"{name} has values that are missing or infinite.")
    return out
