"""What goes with winning: rates by level drawn to the mean, and each factor's share of R²."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from custvalue import _frames
from custvalue._typing import Floats
from custvalue._warn import heard
from custvalue._words import FUNNEL, Language, check_language
from custvalue.exceptions import BoundaryFitWarning, ContractProblem, DataContractError
from custvalue.purchase import BetaBinomialResponse

MOST_LEVELS, CLASSES, MOST_FACTORS = 12, 4, 10


def win_drivers(
    deals: Any,
    factors: Sequence[str],
    *,
    outcome: str = "outcome",
    won: str = "won",
    lost: str | Sequence[str] = "lost",
    language: Language = "en",
) -> Any:
    """Win rate by level of each factor, shrunk, and the factor's importance.

    It tells what goes together with winning, not what causes it: reps choose their deals.

    Parameters
    ----------
    deals : frame
        One row a deal; only those won or lost are read.
    factors : sequence of str
        Columns: text as it stands, numbers of more than 12 values in four classes of equal size.
    outcome : str, default="outcome"
        Column that says won or lost.
    won : str, default="won"
    lost : str or sequence of str, default="lost"
    language : {"en", "zh"}, default="en"

    Returns
    -------
    frame of the kind of ``deals``
        ``factor``, ``level``, ``deals``, ``won``, ``win_rate``, ``shrunk`` (mean of the
        beta-binomial posterior over the levels of the factor), ``importance``: the factor's share
        of R² averaged over all orders of entry (Lindeman, Merenda & Gold 1980); the shares of the
        factors add up to 1. Most important first.

    Raises
    ------
    DataContractError
        If a column is missing, or no deal is decided.
    ValueError
        If there are no factors, or more than ten.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import win_drivers
    >>> deals = pd.DataFrame({"rep": ["a"] * 10 + ["b"] * 10,
    ...                       "outcome": ["won"] * 8 + ["lost"] * 2 + ["won"] * 3 + ["lost"] * 7})
    >>> win_drivers(deals, ["rep"])[["level", "deals", "won", "win_rate", "importance"]]
      level  deals  won  win_rate  importance
    0     a     10    8       0.8         1.0
    1     b     10    3       0.3         1.0
    """
    check_language(language)
    names = list(factors)
    if not 1 <= len(names) <= MOST_FACTORS or len(set(names)) < len(names):
        raise ValueError(f"factors={names!r} must be 1 to {MOST_FACTORS} columns that differ.")
    table = _frames.eager(deals)
    have = _frames.column_names(table) or []
    absent = [name for name in [outcome, *names] if name not in have]
    if absent:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the table of deals has no column {', '.join(map(repr, absent))}; it has "
                f"{', '.join(map(str, have))}",
                "Name the columns that are there.",
            )
        )
    said = np.array([str(word) for word in _frames.column(table, outcome)], dtype=object)
    losses = [lost] if isinstance(lost, str) else list(lost)
    is_won = said == won
    decided = is_won | np.isin(said.astype(str), losses)
    if not decided.any():
        raise DataContractError(
            ContractProblem(
                "no-outcome",
                f"no deal of column {outcome!r} is {won!r} or {', '.join(map(repr, losses))}",
                f"It says {', '.join(sorted(set(said[:200]))[:5])}; give won= and lost=.",
            )
        )
    y = is_won[decided].astype(np.float64)
    codes, levels = zip(*(_levels(table, name, decided) for name in names), strict=True)
    shares = lmg_shares([_dummies(c, len(lv)) for c, lv in zip(codes, levels, strict=True)], y)
    rows: dict[str, list[Any]] = {
        k: [] for k in ("factor", "level", "deals", "won", "win_rate", "shrunk", "importance")
    }
    for k in np.argsort(-shares, kind="stable"):
        n = np.bincount(codes[k], minlength=len(levels[k]))
        x = np.bincount(codes[k], y, len(levels[k]))
        rows["factor"] += [names[k]] * len(n)
        rows["level"] += levels[k]
        rows["deals"] += n.tolist()
        rows["won"] += x.astype(np.int64).tolist()
        rows["win_rate"] += (x / n).tolist()
        rows["shrunk"] += shrunk_rates(x, n).tolist()
        rows["importance"] += [float(shares[k])] * len(n)
    return _frames.new_table(table, FUNNEL.table(rows, language, cells=["stage"]))


def shrunk_rates(won: Any, n: Any) -> Floats:
    """Posterior mean of each rate when rates are Beta distributed; the mean of all for one rate."""
    x, size = np.asarray(won, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if len(x) < 2:
        return x / size
    with heard(BoundaryFitWarning):
        # levels that do not differ: then all have the mean, as they should
        model = BetaBinomialResponse().fit(np.column_stack([x, x, size]))
    a, b = model.params_
    return (a + x) / (a + b + size)


def lmg_shares(blocks: Sequence[Floats], y: Floats) -> Floats:
    """Share of R² of each block of columns, averaged over all orders of entry; they sum to one."""
    k, n = len(blocks), len(y)
    centred = y - y.mean()
    total = float(centred @ centred)
    r2: dict[tuple[int, ...], float] = {(): 0.0}
    if total == 0.0:
        return np.full(k, 1.0 / k)
    for size in range(1, k + 1):
        for subset in combinations(range(k), size):
            X = np.column_stack([np.ones(n), *(blocks[j] for j in subset)])
            # normal equations are as small as the levels are few; equal columns share what they say
            beta = np.linalg.lstsq(X.T @ X, X.T @ y, rcond=1e-10)[0]
            rest = y - X @ beta
            r2[subset] = 1.0 - float(rest @ rest) / total
    out = np.zeros(k)
    for j in range(k):
        others = [i for i in range(k) if i != j]
        for size in range(k):
            weight = math.factorial(size) * math.factorial(k - size - 1) / math.factorial(k)
            for subset in combinations(others, size):
                with_j = tuple(sorted((*subset, j)))
                out[j] += weight * (r2[with_j] - r2[subset])
    whole = out.sum()
    return out / whole if whole > 0 else np.full(k, 1.0 / k)


def _levels(table: Any, name: str, rows: Any) -> tuple[Any, list[Any]]:
    """Code of each row's level, and the levels in order."""
    import pandas as pd

    values = pd.Series(np.asarray(_frames.column(table, name))[rows])
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and values.nunique() > MOST_LEVELS:
        cut = pd.qcut(values, CLASSES, duplicates="drop")
        text = [f"{iv.left:,.6g} to {iv.right:,.6g}" for iv in cut.cat.categories]
        text[0] = f"up to {cut.cat.categories[0].right:,.6g}"
        code = cut.cat.codes.to_numpy().astype(np.int64)
    else:
        text_of = values.astype(object).where(values.notna(), None)
        code, found = pd.factorize(text_of, sort=True)
        code, text = np.asarray(code, dtype=np.int64), [str(word) for word in found]
    if (code < 0).any():
        code = np.where(code < 0, len(text), code)
        text = [*text, "(missing)"]
    return code, text


def _dummies(code: Any, n: int) -> Floats:
    return np.eye(n)[code][:, 1:]
