"""Whom to win back under a budget, with a random control group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, column_names, frame_like, is_frame, same_rows
from custvalue._kernels import ChosenOptions, choose_options
from custvalue._typing import Floats, Places
from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language, check_language
from custvalue.campaign import ResponseModel, UpliftModel, detectable_response
from custvalue.exceptions import DataWarning
from custvalue.silence._offers import read_offers
from custvalue.silence._silence_options import GRADES as SILENCE_GRADES

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("treat", "control", "out of budget", "not worth it", "not silent", "no place left")
USUAL = 0.05  # of quiet customers few order in a quarter; said where it is used


def activation_plan(
    scores: Any,
    value: npt.ArrayLike | None,
    *,
    response: float | npt.ArrayLike | ResponseModel | UpliftModel | None = None,
    margin: float | npt.ArrayLike | None = None,
    contact_cost: float | npt.ArrayLike | None = None,
    seed: int,
    offers: Mapping[str, Mapping[str, Any]] | Any = None,
    capacities: Mapping[str, int] | None = None,
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

    With several ``offers`` each customer gets one at most, such that money and places bring most in
    all; each offer has its own control group, of customers who would have got it.

    Parameters
    ----------
    scores : frame or array-like
        What ``SilenceScorer.transform`` gave; its ``grade`` says who is silent. Only the number of
        rows counts with ``grades=None``.
    value : float, array-like of shape (n,) or None
        Future value of a customer who is won back, before margin. None where ``response`` tells the
        money, or each offer.
    response : float, array-like of shape (n,), ResponseModel or UpliftModel, optional
        Chance that the contact wins the customer back who would not have come anyway, 0 to 1. That
        is not the chance of an order; estimate it from an earlier campaign's control group, or pass
        what was learned: an ``UpliftModel`` of one arm (of orders: its effect is the response; of
        money: its effect is the value, ``response`` is 1, and ``break_even_response`` is the share
        of the effect at which the contact just pays), or a ``ResponseModel``, whose gains are an
        upper limit, as some would have come anyway. With ``offers`` an ``UpliftModel`` of several
        arms tells each offer that is called like an arm.
    margin : float or array-like of shape (n,), optional
        Share of the value that is kept.
    contact_cost : float or array-like of shape (n,), optional
        Cost of contacting one customer.
    seed : int
        Of the control group's draw.
    offers : mapping of name to mapping, or frame, optional
        What can be offered, and how: each with those of ``response``, ``value``, ``margin`` and
        ``contact_cost`` that differ from the plan's own (a text is a number, or a column of
        ``known``), its ``channel`` (default: its name), its ``capacity`` (most contacts), and the
        ``arm`` of a model of several arms (default: its name). Or a table with a row an offer, its
        name in ``offer``; an empty cell says nothing. The same offer by two channels is two offers.
    capacities : mapping of channel to int, optional
        Most contacts by a channel.
    budget : float, optional
        Most that contacts may cost together. Default: no limit.
    holdout : float, default=0.1
        Share of the customers worth contacting that is held out, 0 to below 1: of those whom one
        offer suits best, the same share for each offer.
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

        With ``offers`` also ``offer`` and ``channel``: what who is treated gets, who is in control
        would have got, and, for the others, what gains most for its cost, of which the row's
        figures are; ``why``; ``group`` may be "no place left"; ``detectable_response`` is the
        offer's; and ``gain_bound``, in every row: most that any plan of the customers who are not
        held out could gain, with these offers, money and places. `plan_totals` adds it up.

    Raises
    ------
    ValueError
        If lengths differ, a number is missing or out of range, ``scores`` has no ``grade``, or a
        model has several arms without offers of their names, or tells money that ``value`` tells
        too, or tells none.
    DataContractError
        If an offer is named twice or none is, lacks a response, a margin or a cost, has something
        that an offer has not, a column that is not there or a capacity that is no number of
        contacts, or ``capacities`` names a channel that no offer goes by.

    Warns
    -----
    DataWarning
        If the plan rests on who answers (``ResponseModel``), not on who is won; or, with
        ``offers``, if the budget pays for no contact that is worth it.

    See Also
    --------
    plan_totals : What a plan with offers comes to, by offer and channel.

    Notes
    -----
    No choice of customers under the budget gains more than this one by more than the expected gain
    of the first customer who no longer fits: the bound of the fractional knapsack problem (Dantzig,
    G. B. (1957), Discrete-variable extremum problems, Operations Research 5(2), 266-277).

    Several offers are a multiple-choice knapsack: steps from offer to dearer offer are taken in the
    order of what they add per cost, until the budget is spent (Sinha, P. & Zoltners, A. A. (1979),
    Operations Research 27(3), 503-515). Limited places have a price each, at which as many ask for
    them as there are; who would lose most without one is let in. ``gain_bound`` is the optimum
    of the linear relaxation, to a hundred-thousandth.

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

    >>> offers = {"letter": {"response": 0.1, "contact_cost": 2.0},
    ...           "call": {"response": 0.3, "contact_cost": 9.0, "capacity": 1}}
    >>> plan = activation_plan([[1.5], [2.5], [3.5]], [100.0, 400.0, 20.0], margin=0.5,
    ...                        offers=offers, budget=20.0, holdout=0.0, grades=None, seed=1)
    >>> print(plan[["customer", "group", "offer", "expected_gain", "why"]].to_string(index=False))
     customer        group  offer  expected_gain                                           why
            1        treat   call           51.0                                    gains most
            0        treat letter            3.0 call gains more, but its places are taken
            2 not worth it letter           -1.0             no offer gains more than it costs
    """
    check_language(language)
    usual = {"response": response, "value": value, "margin": margin, "contact_cost": contact_cost}
    known = scores if known is None else known
    asked = read_offers(scores, offers, usual, known, capacities)
    n = len(scores)
    check_share(holdout, "holdout", below=True)
    if budget is not None and not budget >= 0:
        raise ValueError(f"budget={budget!r} must be 0 or more.")
    customers = same_rows(scores, customers, "customers")
    ids = np.arange(n) if customers is None else np.asarray(customers)
    if ids.shape != (n,):
        raise ValueError(f"customers has shape {ids.shape}; scores has {n:,} rows.")

    gain = asked.response * asked.value * asked.margin - asked.cost
    quiet = np.ones(n, dtype=bool) if grades is None else _of_grades(scores, grades)
    most = np.inf if budget is None else budget
    if offers is not None:
        _warn_of_no_money(gain[quiet], asked.cost[quiet], most)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rate = np.where(gain > 0, gain / asked.cost, 0.0)  # a free contact comes first
    able = quiet & (gain > 0).any(axis=1)
    first = np.where(able, rate.argmax(axis=1), gain.argmax(axis=1))
    # drawn before the choice, which is thereby the same for who is treated and who is held out
    by_rank = np.lexsort((np.arange(n), -_at(gain, first), -_at(rate, first), ~quiet))
    rng = np.random.default_rng(seed)
    held = np.zeros(n, dtype=bool)
    for k in range(len(asked.names)):
        stratum = by_rank[(able & (first == k))[by_rank]]
        held[rng.choice(stratum, round(holdout * len(stratum)), replace=False)] = True
    choice = choose_options(
        np.where(quiet[:, None], gain, -np.inf), asked.cost, held, most, asked.limits
    )
    chosen = choice.option >= 0
    offer = np.where(chosen, choice.option, first)
    group = np.select(
        [chosen & ~held, chosen, able & (choice.unlimited >= 0), able, quiet], [0, 1, 5, 2, 3], 4
    )
    order = np.lexsort((np.arange(n), -_at(gain, offer), -_at(rate, offer), ~chosen, ~quiet))
    found = np.empty(len(asked.names))
    for k in range(len(found)):
        shown = order[(chosen & (offer == k))[order]]
        base = _order_anyway(scores, shown) if order_anyway is None else order_anyway
        n_held = int(held[shown].sum())
        found[k] = detectable_response(len(shown) - n_held, n_held, base)
    words = np.asarray([HOUSE(g, language) for g in GROUPS], dtype=object)
    names = np.array(asked.names, dtype=object)
    worth, keep, cost = (_at(x, offer) for x in (asked.value, asked.margin, asked.cost))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        even = np.where(worth * keep > 0, cost / (worth * keep), np.inf)
    said = {}
    if offers is not None:
        said = {
            "offer": names[offer],
            "channel": np.array(asked.channels, dtype=object)[offer],
            "why": _why(choice, gain, offer, group, asked.names, language),
        }
    columns = {
        "customer": ids,
        "group": words[group],
        **said,
        "expected_gain": _at(gain, offer),
        "response": _at(asked.response, offer),
        "break_even_response": even,
        "value": worth,
        "contact_cost": cost,
        "cost_so_far": np.where(group == 0, cost, 0.0)[order].cumsum(),
        "detectable_response": found[offer],
    }
    if offers is not None:
        columns["gain_bound"] = np.full(n, choice.bound)
    ranked = {k: v if k == "cost_so_far" else v[order] for k, v in columns.items()}
    return frame_like(scores, ranked, index=range(n))


