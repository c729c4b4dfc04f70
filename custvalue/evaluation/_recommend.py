"""Which method for this log: its facts, a backtest of the usual candidates, reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._units import Span
from custvalue.data import TransactionLog
from custvalue.evaluation._backtest import BASELINES, Progress, as_log, backtest
from custvalue.evaluation._facts import LogFacts, in_words, log_facts
from custvalue.evaluation._result import BacktestResult
from custvalue.exceptions import ContractProblem, DataContractError

if TYPE_CHECKING:
    import pandas as pd

JUDGED = ("gini", "mae", "absolute_total_bias")


@dataclass(frozen=True)
class Recommendation:
    """A suggestion, and all that it rests on.

    Parameters
    ----------
    suggestion : str
        Name of the suggested estimator.
    facts : LogFacts
    ranking : DataFrame
        One row an estimator, best first: ``gini``, ``mae``, ``abs_total_bias``, ``mean_rank``
        (over the three), ``against_suggestion`` (``"tied"`` where no interval of a difference
        leaves 0, else what is better or worse).
    words : tuple of str
        The reasons, one sentence or two each.
    result : BacktestResult

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

    def __str__(self) -> str:
        return "\n".join(self.words)


def usual_candidates() -> dict[str, Any]:
    """Estimators that :func:`recommend` compares when none are given.

    ``x spend`` is the spend model that the log asks for (see ``CustomerValue``); ``x own mean``
    stands beside it, so that the table shows what shrinking earns.

    Returns
    -------
    dict of str to estimator

    Examples
    --------
    >>> from custvalue.evaluation import usual_candidates
    >>> list(usual_candidates())[0]
    'Markov chain'
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    from custvalue.markov import MarkovCLVEstimator
    from custvalue.purchase import MBGNBD, ParetoNBD
    from custvalue.spend import OwnMean
    from custvalue.value import CustomerValue

    return {
        "Markov chain": MarkovCLVEstimator(),
        "Pareto/NBD x spend": CustomerValue(purchases=ParetoNBD()),
        "Pareto/NBD x own mean": CustomerValue(purchases=ParetoNBD(), spend=OwnMean()),
        "MBG/NBD x spend": CustomerValue(purchases=MBGNBD()),
        "gradient boosting": HistGradientBoostingRegressor(max_iter=100, random_state=0),
    }


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

    The facts of the log, a backtest, and a rule: the estimator with the best mean rank over
    normalised Gini, mean absolute error and total bias is suggested; what ties with it on all
    three is named, and where nothing beats a naive forecast, that is said.

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
        None: :func:`usual_candidates`.
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
    result = backtest(
        usual_candidates() if estimators is None else dict(estimators),
        whole,
        cutoffs=chosen,
        horizon=horizon,
        period=period,
        on_error="note",
        progress=progress,
    )
    facts = log_facts(whole)
    ranking = _ranked(result)
    best = str(ranking.index[0])
    found = result.differences(
        against=best, metrics=JUDGED, n_resamples=n_resamples, random_state=random_state
    )
    ranking["against_suggestion"] = [_against(name, best, found) for name in ranking.index]
    words = (*in_words(facts), *_reasons(ranking, result, horizon, len(chosen)))
    return Recommendation(best, facts, ranking, words, result)


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
    scores = result.scores()[["gini", "mae", "abs_total_bias"]].dropna()
    ranks = scores.assign(gini=-scores["gini"]).rank(method="average")
    scores["mean_rank"] = ranks.mean(axis=1)
    return scores.sort_values(["mean_rank", "mae"])


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
    said = [
        (
            f"Suggestion: {best}. In a backtest of {len(result.estimators)} methods "
            f"({n_origins} cutoff{'s' if n_origins > 1 else ''}, horizon {horizon}) it has the "
            f"best mean rank over order of customers (normalised Gini {row['gini']:.3f}), error a "
            f"customer ({row['mae']:,.1f}) and total ({row['abs_total_bias']:.0%} off)."
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
    notes = result.table.loc[result.table["note"].str.contains(": ", regex=False), "estimator"]
    if len(notes):
        said.append(f"Failed and left out: {', '.join(sorted(set(notes)))}; see result.table.")
    return said
