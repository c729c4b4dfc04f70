"""The door: an event log of deals in any engine -> one immutable value of plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._dates import number_problem, read_date, reads_digits
from custvalue._typing import Floats, Ints, Mask
from custvalue._warn import warn_caller
from custvalue.exceptions import AsOfWarning, ContractProblem, DataContractError, first_ids, nearest
from custvalue.funnel._faults import EventColumns, Faults
from custvalue.funnel._ledger import REASONS, DroppedDeals, FunnelLedger

DAY = 86_400_000_000  # microseconds, in which this room counts time


@dataclass(frozen=True, eq=False)
class DealLog:
    """Visits to stages, in the order of deals and times.

    Parameters
    ----------
    ids : ndarray of shape (n_deals,)
    start : ndarray of int, shape (n_deals,)
        First visit of each deal; its visits lie behind each other.
    deal, stage : ndarray of int, shape (n_visits,)
    entered, left : ndarray of int, shape (n_visits,)
        Microseconds since 1970; an open visit is left at ``as_of``.
    target : ndarray of int, shape (n_visits,)
        Stage that followed, ``n_stages`` + outcome, or -1 for an open visit.
    amount : ndarray of shape (n_deals,)
        The last amount told while the deal was open; NaN where none was.
    won_amount : ndarray of shape (n_deals,)
        What was won: told with the win, else the last amount open; NaN where not won or not told.
    group : ndarray of int, shape (n_deals,)
    groups : tuple of hashable
    row : ndarray of int, shape (n_deals,)
        Row of the log that tells of a deal last.
    as_of : int
    ledger : FunnelLedger
    """

    ids: Any
    start: Ints
    deal: Ints
    stage: Ints
    entered: Ints
    left: Ints
    target: Ints
    amount: Floats
    won_amount: Floats
    group: Ints
    groups: tuple[Any, ...]
    row: Ints
    as_of: int
    ledger: FunnelLedger

    @property
    def n_deals(self) -> int:
        """Number of deals."""
        return len(self.start)

    @property
    def last(self) -> Ints:
        """Last visit of each deal."""
        return np.append(self.start[1:], len(self.deal)) - 1

    def passed(self, n_stages: int) -> tuple[Ints, Ints]:
        """Deals and the stages they were ever in, each pair once."""
        seen = np.zeros((self.n_deals, n_stages), dtype=bool)
        seen[self.deal, self.stage] = True
        deal, stage = np.nonzero(seen)
        return deal, stage


def read_events(events: Any, columns: EventColumns, as_of: Any) -> DealLog:
    """Read, check and sort an event log.

    Raises
    ------
    DataContractError
        All problems of the table at once; those of single deals are left out with ``bad="drop"``.
    """
    wanted = [columns.deal, columns.stage, columns.time, *columns.by]
    have = _frames.column_names(events)
    if have is None:
        raise TypeError(f"events must be a table of events, not {type(events).__name__}.")
    if columns.amount is not None:
        wanted.append(columns.amount)
    lost = [name for name in wanted if name not in have]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the event log has no column {', '.join(map(repr, lost))}; it has "
                f"{', '.join(map(str, have))}",
                "Say which columns to read, or make the log with custvalue.funnel.from_deals.",
            )
        )
    table = _frames.eager(events, list(dict.fromkeys(wanted)))
    problems: list[ContractProblem] = []
    code, ids = _codes(table, columns.deal)
    stage, missing_stage = _stages(table, columns, problems)
    time, missing_time = _times(table, columns, problems)
    amount = _amounts(table, columns, problems)
    if not len(code):
        problems.append(ContractProblem("empty", "the event log has no rows", "Pass a log."))
    if problems:
        raise DataContractError(problems)
    end, cut = _end(as_of, time[~missing_time])

    no_deal = code < 0
    faults = Faults(columns, ids, code)
    faults.add("missing_deal", no_deal)
    faults.add("missing_stage", missing_stage & ~no_deal)
    faults.add("missing_time", missing_time & ~no_deal)
    usable = ~(faults.bad_rows() | (time >= cut))
    late = (time >= cut) & ~faults.bad_rows()
    row = _sorted_rows(code, time, stage, usable)
    n_stages = len(columns.stages)
    faults.add_sorted(row, code[row], stage[row], n_stages)
    faults.settle()
    if faults.any_deal:
        row = row[~faults.bad_rows()[row]]
        late &= ~faults.bad_rows()
    book = [*_left_out_before(events), *faults.book(late)]
    if not len(row):
        raise DataContractError(
            ContractProblem(
                "nothing-left",
                f"no event is left by {np.datetime64(end, 'us')}",
                "; ".join(f"{d.rows:,} rows: {REASONS[d.reason][0]}" for d in book) + ".",
            )
        )
    return _visits(columns, table, row, code, ids, stage, time, amount, end, book)


def _visits(
    columns: EventColumns,
    table: Any,
    row: Ints,
    code: Ints,
    ids: Any,
    stage: Ints,
    time: Ints,
    amount: Floats | None,
    end: int,
    book: list[DroppedDeals],
) -> DealLog:
    n_stages = len(columns.stages)
    code_, stage_, time_ = code[row], stage[row], time[row]
    begins = np.empty(len(row), dtype=bool)
    begins[:1] = True
    np.not_equal(code_[1:], code_[:-1], out=begins[1:])
    dense = np.cumsum(begins) - 1
    n_deals = int(begins.sum())
    repeat = np.zeros(len(row), dtype=bool)
    repeat[1:] = ~begins[1:] & (stage_[1:] == stage_[:-1])
    ids = ids[code_[begins]]
    ends_deal = np.append(np.flatnonzero(begins)[1:], len(row)) - 1
    open_amount, won_amount = np.full(n_deals, np.nan), np.full(n_deals, np.nan)
    if amount is not None:
        told = np.isfinite(amount[row])
        is_stage = told & (stage_ < n_stages)
        open_amount[dense[is_stage]] = amount[row[is_stage]]  # the last one told stays
        is_won = stage_ == n_stages
        won = np.where(np.isfinite(amount[row[is_won]]), amount[row[is_won]], np.nan)
        deal = dense[is_won]
        won_amount[deal] = np.where(np.isnan(won), open_amount[deal], won)
    group, groups = _groups(table, columns.by, row[ends_deal])

    n_repeated = int(repeat.sum())
    kept = [stage_, dense, time_]
    if n_repeated:
        kept = [values[~repeat] for values in kept]
    kept_stage, kept_deal, kept_time = kept
    is_visit = kept_stage < n_stages
    same = np.zeros(len(kept_deal), dtype=bool)
    same[:-1] = kept_deal[1:] == kept_deal[:-1]
    following = np.append(kept_stage[1:], -1)
    later = np.append(kept_time[1:], end)
    target = np.where(same, following, -1)[is_visit]
    left = np.where(same, later, end)[is_visit]
    deal = kept_deal[is_visit]
    start = np.searchsorted(deal, np.arange(n_deals))
    n_in = len(row) + sum(d.rows for d in book)
    ledger = FunnelLedger(n_in, len(kept_deal), n_repeated, n_deals, tuple(book))
    return DealLog(
        ids, start, deal, kept_stage[is_visit], kept_time[is_visit],
        np.maximum(left, kept_time[is_visit]), target, open_amount, won_amount,
        group, groups, row[ends_deal], end, ledger,
    )  # fmt: skip


def _left_out_before(events: Any) -> list[DroppedDeals]:
    """Deals that ``from_deals`` left out of the log."""
    facts = _frames.facts_of(events)
    told = facts.extra.get("left_out", []) if facts is not None else []
    return [DroppedDeals(**{**entry, "first": tuple(entry["first"])}) for entry in told]


def _codes(table: Any, name: str) -> tuple[Ints, Any]:
    """Code of each id in the order of the alphabet, -1 where it is missing; and the ids."""
    import pandas as pd

    column = _frames.native_column(table, name)
    try:
        code, ids = pd.factorize(column, sort=True)
    except TypeError:  # ids of several kinds have no order
        code, ids = pd.factorize(column)
    code, ids = np.asarray(code, dtype=np.int64), np.asarray(ids)
    nobody = _frames.missing_ids(ids)
    if nobody.any():  # text that means nothing
        place = np.where(nobody, -1, np.cumsum(~nobody) - 1)
        code, ids = np.where(code < 0, -1, place[code]), ids[~nobody]
    return code, ids


def _stages(
    table: Any, columns: EventColumns, problems: list[ContractProblem]
) -> tuple[Ints, Mask]:
    import pandas as pd

    code, words = pd.factorize(_frames.native_column(table, columns.stage))
    code = np.asarray(code, dtype=np.int64)
    names = [*columns.stages, *columns.outcomes]
    place = {name: k for k, name in enumerate(names)}
    words = [str(word) for word in words]
    at = np.array([place.get(word, -2) for word in words] + [-1], dtype=np.int64)
    stage = at[code]
    for k in np.flatnonzero(at[:-1] == -2):
        rows = np.flatnonzero(code == k)
        problems.append(
            ContractProblem(
                "unknown-stage",
                f"column {columns.stage!r} has {words[k]!r}, which is no stage or outcome; known "
                f"are {', '.join(names)}.{nearest(words[k], names)}",
                "Name it in stages=, won= or lost=, or correct the log.",
                len(rows),
                first_ids(rows),
            )
        )
    return stage, code < 0


def _times(table: Any, columns: EventColumns, problems: list[ContractProblem]) -> tuple[Ints, Mask]:
    raw = _frames.column(table, columns.time)
    numeric = raw.dtype.kind in "iufb" or (
        raw.dtype.kind == "O" and len(raw) and isinstance(raw[0], (int, float)) and raw[0] == raw[0]
    )
    if raw.dtype.kind in "iu" and reads_digits(columns.time_format):
        numeric = False
    if numeric and not (raw.dtype.kind == "f" and np.isnan(raw).all()):
        problems.append(number_problem(columns.time, raw.dtype, raw[0]))
        nothing = np.zeros(len(raw), dtype=np.int64)
        return nothing, nothing > 0
    when = _frames.wall_times(table, columns.time, time_format=columns.time_format)
    missing = np.isnat(when)
    if len(when) and missing.all():
        problems.append(
            ContractProblem(
                "time-not-read",
                f"no date in column {columns.time!r} can be read, e.g. {raw[0]!r}",
                "Give time_format=, e.g. '%d/%m/%Y'; day and month are not guessed.",
                len(when),
            )
        )
    ticks = when.view(np.int64)
    return np.where(missing, 0, ticks), missing


def _amounts(table: Any, columns: EventColumns, problems: list[ContractProblem]) -> Floats | None:
    if columns.amount is None:
        return None
    try:
        amount = _frames.float_vectors(
            table, [columns.amount], allow_missing=[columns.amount], caller="the event log"
        )[0]
    except DataContractError as error:
        problems.extend(error.problems)
        return None
    bad = np.flatnonzero(amount < 0)
    if len(bad):
        problems.append(
            ContractProblem(
                "negative-amount",
                f"column {columns.amount!r} has negative amounts",
                "A deal brings money or none; correct them.",
                len(bad),
                first_ids(bad),
            )
        )
    return amount


def _groups(table: Any, by: tuple[str, ...], rows: Ints) -> tuple[Ints, tuple[Any, ...]]:
    """Group of each deal, as its last row tells it."""
    import pandas as pd

    if not by:
        return np.zeros(len(rows), dtype=np.int64), ()
    parts = [group_names(_frames.column(table, name)[rows]) for name in by]
    keys = parts[0] if len(by) == 1 else pd.MultiIndex.from_arrays(parts).to_flat_index()
    code, names = pd.factorize(pd.Series(keys, dtype=object))
    return np.asarray(code, dtype=np.int64), tuple(names)


def group_names(values: Any) -> npt.NDArray[Any]:
    """Names of groups; deals without one are a group of their own."""
    import pandas as pd

    names = np.asarray(values, dtype=object)
    return np.where(pd.isna(names), "(missing)", names)


def _end(as_of: Any, time: Ints) -> tuple[int, int]:
    """End of observation, and the first microsecond that is later.

    A date without a time of day is seen to its end; ages are counted to its beginning.
    """
    if as_of is None:
        if not len(time):
            return 0, 1
        end = int(time.max())
        warn_caller(
            f"as_of not given; using the last event's time, {np.datetime64(end, 'us')}. A quiet "
            "end of the log would look like progress; write as_of= to say when you looked.",
            AsOfWarning,
        )
        return end, end + 1
    end = moment(as_of, "as_of")
    return end, end + (DAY if end % DAY == 0 else 1)


def moment(date: Any, name: str) -> int:
    """Microseconds since 1970 of a date or time on the wall clock."""
    stamp = read_date(date, name)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_localize(None)
    return int(stamp.to_datetime64().astype("datetime64[us]").view(np.int64))


def _sorted_rows(code: Ints, time: Ints, stage: Ints, usable: Mask) -> Ints:
    """Rows in the order of deal, time and stage; equal ones keep the order of the log."""
    row = np.flatnonzero(usable)
    c, t, s = (code, time, stage) if len(row) == len(code) else (code[row], time[row], stage[row])
    if len(row) < 2:
        return row
    up = c[1:] - c[:-1]
    same = up == 0
    later = t[1:] - t[:-1]
    if ((up > 0) | (same & ((later > 0) | ((later == 0) & (s[1:] >= s[:-1]))))).all():
        return row
    low = int(t.min())
    for step in (DAY, 1_000_000):
        if (t % step == low % step).all():
            tick = (t - low) // step
            sizes = [int(v.max()) + 1 for v in (c, tick, s)]
            if sizes[0] * sizes[1] * sizes[2] < 2**62:
                key = (c * sizes[1] + tick) * sizes[2] + s
                return row[np.argsort(key, kind="stable")]
            break
    return row[np.lexsort((s, t, c))]
