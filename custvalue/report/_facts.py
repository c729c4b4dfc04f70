"""What was collected -> the plain JSON values that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import custvalue
from custvalue._units import span_days
from custvalue.plotting._for_rooms import concentration_table
from custvalue.report._by import by_facts
from custvalue.report._campaign import WINDOW
from custvalue.report._collect import LEVEL, Asked, Collected
from custvalue.report._playbooks import Playbook
from custvalue.report._quiet import quiet_facts
from custvalue.report._stories import stories_facts
from custvalue.report._story import OLD_TRIAL
from custvalue.report._words import Words

if TYPE_CHECKING:
    import pandas as pd

STAGES = (
    "potential",
    "target",
    "new",
    OLD_TRIAL,
    "established",
    "core",
    "strategic",
    "problem",
    "exited",
)
UPGRADABLE = ("new", "established")
CEILING = 0.03  # the source's: at most 3 % problem customers
NORMAL_80 = 1.2815515655446004  # a normal outcome lies within so many deviations in 8 of 10 cases
MOVES = 12


def facts_of_report(got: Collected, asked: Asked, words: Words) -> dict[str, Any]:
    """Everything the page says, as plain JSON values.

    Parameters
    ----------
    got : Collected
    asked : Asked
    words : Words
        Used for rules alone, which are sentences made of thresholds.
    """
    table = got.customers
    boxes = dict(list(got.bounds.groupby("segment", sort=False)))
    rules = [segment_rule(boxes[name], words) for name in got.segments["segment"]]
    segments = got.segments.assign(
        rule=rules, advice=[asked.playbook.segment(name) for name in got.segments["segment"]]
    )
    return {
        "about": {
            "title": asked.title,
            "source": asked.source,
            "as_of": got.as_of,
            "first_date": str(table["first_order"].min())[:10],
            "period": asked.period,
            "horizon": asked.horizon,
            "annual_discount_rate": float(asked.annual_discount_rate),
            "margin": None if asked.told else asked.margin,
            "profit_from": next(iter(asked.told.items()), None),
            "is_profit": asked.is_profit,
            "level": LEVEL,
            "followed": got.followed,
            "trade": asked.playbook.trade,
            "version": custvalue.__version__,
        },
        "base": _base(got, asked),
        "segments": _rows(segments),
        "quiet": quiet_facts(got, asked),
        "names": _names(got, asked, words),
        "stages": {**_stages(got, asked.playbook, words), "windows": got.windows},
        "forecast": _forecast(got, words),
        "moves": _moves(got),
        "ahead": _ahead(got),
        "limits": got.limits,
        "by": None if got.cut is None else by_facts(got.cut, table, got.total),
        "stories": stories_facts(got.stories, table, asked.playbook, words),
        "examine": got.examined.to_dict(words.language),
        "ledger": got.ledger,
        "notes": list(got.caught),
        "notes_on_rows": list(got.of_data),
    }


def segment_rule(boxes: pd.DataFrame, words: Words) -> str:
    """Write a segment's rule in days and money: each of its boxes, in their bounds."""
    either = []
    told = "silence" if "usual_gaps_above" in boxes else None  # the same in time, of most
    for _, box in boxes.iterrows():
        parts: list[str] = []
        for name, spoken in SPOKEN.items():
            if f"{name}_above" not in box or name == told:
                continue
            low, high = (box[f"{name}_{end}"] for end in ("above", "up_to"))
            if not low < high:  # tied cut points: nobody can ever be in this box
                parts.clear()
                break
            if np.isfinite(low) or np.isfinite(high):
                low, high = (float(end) if np.isfinite(end) else None for end in (low, high))
                parts.append(spoken(low, high, words))
        either.append(words(", ").join(parts))
    return words("; or ").join(part for part in either if part)


def _silence_words(low: float | None, high: float | None, words: Words) -> str:
    if low is None:
        return words("last order at most {days:,.0f} days ago", days=high)
    if high is None:
        return words("last order over {days:,.0f} days ago", days=low)
    return words("last order over {low:,.0f}, at most {high:,.0f} days ago", low=low, high=high)


