"""Size and money of named groups of customers: segments, grades, quadrants, stages."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def group_sizes(
    codes: npt.NDArray[np.intp], n_groups: int, money: npt.ArrayLike | None, name: str
) -> dict[str, npt.NDArray[Any]]:
    """Count customers and money of each group 0 to ``n_groups - 1``, empty ones included.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Group of each customer.
    n_groups : int
    money : array-like of shape (n,) or None
        What each customer brings; missing counts as nothing. None: no columns of money.
    name : str
        Name of the column with the total.

    Returns
    -------
    dict of str to ndarray of shape (n_groups,)
        ``customers``, ``customer_share``, and with money the total under ``name``, ``value_share``
        (0 where nothing was brought), ``mean_value`` (0 for an empty group).
    """
    size = np.bincount(codes, minlength=n_groups)
    columns = {"customers": size, "customer_share": size / max(int(size.sum()), 1)}
    if money is None:
        return columns
    amounts = np.nan_to_num(np.asarray(money, dtype=np.float64))
    total = np.bincount(codes, weights=amounts, minlength=n_groups)
    whole = total.sum()
    zeros = np.zeros(n_groups)
    return {
        **columns,
        name: total,
        "value_share": total / whole if whole else zeros,
        "mean_value": np.divide(total, size, out=zeros.copy(), where=size > 0),
    }
