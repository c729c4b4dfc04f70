"""Open deals as the funnel reads them: where each is, whose it is, what it may bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._typing import Floats, Ints
from custvalue.exceptions import ContractProblem, DataContractError, nearest
from custvalue.funnel._counts import FunnelCounts, FunnelShape, open_deals
from custvalue.funnel._events import DealLog, group_names
from custvalue.funnel._settings import columns_by

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain
    from custvalue.funnel._law import FunnelLaw


class OpenDeals(NamedTuple):
    """Rows of a table of open deals.

    ``stage`` and ``age`` (1 for just entered), ``group`` as a position in the funnel's groups, -1
    for the pooled chain, ``amount`` (the stage's mean where a deal has none of its own) and
    whether it is ``own``.
    """

    stage: Ints
    age: Ints
    group: Ints
    amount: Floats
    own: npt.NDArray[np.bool_]

    def per_row(self, laws: list[FunnelLaw], of: Any) -> Floats:
        """``of(law)``, an array by state, at the state of each row under its group's law.

        ``laws`` are those of the groups, the pooled one last.
        """
        out: Floats | None = None
        for g in np.unique(self.group):
            mine = self.group == g
            values = np.asarray(of(laws[g]))
            if out is None:
                out = np.empty((len(self.stage), *values.shape[1:]))
            out[mine] = values[laws[g].state(self.stage[mine], self.age[mine])]
        if out is None:
            out = np.empty((0, *np.asarray(of(laws[-1])).shape[1:]))
        return out


def read_open(funnel: FunnelChain, X: Any, *, money: bool = False) -> OpenDeals:
    """Read a table of open deals, with the columns of ``FunnelChain.open_deals``."""
    names = _frames.column_names(X)
    if names is None:
        raise TypeError(
            f"open deals must be a table with the columns 'stage' and 'age', not "
            f"{type(X).__name__}; FunnelChain.open_deals(events) makes it."
        )
    lost = [name for name in ("stage", "age") if name not in names]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the table of open deals has no column {', '.join(map(repr, lost))}; it has "
                f"{', '.join(map(str, names))}",
                "FunnelChain.open_deals(events) makes it; age is 1 for a stage just entered.",
            )
        )
    problems: list[ContractProblem] = []
    stages = funnel.counts_.shape.stages
    place = {name: k for k, name in enumerate(stages)}
    words = [str(word) for word in _frames.column(X, "stage")]
    stage = np.array([place.get(word, -1) for word in words], dtype=np.int64)
    strange: dict[str, list[int]] = {}
    for i in np.flatnonzero(stage < 0):
        strange.setdefault(words[i], []).append(int(i))
    for word, rows in strange.items():
        problems.append(
            ContractProblem.at(
                "unknown-stage",
                f"column 'stage' has {word!r}, which is no stage; known are "
                f"{', '.join(stages)}.{nearest(word, stages)}",
                "A deal that is won or lost is not open.",
                rows,
            )
        )
    age = _frames.float_vectors(X, ["age"], caller="the table of open deals")[0]
    bad = np.flatnonzero((age < 1) | (age != np.floor(age)))
    if len(bad):
        problems.append(
            ContractProblem.at(
                "age",
                "column 'age' is not a whole number from 1 on",
                "It counts periods in the stage: 1 is just entered, 2 is one period later.",
                bad,
            )
        )
    if problems:
        raise DataContractError(problems)
    group = _group_of(funnel, X, names, len(stage))
    amount, own = np.full(len(stage), np.nan), np.zeros(len(stage), dtype=bool)
    if "amount" in names:
        amount = _frames.float_vectors(X, ["amount"], allow_missing=["amount"])[0].copy()
        own = np.isfinite(amount)
    if money and not own.all():
        means = stage_amounts(funnel.counts_)
        if not np.isfinite(means).all():
            raise DataContractError(
                ContractProblem.at(
                    "no-amount",
                    "open deals have no amount, and no win told one to take instead",
                    "Give the log a column amount=, or the open deals a column 'amount'.",
                    np.flatnonzero(~own),
                )
            )
        amount[~own] = means[stage[~own]]
    return OpenDeals(stage, age.astype(np.int64), group, amount, own)


def _group_of(funnel: FunnelChain, X: Any, names: list[str], n: int) -> Ints:
    """Position of each row's group among the fitted; the pooled chain where it is new."""
    by = columns_by(funnel.by)
    if not by or any(name not in names for name in by):
        return np.full(n, -1, dtype=np.int64)
    parts = [group_names(_frames.column(X, name)).tolist() for name in by]
    keys = parts[0] if len(by) == 1 else list(zip(*parts, strict=True))
    place = {group: k for k, group in enumerate(funnel.group_laws_)}
    return np.array([place.get(key, -1) for key in keys], dtype=np.int64)


def stage_amounts(counts: FunnelCounts) -> Floats:
    """Mean amount won of deals that passed through each stage, drawn to the mean of all.

    The weight of the mean of all is variance within / variance between stages, in deals (Bühlmann
    & Straub 1970); NaN where no win told an amount.
    """
    n, total, square = counts.won_amount
    if not counts.won_total[0]:
        return np.full(len(n), np.nan)
    overall = counts.won_total[1] / counts.won_total[0]
    some = n > 0
    N, k = n.sum(), int(some.sum())
    mean = np.divide(total, n, out=np.full(len(n), overall), where=some)
    within = max(float((square - n * mean * mean)[some].sum()), 0.0) / max(N - k, 1.0)
    spread = float((n * (mean - overall) ** 2).sum()) - (k - 1) * within
    scale = N - float((n * n).sum()) / N
    between = max(spread / scale, 0.0) if scale > 0 else 0.0
    if between == 0.0:
        return np.full(len(n), overall)
    weight = within / between
    return np.where(some, (total + weight * overall) / np.maximum(n + weight, 1e-300), overall)


def open_deals_table(events: Any, log: DealLog, shape: FunnelShape, columns: Any) -> Any:
    """One row an open deal: where it is since when, and the rest of its last row."""
    is_open = open_deals(log, shape)
    visit = log.last[is_open]
    table = _frames.rows_at(events, log.row[is_open])
    names = np.array(columns.stages, dtype=object)
    age = (log.left[visit] - log.entered[visit]) // shape.period + 1  # ages finished, and one
    made: dict[str, Any] = {
        "deal": log.ids[is_open],
        "stage": names[log.stage[visit]],
        "age": age,
        "entered_on": log.entered[visit].view("datetime64[us]"),
        "opened_on": log.entered[log.start[is_open]].view("datetime64[us]"),
        "amount": log.amount[is_open],
    }
    used = {columns.deal, columns.stage, columns.time, columns.amount, *made}
    kept = [name for name in _frames.column_names(table) or () if name not in used]
    more = {name: _frames.column(table, name) for name in kept}
    return _frames.new_table(events, {**made, **more})
