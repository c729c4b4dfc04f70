"""Two means: critical values of Welch's statistic from shuffling the customers over the groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats

ROUNDING = 1e-12  # of the spread: a difference below it is none
MOST = 4000  # blocks of the smaller group; more tell no more of the critical values


class Groups(NamedTuple):
    """Sums and sums of squares of both groups, as observed and in each draw."""

    a: Floats
    a_squares: Floats
    b: Floats
    b_squares: Floats


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
    x, y = a - centre, b - centre
    draw = _resampled if with_replacement else _shuffled
    drawn = draw(x, y, n_draws, rng)
    seen = (x.sum(), x @ x, y.sum(), y @ y)
    both = Groups(*(np.append(v, s) for v, s in zip(drawn, seen, strict=True)))
    t, error = _welch(both, len(a), len(b))
    out = []
    for confidence in confidences:
        least, most = accepted(t, 1 - confidence)
        gain, loss = bool(t[-1] > most), bool(t[-1] < least)
        out.append(Judged(least, most, gain, loss, float(error[-1])))
    return out


def _welch(groups: Groups, n_a: int, n_b: int) -> tuple[Floats, Floats]:
    """Difference of the means over its standard error, and the error."""
    mean_a, mean_b = groups.a / n_a, groups.b / n_b
    within_a = np.maximum(groups.a_squares - groups.a * mean_a, 0.0) / (n_a - 1) / n_a
    within_b = np.maximum(groups.b_squares - groups.b * mean_b, 0.0) / (n_b - 1) / n_b
    gap, error = mean_a - mean_b, np.sqrt(within_a + within_b)
    rounding = ROUNDING * np.sqrt(groups.a_squares[-1] + groups.b_squares[-1])
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


class _Blocks(NamedTuple):
    """Sums and sums of squares of blocks of customers, and of those left over."""

    sums: Floats
    squares: Floats
    rest: tuple[float, float]


def _shuffled(a: Floats, b: Floats, n_draws: int, rng: np.random.Generator) -> Groups:
    """Split all customers anew; every shuffle is cut into as many smaller groups as it holds.

    Of large groups, random blocks of one group's customers are shuffled and a few left over stay:
    the splits that keep blocks together are a group of permutations, so the test stays exact.
    """
    size = max(1, min(len(a), len(b)) // MOST)
    x, y = _blocks(a, size, rng), _blocks(b, size, rng)
    sums, squares = np.concatenate([x.sums, y.sums]), np.concatenate([x.squares, y.squares])
    small = min(len(x.sums), len(y.sums))
    cuts = len(sums) // small
    one, two = np.empty((2, -(-n_draws // cuts), cuts))
    for i in range(len(one)):
        order = rng.permutation(len(sums))[: cuts * small].reshape(cuts, small)
        one[i] = sums[order].sum(axis=1)
        two[i] = squares[order].sum(axis=1)
    some = one.ravel()[:n_draws], two.ravel()[:n_draws]
    other = sums.sum() - some[0], squares.sum() - some[1]
    in_a, in_b = (some, other) if len(x.sums) == small else (other, some)
    return Groups(
        in_a[0] + x.rest[0], in_a[1] + x.rest[1], in_b[0] + y.rest[0], in_b[1] + y.rest[1]
    )


def _blocks(x: Floats, size: int, rng: np.random.Generator) -> _Blocks:
    if size == 1:
        return _Blocks(x, x * x, (0.0, 0.0))
    x = rng.permutation(x)
    whole = len(x) // size * size
    body, rest = x[:whole].reshape(-1, size), x[whole:]
    return _Blocks(
        body.sum(axis=1), np.einsum("ij,ij->i", body, body), (float(rest.sum()), float(rest @ rest))
    )


def _resampled(a: Floats, b: Floats, n_draws: int, rng: np.random.Generator) -> Groups:
    """Draw both groups with replacement from all customers together."""
    everybody = np.concatenate([a, b])
    sums = np.empty((4, n_draws))
    for i in range(n_draws):
        x, y = (everybody[rng.integers(0, len(everybody), len(g))] for g in (a, b))
        sums[:, i] = x.sum(), x @ x, y.sum(), y @ y
    return Groups(*sums)


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
