"""Whom to contact: the quiet customers by expected gain, with a control group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from custvalue.silence import activation_plan

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.report._collect import Asked

QUIET = ("silent", "deeply silent")
WINDOW = 90  # days: "active" and the chance of an order
SEED = 20251  # of the control group: the same log and call give the same list


def campaign_list(customers: pd.DataFrame, asked: Asked) -> pd.DataFrame | None:
    """Plan of contacts, the best first, quiet customers only.

    None without a response, or with one that is more than there are customers to win.

    Parameters
    ----------
    customers : DataFrame
        The report's table of customers.
    asked : Asked
        ``response``, ``contact_cost`` (0 where it is not given), ``budget``, ``holdout``.
    """
    if asked.response is None or too_many(customers, asked.response) is not None:
        return None
    plan = planned(customers, asked, asked.response, asked.budget, asked.holdout)
    return plan[plan["group"] != "not silent"].reset_index(drop=True)


def too_many(customers: pd.DataFrame, response: float) -> float | None:
    """Share of the quiet who are expected anyway, where it leaves too few for a response."""
    quiet = customers["silence_grade"].isin(QUIET)
    if not quiet.any():
        return None
    anyway = float(customers.loc[quiet, f"chance_of_order_{WINDOW}d"].mean())
    return anyway if response >= 1.0 - anyway else None


def planned(
    customers: pd.DataFrame, asked: Asked, response: float, budget: float | None, holdout: float
) -> Any:
    """Rank the quiet by expected gain; what is kept of a won-back customer's worth is the margin.

    Parameters
    ----------
    customers : DataFrame
        With ``silence_grade``, the chance of an order, and ``at_stake``, which is after margin.
    asked : Asked
    response : float
        Mean over the quiet customers; see `responses`.
    budget : float or None
    holdout : float
    """
    scores = customers[["silence_grade"]].rename(columns={"silence_grade": "grade"})
    quiet = scores["grade"].isin(QUIET).to_numpy()
    each = np.zeros(len(customers))
    each[quiet] = responses(customers[f"chance_of_order_{WINDOW}d"].to_numpy()[quiet], response)
    return activation_plan(
        scores,
        customers["at_stake"] / asked.scale,
        response=each,
        margin=asked.scale,
        contact_cost=asked.contact_cost or 0.0,
        budget=budget,
        holdout=holdout,
        seed=SEED,
        grades=QUIET,
        customers=customers.iloc[:, 0],
    )


def responses(chance: npt.ArrayLike, mean: float) -> npt.NDArray[np.float64]:
    """Spread a mean response over customers: one odds ratio for all.

    A contact multiplies everybody's odds of an order by the same factor, found such that the extra
    chance averages to ``mean``. So who is gone for good hardly responds, and who would have come
    anyway cannot be won.

    Parameters
    ----------
    chance : array-like of shape (n,)
        Chance of an order without a contact.
    mean : float
        Mean extra chance that a contact brings.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If so many cannot be won, because they would have come anyway.
    """
    p = np.clip(np.asarray(chance, dtype=float), 1e-12, 1.0)
    if not len(p):
        return p
    if mean >= float((1.0 - p).mean()):
        raise ValueError(
            f"response={mean:g} cannot be: {p.mean():.0%} of the quiet customers are expected to "
            "order without a contact, so fewer than that are left to be won."
        )
    from scipy.optimize import brentq

    def extra(log_factor: float) -> npt.NDArray[np.float64]:
        raised = p * np.exp(log_factor)
        return raised / (1.0 - p + raised) - p

    found = brentq(lambda x: float(extra(x).mean()) - mean, 0.0, 60.0, xtol=1e-10)
    return extra(float(found))
