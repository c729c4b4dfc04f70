"""The sales manager's page: what open deals bring, where deals are lost, which sit too long."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sklearn.base import clone

import custvalue
from custvalue._csv import Formulas
from custvalue._html import html_table
from custvalue._units import span_days
from custvalue._warn import heard
from custvalue._words import FUNNEL, Language, check_language
from custvalue.funnel import FunnelChain, backtest_funnel, overdue_table
from custvalue.funnel._for_rooms import REASONS, FunnelBacktest, columns_by
from custvalue.plotting import FunnelDisplay, svg_text
from custvalue.report._blocks import Block, Column, section, span, table, tile
from custvalue.report._collect import to_pandas
from custvalue.report._folder import family_of, write_folder
from custvalue.report._render import render
from custvalue.report._sections import frame_words
from custvalue.report._words import Words

if TYPE_CHECKING:
    import pandas as pd

TOP = 15
MOST_GROUPS = 30
LITTLE = "deals open by Little's law"
DATES = 3  # past dates on which the forecast is tested


TABLES = ("open_deals", "stages", "pipeline", "forecast", "overdue", "backtest")
FILES = family_of("funnel.html", TABLES)


@dataclass(frozen=True, eq=False)
class FunnelReport:
    """A page about deals, and its tables.

    Parameters
    ----------
    open_deals : DataFrame
        One row an open deal, with the chance of each outcome within the horizon and the money
        expected of it.
    stages, pipeline, forecast, overdue : DataFrame
    backtest : FunnelBacktest or None
    ledger : dict
    html : str
    text : str
        The main numbers in a few lines.

    Examples
    --------
    >>> sorted(f for f in FunnelReport.__dataclass_fields__)[:3]
    ['backtest', 'forecast', 'html']
    """

    open_deals: pd.DataFrame = field(repr=False)
    stages: pd.DataFrame = field(repr=False)
    pipeline: pd.DataFrame = field(repr=False)
    forecast: pd.DataFrame = field(repr=False)
    overdue: pd.DataFrame = field(repr=False)
    backtest: FunnelBacktest | None = field(repr=False)
    ledger: dict[str, Any] = field(repr=False)
    html: str = field(repr=False)
    text: str

    def write(
        self,
        folder: str | Path,
        *,
        tables: Literal["csv", "parquet"] = "csv",
        formulas: Formulas = "escape",
        force: bool = False,
    ) -> list[Path]:
        """Write ``funnel.html``, the tables and ``ledger.json`` to ``folder``; return the paths.

        As `Report.write`: all files or none, and no file that is not a funnel's without ``force``.
        """
        frames = {k: getattr(self, k) for k in TABLES if k != "backtest"}
        if self.backtest is not None:
            frames["backtest"] = self.backtest.table
        return write_folder(
            FILES, folder, self.html, frames, self.ledger,
            tables=tables, formulas=formulas, force=force,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return html_table("Sales funnel", [""], [[line] for line in self.text.splitlines()])


def make_funnel_report(
    events: Any,
    funnel: FunnelChain,
    *,
    as_of: Any = None,
    by: str | None = None,
    language: Language = "en",
    currency: str = "",
    title: str | None = None,
    source: str = "log",
) -> FunnelReport:
    """Report of deals: the page a sales manager reads on Monday.

    Parameters
    ----------
    events : frame
        One row an event, as `custvalue.funnel.from_deals` makes them.
    funnel : FunnelChain
        Settings, a horizon among them; it is fitted anew.
    as_of : date, optional
        Default: the last event.
    by : str, optional
        Column that groups the open deals; default: the first of the funnel's own.
    language : {"en", "zh"}, default="en"
    currency : str, default=""
    title : str, optional
    source : str, default="log"
        What the page calls the log.

    Returns
    -------
    FunnelReport

    Raises
    ------
    DataContractError
        If the log cannot be read; all problems at once.
    ValueError
        If the funnel has no horizon.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from custvalue.funnel import FunnelChain
    >>> from custvalue.report import make_funnel_report
    >>> day = np.datetime64("2024-01-01") + np.arange(300)
    >>> events = pd.concat([
    ...     pd.DataFrame({"deal": np.arange(300), "stage": "lead", "time": day, "amount": 10.0}),
    ...     pd.DataFrame({"deal": np.arange(260), "stage": ["won", "lost"] * 130,
    ...                   "time": day[:260] + np.arange(260) % 40 + 8, "amount": 10.0})])
    >>> made = make_funnel_report(events, FunnelChain(["lead"], horizon="8W"), as_of="2024-10-26")
    >>> made.text.splitlines()[0]
    '40 open deals, ... wins and ... expected in the next 8 weeks'
    """
    w = Words(check_language(language), currency)
    got = collect_funnel(events, funnel, as_of, by)
    blocks = funnel_section(got, w)
    ahead = span(str(funnel.horizon), w)
    page = {
        "title": title or w("Sales funnel: {source}", source=source),
        "facts": [
            {"label": w("As of"), "text": str(got["funnel"].as_of_.date())},
            {"label": w("Looking ahead"), "text": ahead},
            {
                "label": w("Discount rate a year"),
                "text": w.cell(funnel.annual_discount_rate, "share"),
            },
        ],
        "sections": [blocks],
        "footer": w(
            "Made by custvalue {version}. The tables beside this page hold every open deal.",
            version=custvalue.__version__,
        ),
    }
    total = got["pipeline"].iloc[-1]
    text = "\n".join(
        [
            w(
                "{n} open deals, {wins} wins and {money} expected in the next {span}",
                n=w.cell(int(total["deals"]), "int"),
                wins=f"{total['expected_wins']:,.0f}",
                money=w.money(total["expected_money"]) if "expected_money" in total else "–",
                span=ahead,
            ),
            w("{n} deals are overdue", n=w.cell(len(got["overdue"]), "int")),
            *_verdict(got["backtest"], w, ahead),
        ]
    )
    names = ("open_deals", "stages", "pipeline", "forecast", "overdue", "backtest")
    parts: dict[str, Any] = {name: got[name] for name in names}
    parts["ledger"] = got["funnel"].ledger_.to_dict()
    return FunnelReport(**parts, html=render(page, frame_words(w)), text=text)


def collect_funnel(
    events: Any, funnel: FunnelChain, as_of: Any = None, by: str | None = None
) -> dict[str, Any]:
    """Fit, forecast and test: the numbers of the page."""
    import pandas as pd

    if funnel.horizon is None:
        raise ValueError("the page needs a horizon; give the FunnelChain horizon='13W' or so.")
    log = to_pandas(events)
    fitted = clone(funnel).fit(log, as_of=as_of)
    open_ = fitted.open_deals(log)
    endless = fitted.law_.has_losses
    by = by or next(iter(columns_by(funnel.by)), None)
    told = bool(fitted.counts_.won_total[0]) or bool(open_["amount"].notna().all())
    if not told:  # without money everything is counted in deals
        open_ = open_.assign(amount=1.0)
    pipeline = fitted.pipeline_table(open_, by=by)
    ahead = fitted.forecast(open_, arrivals=None if fitted.counts_.won_total[0] else 0)
    deals = pd.concat([open_, fitted.predict_proba(open_)], axis=1)
    deals["expected_money"] = fitted.predict(open_)
    return {
        "funnel": fitted,
        "by": by,
        "money": told,
        "open_deals": deals.sort_values("expected_money", ascending=False, ignore_index=True),
        "stages": fitted.stage_table(horizon=None if endless else funnel.horizon),
        "pipeline": pipeline,
        "forecast": ahead,
        "overdue": overdue_table(fitted, open_) if endless else open_.iloc[:0],
        "backtest": _tested(funnel, log, fitted),
    }


def _tested(funnel: FunnelChain, log: Any, fitted: FunnelChain) -> FunnelBacktest | None:
    """Forecasts of the last dates whose horizon the log has seen; None where it is too short."""
    horizon = str(funnel.horizon)
    times = log[funnel.time]
    import pandas as pd

    when = pd.to_datetime(times, errors="coerce", format=funnel.time_format or "ISO8601")
    end = min(when.max(), pd.Timestamp(fitted.as_of_))
    step = pd.Timedelta(days=span_days(horizon))
    cutoffs = [(end - k * step).normalize() for k in range(DATES, 0, -1)]
    good = []
    with heard():
        for cutoff in cutoffs:
            if cutoff < when.min() + step:
                continue
            try:
                good.append(
                    backtest_funnel(
                        clone(funnel), log, cutoffs=[str(cutoff.date())], horizon=horizon
                    )
                )
            except ValueError:  # nothing open, or nothing observed before this date
                continue
    if not good:
        return None
    return FunnelBacktest(
        pd.concat([b.table for b in good], ignore_index=True),
        pd.concat([b.deals for b in good], ignore_index=True),
        horizon,
    )


def funnel_section(got: dict[str, Any], w: Words) -> Block:
    """Tiles, picture, tables and notes about deals."""
    f: FunnelChain = got["funnel"]
    ahead = span(str(f.horizon), w)
    blocks: list[Block] = [
        {"type": "notes", "notes": _verdict(got["backtest"], w, ahead)},
        {"type": "tiles", "tiles": _tiles(got, w, ahead)},
        {"type": "figures", "figures": [_picture(f, w)]},
        _stages(got, w),
        *_pipeline(got, w),
        _ahead(got, w),
    ]
    if len(got["overdue"]):
        blocks.append(_overdue(got, w))
    if got["backtest"] is not None:
        blocks.append(_test_table(got["backtest"], w))
    blocks.append({"type": "notes", "notes": _notes(got, w)})
    return section(
        "funnel",
        w("Pipeline"),
        w("Deals and pipeline"),
        w("What open deals will bring, where deals are lost, and which sit too long."),
        blocks,
    )


def _tiles(got: dict[str, Any], w: Words, ahead: str) -> list[dict[str, str]]:
    f, total, stages = got["funnel"], got["pipeline"].iloc[-1], got["stages"]
    n = int(total["deals"])
    begun = f.counts_.started / max(f.counts_.started.sum(), 1.0)
    win = w.cell(float(begun @ stages["won_from_here"].to_numpy()), "share")
    if "days_left" in stages:
        days = f"{float(begun @ stages['days_left'].to_numpy()):,.0f}"
        new = tile(w("New deals that are won"), win, w("{days} days until the outcome", days=days))
    else:
        label = w("Won within {span} of coming", span=ahead)
        new = tile(label, win, w("no deal was ever seen lost"))
    money = w("{face} face value", face=w.money(total["face"]))
    out = [
        tile(w("Open deals"), w.cell(n, "int"), money if got["money"] else ""),
        tile(
            w("Expected wins, next {span}", span=ahead),
            f"{total['expected_wins']:,.1f}",
            w(
                "{share} of the open deals",
                share=w.cell(_share(total["expected_wins"], n), "share"),
            ),
        ),
    ]
    if got["money"]:
        low, high = (max(total["expected_money"] + z * total["sd_outcome"], 0.0)
                     for z in (-1.28155, 1.28155))  # fmt: skip
        spread = w("80 % range {low} to {high}", low=w.money(low), high=w.money(high))
        if contradicted(got["backtest"]):  # a range that the past left is none
            mine = got["backtest"].scores().loc["FunnelChain"]
            came = w.cell(_share(mine["actual_wins"], mine["predicted_wins"]), "share")
            spread = w("at past dates {share} of the wins foretold came", share=came)
        out.append(
            tile(w("Expected money, next {span}", span=ahead), w.money(total["expected_money"]),
                 spread)
        )  # fmt: skip
    late = len(got["overdue"])
    said = "{share} of the open deals, longer in their stage than 80 % of the winners were"
    out += [
        new,
        tile(w("Overdue"), w.cell(late, "int"), w(said, share=w.cell(_share(late, n), "share"))),
    ]
    return out


def _share(part: float, whole: float) -> float:
    return float(part) / whole if whole else 0.0


def _picture(f: FunnelChain, w: Words) -> dict[str, str]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    horizon = None if f.law_.has_losses else f.horizon
    with heard():  # a page's letters are the browser's
        FunnelDisplay.from_estimator(f, horizon=horizon, language=w.language, ax=figure.subplots())
    caption = w("Length: how many new deals get this far. Beside it: median days in the stage.")
    return {"svg": svg_text(figure, name="funnel", title=caption), "caption": caption}


def _stages(got: dict[str, Any], w: Words) -> Block:
    columns: list[Column] = [
        ("stage", w("Stage of the deal"), "text"),
        ("entered", w("Entered"), "int"),
        ("open_now", w("Open now"), "int"),
        ("reach", w("Get this far"), "share"),
        ("conversion", w("Go on"), "share"),
        ("won_from_here", w("Won from here"), "share"),
        ("median_days", w("Median days"), "int"),
    ]
    rows = got["stages"].to_dict("records")
    for row in rows:
        row["stage"] = FUNNEL.name(row["stage"], w.language)
    return table("funnel-stages", w("The stages"), columns, rows, w)


def _pipeline(got: dict[str, Any], w: Words) -> list[Block]:
    by, frame = got["by"], got["pipeline"]
    if by is None or len(frame) > MOST_GROUPS + 1:
        return []
    rows = frame.rename(columns={by: "group"}).to_dict("records")
    rows[-1]["group"] = w("All")
    for row in rows:
        row["group"] = str(row["group"])
        row["expected_wins"] = round(row["expected_wins"], 1)
    columns: list[Column] = [
        ("group", str(by), "text"),
        ("deals", w("Open deals"), "int"),
        ("expected_wins", w("Expected wins"), "number"),
    ]
    if got["money"]:
        columns += [
            ("expected_money", w("Expected money"), "money"),
            ("sd_outcome", w("Spread of chance"), "money"),
        ]
    return [table("funnel-groups", w("Open deals by {by}", by=by), columns, rows, w)]


def _ahead(got: dict[str, Any], w: Words) -> Block:
    rows = got["forecast"].to_dict("records")
    for row in rows:
        row["until"] = str(row["to"])[:10]
    columns: list[Column] = [
        ("until", w("Until"), "text"),
        ("wins_open", w("Wins of open deals"), "number"),
        ("wins_new", w("Wins of new deals"), "number"),
    ]
    if got["money"]:
        columns += [("money", w("Money"), "money"), ("sd", w("Spread of chance"), "money")]
    return table("funnel-ahead", w("What comes, period by period"), columns, rows, w)


def _overdue(got: dict[str, Any], w: Words) -> Block:
    rows = got["overdue"].head(TOP).to_dict("records")
    for row in rows:
        row["deal"], row["stage"] = str(row["deal"]), FUNNEL.name(row["stage"], w.language)
    columns: list[Column] = [
        ("deal", w("Deal"), "text"),
        ("stage", w("Stage of the deal"), "text"),
        ("days_over", w("Days over"), "int"),
        ("chance", w("Chance"), "share"),
    ]
    caption = w("The deals that sit longest beyond the winners' time")
    return table("funnel-overdue", caption, columns, rows, w)


def _test_table(tested: FunnelBacktest, w: Words) -> Block:
    rows: Any = tested.scores().reset_index().to_dict("records")
    for row in rows:
        row["method"] = FUNNEL.name(row["method"], w.language)
    columns: list[Column] = [
        ("method", w("Method"), "text"),
        ("predicted_wins", w("Wins foretold"), "int"),
        ("actual_wins", w("Wins that came"), "int"),
        ("bias", w("Too high by"), "share"),
        ("brier", w("Error of the chances"), "fine"),
    ]
    return table("funnel-test", w("How forecasts of past pipelines did"), columns, rows, w)


def _verdict(tested: FunnelBacktest | None, w: Words, ahead: str) -> list[str]:
    """Say what the log's own past makes of the forecast: read before the forecast itself."""
    if tested is None:
        return [w("The log is too short to test the forecast on its own past.")]
    mine = tested.table[tested.table["method"] == "FunnelChain"]
    said = [
        w(
            "At {n} past dates the chain foretold {predicted} wins within {span} and {actual} "
            "came; what came lay within the 80 % range at {covered} of them.",
            n=len(mine),
            predicted=f"{mine['predicted_wins'].sum():,.0f}",
            span=ahead,
            actual=w.cell(int(mine["actual_wins"].sum()), "int"),
            covered=int(mine["covered"].sum()),
        )
    ]
    if contradicted(tested):
        high = mine["predicted_wins"].sum() > mine["actual_wins"].sum()
        said.insert(
            0,
            w(
                "The past contradicts this forecast: it promised too much. Read it as an upper end."
                if high
                else "The past contradicts this forecast: it promised too little. Read it as a "
                "lower end."
            ),
        )
    return said


