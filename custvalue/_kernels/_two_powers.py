"""The integral behind the Pareto/NBD, as a sum of positive terms instead of 2F1 differences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custvalue._kernels._quadrature import legendre
from custvalue._typing import Floats

NODES = 24
DROP = 42.0  # exp(-42) is below the last digit
PANEL = 7.0  # log-time that 24 nodes cover to the last digit
BLOCK = 256


def log_two_powers(
    p: npt.ArrayLike, q: npt.ArrayLike, A: npt.ArrayLike, B: npt.ArrayLike, span: npt.ArrayLike
) -> Floats:
    """Log of the integral over u in (0, span) of (1 + u/A)^-p (1 + u/B)^-q.

    In ``v = log(1 + u / min(A, B))`` the log of the integrand is concave and analytic for
    ``|Im v| < pi``, so that Gauss-Legendre nodes between 0 and the point where it has dropped by 42
    give every digit. Beyond ``u >> max(A, B)`` it is one power and integrates in closed form, which
    also serves ``span = inf`` (p + q > 1).

    Parameters
    ----------
    p, q, A, B : array-like of float, broadcast; A, B > 0, p >= 0, q >= 1
    span : array-like of float, >= 0; inf is allowed

    Returns
    -------
    ndarray
        -inf where ``span`` is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import log_two_powers
    >>> float(np.exp(log_two_powers(1.0, 1.0, 2.0, 2.0, np.inf)).round(12))
    2.0
    """
    p, q, A, B, span = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (p, q, A, B, span))
    )
    flat = [v.ravel() for v in (p, q, A, B, span)]
    out = np.empty(len(flat[0]))
    for lo in range(0, len(out), BLOCK):
        out[lo : lo + BLOCK] = _block(*(v[lo : lo + BLOCK] for v in flat))
    return out.reshape(p.shape)


def bounds(
    p_small: Floats, p_large: Floats, ratio: Floats, span: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mode of the log integrand in v, where to stop, and where the whole range ends.

    ``p_small`` belongs to the smaller of A and B, ``ratio`` is larger / smaller, ``span`` is in
    units of the smaller.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.log1p(span)
        top = np.minimum(end, 40.0 + np.log(ratio))
        rise = (1.0 - p_small) * (ratio - 1.0) / (p_small + p_large - 1.0)
        mode = np.where(rise > 1.0, np.log(np.maximum(rise, 1.0)), 0.0)
        mode = np.where(p_small + p_large > 1.0, mode, top)
    mode = np.minimum(mode, top)
    level = log_integrand(p_small, p_large, ratio, mode) - DROP
    stop = top.copy()
    for _ in range(8):
        # the tangent of a concave function meets the level outside its own crossing
        above = log_integrand(p_small, p_large, ratio, stop) - level
        grown = np.exp(stop)
        slope = 1.0 - p_small - p_large * grown / (grown + ratio - 1.0)
        far = (above < -1e-3) & (slope < 0)
        if not far.any():
            break
        stop = np.where(far, np.maximum(stop - above / np.where(far, slope, -1.0), mode), stop)
    return mode, stop, end


def log_integrand(p_small: Floats, p_large: Floats, ratio: Floats, v: Floats) -> Floats:
    """Log of the integrand in v, the Jacobian included; 0 at v = 0."""
    return np.asarray((1.0 - p_small) * v - p_large * np.log1p(np.expm1(v) / ratio))


def _block(p: Floats, q: Floats, A: Floats, B: Floats, span: Floats) -> Floats:
    first = A <= B
    small, large = np.where(first, A, B), np.where(first, B, A)
    p_small, p_large = np.where(first, p, q), np.where(first, q, p)
    ratio = large / small
    mode, stop, end = bounds(p_small, p_large, ratio, span / small)
    nodes, weights = legendre(NODES, max(1, int(np.ceil(stop.max(initial=0.0) / PANEL))))
    h = log_integrand(p_small[:, None], p_large[:, None], ratio[:, None], stop[:, None] * nodes)
    top = log_integrand(p_small, p_large, ratio, mode)
    total = (np.exp(h - top[:, None]) @ weights) * stop
    # beyond u >> max(A, B) the integrand is exp(-(p + q - 1) v)
    far = (end > stop) & (stop >= 40.0 + np.log(ratio) - 1e-9)
    if far.any():
        fall = p_small[far] + p_large[far] - 1.0
        last = log_integrand(p_small[far], p_large[far], ratio[far], stop[far]) - top[far]
        total[far] += np.exp(last) * -np.expm1(-fall * (end[far] - stop[far])) / fall
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total) + top + np.log(small))
