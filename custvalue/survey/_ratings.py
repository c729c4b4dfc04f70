"""Ratings in, one row a respondent and brand; out a cube of answers, or all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custvalue import _frames
from custvalue._sklearn import weights_of
from custvalue._typing import Floats, Places
from custvalue._warn import warn_caller
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    SmallSampleWarning,
    first_ids,
    nearest,
)
from custvalue.survey._estimate import FEW, answer_problems

ONLY = "we"  # the brand of ratings that name none


@dataclass(frozen=True)
class Ratings:
    """Rows of ratings as read: answers, and where each row belongs.

    ``answers`` has shape (n_rows, k), more is better on both sides; ``respondent``, ``brand`` and
    ``wave`` are places in ``respondents``, ``brands`` and ``waves``; ``outcome`` and ``stated``
    (importance answers, (n_rows, k)) are None where not asked for.
    """

    answers: Floats
    weight: Floats
    respondent: Places
    brand: Places
    wave: Places
    respondents: tuple[Any, ...]
    brands: tuple[str, ...]
    waves: tuple[str, ...]
    outcome: Floats | None
    stated: Floats | None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of a cube: respondents, waves, brands, attributes."""
        sizes = len(self.respondents), len(self.waves), len(self.brands)
        return (*sizes, self.answers.shape[1])

    def cube(self, values: Floats) -> Floats:
        """``values`` of the rows, of shape (n_rows, k), by respondent, wave and brand."""
        out = np.full((*self.shape[:3], values.shape[1]), np.nan)
        out[self.respondent, self.wave, self.brand] = values
        return out


def read_ratings(
    X: Any,
    benefits: Sequence[str],
    sacrifices: Sequence[str],
    *,
    scale: tuple[float, float],
    brand: str | None,
    respondent: str | None,
    wave: str | None,
    outcome: str | None = None,
    importance: dict[str, str] | None = None,
    burden: bool = False,
    not_applicable: Sequence[float] = (),
    sample_weight: Any = None,
    known_brands: Sequence[str] | None = None,
) -> Ratings:
    """Read a table of ratings.

    Raises
    ------
    DataContractError
        Listing every missing column, answers outside the scale, rows without brand, respondent or
        wave, brands unknown to a fitted model, and respondents who rate a brand twice.
    """
    have = _frames.column_names(X)
    if have is None:
        raise ValueError(
            "ratings must be a table with named columns, one row a respondent and brand."
        )
    attributes = [*benefits, *sacrifices]
    named = {n: c for n, c in (("brand", brand), ("respondent", respondent), ("wave", wave)) if c}
    more = [*named.values(), *([outcome] if outcome else []), *(importance or {}).values()]
    problems = [
        ContractProblem(
            "missing-column",
            f"the ratings have no column {name!r}; they have {', '.join(map(repr, have))}",
            nearest(name, have).strip() or "Name one of these.",
        )
        for name in dict.fromkeys([*attributes, *more])
        if name not in have
    ]
    problems += [
        ContractProblem(
            "repeated-column", f"the ratings have {name!r} {have.count(name)} times", "Keep one."
        )
        for name in dict.fromkeys([*attributes, *more])
        if have.count(name) > 1
    ]
    if problems:
        raise DataContractError(problems)
    n = len(_frames.column(X, attributes[0]))
    if not n:
        raise DataContractError(
            ContractProblem("no-rows", "the ratings have no rows", "Pass the answers.")
        )

    def column(name: str, what: str, missing: Sequence[float] = not_applicable) -> Floats:
        values, found = answer_problems(
            _frames.column(X, name),
            scale if what == "answer" else (-np.inf, np.inf),
            name=f"column {name!r}",
            not_applicable=missing,
        )
        problems.extend(found)
        return values

    answers = np.column_stack([column(name, "answer") for name in attributes])
    if burden:
        answers[:, len(benefits) :] = sum(scale) - answers[:, len(benefits) :]
    y = column(outcome, "outcome") if outcome else None
    stated = None
    if importance is not None:
        stated = np.column_stack([column(importance[name], "stated") for name in attributes])
    ids = {}
    for what, name in named.items():
        values = pd.Series(_frames.column(X, name), dtype=object)
        if (lost := values.isna().to_numpy()).any():
            problems.append(
                ContractProblem.at(
                    f"missing-{what}",
                    f"column {name!r} is empty",
                    f"Say which {what} these rows belong to, or drop them.",
                    np.flatnonzero(lost),
                )
            )
        ids[what] = values
    places, names = {}, {}
    for what, only in (("brand", ONLY), ("wave", "")):
        text = ids[what].map(str) if what in ids else pd.Series(np.full(n, only), dtype=object)
        if what == "brand" and known_brands is not None:
            names[what] = list(known_brands)
            for one in sorted({*text} - {*known_brands}):
                strange = unknown_brand(one, known_brands)
                rows = np.flatnonzero(text == one)
                problems.append(
                    ContractProblem.at(strange.code, strange.message, strange.cure, rows)
                )
        else:
            names[what] = list(dict.fromkeys(text if what == "brand" else _in_order(ids, text)))
        places[what] = pd.Index(names[what], dtype=object).get_indexer(pd.Index(text, dtype=object))
    who = ids["respondent"] if "respondent" in ids else pd.Series(np.arange(n), dtype=object)
    place, respondents = pd.factorize(who)
    if "respondent" in ids and not any(p.code.startswith("missing-") for p in problems):
        key = pd.DataFrame({"r": place, "b": places["brand"], "w": places["wave"]})
        if (twice := key.duplicated().to_numpy()).any():
            said = [
                f"{who.iloc[i]} on {names['brand'][places['brand'][i]]}"
                for i in np.flatnonzero(twice)[:5]
            ]
            problems.append(
                ContractProblem(
                    "repeated-rating",
                    "respondents rate a brand more than once",
                    "Keep one row a respondent and brand, or name the column of waves in wave=.",
                    int(twice.sum()),
                    first_ids(said),
                    np.flatnonzero(twice),
                )
            )
    if problems:
        raise DataContractError(problems)
    weights = weights_of(sample_weight, n)
    return Ratings(
        answers,
        np.ones(n) if weights is None else weights,
        place.astype(np.intp),
        places["brand"],
        places["wave"],
        tuple(respondents),
        tuple(names["brand"]),
        tuple(names["wave"]),
        y,
        stated,
    )


