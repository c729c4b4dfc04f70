"""Options checked by kind; work estimated before it is begun, refused where it is too much."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

MOST_CELLS = 200_000_000  # of a result held in memory: 1.6 GB
MOST_DRAWS = 100_000_000  # orders simulated at a time
MOST_TERMS = 100_000  # of a sum, an axis, a grid


def check_work(amount: float, most: float, what: str, cure: str) -> None:
    """Refuse work that is larger than ``most``.

    Parameters
    ----------
    amount : float
        Estimate of the work.
    most : float
    what : str
        What there would be so many of, in words.
    cure : str
        What to do instead.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from custvalue._work import check_work
    >>> check_work(3e9, 1e6, "orders to draw", "Draw fewer.")
    Traceback (most recent call last):
    ...
    ValueError: 3,000,000,000 orders to draw: at most 1,000,000 are done at once. Draw fewer.
    """
    if not amount <= most:
        raise ValueError(f"{amount:,.0f} {what}: at most {most:,.0f} are done at once. {cure}")


def check_count(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return a whole number of any kind, or say what it must be.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._work import check_count
    >>> check_count("n_max", np.float64(20.0), 0)
    20
    """
    whole = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
    if not whole or value != int(value) or value < least or (most is not None and value > most):
        limit = "or more" if most is None else f"to {most:,}"
        raise ValueError(f"{name}={value!r} must be a whole number, {least} {limit}.")
    return int(value)


def sample_size(weight: Any) -> int:
    """Return how many customers weights count, and a bootstrap sample draws.

    Raises
    ------
    ValueError
        If that is below one, or more than can be drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._work import sample_size
    >>> sample_size(np.array([2.0, 3.0]))
    5
    """
    total = float(np.sum(weight))
    if not 0.5 < total < 2.0**62:
        raise ValueError(
            f"the weights add up to {total:g} customers, and a bootstrap sample has as many; give "
            "weights that count customers."
        )
    return round(total)


def chances(q: Any) -> list[float]:
    """Read one or several chances between 0 and 1, numbers of any kind.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._work import chances
    >>> chances(np.float32(0.5)), chances([0.1, 0.9])
    ([0.5], [0.1, 0.9])
    """
    try:
        levels = np.asarray(q, dtype=float)
    except (TypeError, ValueError):
        levels = np.array([np.nan])
    if levels.ndim > 1 or not ((levels > 0.0) & (levels < 1.0)).all():
        raise ValueError(f"q={q!r} must lie between 0 and 1, one number or several.")
    return [float(level) for level in np.atleast_1d(levels)]


def check_kinds(owner: Any, **kinds: str) -> None:
    """Refuse options that are not of their kind, by name, before anything is made of them.

    Parameters
    ----------
    owner : object
        Its attributes are the options.
    **kinds : str
        Name of an option -> one or more of "number", "pair", "sequence", "names", "mapping",
        "text", "None", joined by " or ".

    Raises
    ------
    ValueError

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from custvalue._work import check_kinds
    >>> check_kinds(SimpleNamespace(window=5), window="pair or None")
    Traceback (most recent call last):
    ...
    ValueError: window=5 must be a pair or None.
    """
    for name, kind in kinds.items():
        value = getattr(owner, name)
        if not any(_KINDS[one](value) for one in kind.split(" or ")):
            raise ValueError(f"{name}={value!r} must be a {kind}.")


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "number": lambda v: isinstance(v, Real) and not isinstance(v, (bool, np.bool_)),
    "pair": lambda v: _is_sequence(v) and len(v) == 2,
    "sequence": _is_sequence,
    "names": lambda v: isinstance(v, Collection) and all(isinstance(one, str) for one in v),
    "mapping": lambda v: isinstance(v, Mapping),
    "text": lambda v: isinstance(v, str),
    "None": lambda v: v is None,
}
