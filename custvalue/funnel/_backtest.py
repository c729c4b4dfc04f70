"""A fair test of pipeline forecasts: past dates, what was open then, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from custvalue import _frames
from custvalue._units import Span, span_days
from custvalue._words import FUNNEL, Language
from custvalue.funnel._deals import won_by
from custvalue.funnel._events import DAY, DealLog, moment, read_events
from custvalue.funnel._open import read_open
from custvalue.funnel._settings import event_columns

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.funnel._funnel_chain import FunnelChain

Z80 = 1.2815515655446004


@dataclass(frozen=True, eq=False)
class FunnelBacktest:
    """How forecasts of a pipeline did at past dates.

    Parameters
    ----------
    table : DataFrame
        One row a method and cutoff: ``method``, ``cutoff``, ``open_deals``, ``predicted_wins``,
        ``actual_wins``, ``bias`` (predicted / actual - 1), ``brier`` (mean squared error of the
        chances), and for the chain ``low``, ``high`` (80 % of what chance alone would do to the
        wins) and ``covered``.
    deals : DataFrame
        One row an open deal and cutoff: ``deal``, ``cutoff``, ``won``, one chance a method.
    horizon : str

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"method": ["FunnelChain", "won / all"], "predicted_wins": [9.0, 6.0],
    ...                       "actual_wins": [10, 10], "bias": [-0.1, -0.4], "brier": [0.2, 0.25]})
    >>> FunnelBacktest(table, pd.DataFrame(), "13W").scores()["bias"].round(2).to_dict()
    {'FunnelChain': -0.1, 'won / all': -0.4}
    """

    table: pd.DataFrame = field(repr=False)
    deals: pd.DataFrame = field(repr=False)
    horizon: str

    def scores(self) -> pd.DataFrame:
        """Mean over the cutoffs by method: absolute bias, Brier score, wins in all.

        Returns
        -------
        DataFrame
            Index ``method``, the least Brier score first: ``predicted_wins``, ``actual_wins``,
            ``bias`` (of the totals; missing where no deal was won), ``mean_absolute_bias``,
            ``brier``.
        """
        grouped = self.table.assign(gap=self.table["bias"].abs()).groupby("method", sort=False)
        out = grouped[["predicted_wins", "actual_wins"]].sum()
        came = out["actual_wins"].where(out["actual_wins"] > 0)
        out["bias"] = out["predicted_wins"] / came - 1.0
        out["mean_absolute_bias"] = grouped["gap"].mean()
        out["brier"] = grouped["brier"].mean()
        return out.sort_values("brier", kind="stable")

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.scores().to_html(float_format='{:,.4g}'.format)}"


def backtest_funnel(
    funnel: FunnelChain,
    events: Any,
    *,
    cutoffs: Sequence[Any],
    horizon: Span,
    language: Language = "en",
) -> FunnelBacktest:
    """Forecast what was open at past dates, and compare with what came.

    The funnel is fitted anew at each date on what was known then. Beside it stand the habits of
    sales meetings: **won / decided** and **won / all** so far, and the **stage rate** (deals won of
    all that ever were in the stage). None of them knows a horizon; all are judged by it.

    Parameters
    ----------
    funnel : FunnelChain
        Settings; it is not fitted itself.
    events : frame
    cutoffs : sequence of date
    horizon : str or timedelta
    language : {"en", "zh"}, default="en"
        Language of the methods' names.

    Returns
    -------
    FunnelBacktest

    Raises
    ------
    ValueError
        If the log ends before a cutoff's horizon does, or no deal was open at a cutoff.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from custvalue.funnel import FunnelChain, backtest_funnel
    >>> day = np.datetime64("2024-01-01") + np.arange(200)
    >>> events = pd.concat([
    ...     pd.DataFrame({"deal": np.arange(200), "stage": "lead", "time": day}),
    ...     pd.DataFrame({"deal": np.arange(200), "stage": ["won", "lost"] * 100,
    ...                   "time": day + np.arange(200) % 40 + 5})])
    >>> test = backtest_funnel(FunnelChain(["lead"]), events, cutoffs=["2024-05-01"],
    ...                        horizon="4W")
    >>> test.table[["method", "open_deals", "actual_wins"]]
              method  open_deals  actual_wins
    0    FunnelChain          24            8
    1  won / decided          24            8
    2      won / all          24            8
    3     stage rate          24            8
    """
    import pandas as pd

    table = _frames.eager(events)
    columns = event_columns(funnel, table)
    span = round(span_days(horizon, "horizon") * DAY)
    rows: list[dict[str, Any]] = []
    seen = []
    for cutoff in cutoffs:
        at = moment(cutoff, "cutoff")
        fitted = clone(funnel).fit(table, as_of=cutoff)
        open_ = fitted.open_deals(table)
        n = _frames.n_rows(open_)
        if not n:
            raise ValueError(f"no deal was open at cutoff {cutoff}; take another date.")
        ids = np.asarray(_frames.column(open_, "deal"))
        actual = won_by(table, columns, at + span, ids)
        proba = fitted.predict_proba(open_, horizon=horizon)
        chance = np.asarray(_frames.column(proba, fitted.outcomes_[0]))
        log = read_events(table, columns, cutoff)
        stage = read_open(fitted, open_).stage
        methods = {"FunnelChain": chance, **_habits(log, stage, len(columns.stages))}
        for name, p in methods.items():
            row = _scored(FUNNEL.name(name, language), cutoff, np.asarray(p), actual)
            if name != "FunnelChain":
                row |= {"low": np.nan, "high": np.nan, "covered": None}
            rows.append(row)
        found = {"deal": ids, "cutoff": str(cutoff), "won": actual}
        seen.append(
            pd.DataFrame({**found, **{FUNNEL.name(k, language): v for k, v in methods.items()}})
        )
    deals = pd.concat(seen, ignore_index=True) if seen else pd.DataFrame()
    return FunnelBacktest(pd.DataFrame(rows), deals, str(horizon))


def _scored(name: str, cutoff: Any, p: Any, won: Any) -> dict[str, Any]:
    expected, came = float(p.sum()), int(won.sum())
    reach = Z80 * float(np.sqrt((p * (1.0 - p)).sum()))
    low, high = max(expected - reach, 0.0), expected + reach
    return {
        "method": name,
        "cutoff": str(cutoff),
        "open_deals": len(p),
        "predicted_wins": expected,
        "actual_wins": came,
        "bias": expected / came - 1.0 if came else np.nan,
        "brier": float(np.mean((p - won) ** 2)),
        "low": low,
        "high": high,
        "covered": low - 0.5 <= came <= high + 0.5,  # wins are whole
    }


def _habits(log: DealLog, stage: Any, n_stages: int) -> dict[str, Any]:
    """Chances that sales meetings give every open deal."""
    ended = log.target[log.last] - n_stages
    won, decided = int((ended == 0).sum()), int((ended >= 0).sum())
    deal, been = log.passed(n_stages)
    through = np.bincount(been, minlength=n_stages)
    wins = np.bincount(been, (ended == 0)[deal], n_stages)
    rate = wins / np.maximum(through, 1)
    everybody = np.ones(len(stage))
    return {
        "won / decided": everybody * (won / decided if decided else 0.0),
        "won / all": everybody * (won / log.n_deals),
        "stage rate": rate[stage],
    }
