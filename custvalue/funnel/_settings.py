"""What a FunnelChain is asked for, read once and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue import _frames
from custvalue._units import Span, days_per, span_days
from custvalue.funnel._counts import FunnelShape
from custvalue.funnel._events import DAY, moment
from custvalue.funnel._faults import EventColumns
from custvalue.funnel._presets import PRESETS

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain


def names_of(stages: Any, won: str | None, lost: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Stages and outcomes, the win first."""
    if isinstance(stages, str):
        if stages not in PRESETS:
            raise ValueError(
                f"stages={stages!r} is no preset; known are {', '.join(PRESETS)}. Give one stage "
                "as a list."
            )
        stages, won = PRESETS[stages].stages, won or PRESETS[stages].won
    stages = tuple(str(name) for name in stages)
    lost = (lost,) if isinstance(lost, str) else tuple(lost)
    outcomes = (won or "won", *lost)
    names = [*stages, *outcomes]
    if len(set(names)) < len(names) or not stages or not lost or "stalled" in names:
        raise ValueError(
            f"stages={list(stages)!r} and outcomes {list(outcomes)!r} must be names that differ, "
            "at least one stage and one way to lose, and none may be 'stalled'."
        )
    return stages, outcomes


def columns_by(by: Any) -> tuple[str, ...]:
    """Columns that make groups."""
    if by is None:
        return ()
    return (by,) if isinstance(by, str) else tuple(by)


def shape_of(funnel: FunnelChain) -> FunnelShape:
    """Stages, outcomes, period, ages."""
    stages, outcomes = names_of(funnel.stages, funnel.won, funnel.lost)
    days = days_per(funnel.period, "period")
    K = int(funnel.age_classes)
    if funnel.age_classes != K or K < 1:
        raise ValueError(f"age_classes={funnel.age_classes!r} must be a whole number from 1 on.")
    expire = None
    if funnel.expire is not None:
        expire = int(np.ceil(span_days(funnel.expire, "expire") / days - 1e-9))
        if expire < 1:
            raise ValueError(f"expire={funnel.expire!r} must be a period or longer.")
        K = min(K, expire)
    return FunnelShape(stages, outcomes, K, round(days * DAY), expire)


def event_columns(funnel: FunnelChain, events: Any) -> EventColumns:
    """Columns to read of a log."""
    if funnel.bad not in ("error", "drop"):
        raise ValueError(f"bad={funnel.bad!r} must be 'error' or 'drop'.")
    stages, outcomes = names_of(funnel.stages, funnel.won, funnel.lost)
    have = _frames.column_names(events) or []
    absent = funnel.amount == "amount" and "amount" not in have
    return EventColumns(
        stages,
        outcomes,
        funnel.deal,
        funnel.stage,
        funnel.time,
        None if absent else funnel.amount,
        columns_by(funnel.by),
        funnel.bad,
        funnel.time_format,
    )


def since_of(funnel: FunnelChain, as_of: int) -> int | None:
    """When observation began; None where the log has all."""
    since = []
    if funnel.observed_from is not None:
        since.append(moment(funnel.observed_from, "observed_from"))
    if funnel.recent is not None:
        since.append(as_of - round(span_days(funnel.recent, "recent") * DAY))
    if since and max(since) >= as_of:
        raise ValueError(
            f"observed_from={funnel.observed_from!r}, recent={funnel.recent!r}: that is not before "
            f"as_of {np.datetime64(as_of, 'us')}, so nothing was observed."
        )
    return max(since) if since else None


def periods_of(funnel: FunnelChain, horizon: Span | None) -> float | None:
    """Horizon in periods; None for ever."""
    span = funnel.horizon if horizon is None else horizon
    if span is None or span == "forever":
        return None
    return span_days(span, "horizon") / days_per(funnel.period, "period")
