"""A transaction log -> the report's numbers: plain JSON values, and the tables beside the page."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from custvalue._frames import column_names, eager, facts_of, places_of, with_facts
from custvalue._typing import Floats, Objects
from custvalue._units import span_days
from custvalue._warn import heard, warn_caller
from custvalue.data import TransactionLog, ledger
from custvalue.data._for_rooms import look_at, numbered
from custvalue.evaluation import BestValue
from custvalue.evaluation._for_rooms import Said, stories_of
from custvalue.exceptions import (
    AsOfWarning,
    BinWarning,
    ContractProblem,
    DataContractError,
    DataWarning,
    SelectionWarning,
    SmallSampleWarning,
)
from custvalue.lifecycle import problem_share
from custvalue.lifecycle._for_rooms import SeenStages, stages_tested
from custvalue.markov import MarkovCLVEstimator
from custvalue.plotting._for_rooms import flow_table, state_names, tracking_table
from custvalue.report._ahead import band, paces, ups_and_downs
from custvalue.report._by import Cut, cut_by, group_ranges
from custvalue.report._campaign import QUIET, WINDOW, campaign_list
from custvalue.report._limits import limit_facts
from custvalue.report._playbooks import Playbook, playbook_of
from custvalue.report._size import check_size
from custvalue.report._stories import first_places
from custvalue.report._story import Story, name_customers, tell_story
from custvalue.rfm import RFMTransformer, SegmentMap
from custvalue.silence import SilenceScorer
from custvalue.value import CustomerValue

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from custvalue.data._for_rooms import Examination
    from custvalue.evaluation._for_rooms import CustomerStory, Verdict
    from custvalue.lifecycle._for_rooms import StageTest
    from custvalue.report._measured import Measured
    from custvalue.rfm._for_rooms import SegmentTest

Step = Callable[[str, int, int], None]
STEPS = (
    "summarise the log",
    "score and segment customers",
    "judge silence and stages",
    "test forecasts on the past and choose",
    "count moves between states",
    "draw",
)
LEVEL = 0.8
MOST_FOLLOWED = 20_000  # customers whose moves from period to period are counted
SHORTEST_TEST = 7  # days of a test of stages
TOP = 25
GRADES = ("active", "watch", "silent", "deeply silent")
POLICIES = ("refunds", "zero_amounts", "duplicates", "order", "time_format", "time_zone")


@dataclass(frozen=True)
class Asked:
    """What a report is asked for; see `custvalue.report.make_report`."""

    customer: str
    time: str
    amount: str
    as_of: Any
    period: str
    horizon: str
    annual_discount_rate: float
    margin: float | str | None
    response: float | None
    contact_cost: float | None
    budget: float | None
    holdout: float
    policies: dict[str, Any]
    title: str | None
    source: str
    measured: Measured | None = None
    models: Any = None
    forecast: BestValue | None = None
    playbook: Playbook = field(default_factory=lambda: playbook_of(None))
    cost: str | None = None
    profit: str | None = None
    by: str | None = None
    cuts: Any = "cycle"
    stage_windows: Any = "learn"

    @property
    def columns(self) -> dict[str, Any]:
        """Names of the log's columns."""
        return {"customer": self.customer, "time": self.time, "amount": self.amount}

    def read_of(self, frame: Any) -> list[str] | None:
        """Name the columns that are read of a log that is not in memory; None for all it has."""
        policies = (self.policies.get("order"), *self.told.values(), self.by)
        wanted = [*self.columns.values(), *(name for name in policies if isinstance(name, str))]
        return None if set(wanted) - {*(column_names(frame) or ())} else list(dict.fromkeys(wanted))

    @property
    def scale(self) -> float:
        """Value of a unit of spend; 1 where the rows tell profits, which then are the values."""
        return float(self.margin) if isinstance(self.margin, (int, float)) else 1.0

    @property
    def told(self) -> dict[str, str]:
        """Column by which each row tells its profit: margin, cost or profit; empty where none."""
        ways = {"margin": self.margin, "cost": self.cost, "profit": self.profit}
        return {way: name for way, name in ways.items() if isinstance(name, str)}

    @property
    def is_profit(self) -> bool:
        """Whether values are profits, not spend."""
        return self.margin is not None or bool(self.told)


