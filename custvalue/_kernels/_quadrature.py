"""Gauss-Legendre nodes and the panels they are laid on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from custvalue._typing import Floats


@lru_cache(maxsize=32)
def legendre(n: int, panels: int = 1) -> tuple[Floats, Floats]:
    """Nodes and weights of an n-point Gauss-Legendre rule on each of equal panels of [0, 1].

    Examples
    --------
    >>> from custvalue._kernels import legendre
    >>> nodes, weights = legendre(5)
    >>> float((weights * nodes**9).sum().round(12))
    0.1
    """
    from numpy.polynomial.legendre import leggauss

    y, w = leggauss(n)
    left = np.arange(panels)[:, None]
    nodes = ((left + (y + 1.0) / 2.0) / panels).ravel()
    weights = np.tile(w / (2.0 * panels), panels)
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights
