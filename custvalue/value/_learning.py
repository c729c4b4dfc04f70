"""What a learner of customer value learns from: dates, horizons, features, columns of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue._value_model import Terms
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import history_frame

if TYPE_CHECKING:
    import pandas as pd

MAX_LEVELS = 20
TRUST = 8.0
LAW_FEATURES = ("horizon", "law_value", "law_chance")


@dataclass(frozen=True)
class KeptColumn:
    """How a column of the log becomes features.

    Parameters
    ----------
    name : str
    levels : tuple of str or None
        Frequent words, each a feature of 0 and 1; None is a column of numbers.
    """

    name: str
    levels: tuple[str, ...] | None

    def features(self, known: TransactionLog) -> dict[str, Floats]:
        """Features of every customer of a log."""
        held = known.last_known(self.name)
        if self.levels is None:
            return {self.name: as_numbers(held)}
        words = text_of(held)
        return {f"{self.name}={w}": (words == w).astype(np.float64) for w in self.levels}


def kept_column(log: TransactionLog, name: str, share: float = 0.01) -> KeptColumn:
    """Numbers stay numbers; of words the 20 most frequent that a share of customers have."""
    held = log.last_known(name)
    if held.dtype.kind in "biuf":
        return KeptColumn(name, None)
    words, count = np.unique(text_of(held), return_counts=True)
    often = np.argsort(-count, kind="stable")[:MAX_LEVELS]
    chosen = [str(words[i]) for i in often if count[i] >= share * len(held)]
    return KeptColumn(name, tuple(sorted(chosen)))


def as_numbers(held: npt.NDArray[Any]) -> Floats:
    """Numbers of a column; a missing one is the median of those that are there."""
    numbers = np.asarray(held, dtype=np.float64).copy()
    gone = ~np.isfinite(numbers)
    numbers[gone] = np.median(numbers[~gone]) if (~gone).any() else 0.0
    return numbers


def text_of(held: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Words of a column; a missing one is the empty word."""
    import pandas as pd

    return np.where(pd.isna(held), "", np.asarray(held, dtype=object)).astype(str)


def horizon_grid(span_days: float, longest: float) -> tuple[int, ...]:
    """Horizons to learn, in days: half the history (at most ``longest``), and halves of it."""
    top = int(min(span_days / 2.0, longest))
    return tuple(sorted({top // 4, top // 2, top} - {0}))


def samples_of(span_days: float, grid: tuple[int, ...], n_cutoffs: int) -> list[tuple[int, int]]:
    """Pairs (days before the end, horizon) whose outcome is known, latest date last.

    Dates lie half of the longest horizon apart; each has at least that much history before it.
    """
    step = max(grid[-1] // 2, 1)
    dates = [k * step for k in range(1, n_cutoffs + 1) if span_days - k * step >= step]
    return [(back, h) for back in reversed(dates) for h in grid if h <= back]


def history_features(
    known: TransactionLog, windows: tuple[str, ...], kept: tuple[KeptColumn, ...]
) -> pd.DataFrame:
    """Features of each customer at a log's end that no horizon and no law has a say in."""
    table = history_frame(known, unit="D", windows=windows)
    gaps = table["frequency"].to_numpy()
    mean_gap = np.where(gaps > 0, table["recency"] / np.where(gaps > 0, gaps, 1.0), table["T"])
    table["mean_gap"] = mean_gap
    table["relative_silence"] = table["silence"] / np.maximum(mean_gap, 1.0)
    for one in kept:
        for name, values in one.features(known).items():
            table[name] = values
    return table


def law_answers(law: Any, rows: Any, days: float) -> tuple[Floats, Floats]:
    """Revenue and chance of an order that a fitted law expects of rows it has read, in so long."""
    terms = Terms(until=float(days), margin=1.0)
    value = np.asarray(law._value(rows, terms), dtype=np.float64)
    chance = np.clip(law._chance(rows, terms), 0.0, 1.0 - 1e-9)
    return np.maximum(value, 0.0), chance


def usual_size(history: pd.DataFrame, value: Floats, chance: Floats, days: float) -> Floats:
    """Size of what comes where something does, as a law says it and a rate does not contradict.

    The law's own, held within a factor of ``TRUST`` of orders at the rate so far, at a spend that
    is shrunk to everybody's by one order: a law fitted on a young log may have no finite mean.
    """
    n, money, T = (history[k].to_numpy(np.float64) for k in ("n_orders", "total_value", "T"))
    spend = (money + money.sum() / max(n.sum(), 1.0)) / (n + 1.0)
    rate = np.maximum(spend, 1e-9) * np.maximum(n * days / (T + days), 1.0)
    return np.clip(value / np.maximum(chance, 1e-300), rate / TRUST, rate * TRUST)


def design(history: Floats, value: Floats, chance: Floats, days: float) -> Floats:
    """Columns that the learners read: of the customer, then ``LAW_FEATURES``."""
    ends = np.column_stack([np.full(len(value), float(days)), value, chance])
    return np.hstack([history, ends])


def stretch_ratios(learned: Floats, law: Floats) -> Floats:
    """How much of what the law expects in each stretch the learner expects; shape (n, k + 1).

    Column j is of the stretch between the grid's ends j - 1 and j; the last one, of all that comes
    after the grid, is the ratio of the sums. ``learned`` and ``law`` are cumulative, shape (n, k);
    what was learned is made to rise with the horizon first.
    """
    rising = np.maximum.accumulate(np.maximum(learned, 0.0), axis=1)
    steps = np.diff(rising, axis=1, prepend=0.0)
    own = np.diff(law, axis=1, prepend=0.0)
    return np.column_stack([steps / own, rising[:, -1] / law[:, -1]])


def over_stretches(
    ratios: Floats, grid: tuple[int, ...], until: float, law_at: Any
) -> npt.NDArray[np.float64]:
    """Sum of the law's stretches, each times its ratio; ``law_at(t)`` is cumulative."""
    total, before = np.zeros(len(ratios)), np.zeros(len(ratios))
    ends = [*(float(g) for g in grid), np.inf]
    for k, end in enumerate(ends):
        here = law_at(min(end, until))
        total += ratios[:, k] * (here - before)
        if until <= end:
            break
        before = here
    return total