def _in_order(ids: dict[str, Any], text: Any) -> list[str]:
    """Waves from the first to the last: as numbers or dates where they are, else as text."""
    try:
        return [str(value) for value in sorted(ids["wave"])] if "wave" in ids else list(text)
    except TypeError:
        return sorted(text)


def without_unrated(read: Ratings, stacklevel: int) -> Ratings:
    """Leave out brands that nobody rated, with a warning."""
    known = ~np.isnan(read.answers) & (read.weight > 0)[:, None]
    rated = [bool(known[read.brand == b].any()) for b in range(len(read.brands))]
    if all(rated):
        return read
    lost = [name for name, is_rated in zip(read.brands, rated, strict=True) if not is_rated]
    warn_caller(f"nobody rated {', '.join(lost)}: left out.", DataWarning)
    kept = np.flatnonzero(rated)
    rows = np.isin(read.brand, kept)
    if not rows.any():
        raise DataContractError(
            ContractProblem("no-answers", "nobody rated any brand", "Pass the answers.")
        )
    return Ratings(
        read.answers[rows],
        read.weight[rows],
        read.respondent[rows],
        np.searchsorted(kept, read.brand[rows]).astype(np.intp),
        read.wave[rows],
        read.respondents,
        tuple(read.brands[b] for b in kept),
        read.waves,
        None if read.outcome is None else read.outcome[rows],
        None if read.stated is None else read.stated[rows],
    )


def warn_of_small(sizes: dict[str, int], stacklevel: int) -> None:
    """Name the cells with fewer than 20 answers."""
    small = [f"{name} ({n})" for name, n in sizes.items() if 0 < n < FEW]
    if small:
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        warn_caller(
            f"fewer than {FEW} answers in {', '.join(small[:5])}{more}: intervals are wide.",
            SmallSampleWarning,
        )


def unknown_brand(name: object, known: Sequence[str]) -> ContractProblem:
    """Say that a brand is unknown, and which are known."""
    return ContractProblem(
        "unknown-brand",
        f"{name!r} is no brand of the fitted ratings; these are {', '.join(map(repr, known))}",
        nearest(name, known).strip() or "Name one of these.",
    )
