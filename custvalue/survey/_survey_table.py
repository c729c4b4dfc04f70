"""One table of every number of a survey: item by group by wave, with n, effective n, interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue import _frames
from custvalue._fitted import check_level
from custvalue._words import SURVEY, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, nearest
from custvalue.survey._estimate import Scores, estimate
from custvalue.survey._measures import MEASURES, change_of, measure_scores
from custvalue.survey._ratings import warn_of_small

_CHANGE = ("change", "change_low", "change_high", "z", "n_both")


@dataclass(frozen=True)
class Item:
    """What is made of a question: the measure, and the scale it was asked on.

    Parameters
    ----------
    measure : {"mean", "index", "net_promoter", "top_box", "share"}
        Mean answer; mean rescaled to 0..100 (of several columns: `satisfaction_index`);
        `net_promoter`; `top_box`; share of 1 among 0 and 1.
    scale : pair of float, optional
        Lowest and highest answer; only ``"share"`` needs none.
    columns : sequence of str, optional
        Columns of answers; default: the one named as the item. More than one for an index.
    weights : sequence of float, optional
        Of the columns of an index; default: equal.
    top : float, default=2
        Points from the top that count, for ``"top_box"``.
    not_applicable : sequence of float, default=()
        Codes of no answer.

    Examples
    --------
    >>> from custvalue.survey import Item
    >>> Item("net_promoter", (0, 10)).scale
    (0, 10)
    """

    measure: str
    scale: Sequence[float] | None = None
    columns: Sequence[str] | None = None
    weights: Sequence[float] | None = None
    top: float = 2
    not_applicable: Sequence[float] = ()


def survey_table(
    answers: Any,
    items: Mapping[str, Item],
    *,
    by: str | Sequence[str] = (),
    wave: str | None = None,
    respondent: str | None = None,
    weight: str | None = None,
    level: float = 0.95,
    language: Language = "en",
) -> pd.DataFrame:
    """Every number of a survey with its sample size and interval.

    Parameters
    ----------
    answers : frame
        One row a respondent (and wave, or brand), the answers in columns.
    items : mapping of str to Item
        What to make of which columns.
    by : str or sequence of str, default=()
        Columns to split by, such as the brand or the stage of the customer.
    wave : str, optional
        Column with the wave; adds the change since the wave before, paired where respondents
        repeat.
    respondent : str, optional
        Column with the respondent, for pairing.
    weight : str, optional
        Column with the weight of each row, as from `rake`.
    level : float, default=0.95
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        One row an item, group and wave: ``item``, ``measure``, the columns of ``by`` and ``wave``,
        ``value``, ``standard_error``, ``low``, ``high``, ``n``, ``n_eff``, ``missing`` (rows
        without an answer), with waves ``change``, ``change_low``, ``change_high``, ``z``,
        ``n_both``, and ``reason`` (why there is no interval).

    Raises
    ------
    DataContractError
        Listing every missing column, all answers outside their scales, and rows without group,
        wave or respondent.

    Warns
    -----
    SmallSampleWarning
        Naming cells with fewer than 20 answers.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import Item, survey_table
    >>> answers = pd.DataFrame({"stage": ["core", "new"] * 20, "again": [9, 10, 3, 8] * 10})
    >>> survey_table(answers, {"again": Item("net_promoter", (0, 10))}, by="stage")[
    ...     ["stage", "value", "n", "n_eff"]]
      stage  value   n  n_eff
    0  core    0.0  20   20.0
    1   new   50.0  20   20.0
    """
    language = check_language(language)
    check_level(level)
    groups = [by] if isinstance(by, str) else list(by)
    _check(answers, items, groups, wave, respondent, weight)
    w = None if weight is None else _frames.column(answers, weight).astype(np.float64)
    made = _scores(answers, items, w)
    n = len(_frames.column(answers, _columns(*next(iter(items.items())))[0]))
    keys = {name: pd.Series(_frames.column(answers, name), dtype=object) for name in groups}
    place, groups_seen = _cells(keys, n)
    at, waves = np.zeros(n, dtype=np.intp), [None]
    if wave is not None:
        text = pd.Series(_frames.column(answers, wave), dtype=object)
        at, waves = _in_order(text)
    who = None if respondent is None else _frames.column(answers, respondent).astype(object)
    rows = []
    for name, scores in made.items():
        for g, group in enumerate(groups_seen):
            before: Scores | None = None
            for t, named in enumerate(waves):
                inside = (place == g) & (at == t)
                part = _within(scores, inside)
                row: dict[str, Any] = {"item": name, "measure": items[name].measure}
                row |= dict(zip(groups, group, strict=True))
                if wave is not None:
                    row[wave] = named
                row |= _numbers(part, int(inside.sum()), level)
                if wave is not None:
                    row |= _change(before, part, who, level)
                    before = part
                row["reason"] = row.pop("reason")
                rows.append(row)
    table = pd.DataFrame(rows)
    warn_of_small({_name(row, groups, wave): row["n"] for row in rows}, 2)
    own = tuple(groups) + ((wave,) if wave is not None else ())
    return SURVEY.table(table, language, cells=("measure", "reason"), keep=own)


def _numbers(scores: Scores, rows: int, level: float) -> dict[str, Any]:
    found = estimate(scores, level)
    return {
        "value": found.value,
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "n_eff": found.n_eff,
        "missing": rows - found.n,
        "reason": found.reason,
    }


def _change(before: Scores | None, now: Scores, who: Any, level: float) -> dict[str, Any]:
    if before is None or min(len(before.value), len(now.value)) < 2:
        return dict.fromkeys(_CHANGE[:-1], np.nan) | {"n_both": 0}
    change = change_of(before, now, None if who is None else (who, who), level)
    numbers = change.difference, change.low, change.high, change.z, change.n_both
    return dict(zip(_CHANGE, numbers, strict=True))


def _within(scores: Scores, inside: npt.NDArray[np.bool_]) -> Scores:
    kept = inside[scores.row]
    return Scores(scores.value[kept], scores.weight[kept], scores.row[kept], scores.spread_of)


def _columns(name: str, item: Item) -> list[str]:
    return [name] if item.columns is None else list(item.columns)


def _scores(answers: Any, items: Mapping[str, Item], w: Any) -> dict[str, Scores]:
    """Scores of every item; all that is wrong with any of them together."""
    made: dict[str, Scores] = {}
    problems: list[ContractProblem] = []
    for name, item in items.items():
        columns = _columns(name, item)
        values = np.column_stack([_frames.column(answers, c) for c in columns])
        try:
            made[name] = measure_scores(
                values if item.measure == "index" else values[:, 0],
                item.measure,
                item.scale,
                sample_weight=w,
                not_applicable=item.not_applicable,
                top=item.top,
                weights=item.weights,
                name=f"item {name!r}",
            )
        except DataContractError as error:
            problems.extend(error.problems)
    if problems:
        raise DataContractError(problems)
    return made


def _check(
    answers: Any,
    items: Mapping[str, Item],
    groups: list[str],
    wave: str | None,
    respondent: str | None,
    weight: str | None,
) -> None:
    have = _frames.column_names(answers)
    if have is None:
        raise ValueError("answers must be a table with named columns, one row a respondent.")
    if not items:
        raise ValueError("items is empty; name a question and what to make of it.")
    for name, item in items.items():
        if item.measure not in MEASURES:
            raise ValueError(f"item {name!r}: measure={item.measure!r} is none of {MEASURES}.")
        if item.measure != "index" and len(_columns(name, item)) != 1:
            raise ValueError(f"item {name!r}: only an index has more than one column.")
    wanted = [c for name, item in items.items() for c in _columns(name, item)]
    keys = [*groups, *([wave] if wave else []), *([respondent] if respondent else [])]
    problems = [
        ContractProblem(
            "missing-column",
            f"the answers have no column {name!r}; they have {', '.join(map(repr, have))}",
            nearest(name, have).strip() or "Name one of these.",
        )
        for name in dict.fromkeys([*wanted, *keys, *([weight] if weight else [])])
        if name not in have
    ]
    for name in keys:
        if name not in have:
            continue
        lost = pd.isna(pd.Series(_frames.column(answers, name), dtype=object)).to_numpy()
        if lost.any():
            problems.append(
                ContractProblem(
                    "missing-key",
                    f"column {name!r} is empty",
                    "Say where these rows belong, or drop them.",
                    int(lost.sum()),
                    first_ids(np.flatnonzero(lost)),
                )
            )
    if problems:
        raise DataContractError(problems)


def _cells(keys: Mapping[str, pd.Series], n: int) -> tuple[Any, list[tuple[Any, ...]]]:
    """Place of each row's group, and the groups in the order of their first row."""
    if not keys:
        return np.zeros(n, dtype=np.intp), [()]
    rows = list(zip(*keys.values(), strict=True))
    seen = list(dict.fromkeys(rows))
    places = {group: i for i, group in enumerate(seen)}
    return np.array([places[row] for row in rows], dtype=np.intp), seen


def _in_order(waves: pd.Series) -> tuple[Any, list[Any]]:
    try:
        names = sorted(set(waves))
    except TypeError:
        names = sorted(set(waves), key=str)
    places = {wave: i for i, wave in enumerate(names)}
    return waves.map(places).to_numpy(dtype=np.intp), names


def _name(row: Mapping[str, Any], groups: list[str], wave: str | None) -> str:
    keys = [*groups, *([wave] if wave else [])]
    return ", ".join([str(row["item"]), *(str(row[key]) for key in keys)])
