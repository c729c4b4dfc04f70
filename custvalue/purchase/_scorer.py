"""Single customers in microseconds: a frozen law with its parameters and horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._histories import history_problems
from custvalue._open_table import open_table
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.likelihood._for_rooms import Effects, own_parameters
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
    effects : Effects or None, default=None
        Columns that move the parameters; the customer's are given by name.

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
    effects: Effects | None = None

    def __call__(self, frequency: float, recency: float, T: float, **columns: Any) -> float:
        """Forecast the expected orders within the horizon."""
        alive = self.alive(frequency, recency, T, **columns)
        history = (np.array([float(v)]) for v in (frequency, recency, T))
        future = self.law.alive(*self._own(columns), *history)
        return alive * float(self.law.expected_orders(*future, self.t)[0])

    def _own(self, columns: dict[str, Any]) -> Any:
        """Parameters of the customer."""
        if self.effects is None:
            return self.params
        import pandas as pd

        Z = self.effects.design(open_table(pd.DataFrame([columns])), "the scorer")
        return own_parameters(self.law, self.params, self.effects, Z)

    def alive(self, frequency: float, recency: float, T: float, **columns: Any) -> float:
        """P(still a customer)."""
        history = tuple(np.array([float(v)]) for v in (frequency, recency, T))
        counts = frequency >= 0 and frequency % 1 == 0 and (frequency > 0) == (recency > 0)
        if not (counts and 0 <= recency <= T < np.inf):
            no_time = ContractProblem("not-finite", "a number is missing or infinite", "Give all.")
            raise DataContractError(history_problems(*history) or [no_time])
        return float(self.law.prob_alive(*self._own(columns), *history)[0])
