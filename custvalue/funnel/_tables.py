"""Tables of a fitted funnel: each function answers one question of a sales manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue import _frames
from custvalue._fitted import check_level
from custvalue._kernels import wilson
from custvalue._sklearn import check_is_fitted
from custvalue._typing import Floats
from custvalue._units import Span, days_per
from custvalue._words import FUNNEL, Language
from custvalue.exceptions import ContractProblem, DataContractError, nearest
from custvalue.funnel._draws import FunnelDraws
from custvalue.funnel._events import DAY, group_names
from custvalue.funnel._law import FunnelLaw
from custvalue.funnel._open import OpenDeals, read_open
from custvalue.funnel._settings import columns_by, periods_of

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain


def start_shares(funnel: FunnelChain) -> Floats:
    """Shares of the stages in which deals begin; all in the first where none was seen to."""
    started = funnel.counts_.started
    if started.sum() > 0:
        return started / started.sum()
    return np.eye(len(started))[0]


def stages_of(
    funnel: FunnelChain, law: FunnelLaw, periods: float | None, language: Language
) -> Any:
    """Table of the stages under one chain."""
    counts = funnel.counts_
    S, L = len(counts.shape.stages), law.n_ages
    days = counts.shape.period / DAY
    entry = np.arange(S) * L
    start = law.entry(start_shares(funnel))
    chance = law.outcome_chances(periods)[entry]
    mean, median = np.array([law.time_in_stage(s) for s in range(S)]).T
    columns = {
        "stage": list(counts.shape.stages),
        "entered": counts.entered,
        "open_now": counts.open_now,
        "open_amount": counts.open_amount[1],
        "mean_days": mean * days,
        "median_days": median * days,
        "reach": [float(start @ law.reach(s, periods)) for s in range(S)],
        "conversion": [float(law.reach(s + 1, periods)[entry[s]]) for s in range(S)],
        "won_from_here": chance[:, 0],
        "lost_from_here": chance[:, 1:-1].sum(axis=1),
        "stalled_from_here": chance[:, -1],
    }
    if periods is None:
        columns["days_left"] = law.ends.time[entry] * days
    return _frames.new_table(None, FUNNEL.table(columns, language, cells=["stage"]))


def time_moments(
    funnel: FunnelChain, open_: OpenDeals, periods: float | None
) -> tuple[Floats, Floats, Floats]:
    """Chance of a win, mean and variance of the discounted money of each deal."""
    laws, rate, timing = funnel._laws(), funnel._rate(), funnel.timing
    won = open_.per_row(laws, lambda law: law.outcome_chances(periods)[:, 0])
    first = open_.per_row(laws, lambda law: law.discounted(periods, rate, timing))
    # the square of a win at time t is discounted twice: E[a² δ^2t]
    twice = (1.0 + rate) ** 2 - 1.0
    second = open_.per_row(laws, lambda law: law.discounted(periods, twice, timing))
    a = open_.amount
    return won, a * first, a * a * np.maximum(second - first * first, 0.0)


def pipeline(
    funnel: FunnelChain,
    X: Any,
    by: Any,
    periods: float | None,
    draws: FunnelDraws | None,
    language: Language,
) -> Any:
    """Sum what open deals are expected to bring, by group and in all."""
    import pandas as pd

    open_ = read_open(funnel, X, money=True)
    won, mean, variance = time_moments(funnel, open_, periods)
    names = [by] if isinstance(by, str) else list(by or ())
    have = _frames.column_names(X) or []
    lost = [name for name in names if name not in have]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"the table of open deals has no column {', '.join(map(repr, lost))}; it has "
                f"{', '.join(map(str, have))}",
                "FunnelChain.open_deals keeps every column of the log.",
            )
        )
    parts = {name: group_names(_frames.column(X, name)) for name in names}
    code: Any = np.empty(0, dtype=np.int64)
    groups: Any = []
    if names:
        code, groups = pd.factorize(pd.MultiIndex.from_arrays(list(parts.values())), sort=True)
    n_groups = len(groups)
    member = np.concatenate([code, np.full(len(won), n_groups)])  # the last row is all deals
    times = 2 if names else 1

    def total(values: Any) -> Any:
        return np.bincount(member, np.tile(values, times), n_groups + 1)

    columns: dict[str, Any] = {
        name: [*(key[i] for key in groups), "all"] for i, name in enumerate(names)
    }
    columns |= {
        "deals": total(np.ones(len(won))).astype(np.int64),
        "own_amount": total(open_.own * 1.0).astype(np.int64),
        "face": total(open_.amount),
        "expected_wins": total(won),
        "expected_money": total(mean),
        "sd_outcome": np.sqrt(total(variance)),
    }
    if draws is not None:
        rate = funnel._rate()
        drawn = [
            total(
                open_.amount
                * open_.per_row(
                    list(laws), lambda law: law.discounted(periods, rate, funnel.timing)
                )
            )
            for laws in draws.laws
        ]
        columns["sd_parameter"] = np.std(drawn, axis=0, ddof=1)
        columns["sd"] = np.hypot(columns["sd_outcome"], columns["sd_parameter"])
    return _frames.new_table(X, FUNNEL.table(columns, language, cells=("stage", *names)))


def forecast_by_period(
    funnel: FunnelChain, X: Any, arrivals: Any, periods: float, language: Language
) -> Any:
    """Wins and money by period, of open deals and of those to come."""
    counts = funnel.counts_
    H = int(np.ceil(periods - 1e-9))
    laws = funnel._laws()
    open_ = read_open(funnel, X, money=True)
    reached = open_.per_row(laws, lambda law: law.won_by_period(H).T)
    each = np.diff(reached, axis=1)
    a = open_.amount[:, None]
    rate = counts.started.sum() / counts.periods if counts.periods > 0 else 0.0
    new = np.broadcast_to(np.asarray(rate if arrivals is None else arrivals, dtype=float), (H,))
    if (new < 0).any() or not np.isfinite(new).all():
        raise ValueError(f"arrivals={arrivals!r} must be numbers of new deals a period, 0 or more.")
    start = funnel.law_.entry(start_shares(funnel))
    by_age = np.diff(funnel.law_.won_by_period(H) @ start)
    # a deal that comes in the middle of a period has half of it ahead
    mixed = 0.5 * (by_age + np.append(0.0, by_age[:-1]))
    wins_new = np.convolve(new, mixed)[:H]
    n, total, square = counts.won_total
    mean, square = (total / n, square / n) if n else (np.nan, np.nan)
    if not n and not wins_new.any():
        mean = square = 0.0
    length = np.timedelta64(counts.shape.period, "us")
    begin = np.datetime64(counts.as_of, "us") + np.arange(H) * length
    money_open = (a * each).sum(axis=0)
    columns = {
        "period": np.arange(1, H + 1),
        "from": begin,
        "to": begin + length,
        "wins_open": each.sum(axis=0),
        "wins_new": wins_new,
        "wins": each.sum(axis=0) + wins_new,
        "money_open": money_open,
        "money_new": wins_new * mean,
        "money": money_open + wins_new * mean,
        "sd": np.sqrt((a * a * each * (1.0 - each)).sum(axis=0) + wins_new * square),
    }
    return _frames.new_table(X, FUNNEL.table(columns, language, cells=["stage"]))


def bottlenecks(funnel: FunnelChain, language: Language) -> Any:
    """Say what one point of chance, moved from lost to the next stage, brings."""
    counts, law = funnel.counts_, funnel.law_
    start = law.entry(start_shares(funnel))
    gain = law.bottleneck(start)
    entries = counts.started.sum() / counts.periods if counts.periods > 0 else np.nan
    amount = counts.won_total[1] / counts.won_total[0] if counts.won_total[0] else np.nan
    lost = law.losses(start)
    worth = np.where(lost > 0, gain, -np.inf)  # nothing can be moved where nothing is lost
    columns: dict[str, Any] = {
        "stage": list(counts.shape.stages),
        "visits": law.visits(start),
        "lost_here": lost,
        "gain": gain,
        "wins_per_point": 0.01 * gain * entries,
    }
    if np.isfinite(amount):
        columns["money_per_point"] = 0.01 * gain * entries * amount
    columns["bottleneck"] = np.arange(len(gain)) == int(np.argmax(worth))
    return _frames.new_table(None, FUNNEL.table(columns, language, cells=["stage"]))


def early_value(
    funnel: FunnelChain,
    late: str,
    *,
    amount: float | None = None,
    cost: float | Mapping[str, float] = 0.0,
    horizon: Span | None = None,
    language: Language = "en",
) -> Any:
    """Say what it brings to be there from an earlier stage on, instead of coming at ``late``.

    The same chain is followed from two starts: ``value_early - value_late`` less what the stages
    in between cost, ``visits x cost``. A deal that must pass ``late`` to be won is worth less
    before it, so that coming early pays there only by what it changes: compare the gain with that
    of the deals of one group (``by=``), or of stages that lead past ``late``.

    Parameters
    ----------
    funnel : FunnelChain
        Fitted.
    late : str
        Stage at which the others come.
    amount : float, optional
        Money of a deal won; default: the mean of those won.
    cost : float or dict of stage to float, default=0
        Money a period of a deal, of touches in a stage before ``late``; stages not named cost 0.
    horizon : str or timedelta, optional
        Default: the funnel's.
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        One row a stage before ``late`` (and a group where the funnel has ``by``): ``stage``,
        ``value_early``, ``value_late``, ``visits`` (mean periods spent before ``late``), their
        ``cost``, and the ``net_gain``.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain, early_value
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 1, 2, 2, 3, 3],
    ...     "stage": ["lead", "offer", "won", "lead", "lost", "offer", "lost"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-29", "2024-01-01",
    ...                             "2024-01-15", "2024-01-08", "2024-01-22"])})
    >>> funnel = FunnelChain(["lead", "offer"], age_classes=2, annual_discount_rate=0.0)
    >>> table = early_value(funnel.fit(events, as_of="2024-01-29"), "offer", amount=80, cost=3)
    >>> table.round(2)
      stage  value_early  value_late  visits  cost  net_gain
    0  lead         20.0        40.0     2.0   6.0     -26.0
    """
    check_is_fitted(funnel, "counts_")
    counts = funnel.counts_
    stages = counts.shape.stages
    if late not in stages[1:]:
        raise ValueError(
            f"late={late!r} must be a stage after the first; stages are "
            f"{', '.join(stages)}.{nearest(late, stages)}"
        )
    if amount is None:
        if not counts.won_total[0]:
            raise ValueError("no amount of a deal won is known: give amount=.")
        amount = counts.won_total[1] / counts.won_total[0]
    at = stages.index(late)
    per_period = cost if isinstance(cost, Mapping) else dict.fromkeys(stages[:at], cost)
    strange = [name for name in per_period if name not in stages[:at]]
    if strange:
        raise ValueError(
            f"cost names {', '.join(map(repr, strange))}; stages before {late!r} are "
            f"{', '.join(stages[:at])}."
        )
    each = np.array([float(per_period.get(name, 0.0)) for name in stages[:at]])
    if not (np.isfinite([amount, *each]).all() and (each >= 0).all()):
        raise ValueError(f"amount={amount!r}, cost={cost!r}: finite, and costs not below 0.")
    periods, rate = periods_of(funnel, horizon), funnel._rate()
    laws = {None: funnel.law_} if not funnel.group_laws_ else funnel.group_laws_
    rows = []
    for group, law in laws.items():
        worth = amount * law.discounted(periods, rate, funnel.timing)[:: law.n_ages]
        for k in range(at):
            before = law.visits(law.entry(np.eye(len(stages))[k]))[:at]
            rows.append((group, stages[k], worth[k], worth[at], before.sum(), before @ each))
    group_, stage, early, later, spent, costs = zip(*rows, strict=True)
    columns: dict[str, Any] = {}
    if funnel.group_laws_:
        parts = [g if isinstance(g, tuple) else (g,) for g in group_]
        names = columns_by(funnel.by)
        columns |= {name: [part[j] for part in parts] for j, name in enumerate(names)}
    columns |= {
        "stage": list(stage),
        "value_early": np.array(early),
        "value_late": np.array(later),
        "visits": np.array(spent),
        "cost": np.array(costs),
        "net_gain": np.array(early) - np.array(later) - np.array(costs),
    }
    language = language
    return _frames.new_table(None, FUNNEL.table(columns, language, cells=["stage"]))


def limits(funnel: FunnelChain, share: float) -> Floats:
    """Periods within which a share of the winners left each stage; inf where none is known."""
    law = funnel.law_
    return np.array(
        [law.time_in_stage(s, share, winners=True)[1] for s in range(len(law.shape.stages))]
    )


def overdue_table(
    funnel: FunnelChain, X: Any, *, share: float = 0.8, language: Language = "en"
) -> Any:
    """Open deals that have sat longer in their stage than ``share`` of the winners did.

    Parameters
    ----------
    funnel : FunnelChain
        Fitted.
    X : frame
        Open deals, as ``FunnelChain.open_deals`` gives them.
    share : float, default=0.8
    language : {"en", "zh"}, default="en"

    Returns
    -------
    frame of the kind of ``X``
        Its columns, ``limit_days``, ``days_over`` and the ``chance`` of winning still (within the
        funnel's horizon), the longest overdue first.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain, overdue_table
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 2, 2, 3], "stage": ["lead", "won", "lead", "lost", "lead"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-01", "2024-01-22",
    ...                             "2024-01-08"])})
    >>> funnel = FunnelChain(["lead"], age_classes=3).fit(events, as_of="2024-01-29")
    >>> overdue_table(funnel, funnel.open_deals(events))[["deal", "limit_days", "days_over"]]
       deal  limit_days  days_over
    0     3        14.0        7.0
    """
    check_is_fitted(funnel, "counts_")
    if not 0.0 < share < 1.0:
        raise ValueError(f"share={share!r} must lie between 0 and 1.")
    days = funnel.counts_.shape.period / DAY
    open_ = read_open(funnel, X)
    over = open_.age - 1 - limits(funnel, share)[open_.stage]  # age a has finished a - 1 periods
    late = np.flatnonzero(over > 0)
    late = late[np.argsort(-over[late], kind="stable")]
    periods = periods_of(funnel, None)
    chance = open_.per_row(funnel._laws(), lambda law: law.outcome_chances(periods)[:, 0])
    table = _frames.rows_at(X, late)
    made = {
        "limit_days": (open_.age[late] - 1 - over[late]) * days,
        "days_over": over[late] * days,
        "chance": chance[late],
    }
    names = [name for name in _frames.column_names(table) or () if name not in made]
    columns = {name: _frames.column(table, name) for name in names}
    return _frames.new_table(X, FUNNEL.table({**columns, **made}, language, cells=["stage"]))


def control_table(
    funnel: FunnelChain,
    X: Any,
    gates: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    draws: FunnelDraws | None = None,
    level: float = 0.95,
    language: Language = "en",
) -> Any:
    """Key control points (KCP): conversion against its gate, and what sits beyond its time.

    Parameters
    ----------
    funnel : FunnelChain
        Fitted.
    X : frame
        Open deals, as ``FunnelChain.open_deals`` gives them.
    gates : dict, optional
        ``{stage: {"within": "4W", "conversion": 0.5}}``; either part may be left out. Without
        ``within`` the time is that of 80 % of the winners.
    draws : FunnelDraws, optional
        Intervals from resampled deals instead of Wilson's.
    level : float, default=0.95
    language : {"en", "zh"}, default="en"

    Returns
    -------
    frame of the kind of ``X``
        ``stage``, ``conversion``, ``low``, ``high``, ``gate``, ``verdict`` (meets, below gate, not
        sure, no gate), ``limit_days``, ``open_now``, ``beyond``, ``money_beyond`` (amounts told).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import FunnelChain, control_table
    >>> events = pd.DataFrame({
    ...     "deal": [1, 1, 2, 2, 3], "stage": ["lead", "won", "lead", "lost", "lead"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-01", "2024-01-22",
    ...                             "2024-01-08"])})
    >>> funnel = FunnelChain(["lead"], age_classes=3).fit(events, as_of="2024-01-29")
    >>> table = control_table(funnel, funnel.open_deals(events),
    ...                       {"lead": {"within": "2W", "conversion": 0.8}})
    >>> table[["stage", "gate", "verdict", "beyond"]]
      stage  gate   verdict  beyond
    0  lead   0.8  not sure       1
    """
    check_is_fitted(funnel, "counts_")
    check_level(level)
    gates = gates or {}
    language = language
    counts, law = funnel.counts_, funnel.law_
    law.need_losses("conversion")
    stages = counts.shape.stages
    strange = [name for name in gates if name not in stages]
    wrong = [key for gate in gates.values() for key in gate if key not in ("within", "conversion")]
    if strange or wrong:
        raise ValueError(
            f"gates names {', '.join(map(repr, strange + wrong))}; stages are "
            f"{', '.join(stages)}, and a gate has 'within' (a span) and 'conversion' (a chance)."
            + (nearest(strange[0], stages) if strange else "")
        )
    S, L = len(stages), law.n_ages
    days = counts.shape.period / DAY
    open_ = read_open(funnel, X)

    def rate(of: FunnelLaw) -> Floats:
        return np.array([of.reach(s + 1)[s * L] for s in range(S)])

    conversion = rate(law)
    if draws is None:
        K = counts.shape.age_classes
        pooled = counts.pooled.moves[: S * K]
        ended = np.asarray(pooled.sum(axis=1)).ravel() - _stays(pooled, S, K)
        low, high = wilson(conversion, ended.reshape(S, K).sum(axis=1), level)
    else:
        tail = 50.0 * (1.0 - level)
        low, high = np.percentile(draws.pooled(rate), [tail, 100.0 - tail], axis=0)
    gate = np.array([float(gates.get(s, {}).get("conversion", np.nan)) for s in stages])
    verdict = np.select(
        [np.isnan(gate), low >= gate, high < gate], ["no gate", "meets", "below gate"], "not sure"
    )
    usual = limits(funnel, 0.8) * days
    within = np.array(
        [
            days_per(gates[s]["within"], "within") if "within" in gates.get(s, {}) else usual[k]
            for k, s in enumerate(stages)
        ]
    )
    # a deal of age a has finished a - 1 periods in its stage
    beyond = (open_.age - 1) * days > within[open_.stage] - 1e-9
    amount = np.where(open_.own, open_.amount, 0.0)
    columns = {
        "stage": list(stages),
        "conversion": conversion,
        "low": low,
        "high": high,
        "gate": gate,
        "verdict": verdict.tolist(),
        "limit_days": within,
        "open_now": np.bincount(open_.stage, minlength=S),
        "beyond": np.bincount(open_.stage[beyond], minlength=S),
        "money_beyond": np.bincount(open_.stage[beyond], amount[beyond], S),
    }
    return _frames.new_table(X, FUNNEL.table(columns, language, cells=("stage", "verdict")))


def _stays(moves: Any, S: int, K: int) -> Floats:
    row = np.arange(S * K)
    return np.asarray(moves[row, np.minimum(row + 1, row // K * K + K - 1)]).ravel()


def sales_velocity(
    open_deals: float, win_rate: float, mean_amount: float, cycle_time: float
) -> float:
    """Money won a unit of time: open deals x win rate x mean amount / cycle time.

    Parameters
    ----------
    open_deals : float
        Deals open at a time.
    win_rate : float
        Share of deals that are won, 0 to 1.
    mean_amount : float
        Of a deal won.
    cycle_time : float
        Mean time from the beginning to the outcome; the result is per unit of it.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a figure cannot be.

    Examples
    --------
    >>> round(sales_velocity(40, 0.25, 10_000, 60), 2)
    1666.67
    """
    if not (open_deals >= 0 and 0.0 <= win_rate <= 1.0 and cycle_time > 0):
        raise ValueError(
            f"open_deals={open_deals!r} must be 0 or more, win_rate={win_rate!r} a share, "
            f"cycle_time={cycle_time!r} above 0."
        )
    return float(open_deals * win_rate * mean_amount / cycle_time)


def velocity(funnel: FunnelChain, language: Language) -> Any:
    """Velocity beside the chain's own wins a period, with Little's law as the check."""
    counts, law = funnel.counts_, funnel.law_
    law.need_losses("velocity")
    start = law.entry(start_shares(funnel))
    open_now = counts.open_now.sum()
    entering = counts.started.sum() / counts.periods if counts.periods > 0 else np.nan
    time = float(start @ law.ends.time)
    win = float(start @ law.ends.chance[:, 0])
    n, total, _ = counts.won_total
    amount = total / n if n else np.nan
    seen = counts.outcomes[0] / counts.periods if counts.periods > 0 else np.nan
    cut = counts.haircut[0] / counts.haircut[1] if counts.haircut[1] > 0 else np.nan
    days = counts.shape.period / DAY
    rows = [
        ("deals open now", open_now, "deals"),
        ("deals that enter", entering, "per period"),
        ("time until the outcome", time * days, "days"),
        ("deals open by Little's law", entering * time, "deals"),
        ("open now / Little's law", open_now / (entering * time) if entering else np.nan, ""),
        ("win rate", win, "share"),
        ("wins by the chain", entering * win, "per period"),
        ("wins by velocity", open_now * win / time, "per period"),
        ("wins seen", seen, "per period"),
    ]
    if np.isfinite(amount):
        rows += [
            ("mean amount won", amount, "money"),
            ("money by velocity", sales_velocity(open_now, win, amount, time * days), "per day"),
        ]
    if np.isfinite(cut):
        rows.append(("amount won / last amount open", cut, "share"))
    columns = {
        "quantity": [name for name, _, _ in rows],
        "value": [float(value) for _, value, _ in rows],
        "unit": [unit for _, _, unit in rows],
    }
    return _frames.new_table(None, FUNNEL.table(columns, language, cells=("quantity", "unit")))


def check_periods(periods: float | None, what: str) -> float:
    """Refuse to go on for ever."""
    if periods is None or not periods > 0:
        raise ValueError(f"{what} needs a horizon, such as horizon='13W'.")
    return periods
