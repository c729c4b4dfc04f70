"""The transition matrix that the purchase and spend laws expect (the source's posterior matrix).

P(j | i) = E[P(j | λ, ν) | state i]: for each kind of customer-period in state i the law says how
likely 0, 1, 2, ... orders are in the next period, the Gamma-Gamma law what they bring together;
the discretiser says which state that is; the members of the state are averaged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv
from sklearn.base import clone

from custvalue._warn import heard
from custvalue.exceptions import BoundaryFitWarning, DataContractError, FitFailedError
from custvalue.markov._factored import History
from custvalue.markov._orders import Ints
from custvalue.markov._sparse import Floats
from custvalue.spend import GammaGamma

# More orders than this in one period count as this many.
_MOST_ORDERS = 6
# The spend of a period's orders is looked at these quantiles, each standing for a fifth.
_QUANTILES = (np.arange(5) + 0.5) / 5.0


class LawMoves(NamedTuple):
    """Expected moves of kinds of customer-periods.

    Attributes
    ----------
    kind : ndarray of int
        Which kind each move starts from.
    chance : ndarray
        Chance of the move, given the kind.
    columns : dict
        ``silence``, ``n_orders``, ``mean_value``, ... of the row it leads to.
    row : ndarray of int
        For each kind, a row of the panel that is of it.
    weight : ndarray
        Rows of each kind.
    money : ndarray
        Expected spend of each kind in the next period.
    """

    kind: Ints
    chance: Floats
    columns: dict[str, Floats]
    row: Ints
    weight: Floats
    money: Floats


def fit_spend(history: History, last: Ints, spend: Any) -> Any | None:
    """Fit the spend law to orders and mean spend, or None where it cannot be fitted."""
    rows = np.column_stack([history.n_orders[last], history.mean_value[last]])
    model = GammaGamma() if not hasattr(spend, "params_") and spend is None else clone(spend)
    try:
        with heard(BoundaryFitWarning):
            return model.fit(rows)
    except (DataContractError, FitFailedError):
        return None


def law_moves(history: History, place: Ints, purchases: Any, spend: Any) -> LawMoves:
    """Where the laws expect each kind of customer-period to be one period later.

    A kind is a state, number of orders, silence and age; its mean spend is that of one of its rows.
    """
    key = np.column_stack([place, history.n_orders.astype(np.int64), history.silence, history.age])
    _, row, member, weight = np.unique(
        key, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    n, silence, age = (v[row].astype(np.float64) for v in key.T[1:])
    of_kind = np.bincount(member.ravel(), weights=history.mean_value) / weight
    T = age + 0.5
    t_x = np.where(n > 1, np.minimum(np.maximum(age - silence, 0.25), T), 0.0)
    rows = np.column_stack([n - 1.0, t_x, T])
    chance = np.asarray(purchases.predict_pmf(rows, horizon=1.0, n_max=_MOST_ORDERS))
    chance[:, -1] += np.maximum(1.0 - chance.sum(axis=1), 0.0)
    chance /= chance.sum(axis=1, keepdims=True)
    n_kinds = len(row)
    each = np.arange(n_kinds)
    kinds, parts = [each], [chance[:, 0]]
    moved = {"silence": [silence + 1.0], "n_orders": [n], "mean_value": [of_kind]}
    p, q, gamma = spend.params_
    for k in range(1, chance.shape[1]):
        for level in _QUANTILES:
            share = betaincinv(p * k, q + p * n, level)
            together = (gamma + n * of_kind) * share / np.maximum(1.0 - share, 1e-12)
            kinds.append(each)
            parts.append(chance[:, k] / len(_QUANTILES))
            moved["silence"].append(np.zeros(n_kinds))
            moved["n_orders"].append(n + k)
            moved["mean_value"].append((n * of_kind + together) / (n + k))
    kind = np.concatenate(kinds)
    columns = {name: np.concatenate(values) for name, values in moved.items()}
    columns["total_value"] = columns["n_orders"] * columns["mean_value"]
    columns["frequency"] = columns["n_orders"] - 1.0
    columns["age"] = age[kind] + 1.0
    columns["T"] = T[kind] + 1.0
    columns["recency"] = np.maximum(columns["T"] - columns["silence"] - 0.5, 0.0)
    orders = np.asarray(purchases.predict(rows, horizon=1.0))
    money = orders * np.asarray(spend.predict(np.column_stack([n, of_kind])))
    return LawMoves(kind, np.concatenate(parts), columns, row, weight.astype(np.float64), money)
