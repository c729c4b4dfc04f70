"""What is read of each customer's stage, and the rules themselves in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_day
from custvalue._labels import translate


def _words(words: Sequence[str], labels: str) -> list[str]:
    return [translate(word, labels) for word in words]


def _days_before(as_of: Any, days: npt.NDArray[np.float64]) -> npt.NDArray[np.datetime64]:
    """Dates that lie the given number of days before ``as_of``; NaT where days are NaN."""
    end = read_day(as_of).astype("datetime64[ms]")
    out = np.full(days.shape, np.datetime64("NaT"), dtype="datetime64[ms]")
    known = ~np.isnan(days)
    whole = end - np.round(days[known] * 86_400_000).astype("timedelta64[ms]")
    out[known] = whole.astype("datetime64[D]")
    return out