def contradicted(tested: FunnelBacktest | None) -> bool:
    """Whether most of the past dates fell outside the 80 % range that was told of them."""
    if tested is None:
        return False
    mine = tested.table[tested.table["method"] == "FunnelChain"]
    return 2 * int(mine["covered"].sum()) < len(mine)


def _notes(got: dict[str, Any], w: Words) -> list[str]:
    f = got["funnel"]
    notes = []
    if f.law_.has_losses:
        neck = f.bottleneck_table().query("bottleneck").iloc[0]
        notes.append(
            w(
                "Where one point of chance moved from lost to the next stage wins most: {stage}, "
                "{wins} wins a period more.",
                stage=FUNNEL.name(neck["stage"], w.language),
                wins=f"{neck['wins_per_point']:,.2f}",
            )
        )
        speed = f.velocity_table().set_index("quantity")["value"]
        notes.append(
            w(
                "Sales velocity: {n} wins a period by the deals open now, {own} by the chain. "
                "Little's law would have {little} deals open; there are {open}.",
                n=f"{speed['wins by velocity']:,.1f}",
                own=f"{speed['wins by the chain']:,.1f}",
                little=f"{speed[LITTLE]:,.0f}",
                open=f"{speed['deals open now']:,.0f}",
            )
        )
        if "amount won / last amount open" in speed:
            cut = w.cell(float(speed["amount won / last amount open"]), "share")
            said = "The amounts won are {share} of the last amounts while open."
            notes.append(w(said, share=cut))
    if f.expire is not None:
        said = "A deal longer than {span} in one stage counts as lost."
        notes.append(w(said, span=span(str(f.expire), w)))
    stalled = float((got["open_deals"]["stalled"] > 0.999).mean()) if len(got["open_deals"]) else 0
    if stalled > 0:
        said = "{share} of the open deals sit where no deal was ever seen to move: they count as "
        notes.append(w(said + "stalled.", share=w.cell(stalled, "share")))
    book = f.ledger_
    left = sum(d.rows for d in book.dropped)
    said = "{rows} rows in = {used} used + {repeated} repeats + {left} left out; {deals} deals."
    numbers = {"rows": book.rows_in, "used": book.rows_used, "repeated": book.repeated}
    numbers |= {"left": left, "deals": book.deals}
    notes.append(w(said, **{k: w.cell(v, "int") for k, v in numbers.items()}))
    if book.dropped:
        parts = [
            f"{FUNNEL.name(REASONS[d.reason][0], w.language)} ({d.rows:,})" for d in book.dropped
        ]
        notes.append(w("Left out: {list}.", list="; ".join(parts)))
    return notes
