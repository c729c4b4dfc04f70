"""The factors of columns as a table, each with its interval and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from custvalue._words import EFFECTS
from custvalue.likelihood._effects import Effects, Term
from custvalue.likelihood._fit import FittedLaw

if TYPE_CHECKING:
    import pandas as pd

# what a factor above 1 means of each process, and one below
_SAID = {
    "purchase": ("customers order {size} more often", "customers order {size} less often"),
    "leave": ("customers leave {size} sooner", "customers leave {size} later"),
    "spend": ("customers spend {size} more an order", "customers spend {size} less an order"),
}


def effect_table(fitted: FittedLaw, level: float, language: str) -> pd.DataFrame:
    """Tell what each encoded column does; see ``LawModel.effect_table``."""
    import pandas as pd
    from scipy.special import ndtr, ndtri

    effects = fitted.effects
    names = ["process", "column", "category", "base", "coefficient", "standard_error", "factor"]
    names += ["lower", "upper", "p_value", "words"]
    lines = []
    if effects is not None:
        errors = np.sqrt(np.diag(fitted.covariance))[-len(effects.terms) :]
        reach = float(ndtri(0.5 + level / 2.0))
        for term, value, error in zip(effects.terms, effects.values, errors, strict=True):
            column, category, base = _kind(effects, term)
            ends = value - reach * error, value + reach * error
            p_value = 2.0 * float(ndtr(-abs(value / error))) if error > 0.0 else np.nan
            who = (
                EFFECTS("each unit more of {column}", language, column=column)
                if category is None
                else EFFECTS("{column} = {category} (against {base})", language, column=column,
                             category=category, base=base)
            )  # fmt: skip
            words = "; ".join(
                _sentence(process, who, value, ends, level, language) for process in term.processes
            )
            process = EFFECTS.name("=".join(term.processes), language)
            lines.append(
                [process, column, category, base, value, error, np.exp(value), *np.exp(ends),
                 p_value, words]
            )  # fmt: skip
    table = pd.DataFrame(lines, columns=names)
    found: pd.DataFrame = EFFECTS.table(table, language)
    return found


def _kind(effects: Effects, term: Term) -> tuple[str, str | None, str | None]:
    """Column, category and base level of a term; None of a number."""
    for column in effects.columns:
        for label in column.labels:
            if label == term.label:
                category = label.removeprefix(f"{column.name}=") if label != column.name else None
                base = None if category is None else (*column.levels, "known")[0]
                return column.name, category, base
    raise KeyError(term.label)


def _sentence(
    process: str, who: str, value: float, ends: tuple[float, float], level: float, language: str
) -> str:
    more, less = _SAID.get(process, _SAID["purchase"])
    # who leaves by a smaller factor stays longer: times go with its inverse
    turn = -1.0 if process == "leave" else 1.0
    said = EFFECTS(more if value > 0.0 else less, language, size=_percent(turn * value, sign=False))
    if np.isnan(ends[0]):
        return EFFECTS("{who}: {what}", language, who=who, what=said)
    low, high = sorted((turn * ends[0], turn * ends[1]))
    sentence = EFFECTS(
        "{who}: {what} ({level} interval {low} to {high})",
        language,
        who=who,
        what=said,
        level=f"{level:.0%}".replace("%", " %"),
        low=_percent(low),
        high=_percent(high),
    )
    return sentence + (EFFECTS("; it may be nothing", language) if low < 0.0 < high else "")


def _percent(log_ratio: float, *, sign: bool = True) -> str:
    change = 100.0 * float(np.expm1(log_ratio))
    digits = 0 if abs(change) >= 10.0 else 1
    return f"{change:+,.{digits}f} %" if sign else f"{abs(change):,.{digits}f} %"