@dataclass(frozen=True)
class Collected:
    """Numbers of a report.

    Parameters
    ----------
    customers, segments, transitions : DataFrame
        The tables beside the page.
    bounds : DataFrame
        Rules of the segments as numbers (``SegmentMap.bounds``).
    campaign : DataFrame or None
        Quiet customers in the order of expected gain, where a response is given.
    spend : DataFrame
        Of each period so far (see `spend_by_period`).
    followed : int
        Customers whose moves from period to period were counted: all, or a fair sample.
    moves, flow : DataFrame
        Moves between segments one period apart (see `segment_moves`); stages at ``flow_date``
        against today's.
    flow_date : str
    stage_test : StageTest
        What those of each stage did from then until today.
    verdict : Verdict
        What the forecast may be used for.
    learned_until : str
        Last day of the log on which the forecast was fitted.
    scores, groups : DataFrame
        ``BestValue.scores`` and ``BestValue.calibration``.
    problem_share : float
        Of the present customers, as `custvalue.lifecycle.problem_share` counts them.
    test : SegmentTest
        Of the segments' names, on earlier dates and against the forecast.
    windows : dict
        What `Story.windows` says of the stages.
    usual_gap : float or None
        Everybody's usual gap in days, where segments are cut on the cycle.
    total : (float, float)
        Interval of the sum of all future values.
    upcoming : DataFrame
        Spend by period, past and expected, with its band.
    seasonal : bool
        Whether what is expected follows a season.
    ledger : dict
    as_of : str
    examined : Examination
        What is odd about the log.
    stories : tuple of CustomerStory
        Of the customers of most worth.
    caught : tuple of str
        What was warned about on the way.
    of_data : tuple of str
        Those of them that speak of the rows of the log.
    limits : dict
        What the log cannot tell (`limit_facts`).
    cut : Cut or None
        The customers in groups, where a column was named.
    pace : float
        How busy the days are in which chances of an order are told; 1 is usual.
    """

    customers: pd.DataFrame
    segments: pd.DataFrame
    bounds: pd.DataFrame
    transitions: pd.DataFrame
    spend: pd.DataFrame
    followed: int
    moves: pd.DataFrame
    flow: pd.DataFrame
    flow_date: str
    stage_test: StageTest
    campaign: pd.DataFrame | None
    verdict: Verdict
    learned_until: str
    scores: pd.DataFrame
    groups: pd.DataFrame
    problem_share: float
    test: SegmentTest
    windows: dict[str, Any]
    usual_gap: float | None
    total: tuple[float, float]
    upcoming: pd.DataFrame
    ledger: dict[str, Any]
    as_of: str
    examined: Examination
    stories: tuple[CustomerStory, ...]
    caught: tuple[str, ...]
    of_data: tuple[str, ...] = ()
    cut: Cut | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    seasonal: bool = False
    pace: float = 1.0


def collect(frame: Any, asked: Asked, step: Step) -> Collected:
    """Compute everything that the report shows.

    Parameters
    ----------
    frame : frame
        The log.
    asked : Asked
    step : callable
        Told the name of each step as it begins.
    """
    # what comes out as no number is shown as none; errstate is known to this thread alone
    with heard() as told, np.errstate(all="ignore"):
        out = _collect(frame, asked, step)
    texts = [" ".join(str(one).split()) for one in told]
    rows = [" ".join(str(one).split()) for one in told if isinstance(one, _OF_ROWS)]
    return replace(out, caught=tuple(dict.fromkeys(texts)), of_data=tuple(dict.fromkeys(rows)))


_OF_ROWS = (AsOfWarning, DataWarning, SelectionWarning)


