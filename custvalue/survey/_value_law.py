"""The arithmetic of perceived value: indexes, Gale's profile, the fair price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats


class Indexes(NamedTuple):
    """Benefit index B, burden index S and net perceived value V, of shape (..., n_brands).

    Examples
    --------
    >>> from custvalue.survey._value_law import Indexes
    >>> Indexes(80.0, 30.0, 36.0).V
    36.0
    """

    B: Floats
    S: Floats
    V: Floats


class Profile(NamedTuple):
    """Gale's relative quality Q, price competitiveness C, relative price P, fair relative price.

    Examples
    --------
    >>> from custvalue.survey._value_law import Profile
    >>> Profile(1.2, 0.8, 1.25, 1.3).fair
    1.3
    """

    Q: Floats
    C: Floats
    P: Floats
    fair: Floats


def indexes(means: Floats, weights: Floats, q: Floats, n_benefits: int) -> Indexes:
    """Net perceived value ``V = q B - (1 - q) S`` of each brand.

    Parameters
    ----------
    means : ndarray of shape (..., n_brands, k)
        Mean answers rescaled to 0..100, benefits first, more is better on both sides.
    weights : ndarray of shape (..., k)
        Adding up to one on either side.
    q : ndarray of shape (...)
        Weight of benefits against sacrifices.
    n_benefits : int

    Returns
    -------
    Indexes

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._value_law import indexes
    >>> indexes(np.array([[80.0, 70.0]]), np.ones(2), np.array(0.6), 1).V.round(6).tolist()
    [36.0]
    """
    weighted = means * weights[..., None, :]
    B = weighted[..., :n_benefits].sum(axis=-1)
    S = 100.0 - weighted[..., n_benefits:].sum(axis=-1)
    return Indexes(B, S, q[..., None] * B - (1.0 - q[..., None]) * S)


def others_mean(values: Floats, shares: Floats) -> Floats:
    """Mean of the other brands, for each brand.

    Parameters
    ----------
    values : ndarray of shape (..., n_brands, k)
    shares : ndarray of shape (n_brands,)
        How much each brand counts among the others: equal, or market shares.

    Returns
    -------
    ndarray of shape (..., n_brands, k)

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._value_law import others_mean
    >>> others_mean(np.array([[8.0], [7.0], [6.0]]), np.ones(3)).ravel().tolist()
    [6.5, 7.0, 7.5]
    """
    among = np.tile(shares, (len(shares), 1))
    np.fill_diagonal(among, 0.0)
    return (among / among.sum(axis=1, keepdims=True)) @ values


def brand_profile(
    means: Floats,
    weights: Floats,
    q: Floats,
    n_benefits: int,
    shares: Floats,
    price: Floats | None = None,
) -> Profile:
    """Gale's (1994) brand_profile: each brand's answers over the mean of the others.

    Parameters
    ----------
    means : ndarray of shape (..., n_brands, k)
        Mean answers on their own scale, which must lie above zero: a ratio needs a true zero.
    weights, q, n_benefits
        As in `indexes`.
    shares : ndarray of shape (n_brands,)
        How much each brand counts among the others.
    price : ndarray of shape (n_brands,), optional
        Prices; without them the relative price is one over price competitiveness.

    Returns
    -------
    Profile
        Each of shape (..., n_brands). ``fair = 1 + q / (1 - q) (Q - 1)`` is the relative price at
        which quality and price weigh equally.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._value_law import brand_profile
    >>> means = np.array([[6.0, 4.0], [5.0, 5.0]])
    >>> brand_profile(means, np.ones(2), np.array(0.5), 1, np.ones(2)).fair.round(6).tolist()
    [1.2, 0.833333]
    """
    ratio = means / others_mean(means, shares) * weights[..., None, :]
    Q, C = ratio[..., :n_benefits].sum(axis=-1), ratio[..., n_benefits:].sum(axis=-1)
    P = 1.0 / C
    if price is not None:
        P = np.broadcast_to(price / others_mean(price[:, None], shares)[:, 0], Q.shape)
    return Profile(Q, C, P, 1.0 + (q / (1.0 - q))[..., None] * (Q - 1.0))


def on_each_side(weights: Floats, n_benefits: int) -> Floats:
    """Weights that add up to one on either side; equal where a side has none.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._value_law import on_each_side
    >>> on_each_side(np.array([1.0, 3.0, 0.0, 0.0]), 2).tolist()
    [0.25, 0.75, 0.5, 0.5]
    """
    sides = []
    for side in (weights[..., :n_benefits], weights[..., n_benefits:]):
        total = side.sum(axis=-1, keepdims=True)
        even = np.full_like(side, 1.0 / side.shape[-1])
        sides.append(np.divide(side, total, out=even, where=total > 0))
    return np.concatenate(sides, axis=-1)