def _orders_words(low: float | None, high: float | None, words: Words) -> str:
    if low is None:
        if high == 1:
            return words("one order")
        return words("at most {n:,.0f} orders", n=high)
    if high is None:
        return words("at least {n:,.0f} orders", n=low + 1)
    if high == low + 1:
        return words("{n:,.0f} orders", n=high)
    return words("{low:,.0f} to {high:,.0f} orders", low=low + 1, high=high)


def _spend_words(low: float | None, high: float | None, words: Words) -> str:
    if low is None:
        return words("spent at most {money}", money=words.money(high or 0.0))
    if high is None:
        return words("spent over {money}", money=words.money(low))
    return words("spent over {low}, at most {high}", low=words.money(low), high=words.money(high))


def _gaps_words(low: float | None, high: float | None, words: Words) -> str:
    if low is None:
        if high == 1:
            return words("silent for at most one usual gap")
        return words("silent for at most {n:,.0f} usual gaps", n=high)
    if high is None:
        return words("silent for over {n:,.0f} usual gaps", n=low)
    return words("silent for over {low:,.0f}, at most {high:,.0f} usual gaps", low=low, high=high)


SPOKEN = {
    "usual_gaps": _gaps_words,
    "silence": _silence_words,
    "n_orders": _orders_words,
    "total_value": _spend_words,
}


def _base(got: Collected, asked: Asked) -> dict[str, Any]:
    table = got.customers
    orders = float(table["n_orders"].sum())
    spend = float(table["total_value"].sum())
    active = int((table["silence_days"] <= WINDOW).sum())
    future = float(table["future_value"].sum())
    shares = concentration_table(table["total_value"], n_points=6)["value_share"]
    return {
        "customers": len(table),
        "one_time_share": float((table["n_orders"] == 1).mean()),
        "orders": orders,
        "mean_order": spend / orders,
        "spend": spend,
        "top20": float(shares.iloc[1]),
        "window": WINDOW,
        "active": active,
        "active_share": active / len(table),
        "expected_orders": float(table["expected_orders"].sum()),
        "expected_buyers": float(table["chance_of_order"].sum()),
        "last_value": _last_value(got, asked),
        **_profit(table),
        "future_value": future,
        "future_low": got.total[0],
        "future_high": got.total[1],
    }


def _ahead(got: Collected) -> dict[str, Any]:
    """Spend expected of each coming period with its band."""
    coming = got.upcoming[got.upcoming["forecast"].notna()]
    ends = coming["period_end"].to_numpy().astype("datetime64[D]").astype(str)
    banded = "lower" in coming
    return {
        "seasonal": got.seasonal,
        "banded": banded,
        "periods": [
            {
                "until": str(end),
                "expected": float(row["forecast"]),
                "low": float(row["lower"]) if banded else None,
                "high": float(row["upper"]) if banded else None,
            }
            for end, row in zip(ends, coming.to_dict("records"), strict=True)
        ],
    }


def _profit(table: pd.DataFrame) -> dict[str, Any]:
    """Profit so far and who brought a loss, where the rows tell profits."""
    if "total_profit" not in table:
        return {"profit": None}
    profit, spend = table["total_profit"], float(table["total_value"].sum())
    loss = profit[profit < 0.0]
    return {
        "profit": float(profit.sum()),
        "margin": float(profit.sum()) / spend if spend else None,
        "loss_customers": len(loss),
        "loss": float(loss.sum()),
        "future_loss_customers": int((table["future_value"] < 0.0).sum()),
    }


def _names(got: Collected, asked: Asked, words: Words) -> dict[str, Any]:
    """Say how names of segments were tested, and what became of those that do not hold."""
    test = got.test
    changed = [one.verdict in ("merged", "renamed") for one in test.decisions]
    return {
        "cuts": asked.cuts if isinstance(asked.cuts, str) else list(asked.cuts),
        "dates": list(test.dates),
        "days": test.horizon_days,
        "usual_gap": got.usual_gap,
        "changed": sum(changed) if test.dates else 0,
        "words": list(test.words(words.language)),
        "window": WINDOW,
        "pace": got.pace,
    }