def _collect(frame: Any, asked: Asked, step: Step) -> Collected:
    def begin(i: int) -> None:
        step(STEPS[i], i + 1, len(STEPS))

    begin(0)
    log = TransactionLog(
        eager(frame, asked.read_of(frame)),
        **asked.columns,
        as_of=asked.as_of,
        unit="D",
        tell_end=True,
        **asked.policies,
        **asked.told,
        keep=() if asked.by is None else asked.by,
    )
    summary = to_pandas(log.summary())
    facts = facts_of(summary)
    assert facts is not None  # summarize always states them
    as_of = np.datetime64(facts.as_of, "D")
    if not len(summary):
        raise DataContractError(
            ContractProblem(
                "no-customers",
                f"no customer has a purchase by {as_of}",
                "Give a later as-of date, or look at what the policies leave out.",
            )
        )
    whole_panel = any(
        getattr(model, "reads_table", "") == "panel" and not getattr(model, "_takes_log", False)
        for model in (asked.models or {}).values()
    )
    check_size(asked, as_of, summary["T"], np.inf if whole_panel else MOST_FOLLOWED)
    # before any model; rows that repeat an earlier one are told by all columns, and few are read
    examined = look_at(log, repeated=False)
    whole = log
    log = numbered(log)  # from here on customers are looked up by whole numbers
    few = followed(log)
    history = to_pandas(few.panel(asked.period))
    spend = spend_by_period(log, as_of, span_days(asked.period))

    begin(1)
    named = name_customers(log, summary, asked.cuts)
    scores = named.rfm.transform(summary)

    begin(2)
    silence = SilenceScorer().fit(summary).transform(summary)

    begin(3)
    # one fitted model says chances, values and totals
    model = forecast_of(asked, log)
    rows = model.open(log)
    least = 1e-9 * float(summary["mean_value"].mean())  # of an order a billionth is nothing
    value, chance = _or_nothing(model.predict(rows), least), model.predict_chance(rows)
    ends = _or_nothing(model.predict_interval(rows, level=LEVEL), least)

    lately = model.predict_chance(rows, f"{WINDOW}D")
    story = tell_story(named, summary, lately, value, asked.stage_windows)
    grade = story.grade(summary)
    stage = story.stage(summary, grade, chance, value)
    timing, wants = story.upgrades(summary, stage)

    begin(4)
    transitions = transition_rows(history, asked.customer)

    table = summary[
        [asked.customer, "first_order", "last_order", "n_orders", "total_value", "mean_value"]
    ].copy()
    if asked.told:
        table["total_profit"] = summary["total_profit"]
    table["silence_days"] = summary["silence"]
    table["usual_gap_days"] = summary["gap_mean"]
    for letter in "RFM":
        table[letter] = np.asarray(scores[letter], dtype=int)
    table["segment"] = story.segment(summary)
    table["silence_score"] = silence["silence_score"].to_numpy()
    table["rank_ratio"] = silence["rank_ratio"].to_numpy()
    table["silence_grade"] = grade
    table["stage"] = stage
    table["stage_timing"] = timing
    table["next_stage_wants"] = _wants(wants, asked.playbook)
    table["expected_orders"] = expected_orders(model, rows, table)
    table["chance_of_order"] = chance
    table[f"chance_of_order_{WINDOW}d"] = lately
    table["future_value"] = value
    # a mean is no outcome, but a range without it is read as a contradiction
    table["future_value_low"] = np.minimum(ends[:, 0], value)
    table["future_value_high"] = np.maximum(ends[:, 1], value)
    table["at_stake"] = at_stake(table)
    table.attrs.clear()
    cut = None
    if asked.by is not None:
        cut = cut_by(asked, summary, whole, model, rows, LEVEL)
        table.insert(
            1, group_column(asked.by, [str(name) for name in table]), cut.labels.to_numpy()
        )

    began = summary["first_order"].min().to_datetime64().astype("datetime64[D]")
    with heard(DataWarning):  # of the same rows at a date that nobody gave; today's are told
        flow, flow_date, stage_test = stage_flow(
            few, (began, as_of), story, model, log.customers(), stage
        )
        said = Said(log, value, chance, ends[:, 0], ends[:, 1], asked.horizon, LEVEL)
        since = flow_date if np.datetime64(flow_date) < as_of else None  # of a log of two days
        first = first_places(table)
        names = table[asked.customer].to_numpy()[first]
        stories = stories_of(model, said, first, since=since)
        stories = [replace(s, customer=str(n)) for s, n in zip(stories, names, strict=True)]
    some = rows if few is log else model.open(few)
    ahead, seasonal = upcoming(model, rows, some, spend, asked)
    return Collected(
        customers=table,
        segments=segment_sizes(table, story),
        bounds=story.cells.bounds(named.rfm),
        transitions=transitions,
        followed=min(len(summary), MOST_FOLLOWED),
        spend=spend,
        moves=segment_moves(history, asked.customer, story.named.test.map_of_past, named.rfm),
        flow=flow,
        flow_date=flow_date,
        stage_test=stage_test,
        campaign=campaign_list(table, asked),
        verdict=model.verdict(),
        learned_until=model.forecast_.as_of,
        scores=model.scores(),
        groups=model.calibration(),
        total=total_range(model, rows, len(table), least),
        upcoming=ahead,
        seasonal=seasonal,
        pace=model.forecast_.season.length(log.as_of, float(WINDOW)) / WINDOW,
        problem_share=problem_share(table["stage"]),
        test=story.named.test,
        windows=story.windows(),
        usual_gap=None if named.rfm.cycle_ is None else named.rfm.cycle_.whole,
        ledger=ledger(summary).to_dict(),
        as_of=str(as_of),
        examined=examined,
        stories=tuple(stories),
        caught=(),
        cut=cut,
        limits=limit_facts(table, summary, float(summary["T"].max()), asked.horizon),
    )


