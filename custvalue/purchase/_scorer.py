"""Single customers in microseconds: a frozen law with its parameters and horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.purchase._law import PurchaseLaw


@dataclass(frozen=True)
class Scorer:
    """Expected orders and P(alive) of one customer at a time; holds no data, changes no state.

    Parameters
    ----------
    law : PurchaseLaw
    params : NamedTuple
    t : float
        Horizon in the unit of the parameters.

    Examples
    --------
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W")
    >>> score = model.scorer(horizon="13W")
    >>> round(score(2, 30.43, 38.86), 4), round(score.alive(2, 30.43, 38.86), 4)
    (0.4769, 0.7062)
    """

    law: PurchaseLaw
    params: Any
    t: float

    def __call__(self, frequency: float, recency: float, T: float) -> float:
        """Forecast the expected orders within the horizon."""
        alive = self.alive(frequency, recency, T)
        x, end = np.array([float(frequency)]), np.array([float(T)])
        future = self.law.alive(*self.params, x, end)
        return alive * float(self.law.expected_orders(*future, self.t)[0])

    def alive(self, frequency: float, recency: float, T: float) -> float:
        """P(still a customer)."""
        x, t_x, end = float(frequency), float(recency), float(T)
        if not (0 <= t_x <= end < np.inf and x >= 0 and x % 1 == 0 and (x > 0) == (t_x > 0)):
            raise DataContractError(
                ContractProblem(
                    "history",
                    f"frequency={x:g}, recency={t_x:g}, T={end:g} is no history: frequency is a "
                    "whole number of repeat orders, 0 <= recency <= T, both 0 or neither",
                    "custvalue.summarize makes these three numbers.",
                )
            )
        return float(
            self.law.prob_alive(*self.params, np.array([x]), np.array([t_x]), np.array([end]))[0]
        )
