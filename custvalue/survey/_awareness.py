"""Who knows a brand and who thinks well of it: 知名度, 美誉度, 头脑份额."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._fitted import check_level
from custvalue._html import HtmlFacts
from custvalue._words import SURVEY, Language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.survey._estimate import Estimate, estimate
from custvalue.survey._measures import measure_scores

POSITIONS = (
    "known and liked",
    "known, not liked",
    "liked, not known",
    "neither known nor liked",
)


@dataclass(frozen=True)
class Awareness(HtmlFacts):
    """A brand's ``awareness`` (of those asked) and ``favourability`` (of those aware).

    ``share_of_mind``: named first, of those asked (None where it was not asked). ``position``:
    which of the four cells of high and low awareness and favourability, None without the latter.

    Examples
    --------
    >>> from custvalue.survey import awareness
    >>> awareness([1, 1, 0, 1], [1, 1, 0, 0]).position
    'known and liked'
    """

    awareness: Estimate
    favourability: Estimate | None
    share_of_mind: Estimate | None
    position: str | None

    @staticmethod
    def table(brands: Mapping[str, Awareness], language: Language = "en") -> pd.DataFrame:
        """One row a brand and measure, with its interval.

        Parameters
        ----------
        brands : mapping of str to Awareness
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``brand``, ``measure``, ``value``, ``low``, ``high``, ``n``, ``n_eff``, ``position``.
        """
        rows = []
        for brand, found in brands.items():
            for measure in ("awareness", "favourability", "share_of_mind"):
                one = getattr(found, measure)
                if one is not None:
                    rows.append(
                        {
                            "brand": brand,
                            "measure": measure,
                            "value": one.value,
                            "low": one.low,
                            "high": one.high,
                            "n": one.n,
                            "n_eff": one.n_eff,
                            "position": found.position or "",
                        }
                    )
        return SURVEY.table(pd.DataFrame(rows), language, cells=("measure", "position"))


def awareness(
    aware: Any,
    favourable: Any = None,
    first_named: Any = None,
    *,
    sample_weight: npt.ArrayLike | None = None,
    cuts: Sequence[float] = (0.5, 0.5),
    level: float = 0.95,
) -> Awareness:
    """Awareness, favourability and share of mind of a brand.

    Parameters
    ----------
    aware : array-like of shape (n,)
        1 who knows the brand, 0 who does not, NaN who was not asked.
    favourable : array-like of shape (n,), optional
        1 who thinks well of it; counted among those aware only.
    first_named : array-like of shape (n,), optional
        1 who named it first, unaided; counted among all who were asked for awareness.
    sample_weight : array-like of shape (n,), optional
    cuts : pair of float, default=(0.5, 0.5)
        From where awareness, and favourability, count as high.
    level : float, default=0.95
        Of Wilson's intervals.

    Returns
    -------
    Awareness

    Raises
    ------
    DataContractError
        If values are other than 0 and 1, or one who does not know the brand names it first or
        thinks well of it.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.survey import awareness
    >>> known = np.repeat([1, 0], [749, 251])
    >>> liked = np.repeat([1, 0], [412, 588])
    >>> awareness(known, liked).favourability
    0.5501 (0.5143 to 0.5853), n = 749
    """
    check_level(level)
    known = np.asarray(aware, dtype=np.float64)
    measure_scores(known, "share", None, name="aware")
    problems = []
    others: dict[str, Any] = {}
    for name, values in (("favourable", favourable), ("first_named", first_named)):
        if values is None:
            continue
        x = np.asarray(values, dtype=np.float64)
        if x.shape != known.shape:
            raise ValueError(f"{name} has shape {x.shape}; aware has {known.shape}.")
        measure_scores(x, "share", None, name=name)
        odd = (x == 1) & (known == 0)
        if odd.any():
            problems.append(
                ContractProblem(
                    "not-aware",
                    f"{name} is 1 for respondents who do not know the brand",
                    "Correct one of the two answers.",
                    int(odd.sum()),
                    first_ids(np.flatnonzero(odd)),
                )
            )
        among = known == 1 if name == "favourable" else ~np.isnan(known)
        others[name] = np.where(among, x, np.nan)
    if problems:
        raise DataContractError(problems)

    def found(x: Any) -> Estimate:
        return estimate(measure_scores(x, "share", None, sample_weight=sample_weight), level)

    brand = found(known)
    liked = found(others["favourable"]) if "favourable" in others else None
    position = None
    if liked is not None and liked.n:
        position = POSITIONS[2 * (brand.value < cuts[0]) + (liked.value < cuts[1])]
    mind = found(others["first_named"]) if "first_named" in others else None
    return Awareness(brand, liked, mind, position)