def check_forecast(forecast: Any, models: Any) -> None:
    """Refuse what is no fitted forecast, or is given beside models that would be fitted.

    Raises
    ------
    ValueError
    """
    if forecast is None:
        return
    if models is not None:
        raise ValueError("give the models to choose from, or a forecast that is fitted, not both.")
    if not isinstance(forecast, BestValue) or not hasattr(forecast, "forecast_"):
        raise ValueError(
            f"forecast={forecast!r} must be a fitted custvalue.evaluation.BestValue, such as "
            "BestValue().fit(log)."
        )


def forecast_of(asked: Asked, log: TransactionLog) -> BestValue:
    """Fitted forecast under the report's terms: the one given, else what the log's past chooses.

    Raises
    ------
    DataContractError
        If the one given has seen orders that the log has not, or no profits where the log tells
        them.
    """
    terms: dict[str, Any] = {
        "horizon": asked.horizon,
        "annual_discount_rate": asked.annual_discount_rate,
        "margin": None if asked.told else asked.scale,
    }
    if asked.forecast is None:
        return BestValue(asked.models, progress=False, **terms).fit(log)
    learned, end = asked.forecast.forecast_.as_of, str(log.as_of.astype("datetime64[D]"))
    if learned > end:
        raise DataContractError(
            ContractProblem(
                "forecast-of-later",
                f"the forecast was fitted on orders until {learned}, and the log ends on {end}",
                "Fit it on rows until that day, or give the report the newer log.",
            )
        )
    holder = asked.forecast.forecast_.parts[0]
    if asked.told and isinstance(holder, CustomerValue) and holder.forecast_.knows_no_profit:
        raise DataContractError(
            ContractProblem(
                "forecast-of-spend",
                "the forecast was fitted on a log that told no profit, and "
                f"{next(iter(asked.told))}= says that value is profit",
                "Fit it on a TransactionLog with the same column, or give the report a margin.",
            )
        )
    return copy.copy(asked.forecast).set_params(**terms)


def _wants(wants: Any, playbook: Playbook) -> Any:
    """Say what the next stage asks for; a joint project is for trades that have such."""
    if playbook.trade != "b2b":
        import pandas as pd

        wants = pd.Series(wants).str.replace(r"(, )?a joint project", "", regex=True).to_numpy()
    return wants


def to_pandas(frame: Any) -> pd.DataFrame:
    """``frame`` as pandas, with the facts that travel with it."""
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return frame
    facts = facts_of(frame)
    made = frame.collect() if hasattr(frame, "collect") and not hasattr(frame, "rdd") else frame
    for way in ("to_pandas", "toPandas", "df", "compute"):
        if hasattr(made, way):
            made = getattr(made, way)()
            break
    return made if facts is None else with_facts(made, facts)


def expected_orders(model: BestValue, rows: Any, table: pd.DataFrame) -> Floats:
    """Orders that make up the expected spend, each as large as the customer's usual order.

    That is the own mean, drawn to everybody's by one order. So orders and money are of one
    forecast: spend is orders times their size.
    """
    spend = copy.copy(model).set_params(margin=1.0, annual_discount_rate=0.0).predict(rows)
    n, money = (table[k].to_numpy(dtype=float) for k in ("n_orders", "total_value"))
    usual = (money + money.sum() / n.sum()) / (n + 1.0)
    return np.divide(spend, usual, out=np.zeros(len(n)), where=usual > 0.0)


def _or_nothing(money: Floats, least: float) -> Floats:
    """Money, 0 where it is less than ``least``: no 6.8e-13 of a coin on a page."""
    return np.where(np.abs(money) < least, 0.0, money)


def total_range(model: BestValue, rows: Any, n: int, least: float) -> tuple[float, float]:
    """Interval of the sum of all ``n`` customers' values."""
    everybody = np.zeros(n, dtype=np.int64)
    low, high = _or_nothing(group_ranges(model, rows, everybody, 1, LEVEL)[0], least)
    return float(low), float(high)


