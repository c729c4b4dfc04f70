"""How customers lie in what a model reads: classes at tenths, and how far they have moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._drift import population_stability
from custvalue._frames import column
from custvalue._portable import check_names, number
from custvalue.exceptions import ArtefactError

INPUTS = ("frequency", "recency", "T", "mean_value", "silence")
_PARTS = 10


@dataclass(frozen=True)
class Shares:
    """Cuts at tenths of a column, and the share of the customers in each class.

    Parameters
    ----------
    cuts : tuple of float
        Ascending; equal tenths are one.
    shares : tuple of float
        One more than cuts.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.monthly._inputs import Shares
    >>> known = Shares.learned(np.arange(100.0))
    >>> round(known.stability(np.arange(100.0)), 12), known.stability(np.arange(50.0)) > 0.25
    (0.0, True)
    """

    cuts: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def learned(cls, values: npt.ArrayLike) -> Shares:
        """Learn from a column; missing values are left out."""
        known = np.asarray(values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            return cls((), (1.0,))
        cuts = np.unique(np.quantile(known, np.arange(1, _PARTS) / _PARTS))
        return cls(tuple(cuts.tolist()), _shares(cuts, known))

    def stability(self, values: npt.ArrayLike) -> float:
        """Measure how far a later column has moved (population stability index)."""
        known = np.asarray(values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if not len(known):
            return 0.0
        return population_stability(self.shares, _shares(np.array(self.cuts), known))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Shares:
        """Inverse of ``dataclasses.asdict``."""
        check_names(plain, ("cuts", "shares"), "shares")
        made = cls(
            tuple(number(one, "a cut") for one in plain["cuts"]),
            tuple(number(one, "a share") for one in plain["shares"]),
        )
        rising = all(a < b for a, b in zip(made.cuts, made.cuts[1:], strict=False))
        if len(made.shares) != len(made.cuts) + 1 or not rising or min(made.shares) < 0:
            raise ArtefactError("shares do not fit their cuts.")
        return made


def shares_of(table: Any) -> dict[str, Shares]:
    """Shares of every input of a table of customers."""
    return {name: Shares.learned(column(table, name)) for name in INPUTS}


def _shares(cuts: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    at = np.searchsorted(cuts, values, side="left")
    return tuple((np.bincount(at, minlength=len(cuts) + 1) / len(values)).tolist())
