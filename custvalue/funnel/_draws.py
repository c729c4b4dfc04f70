"""Funnels of resampled deals: how sure an estimate is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custvalue._typing import Floats
from custvalue.funnel._counts import Exposure, transition_counts
from custvalue.funnel._events import DealLog
from custvalue.funnel._law import FunnelLaw, group_hazards, pooled_hazards


@dataclass(frozen=True, eq=False, repr=False)
class FunnelDraws:
    """Chains fitted to resampled deals.

    Parameters
    ----------
    laws : tuple of tuple of FunnelLaw
        One entry a draw: the chain of each group, the pooled one last.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 2, 2, 3], "stage": ["lead", "won", "lead", "lost", "lead"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-01", "2024-01-22",
    ...                             "2024-01-08"])})
    >>> funnel = FunnelChain(["lead"], age_classes=1).fit(events, as_of="2024-01-29")
    >>> funnel.bootstrap(events, n_draws=5, random_state=0)
    FunnelDraws(5 draws)
    """

    laws: tuple[tuple[FunnelLaw, ...], ...]

    @classmethod
    def of(
        cls,
        exposure: Exposure,
        log: DealLog,
        groups: Sequence[Any],
        concentration: float | None,
        n_draws: int,
        rng: np.random.Generator,
    ) -> FunnelDraws:
        """Draw the deals of a log with replacement, again and again."""
        shape, n = exposure.shape, log.n_deals
        laws = []
        for _ in range(n_draws):
            weights = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
            parts = transition_counts(exposure.moves(weights), log.groups)
            total: Any = sum(parts.values())
            pooled = pooled_hazards(total, shape)
            own = group_hazards(parts, pooled, shape, concentration)[0] if groups else {}
            laws.append(tuple(FunnelLaw.of(h, shape) for h in [*(own[g] for g in groups), pooled]))
        return cls(tuple(laws))

    def pooled(self, of: Callable[[FunnelLaw], Any]) -> Floats:
        """``of(law)`` of every draw's pooled chain, shape (n_draws, ...)."""
        return np.array([of(laws[-1]) for laws in self.laws])

    def __len__(self) -> int:
        return len(self.laws)

    def __repr__(self) -> str:
        return f"FunnelDraws({len(self.laws)} draws)"
