"""Names of stages tested on earlier dates of the same log, by what their customers did then."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from custvalue._dates import readable
from custvalue._html import html_table
from custvalue._kernels import repeated_shares
from custvalue._typing import Floats
from custvalue._units import Span, check_share, span_days
from custvalue._warn import heard
from custvalue._words import HOUSE, Language, check_language
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import horizon_end, known_at
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.lifecycle._decided import StageRules
from custvalue.lifecycle._stages import STAGES
from custvalue.rfm._for_rooms import earlier_dates

FEWEST = 20  # customers over all dates with whom a stage counts as tested
GONE = 0.1  # of exited customers at most so many order within the horizon
HERE = ("new", "established", "core", "strategic")


class Claim(NamedTuple):
    """Share of a stage's customers who order: at least, or at most, so many times others'."""

    least: bool
    others: tuple[str, ...]
    factor: float


CLAIMS: dict[str, tuple[Claim, ...]] = {
    "established": (Claim(True, ("new",), 0.95),),
    "core": (Claim(True, ("established",), 0.95),),
    "strategic": (Claim(True, ("core",), 0.95),),
    "problem": (Claim(False, ("established", "core", "strategic"), 0.8),),
    "exited": (Claim(False, HERE, 0.5), Claim(False, ("problem",), 1.0)),
}


class SeenStages(NamedTuple):
    """Customers at an earlier date: who, in which stage, and whether they ordered after it."""

    date: str
    who: npt.NDArray[Any]
    stage: npt.NDArray[Any]
    ordered: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StageResult:
    """What customers of a stage did within the horizon.

    Parameters
    ----------
    stage : str
    tested : int
        Customers, each counted at every date.
    ordered, low, high : float
        Share who ordered, and its interval; NaN where nobody was tested.
    customers : int
        In the stage today.
    verdict : {"holds", "contradicted", "told", "few", "nobody"}
        ``"told"`` where the stage claims nothing of orders to come.
    others : tuple of str
        Stages beside which the claim failed; empty where their share is of no matter.
    other : float
        Share of those others, or the most that the name allows.
    """

    stage: str
    tested: int
    ordered: float
    low: float
    high: float
    customers: int
    verdict: str
    others: tuple[str, ...] = ()
    other: float = float("nan")


@dataclass(frozen=True)
class StageTest:
    """How names of stages did at earlier dates of a log; see `LifecycleClassifier.validate`.

    Parameters
    ----------
    dates : tuple of str
        Ends of observation, the earliest first; empty where the log is too short for any.
    horizon_days : float
        Within which a customer counts as having ordered.
    level : float
        Of the intervals.
    results : tuple of StageResult
        One a stage that somebody is in, today or then, in the order of the relationship.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.lifecycle import LifecycleClassifier
    >>> names = dict(customer="customer_id", time="date", amount="amount")
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), **names, as_of="1998-06-30")
    >>> stages = LifecycleClassifier(learn_windows=True).fit(log.summary())
    >>> test = stages.validate(log)
    >>> print(test.words()[-1])
    exited: 3 % ordered within 90 days, at 3 dates.
    """

    dates: tuple[str, ...]
    horizon_days: float
    level: float
    results: tuple[StageResult, ...]

    def table(self, language: Language = "en") -> pd.DataFrame:
        """Tell what customers of each stage did within the horizon.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``stage``, ``tested``, ``ordered`` with ``ordered_low`` and ``ordered_high`` (an
            interval that knows that the same customers were seen at several dates), ``customers``
            today, ``verdict``.
        """
        check_language(language)
        table = pd.DataFrame(
            {
                "stage": [one.stage for one in self.results],
                "tested": [one.tested for one in self.results],
                "ordered": [one.ordered for one in self.results],
                "ordered_low": [one.low for one in self.results],
                "ordered_high": [one.high for one in self.results],
                "customers": [one.customers for one in self.results],
                "verdict": [one.verdict for one in self.results],
            }
        )
        return HOUSE.table(table, language, cells=("stage", "verdict"))

    def words(
        self, language: Language = "en", *, only: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """Say of each stage that was tested how it did, and where its name does not hold.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        only : sequence of str, optional
            Verdicts that are spoken of; None for all.

        Returns
        -------
        tuple of str
        """
        check_language(language)
        if not self.dates:
            text = HOUSE("No earlier date of the log could test the names.", language)
            return (text,) if only is None else ()
        return tuple(
            self._sentence(one, language)
            for one in self.results
            if one.tested and (only is None or one.verdict in only)
        )

    def _sentence(self, one: StageResult, language: Language) -> str:
        def percent(x: float) -> str:
            return f"{100 * x:.{1 if 0 < x < 0.0095 else 0}f}{' %' if language == 'en' else '%'}"

        text = HOUSE(
            "{name}: {share} ordered within {days} days, at {dates} dates"
            if len(self.dates) != 1
            else "{name}: {share} ordered within {days} days, at 1 date",
            language,
            name=HOUSE.name(one.stage, language),
            share=percent(one.ordered),
            days=f"{self.horizon_days:g}",
            dates=len(self.dates),
        )
        semicolon = HOUSE("; ", language)
        if one.verdict == "few":
            text += semicolon + (
                HOUSE("only one such customer was seen", language)
                if one.tested == 1
                else HOUSE("only {n} such customers were seen", language, n=f"{one.tested:,}")
            )
        elif one.verdict == "contradicted":
            others = HOUSE(", ", language).join(HOUSE.name(name, language) for name in one.others)
            text += semicolon + (
                HOUSE("of {others} {other}", language, others=others, other=percent(one.other))
                if one.others
                else HOUSE("a name like that may have {other} at most", language,
                           other=percent(one.other))
            )  # fmt: skip
            text += HOUSE(": ", language) + HOUSE("the name does not hold here", language)
        return text + HOUSE(".", language)

    def __str__(self) -> str:
        return "\n".join(self.words())

    def _repr_html_(self) -> str:
        return html_table("Names of stages, tested", [""], [[line] for line in self.words()])


def stages_tested(
    seen: Sequence[SeenStages], today: npt.ArrayLike, horizon_days: float, level: float
) -> StageTest:
    """Hold each stage to what its customers did after earlier dates.

    Parameters
    ----------
    seen : sequence of SeenStages
        One a date, the earliest first.
    today : array-like of shape (n_customers,)
        Stage of each customer today.
    horizon_days : float
    level : float
    """
    now = np.asarray(today).astype(str)
    parts = [np.asarray(one.stage).astype(str) for one in seen]
    stage = np.concatenate(parts) if parts else np.empty(0, dtype=str)
    have = {*now.tolist(), *stage.tolist()}
    names = [*(name for name in STAGES if name in have), *sorted(have - {*STAGES})]
    place = {name: k for k, name in enumerate(names)}

    def codes(words: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        kinds, at = np.unique(words, return_inverse=True)
        return np.array([place[str(kind)] for kind in kinds], dtype=np.intp)[at.ravel()]

    who, ordered = np.empty(0, dtype=np.intp), np.empty(0)
    if seen:
        ids = np.concatenate([one.who for one in seen])
        who = np.unique(ids, return_inverse=True)[1].ravel()
        ordered = np.concatenate([np.asarray(one.ordered, dtype=np.float64) for one in seen])
    code = codes(stage)
    seen_of = repeated_shares(code, who, ordered, len(names), level)
    size, share, low, high = seen_of
    customers = np.bincount(codes(now), minlength=len(names))
    results = []
    for k, name in enumerate(names):
        verdict, others, other = _judged(name, place, *seen_of)
        results.append(
            StageResult(
                name, int(size[k]), float(share[k]), float(low[k]), float(high[k]),
                int(customers[k]), verdict, others, other,
            )
        )  # fmt: skip
    return StageTest(tuple(one.date for one in seen), horizon_days, level, tuple(results))


def validated(
    model: Any, log: TransactionLog, dates: int | Sequence[Any], horizon: Span, level: float
) -> StageTest:
    """Do the work of `LifecycleClassifier.validate`; ``model`` is fitted."""
    if not isinstance(log, TransactionLog):
        text = f"LifecycleClassifier.validate reads a TransactionLog, got {type(log).__name__}"
        cure = "Wrap the frame: custvalue.data.TransactionLog(frame, customer=..., time=..., ...)."
        raise DataContractError(ContractProblem("not-a-log", text, cure))
    check_share(level, "level", above=True, below=True)
    days = span_days(horizon, "horizon")
    if not days > 0:
        raise ValueError(f"horizon={horizon!r} must be longer than nothing.")
    unit = model.unit_ or "D"
    by_rules = isinstance(model.learned_, StageRules)
    seen = []
    for date in earlier_dates(log, dates, days, horizon):
        known = known_at(log, date)
        summary = known.summary(unit)
        with heard():  # of the same rows, which were told of before
            then = (clone(model).fit(summary) if by_rules else copy.copy(model)).set_params(
                view="eight"
            )
            stage = then.predict(summary)
        customers = known.customers()
        _, orders = log.between(date, horizon_end(log, date, horizon)).totals(customers)
        seen.append(SeenStages(readable(date), customers, stage, orders > 0))
    today = copy.copy(model).set_params(view="eight").predict(log.summary(unit))
    return stages_tested(seen, today, days, level)


def _judged(
    name: str, place: dict[str, int], size: Floats, share: Floats, low: Floats, high: Floats
) -> tuple[str, tuple[str, ...], float]:
    """Verdict on a stage, beside whom, and their share; chance alone contradicts nothing."""
    at, nothing = place[name], float("nan")
    if size[at] == 0:
        return "nobody", (), nothing
    if size[at] < FEWEST:
        return "few", (), nothing
    if name not in CLAIMS:
        return "told", (), nothing
    if name == "exited" and low[at] > GONE:
        return "contradicted", (), GONE
    for claim in CLAIMS[name]:
        names = tuple(o for o in claim.others if o in place and size[place[o]] > 0)
        others = [place[o] for o in names]
        n = size[others].sum()
        if n < FEWEST:
            continue
        theirs = float((share[others] * size[others]).sum() / n)
        sign = -1.0 if claim.least else 1.0
        ends = (high[at], low[others]) if claim.least else (low[at], high[others])
        off = float(np.sqrt((((ends[1] - share[others]) * size[others]) ** 2).sum()) / n)
        chance = float(np.hypot(ends[0] - share[at], claim.factor * off))
        if sign * (share[at] - claim.factor * theirs) > chance:
            return "contradicted", names, theirs
    return "holds", (), nothing
