"""Shapley's value of every player of a game whose worth is known for every coalition."""

from __future__ import annotations

from math import factorial

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats


def coalitions(n_players: int) -> npt.NDArray[np.bool_]:
    """Who is in each of the 2^n coalitions, in the order in which `shapley` reads their worth.

    Parameters
    ----------
    n_players : int

    Returns
    -------
    ndarray of shape (2**n_players, n_players)
        The first row is the empty coalition, the last has everybody; the last player changes
        fastest.

    Examples
    --------
    >>> from custvalue._kernels import coalitions
    >>> coalitions(2).astype(int).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    place = np.arange(n_players - 1, -1, -1)
    return (np.arange(2**n_players)[:, None] >> place & 1).astype(bool)


def shapley(worth: Floats) -> Floats:
    """Share out what all are worth: what each adds, averaged over all orders (Shapley 1953).

    Parameters
    ----------
    worth : ndarray of shape (..., 2**n_players)
        Worth of every coalition, in the order of `coalitions`; leading axes are separate games.

    Returns
    -------
    ndarray of shape (..., n_players)
        Adds up to the worth of all less that of none.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import shapley
    >>> shapley(np.array([0.0, 1.0, 2.0, 6.0])).tolist()
    [3.5, 2.5]
    """
    n = worth.shape[-1].bit_length() - 1
    if worth.shape[-1] != 2**n:
        raise ValueError(f"{worth.shape[-1]} coalitions are no power of two.")
    games = worth.shape[:-1]
    size = coalitions(max(n - 1, 0)).sum(axis=1)  # of the others who came before
    orders = np.array([factorial(k) * factorial(n - 1 - k) / factorial(n) for k in range(n)])
    out = np.empty((*games, n))
    for player in range(n):
        game = worth.reshape(*games, 2**player, 2, 2 ** (n - 1 - player))
        added = game[..., 1, :] - game[..., 0, :]
        out[..., player] = added.reshape(*games, -1) @ orders[size]
    return out
