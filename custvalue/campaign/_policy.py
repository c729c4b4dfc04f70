"""What a plan would have brought, told by a random experiment: the plan against other plans."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue import _frames
from custvalue._typing import Floats, Places
from custvalue._units import check_share
from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._arms import Experiment, propensity_of, read_experiment
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.metrics._for_rooms import normal_quantile

if TYPE_CHECKING:
    import pandas as pd


def policy_value(
    plan: Any,
    y: Any,
    treatment: Any,
    *,
    control: Hashable = 0,
    propensity: Any = None,
    expected: Any = None,
    margin: float = 1.0,
    contact_cost: float | Mapping[Hashable, float] = 0.0,
    level: float = 0.95,
    language: Language = "en",
) -> pd.DataFrame:
    """Value of a plan against treating nobody, everybody, or as many at random.

    The customers are those of a random experiment; the plan is what would have been done with
    each. It must have been made without these customers' outcomes: by a rule, by a model of an
    earlier campaign, or out of fold. A plan made by a model from these very outcomes finds its own
    luck again.

    Parameters
    ----------
    plan : array-like of shape (n_customers,)
        Code of the arm planned for each customer, that of the control group for who is to be left
        alone; truth values where there is one arm.
    y : array-like of shape (n_customers,)
        What each customer brought in the experiment, zeros included.
    treatment : array-like of shape (n_customers,)
        Code of the arm that each customer was in.
    control : hashable, default=0
        Code of the arm that was left alone.
    propensity : None, mapping of arm to float, or array-like, default=None
        Chances of the arms, as in ``UpliftModel.fit``. None: their shares.
    expected : array-like of shape (n_customers, n_arms + 1), optional
        Guess of the outcome in the control group and under each arm (sorted), made without this
        customer's outcome: ``UpliftModel.out_of_fold``. The better, the narrower the intervals;
        default: the mean of each arm.
    margin : float, default=1.0
        Share of the outcome that is kept.
    contact_cost : float or mapping of arm to float, default=0.0
        Cost of treating one customer.
    level : float, default=0.95
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        One row a policy: ``policy`` ("plan", "nobody", "everybody" once an arm, "random of the same
        size": the arms in the plan's shares), ``arm``, ``treated`` (share of customers), ``value``
        (mean of all customers, after margin and cost) with ``error``, ``lower``, ``upper``, and
        ``gain`` (of the plan over this policy, a customer) with ``gain_error``, ``gain_lower``,
        ``gain_upper``.

    Raises
    ------
    DataContractError
        If outcomes, treatments or plans are missing, the plan has an arm that the experiment had
        not, there is one arm or no control group, or chances are not strictly between 0 and 1.
    ValueError
        If lengths differ or an option makes no sense.

    Notes
    -----
    The score of customer i under arm a is ``m_a + [A = a] (Y - m_a) / e_a``, with m_a the guess and
    e_a the chance of the arm. The value of a policy is the mean of the scores under the arms that
    it gives. A gain is a mean of differences of the same customers, so its interval is not that of
    two values. Over a random plan of the same size the gain is the covariance of being chosen with
    the score; its error allows for a plan whose size would differ in other customers.

    References
    ----------
    Dudik, M., Erhan, D., Langford, J. & Li, L. (2014), Doubly robust policy evaluation and
    optimization, Statistical Science 29(4), 485-511.

    Examples
    --------
    >>> from custvalue.campaign import policy_value
    >>> y, mailed = [9, 1, 3, 3, 8, 0, 4, 4], [1, 0, 1, 0, 1, 0, 1, 0]
    >>> plan = [1, 1, 0, 0, 1, 1, 0, 0]
    >>> found = policy_value(plan, y, mailed, contact_cost=1.0)
    >>> found[["policy", "treated", "value", "gain"]]
                        policy  treated  value  gain
    0                     plan      0.5    5.5   0.0
    1                   nobody      0.0    2.0   3.5
    2                everybody      1.0    5.0   0.5
    3  random of the same size      0.5    3.5   2.0
    """
    import pandas as pd

    z = normal_quantile(level)
    check_share(margin, "margin")
    trial = read_experiment(plan, y, treatment, control, fewest=1)
    n, arms = len(trial.y), trial.arms
    chosen = _planned(plan, trial)
    cost = _costs(contact_cost, arms)
    chances = propensity_of(propensity, arms, n, trial.shares)
    if expected is None:
        guess = np.tile(trial.means(), (n, 1))
    else:
        guess = np.asarray(_frames.same_rows(plan, expected, "expected"), dtype=np.float64)
        if guess.shape != (n, len(arms)) or not np.isfinite(guess).all():
            raise ValueError(
                f"expected, of shape {guess.shape}, must be ({n}, {len(arms)}) finite numbers: the "
                f"outcome under each arm of {list(arms)!r}."
            )
    net = margin * trial.scores(chances, guess) - cost
    taken = chosen[:, None] == np.arange(len(arms))
    share = taken.mean(axis=0)
    own = net[taken]
    rows = [("plan", None, 1.0 - share[0], own, np.zeros(n)),
            ("nobody", arms[0], 0.0, net[:, 0], own - net[:, 0])]  # fmt: skip
    rows += [("everybody", arms[a], 1.0, net[:, a], own - net[:, a]) for a in range(1, len(arms))]
    # the mean is plan less random; the deviations are of a plan whose shares are drawn, too
    above = ((taken - share) * (net - net.mean(axis=0))).sum(axis=1)
    rows.append(("random of the same size", None, 1.0 - share[0], net @ share, above))
    table = []
    for name, arm, treated, value, gain in rows:
        mean, error = _mean(value)
        more, off = _mean(gain)
        table.append(
            {
                "policy": name,
                "arm": arm,
                "treated": treated,
                "value": mean,
                "error": error,
                "lower": mean - z * error,
                "upper": mean + z * error,
                "gain": more,
                "gain_error": off,
                "gain_lower": more - z * off,
                "gain_upper": more + z * off,
            }
        )
    found: pd.DataFrame = CAMPAIGN.table(pd.DataFrame(table), language, cells=("policy",))
    return found


def _mean(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _planned(plan: Any, trial: Experiment) -> Places:
    """Position of the arm planned for each customer."""
    codes = np.asarray(plan)
    n, arms = len(trial.y), trial.arms
    if codes.shape != (n,):
        raise ValueError(f"plan has shape {codes.shape}; expected ({n},), one arm a customer.")
    if codes.dtype.kind == "b" and len(arms) == 2:
        return codes.astype(np.intp)
    place = {code: k for k, code in enumerate(arms)}
    at = np.array([place.get(code, -1) for code in codes.tolist()], dtype=np.intp)
    strange = np.flatnonzero(at < 0)
    if len(strange):
        raise DataContractError(
            ContractProblem.at(
                "unknown-treatment",
                f"plan has arms such as {codes[strange[0]]!s}; the experiment had "
                f"{', '.join(map(repr, arms))}",
                "What was never tried has no value in it: plan only what was, and the control "
                "group's code for who is left alone.",
                strange,
            )
        )
    return at


def _costs(given: float | Mapping[Hashable, float], arms: tuple[Hashable, ...]) -> Floats:
    """Cost of each arm; the control group costs nothing."""
    if isinstance(given, Mapping):
        if set(given) - {arms[0]} != set(arms[1:]):
            raise ValueError(
                f"contact_cost names {list(given)!r}; it must name each arm of {list(arms[1:])!r}."
            )
        cost = np.array([float(given.get(a, 0.0)) for a in arms])
    else:
        cost = np.full(len(arms), float(given))
        cost[0] = 0.0
    if not (np.isfinite(cost) & (cost >= 0)).all():
        raise ValueError(f"contact_cost={given!r} must be finite and at least 0.")
    return cost
