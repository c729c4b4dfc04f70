"""Derived importance: how much of an outcome's R squared each attribute accounts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._fitted import check_level
from custvalue._kernels import shapley
from custvalue._sklearn import weights_of
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue._words import SURVEY, Language
from custvalue.exceptions import SignWarning
from custvalue.survey._estimate import bootstrap, numbers, quantiles

MOST_EXACT = 14  # attributes whose 2^p regressions are worked out
_SPANNED = 1e-10  # share of its variance below which an attribute adds nothing to the earlier ones


def unexplained(second: Floats) -> Floats:
    """Variance of the outcome that each subset of attributes leaves unexplained.

    One pass over the attributes: each is left out, or swept out of what remains (the Schur
    complement), so all 2^p regressions share their work.

    Parameters
    ----------
    second : ndarray of shape (..., p + 1, p + 1)
        Covariances, the outcome last.

    Returns
    -------
    ndarray of shape (..., 2**p)
        In the order of `custvalue._kernels.coalitions`.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._importance import unexplained
    >>> unexplained(np.array([[4.0, 2.0], [2.0, 3.0]])).tolist()
    [3.0, 2.0]
    """
    p = second.shape[-1] - 1
    floor = _SPANNED * np.diagonal(second, axis1=-2, axis2=-1)
    left = second[..., None, :, :]
    for j in range(p):
        pivot, column, rest = left[..., 0, 0], left[..., 1:, 0], left[..., 1:, 1:]
        free = pivot > floor[..., j, None]
        scale = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=free)[..., None, None]
        swept = rest - scale * column[..., :, None] * column[..., None, :]
        k = p - j
        left = np.stack([rest, swept], axis=-3).reshape(*second.shape[:-2], -1, k, k)
    return np.maximum(left[..., 0, 0], 0.0)


def lmg(second: Floats) -> Floats:
    """R squared shared out by averaging over orders (Lindeman, Merenda & Gold 1980).

    Parameters
    ----------
    second : ndarray of shape (..., p + 1, p + 1)
        Covariances, the outcome last.

    Returns
    -------
    ndarray of shape (..., p)
        Never negative; adds up to R squared.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._importance import lmg
    >>> lmg(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.3], [0.6, 0.3, 1.0]])).round(6).tolist()
    [0.36, 0.09]
    """
    left = unexplained(second)
    return np.maximum(shapley(1.0 - left / left[..., :1]), 0.0)


def johnson(second: Floats) -> Floats:
    """Relative weights (Johnson 2000): R squared by the nearest uncorrelated attributes.

    Parameters
    ----------
    second : ndarray of shape (..., p + 1, p + 1)
        Covariances, the outcome last.

    Returns
    -------
    ndarray of shape (..., p)
        Never negative; adds up to R squared.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey._importance import johnson
    >>> johnson(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.3], [0.6, 0.3, 1.0]])).round(6).tolist()
    [0.36, 0.09]
    """
    spread = np.sqrt(np.diagonal(second, axis1=-2, axis2=-1))
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    r = second * scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh(r[..., :-1, :-1])
    root = np.sqrt(np.maximum(values, 0.0))
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=values > _SPANNED)
    along = np.swapaxes(vectors, -1, -2) @ r[..., :-1, -1, None]
    beta = vectors @ (inverse[..., None] * along)
    to_x = (vectors * root[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return (to_x**2 @ beta**2)[..., 0]


@dataclass(frozen=True)
class DerivedImportance:
    """Share of R squared of each attribute, with its interval.

    Parameters
    ----------
    names : tuple of str
    r2_share : ndarray of shape (p,)
        Add up to ``r2``.
    low, high : ndarray of shape (p,)
        Interval by a bootstrap of respondents.
    r2 : float
    correlation : ndarray of shape (p,)
        Plain correlation with the outcome, within respondents where these are named.
    method : {"lmg", "johnson"}
    n : int
        Rows counted.
    n_respondents : int
        Respondents they come from; those who rated one brand only add nothing.
    n_single : int
        Respondents who rated one brand only.
    n_missing : int
        Rows left out, as an answer was missing.
    n_draws : int
    random_state : object
        Of the bootstrap.

    Examples
    --------
    >>> from custvalue.survey import derived_importance
    >>> found = derived_importance([[1, 2], [2, 1], [3, 4], [4, 3], [5, 5]], [1, 2, 2, 4, 5])
    >>> found.r2_share.round(6).tolist(), round(found.r2, 6)
    ([0.711934, 0.239712], 0.951646)
    """

    names: tuple[str, ...]
    r2_share: Floats
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    r2: float
    correlation: Floats = field(repr=False)
    method: str
    n: int
    n_respondents: int
    n_single: int
    n_missing: int
    n_draws: int
    random_state: Any = field(repr=False)

    @property
    def weights(self) -> dict[str, float]:
        """Relative importance by attribute, adding up to one."""
        total = float(self.r2_share.sum())
        return {k: float(v) / total for k, v in zip(self.names, self.r2_share, strict=True)}

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row an attribute, the most important first.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``attribute``, ``relative_importance`` (adding up to one), ``r2_share``, ``r2_low``,
            ``r2_high``, ``correlation``.
        """
        rows = {
            "attribute": list(self.names),
            "relative_importance": list(self.weights.values()),
            "r2_share": self.r2_share,
            "r2_low": self.low,
            "r2_high": self.high,
            "correlation": self.correlation,
        }
        table = pd.DataFrame(rows).sort_values(
            "r2_share", ascending=False, kind="stable", ignore_index=True
        )
        return SURVEY.table(table, language)


