"""Value of a relationship stage: stages at several dates, a chain on them, money per period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue import _frames
from custvalue._units import Span, check_share, days_per, rate_per, span_days
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language
from custvalue.data import summarize
from custvalue.exceptions import SmallSampleWarning

if TYPE_CHECKING:  # two large rooms, which the value of customers does without
    from custvalue.chains import Chain
    from custvalue.lifecycle import LifecycleClassifier
    from custvalue.lifecycle._for_rooms import StageHistory

_DAY = np.timedelta64(1, "D")
WHOLE = 1e-6  # of a number of periods, for the rounding of spans


def stage_history(
    log: Any,
    dates: Sequence[Any],
    *,
    customer: str,
    time: str,
    amount: str,
    classifier: LifecycleClassifier | None = None,
    **options: Any,
) -> StageHistory:
    """Stages of a log's customers at several dates.

    Parameters
    ----------
    log : frame
        Transaction log; what is later than a date is not seen at that date.
    dates : sequence of dates
        As-of dates.
    customer, time, amount : str
        Columns of the log.
    classifier : LifecycleClassifier or None, default=None
        A fitted one is used as it is; an unfitted one (or None) has its thresholds learned on the
        last date's summary, the same for all dates.
    **options
        Passed to :func:`custvalue.summarize`, e.g. ``refunds=`` or ``unit=``.

    Returns
    -------
    StageHistory
        Its money adds up to the log's.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.value import stage_history
    >>> history = stage_history(
    ...     cv.datasets.load_cdnow("sample"), ["1997-12-31", "1998-06-30"],
    ...     customer="customer_id", time="date", amount="amount")
    >>> history
    StageHistory(2,349 customers, 2 dates from 1997-12-31 to 1998-06-30)
    """
    if isinstance(dates, str):
        raise ValueError(f"dates must be a list; write dates=[{dates!r}].")
    summaries = [
        summarize(log, customer=customer, time=time, amount=amount, as_of=date, **options)
        for date in dates
    ]
    from custvalue.lifecycle import LifecycleClassifier

    model = LifecycleClassifier() if classifier is None else classifier
    if not hasattr(model, "classes_"):
        model = clone(model).fit(max(summaries, key=_as_of))
    return model.history(summaries)


@dataclass(frozen=True, eq=False)
class StageValue:
    """Value of a customer by stage, through a chain on stages.

    Parameters
    ----------
    chain : Chain
        Stages and their transition probabilities from one date to the next.
    reward : ndarray of shape (n_stages,)
        Mean contribution of a customer in the period after a date, by the stage at that date.
    future_value : ndarray of shape (n_stages,)
        Discounted contribution over the horizon, first paid after one period.
    observed : ndarray of shape (n_stages,), int
        Customer-periods that each row rests on.
    customers : ndarray of shape (n_stages,), int
        Customers in each stage at the last date.
    period_days : float
        Length of a period.
    periods : int or None
        Horizon in periods; None is without end.
    annual_discount_rate : float
    history : StageHistory
        Stages, dates and kind of the tables.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.value import stage_history, stage_value
    >>> history = stage_history(
    ...     cv.datasets.load_cdnow("sample"), ["1997-12-31", "1998-03-31", "1998-06-30"],
    ...     customer="customer_id", time="date", amount="amount")
    >>> value = stage_value(history, horizon="1Y", annual_discount_rate=0.10)
    >>> bool(value.future_value[value.chain.position("core")] > 100)
    True
    """

    chain: Chain
    reward: npt.NDArray[np.float64]
    future_value: npt.NDArray[np.float64]
    observed: npt.NDArray[np.int64]
    customers: npt.NDArray[np.int64]
    period_days: float
    periods: int | None
    annual_discount_rate: float
    history: StageHistory

    def table(self, *, language: Language = "en") -> Any:
        """Value by stage as a table of the kind of the summaries.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame
            ``stage``, ``customers`` (at the last date), ``contribution_per_period`` and
            ``future_value`` of one customer, ``total_future_value`` of all of them,
            ``customer_periods`` (observed).
        """
        columns = {
            "stage": list(self.chain.states),
            "customers": self.customers,
            "contribution_per_period": self.reward,
            "future_value": self.future_value,
            "total_future_value": self.customers * self.future_value,
            "customer_periods": self.observed,
        }
        said = HOUSE.table(columns, language, cells=["stage"])
        return _frames.new_table(self.history.template, said)


def stage_value(
    history: StageHistory,
    *,
    annual_discount_rate: float,
    horizon: Span | None = None,
    margin: float = 1.0,
) -> StageValue:
    """Value each stage by what its customers bring and where they go next.

    The stages at the dates of ``history`` make a chain (transitions of all pairs of neighbouring
    dates, pooled); a period's contribution is the money between the two dates times ``margin``.
    Value is the discounted sum along the chain, first paid at the end of the first period.

    Parameters
    ----------
    history : StageHistory
        At two or more evenly spaced dates, with money.
    annual_discount_rate : float
        Yearly; 10 % is 0.10.
    horizon : span or None, default=None
        Whole number of periods, e.g. ``"1Y"`` on quarterly dates; None is without end. Periods of
        dates that are whole calendar months apart are counted in months.
    margin : float, default=1.0
        Contribution per unit of money.

    Returns
    -------
    StageValue
        Only the stages that occur.

    Raises
    ------
    ValueError
        If there are fewer than two dates, they are unevenly spaced (by more than a tenth, and not
        by whole months), there is no money, or the horizon is not a whole number of periods.

    Warns
    -----
    SmallSampleWarning
        If a stage was reached at the last date only: where it leads is not known, and it is taken
        to keep its customers and to bring nothing.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.value import stage_history, stage_value
    >>> history = stage_history(
    ...     cv.datasets.load_cdnow("sample"), ["1997-12-31", "1998-03-31", "1998-06-30"],
    ...     customer="customer_id", time="date", amount="amount")
    >>> value = stage_value(history, horizon="1Y", annual_discount_rate=0.10)
    >>> list(value.table().columns)[:4]
    ['stage', 'customers', 'contribution_per_period', 'future_value']
    """
    check_share(margin, "margin", low=-np.inf)
    days = _period_days(history.dates)
    n = len(history.stages)
    counts, money = np.zeros((n, n)), np.zeros(n)
    for j in range(len(history.dates) - 1):
        counts += history.migration_matrix(j, j + 1)[:n]
        money += history.migration_matrix(j, j + 1, money=True)[:n].sum(axis=1)
    seen = np.flatnonzero((counts.sum(axis=0) + counts.sum(axis=1)) > 0)
    counts, money = counts[np.ix_(seen, seen)], money[seen] * margin
    observed = counts.sum(axis=1)
    blind = np.flatnonzero(observed == 0)
    states = tuple(history.stages[i] for i in seen)
    if len(blind):
        warn_caller(
            f"stage(s) {', '.join(states[i] for i in blind)} occur at the last date only, so "
            "nothing is known of what follows; they are valued at 0. Add dates.",
            SmallSampleWarning,
        )
        counts[blind, blind] = 1.0
    from custvalue.chains import Chain

    chain = Chain(states, counts / counts.sum(axis=1, keepdims=True))
    reward = np.divide(money, observed, out=np.zeros(len(seen)), where=observed > 0)
    periods = None
    if horizon is not None:
        periods = _whole_periods(horizon, days, _months_apart(history.dates))
    value = chain.value(
        reward,
        horizon=periods,
        discount_rate=rate_per(annual_discount_rate, f"{days}D"),
        timing="end",
    )
    last = history.codes[:, -1]
    customers = np.bincount(last[last >= 0], minlength=n)[seen]
    return StageValue(
        chain,
        reward,
        value,
        observed.astype(np.int64),
        customers,
        days,
        periods,
        annual_discount_rate,
        history,
    )


def _as_of(summary: Any) -> str:
    facts = _frames.facts_of(summary)
    return "" if facts is None else facts.as_of


def _period_days(dates: npt.NDArray[np.datetime64]) -> float:
    if len(dates) < 2:
        raise ValueError("a chain on stages needs stages at two dates or more.")
    gaps = np.diff(dates) / _DAY
    if gaps.max() > 1.1 * gaps.min() and _months_apart(dates) is None:
        raise ValueError(
            f"the dates are {gaps.min():g} to {gaps.max():g} days apart; a chain needs even "
            "periods, such as the ends of quarters."
        )
    return float(gaps.mean())


def _months_apart(dates: npt.NDArray[np.datetime64]) -> int | None:
    """Calendar months from each date to the next, such as 3 of ends of quarters; None if uneven."""
    days, months = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    steps = np.unique(np.diff(months).astype(np.int64))
    same_day = (of_month == np.minimum(of_month.max(), length)).all()
    return int(steps[0]) if len(steps) == 1 and steps[0] > 0 and same_day else None


def _whole_periods(horizon: Span, days: float, months: int | None) -> int:
    """Periods in a horizon: in calendar months where the dates are months apart, else in days.

    Quarters have 90 to 92 days and a year has four of them, whatever their mean.
    """
    asked = span_days(horizon)
    lengths = [days] if months is None else [months * days_per("M"), days]
    for length in lengths:
        count = asked / length
        if round(count) >= 1 and abs(count - round(count)) <= WHOLE * count:
            return round(count)
    near, unit = max(1, round(asked / lengths[0])), "D" if months is None else "M"
    cure = near * (days if months is None else months)
    raise ValueError(
        f"horizon={horizon!r} is {asked / lengths[0]:.2f} periods of {days:.1f} days; it must be a "
        f"whole number of them, such as horizon='{cure:.12g}{unit}'."
    )
