"""make_report: a transaction log in, a page and its tables out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from custvalue._csv import Formulas
from custvalue._html import html_table
from custvalue._units import check_annual_rate, check_share, span_days
from custvalue._words import Language, check_language
from custvalue.report._blocks import Block, span
from custvalue.report._by import group_tables
from custvalue.report._changed import changed_section
from custvalue.report._collect import STEPS, Asked, Step, check_forecast, collect
from custvalue.report._contracts import contracts_section
from custvalue.report._facts import facts_of_report
from custvalue.report._folder import family_of, write_folder
from custvalue.report._funnel import collect_funnel, funnel_section
from custvalue.report._given import (
    growth_section,
    market_numbers_section,
    profile_section,
    trade_section,
)
from custvalue.report._indicators import indicators_section
from custvalue.report._markets import markets_section
from custvalue.report._measured import measured_response
from custvalue.report._pictures import pictures
from custvalue.report._playbooks import playbook_of
from custvalue.report._render import render
from custvalue.report._sections import frame_words, page
from custvalue.report._short import total_holds, total_refuted
from custvalue.report._size import check_ahead
from custvalue.report._story import check_cuts, check_windows
from custvalue.report._survey import sections_of
from custvalue.report._words import Words

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.evaluation import BestValue
    from custvalue.market import TargetMarketRanker
    from custvalue.market._for_rooms import TradeProfile
    from custvalue.survey import PerceivedValue

TABLES = ("customers", "campaign", "segments", "transitions", "groups", "group_parts")
FILES = family_of("report.html", TABLES)


@dataclass(frozen=True)
class Report:
    """A customer-value report: its page, its tables, the row ledger.

    Parameters
    ----------
    facts : dict
        Every number on the page, plain JSON values.
    customers, segments, transitions : DataFrame
        One row a customer; a segment; a move between states.
    campaign : DataFrame or None
        Quiet customers, the best to contact first, with the group drawn for each; None where no
        response was given.
    groups, group_parts : DataFrame or None
        One row a group of ``by``; a group and one of its segments, stages or grades of silence.
    html : str
        The page: one file that needs nothing else.
    language : {"en", "zh"}
    currency : str

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.report import make_report
    >>> log = cv.datasets.load_cdnow("sample")
    >>> made = make_report(log, customer="customer_id", time="date", amount="amount",
    ...                    as_of="1998-06-30", margin=0.3, models={"law": cv.CustomerValue()})
    >>> len(made.customers), made.ledger["rows_in"]
    (2349, 6919)
    """

    facts: dict[str, Any] = field(repr=False)
    customers: pd.DataFrame = field(repr=False)
    segments: pd.DataFrame = field(repr=False)
    transitions: pd.DataFrame = field(repr=False)
    html: str = field(repr=False)
    language: Language = "en"
    currency: str = ""
    campaign: pd.DataFrame | None = field(repr=False, default=None)
    groups: pd.DataFrame | None = field(repr=False, default=None)
    group_parts: pd.DataFrame | None = field(repr=False, default=None)

    @property
    def ledger(self) -> dict[str, Any]:
        """Rows in, used, and dropped by reason."""
        return dict(self.facts["ledger"])

    def write(
        self,
        folder: str | Path,
        *,
        tables: Literal["csv", "parquet"] = "csv",
        formulas: Formulas = "escape",
        force: bool = False,
    ) -> list[Path]:
        """Write ``report.html``, the tables and ``ledger.json`` to ``folder``; return the paths.

        All files are written or none: to a temporary folder first, then moved, the page last. What
        an earlier report left there goes, so that no table of one log stands beside the page of
        another; ``ledger.json`` lists the files with their SHA-256, under ``"files"``. Files of
        other names stay.

        Parameters
        ----------
        folder : str or Path
            Made where it does not exist.
        tables : {"csv", "parquet"}, default="csv"
            CSV has every digit: reading it gives the same numbers, and ids as they were.
        formulas : {"escape", "keep"}, default="escape"
            Of texts in CSV that a spreadsheet would run (``=1+1``): an apostrophe in front, or as
            they are.
        force : bool, default=False
            Replace or remove files of these names that no report wrote, or that somebody has
            changed since. A link is replaced, not followed.

        Raises
        ------
        FileExistsError
            If such files are there and ``force`` is False.
        OSError
            If a file cannot be written; its text names the file.

        Warns
        -----
        DataWarning
            If texts were escaped.
        """
        frames = {name: getattr(self, name) for name in TABLES if getattr(self, name) is not None}
        return write_folder(
            FILES, folder, self.html, frames, self.ledger,
            tables=tables, formulas=formulas, force=force,
        )  # fmt: skip

    @staticmethod
    def check_folder(folder: str | Path) -> None:
        """Refuse now what ``write(folder)`` would refuse later.

        Parameters
        ----------
        folder : str or Path

        Raises
        ------
        FileExistsError
            If files are in the way that no report wrote, or that somebody has changed since.
        """
        FILES.check(Path(folder))

    def summary_text(self) -> str:
        """Say the main numbers in a few lines."""
        w = Words(self.language, self.currency)
        base, about, quiet = self.facts["base"], self.facts["about"], self.facts["quiet"]
        book = self.facts["ledger"]
        left = book["rows_in"] - book["rows_used"]
        return "\n".join(
            [
                w(
                    "{rows} rows in = {used} used + {left} left out; {customers} customers, as of "
                    "{as_of}",
                    rows=w.cell(book["rows_in"], "int"),
                    used=w.cell(book["rows_used"], "int"),
                    left=w.cell(left, "int"),
                    customers=w.cell(base["customers"], "int"),
                    as_of=about["as_of"],
                ),
                w(
                    "expected in the next {span}: {orders} orders of {buyers} customers, {worth} "
                    "{value}",
                    span=span(about["horizon"], w),
                    orders=w.cell(base["expected_orders"], "int"),
                    buyers=w.cell(base["expected_buyers"], "int"),
                    worth=w("future profit") if about["is_profit"] else w("future spend"),
                    value=w.money(base["future_value"])
                    if self.currency
                    else w(
                        "{money} in the log's own currency", money=w.money(base["future_value"])
                    ),
                )
                if total_holds(self.facts["forecast"])
                else total_refuted(self.facts["forecast"], w),
                self.facts["forecast"]["words"][0],
                w(
                    "{n} customers ({share}) are quiet",
                    n=w.cell(quiet["customers"], "int"),
                    share=w.cell(quiet["share"], "share"),
                ),
            ]
        )

    def _repr_html_(self) -> str:
        rows = [[line] for line in self.summary_text().splitlines()]
        return html_table(f"Report as of {self.facts['about']['as_of']}", [""], rows)


def make_report(
    log: Any,
    *,
    customer: str,
    time: str,
    amount: str,
    as_of: Any = None,
    period: str = "4W",
    horizon: str = "52W",
    annual_discount_rate: float = 0.10,
    margin: float | str | None = None,
    response: float | None = None,
    contact_cost: float | None = None,
    budget: float | None = None,
    holdout: float = 0.1,
    refunds: str = "error",
    zero_amounts: str = "drop",
    duplicates: str = "keep",
    order: str | None = None,
    occasion: str = "1d",
    invalid: str = "drop",
    time_format: str | None = None,
    time_zone: str | None = None,
    language: Language = "en",
    currency: str = "",
    title: str | None = None,
    source: str = "log",
    deals: tuple[Any, Any] | None = None,
    progress: Step | None = None,
    markets: Any = None,
    ranker: TargetMarketRanker | None = None,
    ratings: PerceivedValue | None = None,
    focal: str | None = None,
    growth: Any = None,
    trade: TradeProfile | Any = None,
    profile: Any = None,
    indicators: Any = None,
    changed: Any = None,
    measured: Any = None,
    models: Mapping[str, Any] | None = None,
    forecast: BestValue | None = None,
    playbook: Any = None,
    cost: str | None = None,
    profit: str | None = None,
    by: str | None = None,
    cuts: Any = "cycle",
    stage_windows: Any = "learn",
    contracts: Any = None,
) -> Report:
    """Customer-value report of a transaction log.

    Parameters
    ----------
    log : frame
        One row an order or order line; any table that `custvalue.summarize` takes.
    customer, time, amount : str
        Names of its columns.
    as_of : date or ISO str, optional
        End of observation; default: the last order, said in the report's notes.
    period : str, default="4W"
        Period of the moves between states and of the tracked spend.
    horizon : str, default="52W"
        How far to forecast.
    annual_discount_rate : float, default=0.10
    margin : float or str, optional
        Share of spend that is profit, or the column that has it for each row. Without it, ``cost``
        or ``profit`` value is spend, and the report says so.
    response : float, optional
        Mean chance that a contact wins back a quiet customer who would not have come anyway. One
        odds ratio spreads it over the customers by their chance of an order. Makes the campaign
        (`custvalue.silence.activation_plan`). Needs ``margin``.
    contact_cost : float, optional
        Of one contact; gives the response at which it pays. Needs ``margin``.
    budget : float, optional
        Most that contacts may cost together. Needs ``response``.
    holdout : float, default=0.1
        Share of those worth a contact that is held out as a control group.
    refunds, zero_amounts, duplicates, order, occasion, invalid, time_format, time_zone
        Policies of `custvalue.summarize`.
    language : {"en", "zh"}, default="en"
    currency : str, default=""
        Put before money.
    title : str, optional
        Of the page.
    source : str, default="log"
        What the page calls the log.
    deals : (frame, FunnelChain), optional
        An event log of deals and the settings of their funnel, with a horizon: adds the section on
        open deals. `custvalue.report.make_funnel_report` makes it a page of its own, with tables.
    progress : callable, optional
        Called with (step, its number, number of steps) as each step begins.
    markets : frame, optional
        One row a market, as `custvalue.market.market_table` returns it: adds a section with its
        numbers.
    ranker : TargetMarketRanker, optional
        Fitted; says which of ``markets`` come first.
    ratings : PerceivedValue, optional
        Fitted on what customers think of brands: adds sections about perceived value.
    focal : str, optional
        The brand of ``ratings`` that is "we".
    growth : frame, optional
        What `custvalue.market.growth_table` returns: adds a section on where growth came from.
    trade : TradeProfile or frame, optional
        What `custvalue.market.trade_profile` returns, or its ``buyer_table()``: adds a section on
        who buys from whom.
    profile : frame, optional
        What `custvalue.market.profile_table` returns: adds a section on what is typical of each
        segment. These tables may be in either language.
    indicators : IndicatorTree or (IndicatorTree, mapping of name to Goal), optional
        With its leaves: adds a section on what moved the indicators from the period before last to
        the last, and on the last one's scores.
    changed : WhatChanged, optional
        What `custvalue.monthly.compare` returned of earlier scores and today's: adds a section on
        what came of the forecast, who moved and why, and whether to fit again.
    measured : CampaignEffect or frame, optional
        What `custvalue.campaign.campaign_effect` found of a past campaign, with outcomes 1 for who
        ordered and 0: its effect is the ``response`` and its interval is shown. Or the table that
        ``custvalue campaign measure --out`` writes.
    models : dict of str to value model, optional
        Candidates of the forecast, as `custvalue.evaluation.BestValue` takes them; one alone is
        taken and tested.
    forecast : BestValue, optional
        Fitted on an earlier or the same log (:class:`custvalue.evaluation.BestValue`): it is asked
        of this log and not fitted again, which saves most of the time. A service fits once a month
        and draws a page a day. Its verdict is that of the log it was fitted on, and the page says
        until when that went. Horizon, rate and margin are the report's.
    contracts : SubscriptionTable, optional
        Subscriptions: adds a section on what was won and lost of the money a period, on retention,
        and on what the contracts that run are worth.
    playbook : str, Path or mapping, optional
        What to do, by trade: ``"shop"`` (default), ``"grocery"``, ``"donations"``,
        ``"subscription"`` or ``"b2b"``; or your own texts, as a file (JSON, TOML, or CSV with
        ``name`` and ``advice``) or a mapping: name of a segment, a stage or a grade of silence, and
        its advice (of a stage also ``{"message": ..., "step": ...}``). ``"trade"`` among them names
        the trade that says the rest.
    cost : str, optional
        Column with the cost of each row: value is profit, amount less cost.
    profit : str, optional
        Column with the profit of each row. Orders are the purchases, whatever they brought: a loss
        is a loss, and no refund.
    by : str, optional
        Column of the log that tells of the customer (a region, a segment, a channel): adds a
        section with the groups of its values, to choose from, and the tables ``groups`` and
        ``group_parts``. Their sums are the page's totals.
    cuts : "cycle", "quintiles" or sequence, default="cycle"
        Where recency is cut into segments: at 1, 2, 3 and 5 of the customer's usual gaps, at
        fifths (segments are then called by their scores alone), or at two to four silences, as
        spans or in days (``[30, 90, 180]``). Names are tested on earlier dates of the log and held
        to the forecast; the page says what became of them.
    stage_windows : "learn", "source" or five spans, default="learn"
        How long customers usually stay new (from, to), established (from, to) and core:
        ``"learn"``ed from those of the log, the source's (2 to 4 months, 3 months to a year, a
        year), or such as ``"2M,4M,3M,1Y,1Y"``. Upgrades are spoken of where they fit the log.

    Returns
    -------
    Report

    Raises
    ------
    DataContractError
        If the log cannot be read, all problems at once; if a table given lacks columns; if the
        forecast given was fitted on later orders than the log has, or on no profits where the log
        tells them; or if a playbook has names that no segment, stage or grade of silence has.
    ValueError
        If an option is out of range, a forecast is given that is not fitted or beside models, a
        ranker has no markets to rank, a contact is to be paid from spend without a margin, or what
        was measured is no gain in the share who order.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.report import make_report
    >>> log = cv.datasets.load_cdnow("sample")
    >>> made = make_report(log, customer="customer_id", time="date", amount="amount",
    ...                    as_of="1997-09-30", margin=0.3, currency="USD")
    >>> print(made.summary_text().splitlines()[0])
    6,919 rows in = 4,952 used + 1,967 left out; 2,349 customers, as of 1997-09-30
    """
    words = Words(check_language(language), currency)
    check_annual_rate(annual_discount_rate)
    span_days(horizon, "horizon")
    span_days(period, "period")
    for name, column in (("by", by), ("cost", cost), ("profit", profit)):
        if not (column is None or isinstance(column, str)):
            raise ValueError(f"{name}={column!r} must be the name of one column of the log.")
    if by is not None and by in (customer, time, amount):
        raise ValueError(
            f"by={by!r} is the column of customers, times or amounts; name one that tells of the "
            "customer, such as a region."
        )
    ways = {"margin": margin, "cost": cost, "profit": profit}
    told = [f"{name}=" for name, way in ways.items() if way is not None]
    if len(told) > 1:
        raise ValueError(f"{' and '.join(told)} tell the same profit: give one of them.")
    if margin is not None and not isinstance(margin, str):
        check_share(margin, "margin", above=True)
    if ranker is not None and markets is None:
        raise ValueError("ranker needs markets: the table of markets that it ranks.")
    check_forecast(forecast, models)
    plays = playbook_of(playbook)
    known = None if measured is None else measured_response(measured)
    if known is not None:
        if response is not None:
            raise ValueError("give the response that is assumed or what was measured, not both.")
        response = known.response
    _check_offer(bool(told), response, contact_cost, budget, holdout)
    asked = Asked(
        customer=customer,
        time=time,
        amount=amount,
        as_of=as_of,
        period=period,
        horizon=horizon,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        response=response,
        contact_cost=contact_cost,
        budget=budget,
        holdout=holdout,
        policies={
            "refunds": refunds,
            "zero_amounts": zero_amounts,
            "duplicates": duplicates,
            "order": order,
            "occasion": occasion,
            "invalid": invalid,
            "time_format": time_format,
            "time_zone": time_zone,
        },
        title=title,
        source=source,
        measured=known,
        models=models,
        forecast=forecast,
        playbook=plays,
        cost=cost,
        profit=profit,
        by=by,
        cuts=check_cuts(cuts),
        stage_windows=check_windows(stage_windows),
    )
    check_ahead(asked)
    # before the work on the log, so that a table that cannot be is refused at once
    given = _given_sections(markets, ranker, ratings, focal, growth, trade, profile, words)
    if contracts is not None:
        given.append(contracts_section(contracts, horizon, annual_discount_rate, words))
    if indicators is not None:
        given.append(indicators_section(indicators, words))
    if changed is not None:
        given.append(changed_section(changed, words))
    tell = progress or _say_nothing
    got = collect(log, asked, tell)
    tell(STEPS[-1], len(STEPS), len(STEPS))
    spent, n = (float(got.customers[k].sum()) for k in ("total_value", "n_orders"))
    words = replace(words, usual=spent / n)
    facts = facts_of_report(got, asked, words)
    shown = page(facts, pictures(got, words), words)
    if deals is not None:
        events, funnel = deals
        given.append(funnel_section(collect_funnel(events, funnel, as_of), words))
    shown["sections"][-1:-1] = given  # before the ledger, which closes the page
    html = render(shown, frame_words(words))
    groups, parts = (None, None) if facts["by"] is None else group_tables(facts["by"])
    return Report(
        facts,
        got.customers,
        got.segments,
        got.transitions,
        html,
        language,
        currency,
        got.campaign,
        groups,
        parts,
    )


def _given_sections(
    markets: Any,
    ranker: TargetMarketRanker | None,
    ratings: PerceivedValue | None,
    focal: str | None,
    growth: Any,
    trade: Any,
    profile: Any,
    w: Words,
) -> list[Block]:
    """Sections about what is given beside the log, in the order of the page."""
    made: list[Block] = []
    if growth is not None:
        made.append(growth_section(growth, w))
    if profile is not None:
        made.append(profile_section(profile, w))
    if ranker is not None:
        made.append(markets_section(ranker, markets, w))
    elif markets is not None:
        made.append(market_numbers_section(markets, w))
    if trade is not None:
        made.append(trade_section(trade, w))
    if ratings is not None:
        made += sections_of(ratings, focal, w)
    return made


def _check_offer(
    is_profit: bool,
    response: float | None,
    contact_cost: float | None,
    budget: float | None,
    holdout: float,
) -> None:
    if response is not None:
        check_share(response, "response", above=True)
    if contact_cost is not None and not 0.0 <= contact_cost < float("inf"):
        raise ValueError(f"contact_cost={contact_cost!r} must be money of one contact, 0 or more.")
    if budget is not None and not 0.0 <= budget < float("inf"):
        raise ValueError(f"budget={budget!r} must be money, 0 or more.")
    check_share(holdout, "holdout", below=True)
    if budget is not None and response is None:
        raise ValueError("a budget needs a response: without it nobody is planned to be contacted.")
    if not is_profit and (response is not None or contact_cost is not None):
        raise ValueError(
            "response and contact_cost need a margin: a contact is paid from profit, not from "
            "spend. Give margin=, cost= or profit=; margin=1.0 if the amounts are profits already."
        )


def _say_nothing(step: str, done: int, total: int) -> None:
    return None