@dataclass(frozen=True)
class Moments:
    """Sums of a table by respondent: weight, weighted rows, weighted products of rows.

    Every covariance, of the data and of each draw of respondents, is made of these.
    """

    weight: Floats
    first: Floats
    second: Floats
    size: int

    def covariances(self, draws: Floats) -> Floats:
        """Covariances of each draw of respondents' weights; (d, n) to (d, size, size)."""
        total = (draws @ self.weight)[:, None, None]
        mean = (draws @ self.first)[:, :, None] / total
        second = (draws @ self.second).reshape(-1, self.size, self.size) / total
        return second - mean * np.swapaxes(mean, 1, 2)


def weighted_moments(
    table: Floats,
    weight: Floats,
    respondent: npt.NDArray[np.intp],
    n: int,
    occasion: npt.NDArray[np.intp] | None,
) -> Moments:
    """Sum ``table`` by n respondents, less the means of each occasion of answering where named."""
    summed = np.bincount(respondent, weight, minlength=n).astype(np.float64)
    if occasion is not None:
        occasion = np.unique(occasion, return_inverse=True)[1]
        below = np.bincount(occasion, weight)
        means = np.stack([np.bincount(occasion, weight * c) for c in table.T], axis=1)
        table = table - (means / below[:, None])[occasion]
    else:  # far from zero, squares would lose digits
        table = table - weight @ table / weight.sum()
    products = (table[:, :, None] * table[:, None, :]).reshape(len(table), -1)
    first, second = np.zeros((n, table.shape[1])), np.zeros((n, products.shape[1]))
    np.add.at(first, respondent, weight[:, None] * table)
    np.add.at(second, respondent, weight[:, None] * products)
    return Moments(summed, first, second, table.shape[1])


def shapley_shares(second: Floats, method: str) -> Floats:
    """R squared by attribute of each covariance matrix, by ``"lmg"`` or ``"johnson"``."""
    return lmg(second) if method == "lmg" else johnson(second)