def plan_totals(plan: Any, *, by: str | Sequence[str] = ("offer", "channel")) -> pd.DataFrame:
    """Add up a plan with offers.

    Parameters
    ----------
    plan : frame
        What `activation_plan` gave with ``offers``, in either language.
    by : str or sequence of str, default=("offer", "channel")
        Columns of the plan.

    Returns
    -------
    DataFrame
        One row an offer and channel (or what ``by`` says) that the plan speaks of: ``treat`` and
        ``control`` (customers), ``contact_cost`` and ``expected_gain`` (of the treated), and
        ``detectable_response`` where ``by`` has the offer.

    Raises
    ------
    ValueError
        If the plan was made without ``offers``.

    Examples
    --------
    >>> from custvalue.silence import activation_plan, plan_totals
    >>> plan = activation_plan([[1], [2], [3]], [100.0, 400.0, 20.0], margin=0.5, grades=None,
    ...                        offers={"letter": {"response": 0.1, "contact_cost": 2.0}},
    ...                        holdout=0.0, seed=1)
    >>> plan_totals(plan)[["offer", "channel", "treat", "contact_cost", "expected_gain"]]
        offer channel  treat  contact_cost  expected_gain
    0  letter  letter      2           4.0           21.0
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    figures = ["group", "contact_cost", "expected_gain", "detectable_response"]
    absent = {"offer", *by, *figures} - set(column_names(plan) or [])
    if absent:
        raise ValueError(f"plan has no {sorted(absent)}; pass what activation_plan(offers=) gave.")
    rows = pd.DataFrame({name: column(plan, name) for name in dict.fromkeys([*by, *figures])})
    for name in ("treat", "control"):
        rows[name] = rows["group"].isin([HOUSE(name, "en"), HOUSE(name, "zh")]).astype(int)
    for name in ("contact_cost", "expected_gain"):
        rows[name] *= rows["treat"]
    added = dict.fromkeys(("treat", "control", "contact_cost", "expected_gain"), "sum")
    if "offer" in by:
        added["detectable_response"] = "first"  # the same in every row of an offer
    return rows.groupby(by, sort=False).agg(added).reset_index()


def _at(table: Floats, option: Places) -> Floats:
    return np.asarray(table[np.arange(len(table)), option])


def _warn_of_no_money(gain: Floats, cost: Floats, budget: float) -> None:
    worth = cost[gain > 0]
    if len(worth) and budget < worth.min():
        warn_caller(
            f"budget={budget:g} pays for no contact: the cheapest that is worth it costs "
            f"{worth.min():g}.",
            DataWarning,
        )


def _why(
    choice: ChosenOptions,
    gain: Floats,
    offer: Places,
    group: Places,
    names: tuple[str, ...],
    language: Language,
) -> npt.NDArray[np.object_]:
    """Why each customer has this offer, or none."""
    best = gain.argmax(axis=1)
    texts = (
        "gains most",
        "{offer} gains more, but money brings more elsewhere",
        "{offer} gains more, but its places are taken",
        "the budget ends before",
        "its places are taken by who loses more without one",
        "no offer gains more than it costs",
        "not silent",
    )
    chosen = choice.option >= 0
    which = np.select(
        [chosen & (offer == best), chosen & (choice.unlimited == best), chosen, group == 2,
         group == 5, group == 3],
        [0, 2, 1, 3, 4, 5],
        6,
    )  # fmt: skip
    said = [[HOUSE(text, language, offer=name) for name in names] for text in texts]
    return np.asarray(np.array(said, dtype=object)[which, best])


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