def group_column(by: str, taken: list[str]) -> str:
    """Name of the column of groups in the table of customers, which may have that name already."""
    name = by
    while name in taken:
        name = f"log_{name}"
    return name


def at_stake(table: pd.DataFrame) -> Floats:
    """Future value of an active customer with the same F and M scores, less one's own; 0 if less.

    Customers who are not quiet have nothing at stake. Where no active customer has the same
    scores, those with the same F are taken; where there is none either, nothing is known and
    nothing is claimed (0).
    """
    quiet = table["silence_grade"].isin(QUIET).to_numpy()
    active = table[table["silence_grade"] == "active"]
    alike = np.full(len(table), np.nan)
    for keys in (["F"], ["F", "M"]):
        mean = active.groupby(keys)["future_value"].mean()
        found = mean.reindex(table.set_index(keys).index).to_numpy(dtype=float)
        alike = np.where(np.isfinite(found), found, alike)
    gain = np.nan_to_num(alike - table["future_value"].to_numpy(dtype=float))
    return np.where(quiet, np.maximum(gain, 0.0), 0.0)


def segment_sizes(table: pd.DataFrame, story: Story) -> pd.DataFrame:
    """One row a segment with customers: size, money, silence, test on the past, future value."""
    grouped = table.groupby("segment")
    rules = story.named.rfm.segment_table(segment_map=story.cells)[["segment", "scores"]]
    sizes = table["segment"].value_counts().rename("customers")
    out = rules.join(sizes, on="segment", how="inner")
    out["customer_share"] = out["customers"] / len(table)
    tested = story.named.test.table(kept=True).set_index("segment")
    for name in ("tested", "ordered", "ordered_low", "ordered_high"):
        out[name] = tested[name].reindex(out["segment"]).to_numpy()

    def of(series: pd.Series) -> Floats:
        return series.reindex(out["segment"]).to_numpy(dtype=float)

    out["value"] = of(grouped["total_value"].sum())
    out["value_share"] = out["value"] / table["total_value"].sum()
    if "total_profit" in table:
        out["profit"] = of(grouped["total_profit"].sum())
    out["silence"] = of(grouped["silence_days"].median())
    out["orders_each"] = of(grouped["n_orders"].mean())
    out["future_value"] = of(grouped["future_value"].sum())
    out["future_each"] = out["future_value"] / out["customers"]
    return out.reset_index(drop=True)


def transition_rows(history: pd.DataFrame, customer: str) -> pd.DataFrame:
    """List the moves between states that were counted, with the states as text."""
    import pandas as pd

    if history.groupby(customer).size().max() < 2:
        warn_caller(
            "no customer has two periods yet, so that no move between states could be counted; a "
            "shorter period= would show some.",
            SmallSampleWarning,
        )
        return pd.DataFrame(columns=["from", "to", "probability", "observations", "standard_error"])
    table = MarkovCLVEstimator(transitions="counts").fit(history).transition_table()
    for side in ("from", "to"):
        table[side] = state_names(table[side])
    return table


def followed(log: TransactionLog) -> TransactionLog:
    """Rows of the customers whose moves are counted: a panel has a row a period of each."""
    everybody = log.customers()
    if len(everybody) <= MOST_FOLLOWED:
        return log
    return log.of(np.random.default_rng(0).choice(everybody, MOST_FOLLOWED, replace=False))


def spend_by_period(log: TransactionLog, as_of: np.datetime64, length: float) -> pd.DataFrame:
    """Spend of all customers in each period of ``length`` days, the last of which ends ``as_of``.

    Returns
    -------
    DataFrame
        ``period`` (0 has the first order), ``period_end``, ``spend``, and ``profit`` where the rows
        tell it; no period is left out.
    """
    import pandas as pd

    orders = to_pandas(log.occasions())
    days = (as_of - orders["date"].to_numpy().astype("datetime64[D]")).astype(int)
    back = np.floor(days / length + 1e-9).astype(int)
    money = {
        name: np.bincount(back, orders[name].to_numpy(dtype=float))[::-1]
        for name in ("spend", "profit")
        if name in orders
    }
    n = len(money["spend"])
    ends = np.ceil(np.arange(n)[::-1] * length - 1e-9).astype("timedelta64[D]")
    return pd.DataFrame({"period": np.arange(n), "period_end": as_of - ends, **money})


