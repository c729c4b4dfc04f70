"""How sure P(alive) of each customer is, the parameters being estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue._fitted import check_level
from custvalue._frames import frame_like
from custvalue._open_table import open_table
from custvalue._work import MOST_CELLS, check_work
from custvalue.purchase import _forecast

if TYPE_CHECKING:
    from custvalue.purchase._base import PurchaseModel


def alive_interval(
    model: PurchaseModel, X: Any, draws: npt.ArrayLike, *, level: float = 0.8
) -> Any:
    """Say how sure P(alive) of each row is, the parameters being estimates.

    A law that was fitted on a few hundred customers states P(alive) too surely: where MBG/NBD and
    Pareto/NBD say .06 on samples of 200, up to a third may be alive. The spread over parameters
    that could as well have been fitted says how far each figure can be believed.

    Parameters
    ----------
    model : fitted purchase model
    X : table with columns frequency, recency, T, or array with these three columns first
    draws : DataFrame or array-like of shape (n_draws, n_parameters)
        Parameters that could as well have been fitted: ``model.bootstrap(...)`` on the rows of the
        fit, which small samples need, or ``model.parameter_draws(n)`` for large ones.
    level : float, default=0.8

    Returns
    -------
    table of the kind of X
        ``alive`` (what ``predict_alive`` says), ``standard_error``, ``lower``, ``upper``
        (quantiles over the draws, widened to hold ``alive``); same rows, same order.

    Raises
    ------
    ValueError
        If draws have another number of parameters than the model, or there are fewer than two.

    Examples
    --------
    >>> from custvalue.purchase import MBGNBD, alive_interval
    >>> X = MBGNBD.from_params(r=0.5, alpha=6.0, a=0.9, b=1.6).sample_histories(
    ...     300, T=30.0, random_state=0)
    >>> model = MBGNBD().fit(X)
    >>> table = alive_interval(model, X, model.bootstrap(X, n_draws=20, random_state=0))
    >>> bool(((table["lower"] <= table["alive"]) & (table["alive"] <= table["upper"])).all())
    True
    """
    model._plain("alive_interval")
    table = open_table(X)
    past, params = model._past(table)
    drawn = np.asarray(draws, dtype=np.float64)
    names = model.fitted_.names
    if drawn.ndim != 2 or drawn.shape[1] != len(names) or len(drawn) < 2:
        raise ValueError(
            f"draws must have shape (n_draws, {len(names)}), two draws or more of "
            f"{', '.join(names)}; their shape is {drawn.shape}."
        )
    tail = (1.0 - check_level(level)) / 2.0
    check_work(len(past.x) * len(drawn), MOST_CELLS, "chances", "Give fewer rows or draws.")
    alive = _forecast.alive_now(model.law, params, past)
    each = np.stack(
        [_forecast.alive_now(model.law, model._params_at(row, table), past) for row in drawn]
    )
    low, high = np.quantile(each, [tail, 1.0 - tail], axis=0)
    return frame_like(
        table.given,
        {
            "alive": alive,
            "standard_error": each.std(axis=0, ddof=1),
            "lower": np.minimum(low, alive),
            "upper": np.maximum(high, alive),
        },
    )
