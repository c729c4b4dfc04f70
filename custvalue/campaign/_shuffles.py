"""Two means or ratios: critical values of their statistic from shuffling customers over groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats

ROUNDING = 1e-12  # of the spread: a difference below it is none
MOST = 4000  # blocks of the smaller group; more tell no more of the critical values


class Groups(NamedTuple):
    """Sums over the customers of both groups, in each draw and, last, as observed.

    Parameters
    ----------
    a, b : ndarray of shape (n_sums, n_draws + 1)
    n_a, n_b : int
        Customers.
    """

    a: Floats
    b: Floats
    n_a: int
    n_b: int


Statistic = Callable[[Groups], tuple[Floats, Floats]]


class Judged(NamedTuple):
    """What chance alone does to the statistic.

    Parameters
    ----------
    least, most : float
        Statistics that are not contradicted.
    gain, loss : bool
        Whether the observed one lies beyond them.
    error : float
        Standard error of the observed difference of the means.
    """

    least: float
    most: float
    gain: bool
    loss: bool
    error: float

    def ends(self, effect: float, error: float) -> tuple[float, float]:
        """Interval of an effect with this standard error; zero is in unless the test says no."""
        low, high = (effect - c * error if error > 0 else effect for c in (self.most, self.least))
        # equal outcomes in a group, and ties: the test says whether zero is in
        return low if self.gain else min(low, 0.0), high if self.loss else max(high, 0.0)


def judge(
    a: Floats,
    b: Floats,
    confidences: Sequence[float],
    n_draws: int,
    rng: np.random.Generator,
    with_replacement: bool = False,
) -> list[Judged]:
    """Critical values, one pair a confidence, from groups drawn from everybody."""
    centre = np.concatenate([a, b]).mean()  # squares of centred outcomes keep their digits
    x, y = (np.stack([v, v * v]) for v in (a - centre, b - centre))
    return _judge(x, y, _welch, confidences, n_draws, rng, with_replacement)


def judge_ratio(
    a: tuple[Floats, Floats],
    b: tuple[Floats, Floats],
    confidences: Sequence[float],
    n_draws: int,
    rng: np.random.Generator,
    with_replacement: bool = False,
) -> list[Judged]:
    """Critical values for ratios of sums: each draw has its own ratios and their errors.

    Parameters
    ----------
    a, b : (ndarray, ndarray)
        Outcomes and counts of a group.
    confidences : sequence of float
    n_draws : int
    rng : Generator
    with_replacement : bool, default=False
    """
    ratio = (a[0].sum() + b[0].sum()) / (a[1].sum() + b[1].sum())
    x, y = (
        np.stack([u, count, u * u, u * count, count * count])
        for u, count in ((v - ratio * count, count) for v, count in (a, b))
    )
    return _judge(x, y, _delta, confidences, n_draws, rng, with_replacement)


def _judge(
    x: Floats,
    y: Floats,
    statistic: Statistic,
    confidences: Sequence[float],
    n_draws: int,
    rng: np.random.Generator,
    with_replacement: bool,
) -> list[Judged]:
    draw = _resampled if with_replacement else _shuffled
    drawn = draw(x, y, n_draws, rng)
    a, b = (np.column_stack([v, s.sum(axis=1)]) for v, s in zip(drawn, (x, y), strict=True))
    t, error = statistic(Groups(a, b, x.shape[1], y.shape[1]))
    out = []
    for confidence in confidences:
        least, most = accepted(t, 1 - confidence)
        gain, loss = bool(t[-1] > most), bool(t[-1] < least)
        out.append(Judged(least, most, gain, loss, float(error[-1])))
    return out


def _welch(groups: Groups) -> tuple[Floats, Floats]:
    """Difference of the means over its standard error, and the error."""
    means, within = [], []
    for (total, squares), n in ((groups.a, groups.n_a), (groups.b, groups.n_b)):
        means.append(total / n)
        within.append(np.maximum(squares - total * means[-1], 0.0) / (n - 1) / n)
    rounding = ROUNDING * np.sqrt(groups.a[1, -1] + groups.b[1, -1])
    return _beyond_rounding(means[0] - means[1], np.sqrt(within[0] + within[1]), rounding)


def _delta(groups: Groups) -> tuple[Floats, Floats]:
    """Difference of the ratios over its error by the delta method, and the error.

    A draw in which a group counts nothing has no ratio: it says that there is no difference.
    """
    ratios, within = [], []
    for sums, n in ((groups.a, groups.n_a), (groups.b, groups.n_b)):
        total, count, squares, crossed, count_squares = sums
        counts = np.where(count > 0, count, np.inf)
        r = total / counts
        left = np.maximum(squares - 2 * r * crossed + r**2 * count_squares, 0.0)
        ratios.append(np.where(count > 0, r, np.nan))
        within.append(left * n / (n - 1) / counts**2)
    gap = np.nan_to_num(ratios[0] - ratios[1], nan=0.0)
    least = min(groups.a[1, -1] / groups.n_a, groups.b[1, -1] / groups.n_b)
    rounding = ROUNDING * np.sqrt(groups.a[2, -1] + groups.b[2, -1]) / least
    return _beyond_rounding(gap, np.sqrt(within[0] + within[1]), rounding)


def _beyond_rounding(gap: Floats, error: Floats, rounding: float) -> tuple[Floats, Floats]:
    return studentised(*(np.where(np.abs(v) <= rounding, 0.0, v) for v in (gap, error)))


def studentised(gap: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Gap over its error, 0 where there is no gap, and the error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(gap == 0, 0.0, gap / error)
    # one split of the customers summed in two orders differs by rounding, and is one statistic
    return t.astype(np.float32).astype(np.float64), error


def accepted(t: Floats, error: float) -> tuple[float, float]:
    """Smallest and largest statistic whose p-value exceeds ``error`` (Blaker 2000).

    The p-value is the chance of a statistic whose smaller tail is no larger than the observed one:
    both tails get half of the error where there are tails, and one gets what the other cannot use.
    """
    t = np.sort(t)
    below = np.searchsorted(t, t, side="right")
    above = len(t) - np.searchsorted(t, t, side="left")
    tail = np.minimum(below, above)
    p = np.searchsorted(np.sort(tail), tail, side="right") / len(t)
    kept = t[p > error]
    return float(kept[0]), float(kept[-1])


def _shuffled(
    x: Floats, y: Floats, n_draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Split all customers anew; every shuffle is cut into as many smaller groups as it holds.

    Of large groups, random blocks of one group's customers are shuffled and a few left over stay:
    the splits that keep blocks together are a group of permutations, so the test stays exact.

    Parameters
    ----------
    x, y : ndarray of shape (n_sums, n_a), (n_sums, n_b)
        What is summed over the customers of a group.
    n_draws : int
    rng : Generator
    """
    size = max(1, min(x.shape[1], y.shape[1]) // MOST)
    (in_x, rest_x), (in_y, rest_y) = _blocks(x, size, rng), _blocks(y, size, rng)
    blocks = np.concatenate([in_x, in_y], axis=1)
    small = min(in_x.shape[1], in_y.shape[1])
    cuts = blocks.shape[1] // small
    sums = np.empty((len(blocks), -(-n_draws // cuts), cuts))
    for i in range(sums.shape[1]):
        order = rng.permutation(blocks.shape[1])[: cuts * small].reshape(cuts, small)
        for total, each in zip(sums, blocks, strict=True):
            total[i] = each[order].sum(axis=1)
    some = sums.reshape(len(blocks), -1)[:, :n_draws]
    other = blocks.sum(axis=1, keepdims=True) - some
    a, b = (some, other) if in_x.shape[1] == small else (other, some)
    return a + rest_x, b + rest_y


def _blocks(x: Floats, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Sum blocks of customers, and those left over."""
    if size == 1:
        return x, np.zeros((len(x), 1))
    x = x[:, rng.permutation(x.shape[1])]
    whole = x.shape[1] // size * size
    body = x[:, :whole].reshape(len(x), -1, size)
    return body.sum(axis=2), x[:, whole:].sum(axis=1, keepdims=True)


def _resampled(
    x: Floats, y: Floats, n_draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw both groups with replacement from all customers together."""
    everybody = np.concatenate([x, y], axis=1)
    out = np.empty((2, len(x), n_draws))
    for i in range(n_draws):
        for total, group in zip(out, (x, y), strict=True):
            picked = rng.integers(0, everybody.shape[1], group.shape[1])
            total[:, i] = everybody[:, picked].sum(axis=1)
    return out[0], out[1]


def welch_interval(a: Floats, b: Floats, confidence: float) -> tuple[float, float]:
    """Welch's interval of the difference of two means, by Student's t."""
    from scipy.stats import t as student

    effect = float(a.mean() - b.mean())
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    half = 0.0
    if va + vb > 0:
        freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
        half = float(student.ppf(0.5 + confidence / 2, freedom) * np.sqrt(va + vb))
    return effect - half, effect + half