def derived_importance(
    X: Any,
    y: Any,
    *,
    respondent: Any = None,
    sample_weight: npt.ArrayLike | None = None,
    method: str = "auto",
    names: Sequence[str] | None = None,
    level: float = 0.95,
    n_draws: int = 1000,
    random_state: Any = 0,
) -> DerivedImportance:
    """Share an outcome's R squared out among attributes: what drives it, and how much.

    With ``respondent``, everything is compared within respondents: their own means are taken off,
    and with them halo and ways of using the scale. It describes; it does not say what would happen
    if an attribute were changed.

    Parameters
    ----------
    X : array-like or frame of shape (n, p)
        Attributes, one column each.
    y : array-like of shape (n,)
        Outcome: overall value, satisfaction, preference; or 0 and 1 for staying, buying,
        recommending (then the R squared is of the linear probability model).
    respondent : array-like of shape (n,), optional
        Who answered each row, where one respondent rates several brands.
    sample_weight : array-like of shape (n,), optional
    method : {"auto", "lmg", "johnson"}, default="auto"
        ``"lmg"`` averages over all orders of entry (Lindeman, Merenda & Gold 1980; the same as
        Shapley regression, Lipovetsky & Conklin 2001), exactly, for up to 14 attributes;
        ``"johnson"`` are Johnson's (2000) relative weights; ``"auto"`` the first up to 14
        attributes, the second above.
    names : sequence of str, optional
        Of the attributes; default: the columns' own.
    level : float, default=0.95
    n_draws : int, default=1000
        Draws of respondents for the intervals.
    random_state : int, Generator or None, default=0

    Returns
    -------
    DerivedImportance

    Raises
    ------
    ValueError
        If the outcome does not vary, fewer than three rows are complete, or ``"lmg"`` is asked
        for more than 14 attributes.

    Warns
    -----
    SignWarning
        Naming attributes that go with the outcome the wrong way round.

    References
    ----------
    Grömping, U. (2006). Relative importance for linear regression in R: the package relaimpo.
    Journal of Statistical Software 17(1).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import derived_importance
    >>> answers = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2], "taste": [5, 3, 1, 4, 3, 3],
    ...                         "speed": [3, 3, 4, 5, 3, 4], "liking": [5, 3, 2, 4, 2, 3]})
    >>> found = derived_importance(answers[["taste", "speed"]], answers["liking"],
    ...                            respondent=answers["id"])
    >>> {name: round(weight, 3) for name, weight in found.weights.items()}
    {'taste': 0.922, 'speed': 0.078}
    """
    own = _frames.column_names(X)
    x, outcome = numbers(X, "X"), numbers(y, "y")
    if x.ndim != 2 or outcome.shape != (len(x),) or not x.size:
        raise ValueError(f"X has shape {x.shape}, y {outcome.shape}; expected (n, p) and (n,).")
    p = x.shape[1]
    if names is None:
        names = [f"x{j}" for j in range(p)] if own is None else [str(name) for name in own]
    if len(names) != p:
        raise ValueError(f"names={names!r} must be {p} names.")
    method = check_method(method, p)
    given = weights_of(sample_weight, len(x))
    weight = np.ones(len(x)) if given is None else given
    table = np.column_stack([x, outcome])
    known = np.isfinite(table).all(axis=1) & (weight > 0)
    group = np.arange(len(x)) if respondent is None else _places(respondent, len(x))
    table, weight = table[known], weight[known]
    group = pd.factorize(group[known])[0].astype(np.intp)
    if len(table) < 3:
        raise ValueError(f"{len(table)} rows are complete; importance needs three or more.")
    rated = np.bincount(group)
    sums = weighted_moments(table, weight, group, len(rated), None if respondent is None else group)
    one = np.ones((1, len(rated)))
    second = sums.covariances(one)[0]
    check_outcome(second, table[:, -1], getattr(y, "name", None), respondent is not None)
    correlation = correlations(second)
    warn_of_signs(names, correlation, stacklevel=3)

    def shares(draws: Floats) -> Floats:
        return shapley_shares(sums.covariances(draws), method)

    drawn = bootstrap(
        shares, len(rated), n_draws=n_draws, random_state=random_state, room=8 * 2 ** min(p, 14)
    )
    low, high = quantiles(drawn, check_level(level))
    r2_share = shapley_shares(second, method)
    return DerivedImportance(
        tuple(names),
        r2_share,
        low,
        high,
        float(r2_share.sum()),
        correlation,
        method,
        len(table),
        len(rated),
        0 if respondent is None else int((rated == 1).sum()),
        int((~known).sum()),
        n_draws,
        random_state,
    )


def check_method(method: str, p: int) -> str:
    """Which of the two it is for p attributes."""
    if method not in ("auto", "lmg", "johnson"):
        raise ValueError(f"method={method!r} must be 'auto', 'lmg' or 'johnson'.")
    if method == "auto":
        return "lmg" if p <= MOST_EXACT else "johnson"
    if method == "lmg" and p > MOST_EXACT:
        raise ValueError(
            f"method='lmg' works out 2^p regressions and takes {MOST_EXACT} attributes at most, "
            f"not {p}; use 'johnson', or fewer attributes."
        )
    return method


def check_outcome(second: Floats, outcome: Floats, name: Any, within: bool) -> None:
    """Refuse an outcome that does not vary, but for rounding: nothing can explain it."""
    if not second[-1, -1] > 1e-24 * float((outcome**2).mean()):
        called = f"the outcome {name!r}" if name is not None else "the outcome"
        where = " within any respondent" if within else ""
        raise ValueError(
            f"{called} does not vary{where}, so no importance can be derived from it; state "
            "weights, or name another outcome."
        )
    if not np.diagonal(second)[:-1].any():
        raise ValueError("no attribute varies, so none can be important.")


def correlations(second: Floats) -> Floats:
    """Plain correlation of each attribute with the outcome; 0 where one does not vary."""
    bottom = np.sqrt(np.diagonal(second)[:-1] * second[-1, -1])
    return np.divide(second[:-1, -1], bottom, out=np.zeros(len(bottom)), where=bottom > 0)


def warn_of_signs(names: Sequence[str], correlation: Floats, *, stacklevel: int) -> None:
    """Name attributes that go with the outcome the wrong way round."""
    wrong = [f"{n} ({r:.2f})" for n, r in zip(names, correlation, strict=True) if r < -1e-12]
    if wrong:
        warn_caller(
            f"the outcome falls where these rise: {', '.join(wrong)}. Their share says how "
            "strongly they go together, not that more is better; is an item reversed?",
            SignWarning,
        )


def _places(respondent: Any, n: int) -> npt.NDArray[np.intp]:
    ids = pd.Series(list(respondent), dtype=object)
    if len(ids) != n:
        raise ValueError(f"respondent has {len(ids)} entries for {n} rows.")
    if ids.isna().any():
        raise ValueError(
            f"respondent is missing in {int(ids.isna().sum())} rows, the first at "
            f"{int(np.flatnonzero(ids.isna())[0])}; drop them or number them."
        )
    return pd.factorize(ids)[0].astype(np.intp)
