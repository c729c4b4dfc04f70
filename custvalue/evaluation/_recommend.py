"""Which method for this log: its facts, a backtest of the usual candidates, reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._units import Span
from custvalue.data import TransactionLog
from custvalue.evaluation._backtest import BASELINES, Progress, as_log, backtest
from custvalue.evaluation._best import BestValue
from custvalue.evaluation._facts import RHYTHM, LogFacts, in_words, log_facts
from custvalue.evaluation._result import BacktestResult
from custvalue.evaluation._stacked import usual_parts
from custvalue.evaluation._verdict import Verdict
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.purchase import MBGCNBD
from custvalue.spend import OwnMean
from custvalue.value import CustomerValue

if TYPE_CHECKING:
    import pandas as pd

# metric of `BacktestResult.differences`, and its column in the scores
JUDGED = {"gini": "gini", "tweedie": "tweedie", "absolute_total_bias": "abs_total_bias"}
BEST = "chosen by its past"
REGULAR = "regular law x own mean"


@dataclass(frozen=True)
class Recommendation:
    """A suggestion, and all that it rests on.

    Parameters
    ----------
    suggestion : str
        Name of the suggested estimator.
    facts : LogFacts
    ranking : DataFrame
        One row an estimator, the suggestion first: ``gini``, ``tweedie``, ``abs_total_bias``,
        ``mae``, ``mean_rank`` (over the first three), ``against_suggestion`` (``"tied"`` where no
        interval of a difference leaves 0, else what is better or worse).
    words : tuple of str
        The reasons, one sentence or two each.
    result : BacktestResult
    model : BestValue or None
        The suggestion, fitted on the whole log, where it is the one that the log's past chooses.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.evaluation import recommend
    >>> advice = recommend(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                    time="date", amount="amount", estimators={}, n_resamples=50)
    >>> advice.suggestion in advice.ranking.index
    True
    """

    suggestion: str
    facts: LogFacts
    ranking: pd.DataFrame
    words: tuple[str, ...]
    result: BacktestResult
    model: BestValue | None = None

    @property
    def verdict(self) -> Verdict | None:
        """What the suggested forecast may be used for; None where it is not ``model``."""
        return None if self.model is None else self.model.verdict()

    def __str__(self) -> str:
        return "\n".join(self.words)


def usual_candidates() -> dict[str, Any]:
    """Estimators that :func:`recommend` compares when none are given.

    First :class:`BestValue`, which chooses among them by the log's own past; then its candidates
    one by one, so that the table shows what choosing earns.

    Returns
    -------
    dict of str to estimator

    Examples
    --------
    >>> list(usual_candidates())[0]
    'chosen by its past'
    """
    parts = usual_parts()
    parts.pop("rate so far", None)  # it takes part in every backtest
    return {BEST: BestValue(progress=False), **parts}


def regular_candidate(facts: LogFacts) -> dict[str, Any]:
    """Name the law of regular buyers where gaps are regular for certain; nothing elsewhere.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation._facts import log_facts
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> regular_candidate(log_facts(log))
    {}
    """
    if not facts.regularity.lower > RHYTHM:
        return {}
    return {REGULAR: CustomerValue(purchases=MBGCNBD(k="auto"), spend=OwnMean())}


def recommend(
    log: Any,
    *,
    customer: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    horizon: Span | None = None,
    cutoffs: Sequence[Any] | None = None,
    estimators: Mapping[str, Any] | None = None,
    unit: str = "D",
    period: str = "4W",
    n_resamples: int = 200,
    random_state: int = 0,
    progress: Progress = False,
    **policies: Any,
) -> Recommendation:
    """Suggest an estimator for a log, with reasons.

    The facts of the log, a backtest, and a rule. :class:`BestValue`, the forecast that the log's
    own past chooses, is suggested unless another is better than it in order of customers
    (normalised Gini), expected money (Tweedie deviance) or total, and worse in none; it is then
    fitted on the whole log, and its verdict for each use is among the words. Among ``estimators``
    of your own the one with the best mean rank over the three is suggested. What ties with the
    suggestion on all three is named, and where nothing beats a naive forecast, that is said.

    Parameters
    ----------
    log : frame or TransactionLog
    customer, time, amount : str
        Names of the log's columns (for a frame).
    horizon : str or timedelta, optional
        None: a third of the history, at most 52 weeks.
    cutoffs : sequence of str or datetime64, optional
        None: one horizon before the end, and one a half of that earlier where at least as much
        history remains before it.
    estimators : dict of str to estimator, optional
        None: :func:`usual_candidates`, and where gaps between orders are regular for certain,
        :class:`custvalue.purchase.MBGCNBD` (k chosen) times the own mean.
    unit, period
        See :func:`backtest`.
    n_resamples : int, default=200
        Bootstrap resamples behind "tied".
    random_state : int, default=0
    progress : bool or callable, default=False
    **policies
        Of the log, see :func:`custvalue.summarize`.

    Returns
    -------
    Recommendation
        ``print`` it for the words.

    Raises
    ------
    DataContractError
        If the history is shorter than six weeks.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.evaluation import recommend
    >>> advice = recommend(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                    time="date", amount="amount", estimators={}, n_resamples=50)
    >>> print(advice.words[1][:42])
    52% bought once: most forecasts rest on wh
    """
    whole = as_log(log, customer, time, amount, unit, policies)
    horizon, chosen = _plan(whole, horizon, cutoffs)
    facts = log_facts(whole)
    usual = usual_candidates() | regular_candidate(facts) if estimators is None else {}
    result = backtest(
        usual if estimators is None else dict(estimators),
        whole,
        cutoffs=chosen,
        horizon=horizon,
        period=period,
        on_error="note",
        progress=progress,
    )
    ranking = _ranked(result)

    def against(name: str) -> list[str]:
        known = [metric for metric, column in JUDGED.items() if ranking[column].notna().all()]
        if not known:  # nothing came that would tell methods apart
            return ["" if other == name else "tied" for other in ranking.index]
        found = result.differences(
            against=name, metrics=known, n_resamples=n_resamples, random_state=random_state
        )
        return [_against(other, name, found) for other in ranking.index]

    best = str(ranking.index[0])
    if estimators is None and BEST in ranking.index:
        told = dict(zip(ranking.index, against(BEST), strict=True))
        beaten = [str(n) for n, t in told.items() if "better" in t and "worse" not in t]
        best = beaten[0] if beaten else BEST
    ranking["against_suggestion"] = against(best)
    ranking = ranking.loc[[best, *(n for n in ranking.index if n != best)]]
    words = [*in_words(facts), *_reasons(ranking, result, horizon, len(chosen))]
    model = None
    if estimators is None and best == BEST:
        model = BestValue(horizon=horizon, panel_period=period, progress=progress or None)
        model.fit(whole)
        words += model.verdict().words()
    return Recommendation(best, facts, ranking, tuple(words), result, model)


def _plan(
    log: TransactionLog, horizon: Span | None, cutoffs: Sequence[Any] | None
) -> tuple[Span, list[Any]]:
    weeks = int(log.span_days // 7)
    if weeks < 6:
        raise DataContractError(
            ContractProblem(
                "short-history",
                f"the log spans {log.span_days:g} days; a forecast cannot be tested on it",
                "Collect at least six weeks.",
            )
        )
    span: Span = f"{min(52, weeks // 3)}W" if horizon is None else horizon
    if cutoffs is not None:
        return span, list(cutoffs)
    last = log.before(span)
    days = float((log.as_of - last) / np.timedelta64(1, "D"))
    earlier = last - np.timedelta64(int(days / 2), "D")
    history = float((earlier - log.first) / np.timedelta64(1, "D"))
    return span, [earlier, last] if history >= days else [last]


def _ranked(result: BacktestResult) -> pd.DataFrame:
    scores = result.scores()[[*JUDGED.values(), "mae"]].dropna(subset="mae")  # those that failed
    ranks = scores.assign(gini=-scores["gini"]).drop(columns="mae").rank(method="average")
    scores["mean_rank"] = ranks.mean(axis=1)
    return scores.sort_values(["mean_rank", "tweedie"])


def _against(name: str, best: str, found: pd.DataFrame) -> str:
    if name == best:
        return ""
    rows = found[(found["estimator"] == name) & (found["verdict"] != "tied")]
    told = [f"{row.verdict!s} {row.metric!s}" for row in rows.itertuples()]
    return ", ".join(told) or "tied"


def _reasons(
    ranking: pd.DataFrame, result: BacktestResult, horizon: Span, n_origins: int
) -> list[str]:
    best = str(ranking.index[0])
    row = ranking.iloc[0]
    first = row["mean_rank"] <= ranking["mean_rank"].min()
    why = (
        "the best mean rank over"
        if first
        else "no method against it that is better in one and worse in none of"
    )
    said = [
        (
            f"Suggestion: {best}. In a backtest of {len(result.estimators)} methods "
            f"({n_origins} cutoff{'s' if n_origins > 1 else ''}, horizon {horizon}) it has {why} "
            f"order of customers ({_order(row['gini'])}), expected money "
            f"({_deviance(row['tweedie'])}) and total ({_total(row['abs_total_bias'])})."
        )
    ]
    tied = [str(n) for n in ranking.index[1:] if ranking.loc[n, "against_suggestion"] == "tied"]
    if tied:
        said.append(f"Not told apart from it by these data: {', '.join(tied)}.")
    if best in BASELINES:
        said.append(
            "That is a naive forecast: no model has shown its worth on this log yet. Take it as "
            "the one to beat when there is more history."
        )
    else:
        beaten = [name for name in BASELINES if name in ranking.index]
        said.append(
            "Against the naive forecasts: "
            + "; ".join(f"{n}: {ranking.loc[n, 'against_suggestion']!s}" for n in beaten)
            + "."
        )
    if np.isnan(row["abs_total_bias"]):
        said.append(
            "No known customer bought after any cutoff, so the test tells little; choose other "
            "cutoffs or a longer horizon."
        )
    failed = [name for name in result.estimators if name not in ranking.index]
    if failed:
        said.append(f"Failed and left out: {', '.join(sorted(failed))}; see result.table.")
    return said


def _order(gini: float) -> str:
    return (
        "none to judge: all brought the same" if np.isnan(gini) else f"normalised Gini {gini:.3f}"
    )


def _deviance(tweedie: float) -> str:
    return "none to judge" if np.isnan(tweedie) else f"Tweedie deviance {tweedie:,.4g}"


def _total(bias: float) -> str:
    return "nothing came to compare with" if np.isnan(bias) else f"{bias:.0%} off"
