"""From one row a deal to events, and from events to one row a deal as it was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue import _frames
from custvalue._units import Span, span_days
from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, first_ids
from custvalue.funnel._counts import open_deals
from custvalue.funnel._events import DAY, moment, read_events
from custvalue.funnel._ledger import LEFT_OUT, REASONS, DroppedDeals
from custvalue.funnel._open import open_deals_table
from custvalue.funnel._settings import event_columns, shape_of

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain


def from_deals(
    deals: Any,
    *,
    deal: str,
    start: str | Mapping[str, str],
    close: str,
    outcome: str,
    won: str = "won",
    lost: str | Sequence[str] = "lost",
    amount: str | None = None,
    close_amount: str | None = None,
    time_format: str | None = None,
    bad: str = "error",
) -> Any:
    """Event log of a table with one row a deal, as a CRM exports it.

    Parameters
    ----------
    deals : frame
    deal : str
        Column with the deal's id.
    start : str or dict
        Column with the date of entry, into a stage called ``"open"``; or ``{stage: column}`` of
        several stages in order. A stage without a date was skipped.
    close, outcome : str
        Columns with the date and the word of the outcome.
    won : str, default="won"
        Word of a win; it becomes ``"won"``.
    lost : str or sequence of str, default="lost"
        Word of a loss, which becomes ``"lost"``; several words stay as they are. Any other word
        is an open deal.
    amount : str, optional
        Column with the amount as it was known while the deal was open.
    close_amount : str, optional
        Column with the amount that closing told.
    time_format : str, optional
        Of dates as text that are not ISO 8601.
    bad : {"error", "drop"}, default="error"
        Deals that are closed without a date, or whose stages are dated out of order. Dates that are
        missing or contradict the outcome are left to ``FunnelChain``.

    Returns
    -------
    frame of the kind of ``deals``
        ``deal``, ``stage``, ``time``, ``amount`` where there is one, and the other columns.

    Raises
    ------
    DataContractError
        All problems at once.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import from_deals
    >>> deals = pd.DataFrame({"id": [1, 2], "engaged": ["2017-03-01", "2017-03-05"],
    ...                       "closed": ["2017-04-01", None], "status": ["Won", "Engaging"]})
    >>> from_deals(deals, deal="id", start="engaged", close="closed", outcome="status",
    ...            won="Won", lost="Lost")
       deal stage       time
    0     1  open 2017-03-01
    1     1   won 2017-04-01
    2     2  open 2017-03-05
    """
    if bad not in ("error", "drop"):
        raise ValueError(f"bad={bad!r} must be 'error' or 'drop'.")
    stages = {"open": start} if isinstance(start, str) else dict(start)
    words = [lost] if isinstance(lost, str) else list(lost)
    table = _frames.eager(deals)
    have = _frames.column_names(table) or []
    asked = [deal, *stages.values(), close, outcome, amount, close_amount]
    missing = [name for name in asked if name is not None and name not in have]
    if missing:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the table of deals has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(map(str, have))}",
                "Say which columns to read.",
            )
        )
    ids = np.asarray(_frames.column(table, deal))
    n = len(ids)
    entered = np.column_stack(
        [_frames.wall_times(table, name, time_format=time_format) for name in stages.values()]
    )
    closed = _frames.wall_times(table, close, time_format=time_format)
    said = np.array([str(word) for word in _frames.column(table, outcome)], dtype=object)
    ending = np.full(n, -1)
    names = ["lost"] if len(words) == 1 else words
    for k, word in enumerate([won, *words]):
        ending[said == word] = k
    reasons = {
        "unclear_outcome": (ending >= 0) == np.isnat(closed),
        "out_of_order": _falls(entered),
    }
    left_out = _judge(reasons, ids, np.isfinite(entered).sum(axis=1) + (ending >= 0), bad)
    fine = ~np.any(list(reasons.values()), axis=0)

    # a deal without any date is kept as one event without a date: the funnel's ledger counts it
    nowhere = np.isnat(entered).all(axis=1)
    there = ~np.isnat(entered)
    there[:, 0] |= nowhere
    there &= fine[:, None]
    row, stage = np.nonzero(there)
    ends = np.flatnonzero(fine & (ending >= 0))
    labels = np.array([*stages, "won", *names], dtype=object)
    rows = np.concatenate([row, ends])
    which = np.concatenate([stage, len(stages) + ending[ends]])
    time = np.concatenate([entered[row, stage], closed[ends]])
    order = np.lexsort((which, rows))
    rows, which = rows[order], which[order]
    columns: dict[str, Any] = {"deal": ids[rows], "stage": labels[which], "time": time[order]}
    if amount is not None or close_amount is not None:
        columns["amount"] = _amounts(table, amount, close_amount, rows, which >= len(stages))
    used = {deal, *stages.values(), close, outcome, amount, close_amount, *columns}
    columns |= {c: _frames.column(table, c)[rows] for c in have if c not in used}
    made = _frames.new_table(table, columns)
    if not left_out:
        return made
    facts = _frames.TableFacts("events", "deal", "D", "", extra={"left_out": left_out})
    return _frames.with_facts(made, facts)


def _falls(entered: Any) -> Any:
    """Whether a later stage is dated before an earlier one, skipped ones left aside."""
    ticks = entered.astype("datetime64[us]").view(np.int64)
    highest = np.maximum.accumulate(ticks, axis=1)  # a missing date is the least number
    return ((ticks < highest) & ~np.isnat(entered)).any(axis=1)


def _amounts(table: Any, amount: str | None, close_amount: str | None, rows: Any, ends: Any) -> Any:
    nothing = np.full(_frames.n_rows(table), np.nan)

    def read(name: str | None) -> Any:
        if name is None:
            return nothing
        return _frames.float_vectors(table, [name], allow_missing=[name], caller="the deals")[0]

    open_, closing = read(amount), read(close_amount or amount)
    return np.where(ends, closing[rows], open_[rows])


def _judge(reasons: Mapping[str, Any], ids: Any, n_events: Any, bad: str) -> list[dict[str, Any]]:
    problems, out = [], []
    done = np.zeros(len(ids), dtype=bool)
    for reason, mask in reasons.items():
        at = np.flatnonzero(mask & ~done)
        done |= mask
        if not len(at):
            continue
        text, cure = REASONS[reason]
        first = first_ids(ids[at])
        problems.append(
            ContractProblem(reason.replace("_", "-"), text, f"{cure} {LEFT_OUT}", len(at), first)
        )
        dropped = DroppedDeals(reason, int(n_events[at].sum()), len(at), first)
        out.append({**dropped._asdict(), "first": list(first)})
    if problems and bad == "error":
        raise DataContractError(problems)
    if problems:
        told = "; ".join(f"{p.count:,} {p.message}, first: {', '.join(p.ids)}" for p in problems)
        warn_caller(f"deals left out: {told}.", DataWarning)
    return out


def deal_frame(funnel: FunnelChain, events: Any, *, as_of: Any, horizon: Span | None = None) -> Any:
    """Open deals as they were known at a date, for any scikit-learn classifier.

    Parameters
    ----------
    funnel : FunnelChain
        Fitted or not; says which columns, stages and period.
    events : frame
    as_of : date
        Only events up to here are read.
    horizon : str or timedelta, optional
        Adds the answer ``won_within`` (0 or 1), from the events of the span that followed.

    Returns
    -------
    frame of the kind of ``events``
        The columns of ``FunnelChain.open_deals``, ``stage_number``, ``days_in_stage``,
        ``days_open``, ``n_moves``, ``n_back`` (moves to an earlier stage), and ``won_within``.

    Raises
    ------
    ValueError
        If the log ends before the horizon does.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain, deal_frame
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 2, 2], "stage": ["lead", "won", "lead", "lost"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-01", "2024-01-22"])})
    >>> deal_frame(FunnelChain(["lead"]), events, as_of="2024-01-10", horizon="1W")[
    ...     ["deal", "days_in_stage", "won_within"]]
       deal  days_in_stage  won_within
    0     1            9.0           1
    1     2            9.0           0
    """
    table = _frames.eager(events)
    columns = event_columns(funnel, table)
    log = read_events(table, columns, as_of)
    shape = shape_of(funnel)
    made = open_deals_table(table, log, shape, columns)
    last = log.last
    is_open = open_deals(log, shape)
    visit = last[is_open]
    forward = np.zeros(len(log.deal), dtype=np.int64)
    forward[1:] = (log.deal[1:] == log.deal[:-1]) & (log.stage[1:] < log.stage[:-1])
    back = np.add.reduceat(forward, log.start) if len(log.start) else forward
    facts: dict[str, Any] = {
        "stage_number": log.stage[visit] + 1,
        "days_in_stage": (log.left[visit] - log.entered[visit]) / DAY,
        "days_open": (log.left[visit] - log.entered[log.start[is_open]]) / DAY,
        "n_moves": (last - log.start)[is_open],
        "n_back": back[is_open],
    }
    if horizon is not None:
        end = moment(as_of, "as_of") + round(span_days(horizon, "horizon") * DAY)
        facts["won_within"] = won_by(table, columns, end, log.ids[is_open]).astype(np.int64)
    return _frames.with_columns(made, facts)


def won_by(table: Any, columns: Any, end: int, ids: Any) -> Any:
    """Which of some deals were won by a moment that the log reaches."""
    later = read_events(table, columns, np.datetime64(end, "us"))
    times = _frames.wall_times(table, columns.time, time_format=columns.time_format)
    last = int(times[~np.isnat(times)].max().view(np.int64))
    if last < end:
        raise ValueError(
            f"the horizon ends {np.datetime64(end, 'us')}, after the log's last event "
            f"{np.datetime64(last, 'us')}: what came is not known yet. Take an earlier date."
        )
    won = set(later.ids[later.target[later.last] == len(columns.stages)].tolist())
    return np.array([deal in won for deal in ids.tolist()], dtype=bool)
