"""Weights that bring a sample's margins to those of the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._html import HtmlFacts
from custvalue._sklearn import weights_of
from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.survey._estimate import effective_size


@dataclass(frozen=True)
class Raked(HtmlFacts):
    """Weights of the rows (mean 1), ``n_eff``, ``design_effect`` and how many ``rounds`` it took.

    ``trimmed`` counts rows whose weight lies on the ceiling; ``off`` is the largest distance of a
    share from its target, which only a ceiling leaves.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import rake
    >>> rake(pd.DataFrame({"sex": ["m", "m", "f"]}), {"sex": {"m": 0.5, "f": 0.5}}).n_eff
    2.6...
    """

    _not_shown = ("weights",)
    weights: Floats = field(repr=False)
    n_eff: float
    design_effect: float
    rounds: int
    trimmed: int
    off: float


def rake(
    frame: Any,
    targets: Mapping[str, Mapping[Any, float]],
    *,
    max_weight: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    tolerance: float = 1e-10,
    max_rounds: int = 1000,
) -> Raked:
    """Rake weights to known margins: iterative proportional fitting (Deming & Stephan 1940).

    Parameters
    ----------
    frame : frame of shape (n, k)
        One row a respondent, with the columns named in ``targets``.
    targets : mapping of column to mapping of level to float
        Shares, or totals, of the population; each column's add up to the same.
    max_weight : float, optional
        Ceiling of a weight, as a multiple of the mean weight; margins are then reached as nearly
        as it allows, and ``off`` says how nearly.
    sample_weight : array-like of shape (n,), optional
        Design weights to start from.
    tolerance : float, default=1e-10
        Largest distance of a share from its target that is left.
    max_rounds : int, default=1000

    Returns
    -------
    Raked

    Raises
    ------
    DataContractError
        Listing every column that is missing or has empty cells, every level without a target or
        without a respondent, and totals that contradict each other.
    ValueError
        If the margins cannot be reached together, naming the one that is off most; or if
        ``max_weight`` is not above 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import rake
    >>> sample = pd.DataFrame({"sex": list("mmmmmmffff"), "age": list("yyyoooyooo")})
    >>> made = rake(sample, {"sex": {"m": 0.5, "f": 0.5}, "age": {"y": 0.5, "o": 0.5}})
    >>> made.weights[[0, 3, 6, 7]].round(6).tolist(), round(made.n_eff, 6)
    ([1.056624, 0.610042, 1.830127, 1.056624], 8.956922)
    """
    if max_weight is not None and not max_weight > 1.0:
        raise ValueError(f"max_weight={max_weight!r} must be above 1, a multiple of the mean.")
    margins, w = _margins(frame, targets, sample_weight)
    n = len(w)
    w *= n / w.sum()
    cap = np.inf if max_weight is None else float(max_weight)
    rounds, off, before = 0, np.inf, w
    while rounds < max_rounds:
        rounds += 1
        for place, target in margins.values():
            have = np.bincount(place, w, minlength=len(target))
            # a level that is to have nobody, or has no weight left, cannot be scaled
            factor = np.divide(n * target, have, out=np.zeros(len(target)), where=have > 0)
            w = w * factor[place]
        w = _capped(w, cap)
        off, name = _worst(margins, w)
        if off <= tolerance or (cap < np.inf and np.abs(w - before).max() <= tolerance):
            break
        before = w
    else:
        if cap == np.inf:
            raise ValueError(
                f"the margins cannot be reached together: after {max_rounds} rounds {name} is "
                f"still off by {off:.2g}. Some combination of levels has no respondent; merge "
                "levels, or drop a margin."
            )
    size = effective_size(w)
    on_ceiling = int((w >= cap * (1.0 - 1e-9)).sum())
    return Raked(w, size, n / size, rounds, on_ceiling, off)


def _capped(w: Floats, cap: float) -> Floats:
    """Weights of mean 1, none above ``cap``: what is cut off goes to the others in proportion."""
    w = w / w.mean()
    at = np.zeros(len(w), dtype=bool)
    while (w[~at] > cap).any():
        at |= w >= cap
        free = w[~at].sum()
        w = np.where(at, cap, w * (len(w) - cap * at.sum()) / free if free > 0 else w)
    return w


def _worst(margins: Mapping[str, tuple[Any, Floats]], w: Floats) -> tuple[float, str]:
    offs = {
        name: float(np.abs(np.bincount(place, w, len(target)) / w.sum() - target).max())
        for name, (place, target) in margins.items()
    }
    name = max(offs, key=lambda key: offs[key])
    return offs[name], repr(name)


def _margins(
    frame: Any, targets: Any, sample_weight: Any
) -> tuple[dict[str, tuple[npt.NDArray[np.intp], Floats]], Floats]:
    """Place of each row's level and share of each level by column, and weights to start from."""
    have = _frames.column_names(frame)
    if have is None:
        raise ValueError("frame must be a table with named columns.")
    if not targets:
        raise ValueError("targets is empty; name a column and its levels' shares.")
    n = len(_frames.column(frame, have[0]))
    start = weights_of(sample_weight, n)
    weights = np.ones(n) if start is None else start
    problems: list[ContractProblem] = []
    out, totals = {}, {}
    for name, wanted in targets.items():
        levels = list(wanted)
        share = np.asarray(list(wanted.values()), dtype=np.float64)
        if not np.isfinite(share).all() or (share < 0).any() or not share.any():
            problems.append(
                ContractProblem(
                    "bad-target",
                    f"targets of {name!r} are negative, missing or all zero",
                    "Give each level its share or total.",
                )
            )
            continue
        totals[name] = float(share.sum())
        if name not in have:
            problems.append(
                ContractProblem(
                    "missing-column", f"frame has no column {name!r}", f"It has {sorted(have)}."
                )
            )
            continue
        values = _frames.column(frame, name).astype(object)
        place = pd.Index(levels, dtype=object).get_indexer(pd.Index(values, dtype=object))
        lost = place < 0
        if lost.any():
            seen = ", ".join(map(repr, list(dict.fromkeys(values[lost].tolist()))[:5]))
            problems.append(
                ContractProblem(
                    "no-target",
                    f"column {name!r} has levels without a target: {seen}",
                    "Give them a target, or drop these rows.",
                    int(lost.sum()),
                    first_ids(np.flatnonzero(lost)),
                )
            )
        counts = np.bincount(place[~lost], weights[~lost], minlength=len(levels))
        empty = [str(levels[i]) for i in np.flatnonzero((counts == 0) & (share > 0))]
        if empty:
            problems.append(
                ContractProblem(
                    "empty-level",
                    f"nobody with a weight has {name!r} = {', '.join(empty)}, yet it has a target",
                    "Merge it with another level; weights cannot make respondents.",
                )
            )
        out[str(name)] = (place, share / share.sum())
    if totals and max(totals.values()) - min(totals.values()) > 1e-6 * max(totals.values()):
        said = ", ".join(f"{name!r} {total:g}" for name, total in totals.items())
        problems.append(
            ContractProblem(
                "contradictory-totals",
                f"the targets add up to different totals: {said}",
                "Shares add up to 1 in every column, totals to one population.",
            )
        )
    if problems:
        raise DataContractError(problems)
    return out, weights
