"""Tables of a chain's forecast: its moves and its states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from custvalue._value_model import Terms
from custvalue.markov._forecast import ChainForecast

if TYPE_CHECKING:
    import pandas as pd


def state_columns(states: tuple[Any, ...]) -> npt.NDArray[np.object_]:
    """States as a column; a tuple stays one cell."""
    names = np.empty(len(states), dtype=object)
    names[:] = states
    return names


def transition_table(forecast: ChainForecast, moves: Any = None) -> pd.DataFrame:
    """List the moves that have a chance, one row a pair of states."""
    import pandas as pd

    entries: Any = sp.coo_array(forecast.chain().matrix)
    keep = entries.data > 0.0
    order = np.lexsort((entries.col[keep], entries.row[keep]))
    start, end = entries.row[keep][order], entries.col[keep][order]
    chance = entries.data[keep][order]
    names = state_columns(forecast.states)
    seen = forecast.observed[start]
    columns: dict[str, Any] = {
        "from": names[start],
        "to": names[end],
        "probability": chance,
        "observations": seen.astype(np.int64),
        "standard_error": np.sqrt(chance * (1.0 - chance) / (seen + 1.0)),
    }
    if forecast.by_move is not None:
        spend, profit = (m.matrix() for m in forecast.by_move)
        columns["spend"] = np.asarray(spend[start, end]).ravel()
        columns["profit"] = np.asarray(profit[start, end]).ravel()
    return pd.DataFrame(columns)


def state_table(
    forecast: ChainForecast, terms: Terms, tail: float, n_draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """States with their customers, chance of an order, profit and value."""
    import pandas as pd

    value = forecast.values(terms)
    drawn = forecast.draws(terms, n_draws, rng)
    drawn += value - drawn.mean(axis=0)
    columns: dict[str, Any] = {
        "state": state_columns(forecast.states),
        "customers": forecast.size.astype(np.int64),
        "observations": forecast.observed.astype(np.int64),
    }
    if forecast.buys is not None:
        step, shares = forecast.period(), forecast.shares()
        ordered = (shares * (step.order_stays + step.order_goes)).sum(axis=1)
        columns["purchase_chance"] = ordered
        columns["expected_orders"] = (shares * step.orders).sum(axis=1)
    columns["expected_profit"] = forecast.reward(terms)
    columns["value"] = value
    columns["lower"], columns["upper"] = np.quantile(drawn, [tail, 1.0 - tail], axis=0)
    return pd.DataFrame(columns)
