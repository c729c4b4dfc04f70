"""Ready classes for four bases: industry, size, reach, behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._categories import as_words
from custvalue._words import MARKET, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

INDUSTRY_FOUR = ("manufacturing", "retail", "finance", "services")
REACH_FOUR = ("local", "regional", "national", "international")
SIZE_THREE = ("small", "medium", "large")
BEHAVIOUR_THREE = ("potential", "wandering", "loyal")
_LOYAL_STAGES = ("core", "strategic")


def classes_of(
    values: npt.ArrayLike,
    classes: Mapping[str, str | Sequence[str]],
    *,
    language: Language = "en",
) -> npt.NDArray[Any]:
    """Put a company's own words into a few named classes; what is in none stops the work.

    For the ready classes ``INDUSTRY_FOUR`` (manufacturing, retail, finance, services) and
    ``REACH_FOUR`` (local, regional, national, international), or any of your own.

    Parameters
    ----------
    values : array-like of shape (n,)
        Words as they stand in the table.
    classes : dict of str to sequence of str
        Class, and the words that belong to it.
    language : {"en", "zh"}, default="en"
        Language of the ready classes' names.

    Returns
    -------
    ndarray of shape (n,) of str
        A missing word stays missing (None).

    Raises
    ------
    DataContractError
        If a word is in no class: all of them are named, with the rows they stand in.
    ValueError
        If a word is in two classes.

    Examples
    --------
    >>> from custvalue.market import classes_of
    >>> classes_of(["bank", "steel"], {"finance": ["bank"], "manufacturing": ["steel"]}).tolist()
    ['finance', 'manufacturing']
    """
    language = check_language(language)
    class_of: dict[str, str] = {}
    for name, words in classes.items():
        for word in [words] if isinstance(words, str) else words:
            if word in class_of:
                raise ValueError(f"{word!r} is in two classes, {class_of[word]!r} and {name!r}.")
            class_of[word] = MARKET.name(name, language)
    raw = np.asarray(values, dtype=object)
    words_at = as_words(raw)
    missing = np.array([value is None or value != value for value in raw], dtype=bool)
    unknown = np.flatnonzero(
        [not m and w not in class_of for w, m in zip(words_at, missing, strict=True)]
    )
    if len(unknown):
        which = sorted({str(words_at[i]) for i in unknown})
        raise DataContractError(
            ContractProblem(
                "word-without-class",
                f"in no class: {', '.join(map(repr, which))}",
                "Add each to the class that it belongs to.",
                len(unknown),
                first_ids(unknown),
            )
        )
    return np.array(
        [None if m else class_of[w] for w, m in zip(words_at, missing, strict=True)], dtype=object
    )


class SizeCuts(NamedTuple):
    """Where medium and large companies begin, frozen.

    Parameters
    ----------
    medium, large : float
        Least revenue (or employees) of each.

    Examples
    --------
    >>> from custvalue.market import SizeCuts
    >>> SizeCuts(10.0, 100.0).classes([5.0, 10.0, 5000.0]).tolist()
    ['small', 'medium', 'large']
    """

    medium: float
    large: float

    @classmethod
    def learned(cls, revenue: npt.ArrayLike) -> SizeCuts:
        """Cut revenue into three sizes at the thirds of its logarithm's range.

        No text states cuts for small, medium and large; these follow the data and are frozen by
        being kept: a national standard is ``SizeCuts(medium, large)`` of its own numbers.

        Parameters
        ----------
        revenue : array-like of shape (n,)
            Above zero; missing ones are left out.

        Returns
        -------
        SizeCuts

        Raises
        ------
        DataContractError
            If a revenue is zero, negative or infinite, or all are equal.

        Examples
        --------
        >>> from custvalue.market import SizeCuts
        >>> cuts = SizeCuts.learned([1.0, 20.0, 1000.0])
        >>> round(cuts.medium, 6), round(cuts.large, 6)
        (10.0, 100.0)
        """
        value = np.asarray(revenue, dtype=np.float64)
        bad = np.flatnonzero(~np.isnan(value) & ~((value > 0) & np.isfinite(value)))
        known = value[~np.isnan(value)]
        if len(bad) or not len(known) or known.min() == known.max():
            raise DataContractError(
                ContractProblem(
                    "revenue",
                    "revenue must be finite, above zero, and not the same for all",
                    "Leave companies without revenue out, or write SizeCuts(medium, large).",
                    len(bad),
                    first_ids(bad),
                )
            )
        low, high = np.log([known.min(), known.max()])
        return cls(*(float(np.exp(low + (high - low) * part)) for part in (1 / 3, 2 / 3)))

    def classes(self, revenue: npt.ArrayLike, *, language: Language = "en") -> npt.NDArray[Any]:
        """Small, medium or large (小型、中型、大型) for every company.

        Parameters
        ----------
        revenue : array-like of shape (n,)
            Missing revenue has no class (None).
        language : {"en", "zh"}, default="en"

        Returns
        -------
        ndarray of shape (n,) of str
        """
        if not self.medium < self.large:
            raise ValueError(f"medium={self.medium!r} must lie below large={self.large!r}.")
        words = np.array(
            [MARKET.name(word, check_language(language)) for word in SIZE_THREE], dtype=object
        )
        value = np.asarray(revenue, dtype=np.float64)
        place = np.searchsorted([self.medium, self.large], value, side="right")
        found = words[np.minimum(place, 2)]
        found[np.isnan(value)] = None
        return found


def behaviour_three(
    n_orders: npt.ArrayLike, stage: npt.ArrayLike, *, language: Language = "en"
) -> npt.NDArray[Any]:
    """Potential, wandering or loyal (潜在型、游离型、忠诚型), from orders and lifecycle stage.

    Parameters
    ----------
    n_orders : array-like of shape (n,)
    stage : array-like of shape (n,) of str
        Stages of :class:`custvalue.lifecycle.LifecycleClassifier`, in English.
    language : {"en", "zh"}, default="en"

    Returns
    -------
    ndarray of shape (n,) of str
        No order: potential; core or strategic: loyal; any other: wandering.

    Examples
    --------
    >>> from custvalue.market import behaviour_three
    >>> behaviour_three([0, 2, 9], ["target", "new", "core"]).tolist()
    ['potential', 'wandering', 'loyal']
    """
    language = check_language(language)
    orders, stages = np.asarray(n_orders, dtype=np.float64), np.asarray(stage, dtype=object)
    if orders.shape != stages.shape:
        raise ValueError(f"n_orders {orders.shape} and stage {stages.shape} differ in length.")
    loyal = np.array([word in _LOYAL_STAGES for word in stages])
    place = np.where(~(orders > 0), 0, np.where(loyal, 2, 1))
    words = [MARKET.name(f"{word} kind", language) for word in BEHAVIOUR_THREE]
    if language == "en":
        words = list(BEHAVIOUR_THREE)
    return np.array(words, dtype=object)[place]
