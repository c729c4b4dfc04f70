"""What a SilenceScorer was asked for, checked: method, cuts, outcome, everybody's gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._open_table import Table
from custvalue._typing import Floats
from custvalue._work import check_kinds
from custvalue.silence._methods import METHODS, SilenceMethod
from custvalue.silence._silence_cuts import choose_threshold

GRADES = ("active", "watch", "silent", "deeply silent")


def method_of(scorer: Any) -> type[SilenceMethod]:
    """Class of the scorer's method.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    found = METHODS.get(scorer.method)
    if found is None:
        raise ValueError(f"method={scorer.method!r} must be one of {list(METHODS)}.")
    return found


def needs_outcome(scorer: Any) -> bool:
    """Whether a scorer learns from what customers did next."""
    learns = METHODS[scorer.method].needs_outcome(scorer) if scorer.method in METHODS else False
    return learns or isinstance(scorer.cuts, str)


def check_choices(scorer: Any, y: npt.ArrayLike | None) -> None:
    """Refuse parameters that do not exist or lack what they need."""
    check_kinds(
        scorer,
        method="text",
        cuts="sequence or text or None",
        cost_false_alarm="number",
        cost_miss="number",
    )
    method = method_of(scorer)
    if scorer.calibrator not in ("logistic", "isotonic"):
        raise ValueError(f"calibrator={scorer.calibrator!r} must be 'logistic' or 'isotonic'.")
    if scorer.regularity != "auto" and not (
        isinstance(scorer.regularity, (int, np.integer))
        and not isinstance(scorer.regularity, bool)
        and scorer.regularity >= 1
    ):
        raise ValueError(f"regularity={scorer.regularity!r} must be 'auto' or a number >= 1.")
    if isinstance(scorer.cuts, str) and scorer.cuts != "learned":
        raise ValueError(f"cuts={scorer.cuts!r} must be three numbers or 'learned'.")
    method.check(scorer)
    if needs_outcome(scorer) and y is None:
        raise ValueError(
            "method='calibrated', threshold='learned' and cuts='learned' learn from an earlier "
            "date: fit(X, y) with the customers as known then and whether each ordered within the "
            "window after it "
            "(custvalue.silence.learning_set makes both). requires y to be passed, but the "
            "target y is None."
        )


def everybodys_gaps(
    scorer: Any, table: Table, gaps: npt.ArrayLike | None, *, named: bool
) -> Floats | None:
    """Everybody's gaps, where the method needs them: as given, or those in a matrix of gaps."""
    if not method_of(scorer).needs_gaps(scorer):
        return None
    if gaps is None and named:
        raise ValueError(
            f"method={scorer.method!r} with regularity={scorer.regularity!r} needs everybody's "
            "gaps, which a summary does not hold: fit(X, gaps=...) with the gaps of "
            "custvalue.silence.silence_from_log."
        )
    values = np.asarray(table.given if gaps is None else gaps, dtype=np.float64)
    if gaps is None:
        values = values[:, 1:][values[:, 1:] > 0]
    if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0)).all():
        source = "gaps" if gaps is not None else f"X with n_features={scorer.n_features_in_}"
        raise ValueError(f"{source} must hold positive, finite gaps, at least one.")
    return values


def grade_cuts(scorer: Any, score: Floats, y: npt.ArrayLike | None) -> tuple[float, float, float]:
    """Lower ends of watch, silent and deeply silent: learned by cost, given, or the method's."""
    if isinstance(scorer.cuts, str):
        assert y is not None
        return choose_threshold(
            score, y, cost_false_alarm=scorer.cost_false_alarm, cost_miss=scorer.cost_miss
        ).cuts
    cuts = METHODS[scorer.method].cuts if scorer.cuts is None else scorer.cuts
    numbers = [float(c) for c in cuts]
    if len(numbers) != 3 or not (np.diff(numbers) >= 0).all():
        raise ValueError(f"cuts={cuts!r} must be three ascending numbers.")
    return numbers[0], numbers[1], numbers[2]