def segment_moves(
    history: pd.DataFrame, customer: str, cells: SegmentMap, rfm: RFMTransformer | None = None
) -> pd.DataFrame:
    """Segments one period apart, over the whole panel.

    Cut points of ``rfm`` (default: at quantiles of the panel) are learned on the last period.

    Returns
    -------
    DataFrame
        ``from``, ``to``, ``moves`` (how often, over all periods), ``customers`` (how many different
        ones), ``share`` of the moves out of ``from``.
    """
    import pandas as pd

    if rfm is None:
        scores = RFMTransformer(remainder="drop").fit_transform(history)
    else:
        bare = clone(rfm).set_params(remainder="drop")
        with heard(BinWarning, DataWarning):  # the page was told so of the summary
            scores = bare.fit(history.groupby(customer).tail(1)).transform(history)
    segment = np.asarray(cells.assign(scores)).astype(str)
    ids = history[customer].to_numpy()
    same = ids[1:] == ids[:-1]
    before, after = segment[:-1][same], segment[1:][same]
    moves = flow_table(before, after).rename(columns={"customers": "moves"})
    each = pd.DataFrame({"from": before, "to": after, "who": ids[1:][same]}).drop_duplicates()
    who = each.groupby(["from", "to"], as_index=False).size().rename(columns={"size": "customers"})
    return moves.merge(who, on=["from", "to"])[["from", "to", "moves", "customers", "share"]]


def stage_flow(
    log: TransactionLog,
    span: tuple[np.datetime64, np.datetime64],
    story: Story,
    model: BestValue,
    everybody: npt.NDArray[Any],
    stage: Objects,
) -> tuple[pd.DataFrame, str, StageTest]:
    """Stages of a log's customers half a year (or a third of the log) ago against today's.

    And what those of each stage then did until today; the forecast that has a say in who is a
    problem or gone is today's.
    """
    first, as_of = span
    days = min(182, int((as_of - first) / np.timedelta64(1, "D")) // 3)
    date = str(as_of - np.timedelta64(days, "D"))
    known = log.until(date)
    then, opened = to_pandas(known.summary()), model.open(known)
    was = story.stage(then, story.grade(then), model.predict_chance(opened), model.predict(opened))
    now = log.customers()
    before = np.append(was, "not yet a customer")[places_of(known.customers(), now)]  # -1: the last
    seen = []
    if days >= SHORTEST_TEST:
        _, orders = log.between(date, as_of).totals(known.customers())
        seen.append(SeenStages(date, known.customers(), was, orders > 0))
    test = stages_tested(seen, stage, float(days), LEVEL)
    return flow_table(before, stage[places_of(everybody, now)]), date, test


def upcoming(
    model: BestValue,
    rows: Any,
    few: Any,
    so_far: pd.DataFrame,
    asked: Asked,
) -> tuple[pd.DataFrame, bool]:
    """Spend of each period so far, what today's customers are expected to spend, and its band.

    How much it is in all is asked of all ``rows``; how it lies over the periods, of a ``few``.

    Returns
    -------
    table : DataFrame
        As `tracking_table`.
    seasonal : bool
        Whether the forecast, and so its periods, follow a season of the log.
    """
    length = round(span_days(asked.period))
    ahead = max(round(span_days(asked.horizon) / span_days(asked.period)), 1)
    spender = copy.copy(model).set_params(margin=1.0, annual_discount_rate=0.0)
    running = spender.value_by_period(few, f"{length * ahead}D", period=f"{length}D")
    expected = running["expected"].to_numpy(dtype=float)
    if few is not rows:
        whole = spender.predict(rows, f"{length * ahead}D").sum()
        expected = expected * (whole / max(expected.sum(), 1e-300))
    ends = so_far["period_end"].to_numpy().astype("datetime64[D]")
    step = np.timedelta64(length, "D")
    later = ends[-1] + np.arange(1, ahead + 1) * step
    past = so_far["spend"].to_numpy(dtype=float)
    season = model.forecast_.season
    even = past / paces(season, ends - step, ends)
    ranges = band(spender, rows, expected, length, ups_and_downs(even), LEVEL)
    unknown = np.full(len(ends), np.nan)
    low, high = (
        (None, None) if ranges is None else (np.concatenate([unknown, end]) for end in ranges)
    )
    table = tracking_table(
        np.concatenate([ends, later]),
        np.concatenate([past, np.full(ahead, np.nan)]),
        np.concatenate([unknown, expected]),
        low,
        high,
    )
    return table, not season.is_identity
