"""What an RFMTransformer was asked for, checked: bins, given cut points, weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._open_table import Table
from custvalue._typing import Floats, Places
from custvalue._units import Span, in_units
from custvalue._warn import warn_caller
from custvalue.exceptions import BinWarning
from custvalue.rfm._rfm_law import VariableCuts, learned_weights

PANEL_COLUMNS = ("period", "orders", "profit")
CYCLE = "usual_gaps"  # what recency is scored on where it is cut on the cycle
HISTORY = ("n_orders", "recency")  # what tells a customer's gaps
METHODS = ("independent", "nested", "mean", "fixed")
REMAINDERS = ("auto", "drop", "passthrough")


def check_scoring(method: str, remainder: str) -> None:
    """Refuse a method or a remainder that does not exist."""
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {', '.join(METHODS)}.")
    if remainder not in REMAINDERS:
        raise ValueError(f"remainder={remainder!r} must be one of {', '.join(REMAINDERS)}.")


def asks_cycle(cuts: Any, method: str, names: Mapping[str, str]) -> bool:
    """Whether recency is to be cut on the cycle; refused where that cannot be."""
    if without_cycle(cuts) is cuts:
        return False
    if method != "independent":
        raise ValueError(
            f"cuts={cuts!r} asks for the log's cycle, which method={method!r} has no place for; "
            "leave method as it is."
        )
    if names.get("R") != "silence":
        raise ValueError(
            f"cuts={cuts!r} asks for the log's cycle, but R is not scored on silence "
            f"(columns: {dict(names)})."
        )
    return True


def without_cycle(cuts: Any) -> Any:
    """Cuts that remain when recency is cut on the cycle; the same object where it is not."""
    if isinstance(cuts, str) and cuts == "cycle":
        return None
    if isinstance(cuts, Mapping) and any(_is_cycle(c) for c in cuts.values()):
        if wrong := [letter for letter, c in cuts.items() if _is_cycle(c) and letter != "R"]:
            raise ValueError(f"cuts ask {wrong} on the cycle; only R, of silence, can be.")
        return {letter: c for letter, c in cuts.items() if letter != "R"}
    return cuts


def _is_cycle(cut: Any) -> bool:
    return isinstance(cut, str) and cut == "cycle"


def given_letters(estimator: Any) -> Collection[str]:
    """Letters whose cut points the user gave."""
    cuts = without_cycle(estimator.cuts)
    if cuts is None:
        return ()
    return cuts if isinstance(cuts, Mapping) else [v.letter for v in estimator.variables_]


def check_width(values: Floats, wanted: Sequence[str]) -> None:
    """Refuse an array that lacks what the cycle needs, or has more than is known."""
    if values.shape[1] != len(wanted):
        raise ValueError(
            f"{values.shape[1]} feature(s) in X; cuts on the cycle read an array by position and "
            f"need {len(wanted)}: {', '.join(wanted)}."
        )


def scored_columns(columns: Mapping[str, str] | None, monetary: str) -> dict[str, str]:
    """Column of each letter."""
    if columns is not None:
        return dict(columns)
    if monetary not in ("total_value", "mean_value"):
        raise ValueError(f"monetary={monetary!r} must be 'total_value' or 'mean_value'.")
    return {"R": "silence", "F": "n_orders", "M": monetary}


def check_halves(method: str, sizes: Sequence[int]) -> None:
    """Refuse more than two scores where variables are cut at their mean."""
    if method == "mean" and set(sizes) != {2}:
        raise ValueError(
            f"method='mean' cuts each variable in two, at its mean, but n_bins={list(sizes)}; "
            "pass n_bins=2."
        )


def letter_of(position: int) -> str:
    """Letter of a column that is read by position."""
    return "RFM"[position] if position < 3 else f"V{position + 1}"


def passed_columns(table: Table, remainder: str) -> list[str]:
    """Names of the columns of a frame that pass through."""
    have = table.names or ()
    is_panel = set(PANEL_COLUMNS) <= set(have)
    return list(have) if remainder == "passthrough" or (remainder == "auto" and is_panel) else []


def bins_by_letter(
    n_bins: int | Sequence[int] | Mapping[str, int], letters: Sequence[str]
) -> list[int]:
    """Give the number of bins of each letter."""
    if isinstance(n_bins, Mapping):
        if unknown := sorted(set(n_bins) - set(letters)):
            raise ValueError(f"n_bins names {unknown}, which are not among {list(letters)}.")
        sizes = [n_bins.get(letter, 5) for letter in letters]
    elif isinstance(n_bins, Sequence) and not isinstance(n_bins, str):
        sizes = list(n_bins)
    else:
        sizes = [n_bins] * len(letters)
    legal = [isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in sizes]
    if len(sizes) != len(letters) or not all(legal):
        raise ValueError(
            f"n_bins={n_bins!r} must be a whole number >= 1, or one for each of {list(letters)}."
        )
    return [int(n) for n in sizes]


def cuts_by_letter(
    cuts: Mapping[str, Sequence[Span]] | Sequence[Span] | None,
    letters: Sequence[str],
    method: str,
    unit: str | None,
    of_time: Collection[str],
) -> dict[str, tuple[float, ...]]:
    """Cut points given by the user, in the unit of the table; spans only for ``of_time``."""
    if cuts is None or isinstance(cuts, Mapping):
        given = dict(cuts or {})
    elif isinstance(cuts, (Sequence, np.ndarray)) and not isinstance(cuts, str):
        given = dict.fromkeys(letters, cuts)
    else:
        raise ValueError(
            f"cuts={cuts!r} must be 'cycle', a mapping of letters, or a sequence for all."
        )
    if unknown := sorted(set(given) - set(letters)):
        raise ValueError(f"cuts name {unknown}, which are not among {list(letters)}.")
    missing = [letter for letter in letters if letter not in given]
    if method == "fixed" and missing:
        raise ValueError(f"method='fixed' needs cuts for every variable; {missing} have none.")
    if method == "nested" and given:
        raise ValueError("method='nested' learns its cuts; leave cuts out.")
    out = {}
    for letter, values in given.items():
        if isinstance(values, str):
            raise ValueError(f"cuts[{letter!r}]={values!r} must be a sequence of cut points.")
        numbers = []
        for c in values:
            # numpy counts a length of time among its numbers
            if isinstance(c, (int, float, np.number)) and not isinstance(c, np.timedelta64):
                numbers.append(float(c))
            elif letter in of_time:
                numbers.append(in_units(c, unit, "cut"))
            else:
                raise ValueError(f"cuts[{letter!r}] has {c!r}, but {letter} is not a time.")
        if not numbers or not np.isfinite(numbers).all() or not (np.diff(numbers) > 0).all():
            raise ValueError(f"cuts[{letter!r}]={list(values)} must be finite and ascending.")
        out[letter] = tuple(numbers)
    return out


def weights_by_letter(
    weights: Sequence[float] | Mapping[str, float] | str | None,
    letters: Sequence[str],
    scores: Places,
    y: npt.ArrayLike | None,
) -> tuple[float, ...] | None:
    """Weights of the composite score: given, learned from a response, or none."""
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights not in ("equal", "learn"):
            raise ValueError(f"weights={weights!r} must be numbers, 'equal' or 'learn'.")
        if weights == "equal":
            return (1.0,) * len(letters)
        if y is None:
            raise ValueError("weights='learn' needs the response y in fit.")
        y = np.asarray(y, dtype=np.float64)
        if y.shape != (len(scores),) or not np.isfinite(y).all():
            raise ValueError(f"y must hold {len(scores):,} finite numbers, one a row of X.")
        return tuple(float(w) for w in learned_weights(scores, y))
    if isinstance(weights, Mapping):
        numbers = [weights.get(a, np.nan) for a in letters]
    else:
        numbers = list(weights)
    if len(numbers) != len(letters) or not all(np.isfinite(w) and w >= 0 for w in numbers):
        raise ValueError(f"weights={weights!r} must hold a number >= 0 for each of {letters}.")
    return tuple(float(w) for w in numbers)


def warn_few_values(
    values: Floats,
    scores: Places,
    variables: Sequence[VariableCuts],
    given: Mapping[str, tuple[float, ...]],
) -> None:
    """Say which scores cannot occur because equal values must stay together."""
    for j, v in enumerate(variables):
        if v.letter in given:
            continue
        possible = [len(set(cuts)) + 1 for cuts in v.cuts]
        short = sum(p < v.n_bins for p in possible)
        if not short:
            continue
        found, counts = np.unique(values[:, j], return_counts=True)
        top = counts.argmax()
        where = f"{possible[0]} possible" if not v.is_nested else f"fewer in {short} groups"
        used = ", ".join(str(s) for s in np.unique(scores[:, j]))
        warn_caller(
            f"{v.column} ({v.letter}): {counts[top] / len(values):.0%} of the rows have the value "
            f"{found[top]:g}; {v.n_bins} bins asked, {where}. Scores used: {used}.".replace(
                "%", " %"
            ),
            BinWarning,
        )
