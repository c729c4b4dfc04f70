"""Two shares: the differences that the data do not contradict."""

from __future__ import annotations

from custvalue._typing import Floats

STEP = 1e-12  # of a share


def one_size(a: Floats, b: Floats) -> float | None:
    """Return the one positive number that outcomes other than 0 are, 1 where all are 0, or None."""
    largest = float(max(a.max(), b.max()))
    if largest >= 0 and all(((x == 0) | (x == largest)).all() for x in (a, b)):
        return largest if largest > 0 else 1.0
    return None


def score_interval(a: Floats, b: Floats, unit: float, confidence: float) -> tuple[float, float]:
    """Differences of shares that the data do not contradict, times the size of an order.

    The variance is that of the likeliest two shares with the difference in question (Miettinen &
    Nurminen 1985, equation 8), not of the observed ones: a group without buyers has one.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    n_a, n_b = len(a), len(b)
    p_a, p_b = (min(float(x.mean() / unit), 1.0) for x in (a, b))
    z = float(norm.ppf(0.5 + confidence / 2))
    total = n_a + n_b

    def beyond(delta: float) -> float:
        """Square of the score less that of the critical value; below 0 inside the interval."""
        q_b = _likeliest(p_a, n_a, p_b, n_b, delta)
        q_a = q_b + delta
        variance = (q_a * (1 - q_a) / n_a + q_b * (1 - q_b) / n_b) * total / (total - 1)
        return float((p_a - p_b - delta) ** 2 - z * z * variance)

    seen = p_a - p_b
    # where nobody ordered the score is 0 / 0 at the observed difference: step beside it
    low = brentq(beyond, -1.0, seen - STEP) if beyond(-1.0) > 0 else -1.0
    high = brentq(beyond, seen + STEP, 1.0) if beyond(1.0) > 0 else 1.0
    return float(low) * unit, float(high) * unit


def _likeliest(p_a: float, n_a: int, p_b: float, n_b: int, delta: float) -> float:
    """Control share that maximises the binomial likelihood given the difference of the shares.

    Its score, times the two shares and their complements, is a cubic with one root between the
    limits.
    """
    from scipy.optimize import brentq

    least, most = max(0.0, -delta), min(1.0, 1.0 - delta)

    def score(q: float) -> float:
        r = q + delta
        return n_a * (p_a - r) * q * (1 - q) + n_b * (p_b - q) * r * (1 - r)

    if most - least < 1e-15:
        return least
    # at a limit the cubic is 0 where no data speak against it
    edge = 1e-13 * (most - least)
    if score(least + edge) <= 0:
        return least
    if score(most - edge) >= 0:
        return most
    return float(brentq(score, least + edge, most - edge, xtol=1e-15))