def _stages(got: Collected, playbook: Playbook, words: Words) -> dict[str, Any]:
    table, test = got.customers, got.stage_test
    ordered = {one.stage: _known(one.ordered) for one in test.results}
    spend = float(table["total_value"].sum())
    grouped = table.groupby("stage")
    rows = [
        {
            "stage": stage,
            "customers": len(part),
            "customer_share": len(part) / len(table),
            "value": float(part["total_value"].sum()),
            "value_share": float(part["total_value"].sum()) / spend,
            "chance": float(part[f"chance_of_order_{WINDOW}d"].mean()),
            "future_each": float(part["future_value"].mean()),
            "ordered": ordered.get(stage),
            "message": playbook.stage(stage)[0],
            "step": playbook.stage(stage)[1],
        }
        for stage in STAGES
        if stage in grouped.groups
        for part in [grouped.get_group(stage)]
    ]
    upgrades = [
        {
            "stage": stage,
            **{
                timing: int((part["stage_timing"] == timing).sum())
                for timing in ("early", "due", "overdue")
            },
        }
        for stage in UPGRADABLE
        if stage in grouped.groups
        for part in [grouped.get_group(stage)]
        if (part["stage_timing"] != "no window").any()
    ]
    return {
        "rows": rows,
        "problem_share": got.problem_share,
        "ceiling": CEILING,
        "upgrades": upgrades,
        "tested": {
            "dates": list(test.dates),
            "days": test.horizon_days,
            "words": list(test.words(words.language)) if test.dates else [],
        },
    }


def _last_value(got: Collected, asked: Asked) -> float | None:
    """Say what they were worth in the last horizon; None where it was not seen whole."""
    periods = round(span_days(asked.horizon) / span_days(asked.period))
    if not 0 < periods <= len(got.spend):
        return None
    money = "profit" if "profit" in got.spend else "spend"
    return asked.scale * float(got.spend[money].iloc[-periods:].sum())


def _forecast(got: Collected, words: Words) -> dict[str, Any]:
    verdict = got.verdict
    end = np.datetime64(got.learned_until or got.as_of, "D")
    ours = got.scores[got.scores["method"] == "forecast"]
    dates = [
        {
            "date": str(end - np.timedelta64(row["days_back"], "D")),
            "days": row["days"],
            "said": row["said"],
            "came": row["came"],
            "ratio": row["said"] / row["came"],
            "gini": _known(row["gini"]),
        }
        for row in _rows(ours)
    ]
    grouped = got.scores.groupby("method", sort=False)
    methods = [
        {
            "method": name,
            "ratio": float(part["said"].sum() / part["came"].sum()),
            "gini": _known(part["gini"].mean()),
            "mae": float(part["mae"].mean()),
            "top_decile": _known(part["top_share"].mean()),
        }
        for name, part in grouped
    ]
    return {
        "learned_until": got.learned_until,
        "overall": verdict.overall,
        "uses": dict(verdict.uses),
        "kind": verdict.kind,
        "parts": {name: weight for name, weight in verdict.parts if weight > 0},
        "words": list(verdict.words(words.language)),
        "dates": dates,
        "methods": methods,
        "groups": _rows(got.groups),
    }


def _known(value: Any) -> float | None:
    """Return a score, None where what came gives the metric no value."""
    return float(value) if np.isfinite(value) else None


def _moves(got: Collected) -> list[dict[str, Any]]:
    """List the most frequent moves; who stays does not move."""
    moves = got.moves[got.moves["from"] != got.moves["to"]]
    return _rows(moves.sort_values("moves", ascending=False, kind="stable").head(MOVES))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with Python values instead of numpy's."""
    return [
        {str(key): value.item() if hasattr(value, "item") else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
