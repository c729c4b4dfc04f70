"""Whom to win back under a budget, with a random control group."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, column_names, frame_like, is_frame, same_rows
from custvalue._typing import Floats
from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, check_language
from custvalue.campaign import ResponseModel, UpliftModel, detectable_response
from custvalue.exceptions import DataWarning, first_ids
from custvalue.silence._silence_options import GRADES as SILENCE_GRADES

GROUPS = ("treat", "control", "out of budget", "not worth it", "not silent")
USUAL = 0.05  # of quiet customers few order in a quarter; said where it is used


def activation_plan(
    scores: Any,
    value: npt.ArrayLike | None,
    *,
    response: float | npt.ArrayLike | ResponseModel | UpliftModel,
    margin: float | npt.ArrayLike,
    contact_cost: float | npt.ArrayLike,
    seed: int,
    budget: float | None = None,
    holdout: float = 0.1,
    grades: Collection[str] | None = ("silent", "deeply silent"),
    customers: npt.ArrayLike | None = None,
    order_anyway: float | None = None,
    known: Any = None,
    language: Literal["en", "zh"] = "en",
) -> Any:
    """Rank silent customers by what winning them back is worth, and draw a control group.

    Expected gain = response x value x margin - contact cost. Of the customers whose gain is
    positive a random share is held out; the others are treated from the greatest gain per cost on
    until the budget is spent. The control group is the held-out customers above that line, so that
    it is like the treated one.

    Parameters
    ----------
    scores : frame or array-like
        What ``SilenceScorer.transform`` gave; its ``grade`` says who is silent. Only the number of
        rows counts with ``grades=None``.
    value : array-like of shape (n,) or None
        Future value of a customer who is won back, before margin. None where ``response`` tells the
        money.
    response : float, array-like of shape (n,), ResponseModel or UpliftModel
        Chance that the contact wins the customer back who would not have come anyway, 0 to 1. That
        is not the chance of an order; estimate it from an earlier campaign's control group, or pass
        what was learned: an ``UpliftModel`` of one arm (of orders: its effect is the response; of
        money: its effect is the value, ``response`` is 1, and ``break_even_response`` is the share
        of the effect at which the contact just pays), or a ``ResponseModel``, whose gains are an
        upper limit, as some would have come anyway.
    margin : float or array-like of shape (n,)
        Share of the value that is kept.
    contact_cost : float or array-like of shape (n,)
        Cost of contacting one customer.
    seed : int
        Of the control group's draw.
    budget : float, optional
        Most that contacts may cost together. Default: no limit.
    holdout : float, default=0.1
        Share of the customers worth contacting that is held out, 0 to below 1.
    grades : collection of str or None, default=("silent", "deeply silent")
        Grades to win back (English or Chinese words are both understood); None: every row.
    customers : array-like of shape (n,), optional
        Ids. Default: row positions, from 0.
    order_anyway : float, optional
        Share of the planned customers that will order without a contact, 0 to below 1; only
        ``detectable_response`` needs it. Default: the mean of ``prob_order`` over the treated and
        the control group where ``scores`` has that column, else 0.05.
    known : frame or array-like, optional
        What a model passed as ``response`` reads of each customer, in the order of ``scores``.
        Default: ``scores``.
    language : {"en", "zh"}, default="en"
        Language of ``group``.

    Returns
    -------
    frame
        One row a row of ``scores``, the best first: ``customer``, ``group`` (treat, control, out of
        budget, not worth it, not silent), ``expected_gain``, ``response``,
        ``break_even_response`` (the response at which the contact just pays), ``value``,
        ``contact_cost``, ``cost_so_far`` (of the treated), ``detectable_response`` (the same in
        every row: the mean response that groups of these sizes show with a chance of 80 %, see
        `detectable_response`; infinite without a control group). Of the kind of ``scores``.

    Raises
    ------
    ValueError
        If lengths differ, a number is missing or out of range, ``scores`` has no ``grade``, or a
        model has several arms, or tells money that ``value`` tells too, or tells none.

    Warns
    -----
    DataWarning
        If the plan rests on who answers (``ResponseModel``), not on who is won.

    Notes
    -----
    No choice of customers under the budget gains more than this one by more than the expected gain
    of the first customer who no longer fits: the bound of the fractional knapsack problem (Dantzig,
    G. B. (1957), Discrete-variable extremum problems, Operations Research 5(2), 266-277).

    Examples
    --------
    >>> from custvalue.silence import activation_plan
    >>> plan = activation_plan([[1.5], [2.5], [3.5]], [100.0, 400.0, 20.0], response=0.1,
    ...                        margin=0.5, contact_cost=2.0, budget=3.0, holdout=0.0, grades=None,
    ...                        seed=1)
    >>> plan[["customer", "group", "expected_gain", "break_even_response"]]
       customer          group  expected_gain  break_even_response
    0         1          treat           18.0                 0.01
    1         0  out of budget            3.0                 0.04
    2         2   not worth it           -1.0                 0.20
    """
    check_language(language)
    least = 0.0
    if isinstance(response, (ResponseModel, UpliftModel)):
        least = -1.0 if isinstance(response, UpliftModel) else 0.0
        response, value = _learned(response, scores if known is None else known, value)
    elif value is None:
        raise ValueError("value=None needs a model that tells money as response=.")
    value, response, margin, contact_cost, customers = (
        same_rows(scores, given, name)
        for given, name in (
            (value, "value"),
            (response, "response"),
            (margin, "margin"),
            (contact_cost, "contact_cost"),
            (customers, "customers"),
        )
    )
    worth = np.asarray(value, dtype=np.float64)
    n = len(scores)
    if worth.shape != (n,):
        raise ValueError(f"value has shape {worth.shape}; scores has {n:,} rows.")
    chance = _spread(response, n, "response", least, 1.0)
    keep = check_share(_spread(margin, n, "margin", 0.0, np.inf), "margin")
    cost = _spread(contact_cost, n, "contact_cost", 0.0, np.inf)
    _spread(worth, n, "value", -np.inf, np.inf)
    check_share(holdout, "holdout", below=True)
    if budget is not None and not budget >= 0:
        raise ValueError(f"budget={budget!r} must be 0 or more.")
    ids = np.arange(n) if customers is None else np.asarray(customers)
    if ids.shape != (n,):
        raise ValueError(f"customers has shape {ids.shape}; scores has {n:,} rows.")

    gain = chance * worth * keep - cost
    quiet = np.ones(n, dtype=bool) if grades is None else _of_grades(scores, grades)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        per_cost = np.where(gain > 0, gain / cost, 0.0)  # a free contact comes first
    order = np.lexsort((np.arange(n), -gain, -per_cost, ~quiet))
    rank_worth = (quiet & (gain > 0))[order]
    group = np.where(quiet[order], 3, 4)
    able = np.flatnonzero(rank_worth)
    rng = np.random.default_rng(seed)
    held = np.zeros(n, dtype=bool)
    held[rng.choice(able, round(holdout * len(able)), replace=False)] = True
    spending = np.where(rank_worth & ~held, cost[order], 0.0).cumsum()
    within = spending <= (np.inf if budget is None else budget)
    # the budget ends at the first customer who no longer fits: nobody below takes their place
    within = np.minimum.accumulate(within)
    treated = rank_worth & ~held & within
    group[rank_worth] = 2
    group[treated] = 0
    group[held & within] = 1
    shown = np.flatnonzero((group == 0) | (group == 1))
    base = _order_anyway(scores, order[shown]) if order_anyway is None else order_anyway
    found = detectable_response(int((group == 0).sum()), int((group == 1).sum()), base)
    words = np.asarray([HOUSE(g, language) for g in GROUPS], dtype=object)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        even = np.where(worth * keep > 0, cost / (worth * keep), np.inf)
    return frame_like(
        scores,
        {
            "customer": ids[order],
            "group": words[group],
            "expected_gain": gain[order],
            "response": chance[order],
            "break_even_response": even[order],
            "value": worth[order],
            "contact_cost": cost[order],
            "cost_so_far": np.where(treated, cost[order], 0.0).cumsum(),
            "detectable_response": np.full(n, found),
        },
        index=range(n),
    )


def _learned(model: ResponseModel | UpliftModel, known: Any, value: Any) -> tuple[Any, Any]:
    """Response and value as a model tells them."""
    if isinstance(model, ResponseModel):
        chance = model.predict_chance(known)
        warn_caller(
            "the plan rests on who answers: some would have come anyway, so its gains are an upper "
            "limit. What a contact adds is learned from a random control group (UpliftModel).",
            DataWarning,
        )
        return chance, model.predict_amount(known) if value is None else value
    effect = model.predict(known)
    if effect.ndim > 1:
        raise ValueError(
            f"response= is a model of the arms {list(model.arms)!r}; plan one of them: pass its "
            "column of predict(X)."
        )
    if model.learned_.shares_of_outcome:
        if value is None:
            raise ValueError("response= is a model of orders: say by value= what one is worth.")
        return effect, value
    if value is not None:
        raise ValueError("response= is a model of money: pass value=None, it tells the value.")
    return 1.0, effect


def _spread(x: float | npt.ArrayLike, n: int, name: str, low: float, high: float) -> Floats:
    given = np.asarray(x, dtype=np.float64)
    if given.shape not in ((), (n,)):
        raise ValueError(f"{name} has shape {given.shape}; scores has {n:,} rows.")
    values = np.broadcast_to(given, (n,))
    bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
    if bad.any():
        limits = f"between {low:g} and {high:g}" if np.isfinite(high) else f"at least {low:g}"
        limits = "finite" if np.isinf(low) else f"finite and {limits}"
        raise ValueError(
            f"{name} must be {limits}; {int(bad.sum()):,} rows are not, first: "
            f"{', '.join(first_ids(np.flatnonzero(bad)))}."
        )
    return np.asarray(values)


def _of_grades(scores: Any, grades: Collection[str]) -> npt.NDArray[np.bool_]:
    if not is_frame(scores) or "grade" not in (column_names(scores) or []):
        raise ValueError(
            "scores must be a frame with a column 'grade', as SilenceScorer gives it for a "
            "summary; or pass grades=None to plan for every row."
        )
    if unknown := sorted(set(grades) - set(SILENCE_GRADES)):
        raise ValueError(f"grades has {unknown}; there are {list(SILENCE_GRADES)}.")
    return np.isin(np.asarray(column(scores, "grade"), dtype=object).astype(str), list(grades))


def _order_anyway(scores: Any, rows: npt.NDArray[np.intp]) -> float:
    """Mean chance of an order of the rows, where the scores have it."""
    if not (is_frame(scores) and "prob_order" in (column_names(scores) or []) and len(rows)):
        return USUAL
    chance = np.asarray(column(scores, "prob_order"), dtype=np.float64)[rows]
    return float(np.clip(chance.mean(), 0.0, 0.999)) if np.isfinite(chance).all() else USUAL
