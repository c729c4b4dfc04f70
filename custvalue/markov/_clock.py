"""How a column of the panel moves on from period to period: age, a season, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._units import in_units
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.markov._orders import spread
from custvalue.markov._sparse import Floats

Ints = npt.NDArray[np.int64]

AGE = "age"


@dataclass(frozen=True, eq=False)
class Clock:
    """How a column of the panel moves on, and the levels it passes.

    Parameters
    ----------
    column, cycle, starts, level, after, entry
        As in ``Levels``.
    """

    column: str
    cycle: int
    starts: Floats
    level: Ints
    after: Ints
    entry: Floats

    @classmethod
    def read(
        cls, by: Any, unit: str | None, values: Floats, period: Ints | None, newest: Floats
    ) -> Clock:
        """Work out levels and faces.

        Parameters
        ----------
        by : str or mapping of one name to a length of time
        unit : str or None
            Length of a period.
        values : ndarray of shape (n_rows,)
            The column, all rows of the panel.
        period : ndarray of int or None
        newest : ndarray
            The column in customers' first rows.
        """
        column, span = split_by(by)
        if span is not None:
            return cls._going_round(column, _whole_cycle(column, span, unit), values, period)
        if column == AGE:
            starts = np.asarray(spread(int(values.max()) + 1)[:-1], dtype=np.float64)
            starts = starts[starts <= values.max()]
            ages = np.arange(int(starts[-1]) + 1)
            level = np.searchsorted(starts, ages, side="right") - 1
            entry = (ages == 0).astype(np.float64)
            return cls(column, 0, starts, level, np.minimum(ages + 1, ages[-1]), entry)
        starts, count = np.unique(values, return_counts=True)
        each = np.arange(len(starts))
        come = np.searchsorted(starts, newest)
        size = np.bincount(come, minlength=len(starts)) if len(newest) else count
        return cls(column, 0, starts, each, each, size / size.sum())

    @classmethod
    def _going_round(cls, column: str, cycle: int, values: Floats, period: Ints | None) -> Clock:
        if period is None:
            raise DataContractError(
                ContractProblem(
                    "missing-column",
                    f"by={{{column!r}: ...}} needs a column 'period', and X has none",
                    "Use the table of custvalue.panel.",
                )
            )
        starts, which = np.unique(values, return_inverse=True)
        step = period % cycle
        lowest, highest = np.full(cycle, len(starts)), np.full(cycle, -1)
        np.minimum.at(lowest, step, which.ravel())
        np.maximum.at(highest, step, which.ravel())
        torn = np.flatnonzero((highest >= 0) & (lowest != highest))
        if len(torn):
            rows = np.isin(step, torn)
            shown = [
                f"period {int(period[np.flatnonzero(step == k)[0]])} and every {cycle} later"
                for k in torn[:3]
            ]
            raise DataContractError(
                ContractProblem(
                    "no-cycle",
                    f"column {column!r} does not repeat every {cycle} periods: rows of "
                    f"{'; '.join(shown)} have different values",
                    "Make it of the period alone, e.g. panel['period'] % 13, or leave the cycle "
                    "out for a column that stays with the customer.",
                    int(rows.sum()),
                )
            )
        missing = np.flatnonzero(highest < 0)
        if len(missing):
            raise DataContractError(
                ContractProblem(
                    "short-history",
                    f"the panel covers {cycle - len(missing)} of the {cycle} periods of a cycle of "
                    f"{column!r}",
                    "A season can only be learned from a whole one: use a longer history.",
                )
            )
        entry = (np.arange(cycle) == int(period.max()) % cycle).astype(np.float64)
        after = (np.arange(cycle) + 1) % cycle
        return cls(column, cycle, starts, lowest[after], after, entry)

    def moved(self, values: Floats, before: Ints, after: Ints) -> Ints:
        """Level of each move."""
        there = values[after] if self.cycle else values[before]
        if self.column == AGE and not self.cycle:
            return self.level[face_of(AGE, 0, self.starts, there)]
        return np.searchsorted(self.starts, there)


def split_by(by: Any) -> tuple[str, Any]:
    """Name of the column and the length of its cycle, None where it does not go round."""
    if isinstance(by, str):
        return by, None
    if not isinstance(by, Mapping) or len(by) != 1 or not isinstance(next(iter(by)), str):
        raise ValueError(
            f"by={by!r} must be the name of a column, or {{name: length of its cycle}} for a "
            "season, e.g. {'season': '52W'}."
        )
    return next(iter(by.items()))


def _whole_cycle(column: str, span: Any, unit: str | None) -> int:
    periods = in_units(span, unit, "by")
    whole = round(periods)
    if whole < 2 or abs(periods - whole) > 1e-6:
        raise ValueError(
            f"by={{{column!r}: {span!r}}}: a cycle must be a whole number of periods, at least 2; "
            f"it is {periods:.6g} of {unit or 'one'}. With 4W use 52W, with 1M use 12M."
        )
    return whole


def face_of(column: str, cycle: int, starts: Floats, values: Floats) -> Ints:
    """Face of the clock for each value: age, period of a cycle, or a level that stays."""
    if cycle:
        return values.astype(np.int64) % cycle
    if column == AGE:
        return np.clip(values, 0, starts[-1]).astype(np.int64)
    place = np.clip(np.searchsorted(starts, values), 0, len(starts) - 1)
    strange = starts[place] != values
    if strange.any():
        raise DataContractError(
            ContractProblem(
                "unseen-level",
                f"column {column!r} has values that fit did not see: "
                f"{np.unique(values[strange])[:5].tolist()}",
                "Fit on rows with these values, or leave such rows out.",
                int(strange.sum()),
            )
        )
    return place
