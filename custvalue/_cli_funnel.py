"""The command ``custvalue funnel``: a file of events or deals in, a sales manager's page out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from custvalue._cli_page import last_words, page_options, told_once

EXAMPLES = """\b
custvalue funnel events.csv --stages lead,qualified,proposal --horizon 13W --out funnel/

\b
custvalue funnel deals.csv --deal id --start engage_date --close close_date \\
    --outcome deal_stage --won Won --lost Lost --close-amount close_value \\
    --as-of 2017-12-31 --observed-from 2017-03-01 --bad drop --by office --out funnel/
"""


@click.command(epilog=EXAMPLES)
@click.argument("events", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--stages",
    default="open",
    show_default=True,
    help="Names in order, with commas; or a preset: buygrid, decision, account, calls, attitude.",
)
@click.option("--deal", default="deal", show_default=True, metavar="COLUMN")
@click.option("--stage", default="stage", show_default=True, metavar="COLUMN")
@click.option("--time", default="time", show_default=True, metavar="COLUMN")
@click.option("--amount", metavar="COLUMN", help="Column with the amount while the deal is open.")
@click.option("--start", metavar="COLUMN", help="EVENTS has one row a deal: column of its entry.")
@click.option("--close", metavar="COLUMN", help="One row a deal: column of its closing date.")
@click.option("--outcome", metavar="COLUMN", help="One row a deal: column of its outcome.")
@click.option("--close-amount", metavar="COLUMN", help="One row a deal: amount told by closing.")
@click.option("--won", metavar="WORD", help="Outcome that is a win.  [default: won]")
@click.option(
    "--lost",
    default="lost",
    show_default=True,
    metavar="WORDS",
    help="Outcomes that are no win, with commas.",
)
@click.option("--by", metavar="COLUMN", help="Groups of open deals, e.g. the owner.")
@click.option("--as-of", metavar="DATE", help="End of observation; default: the last event.")
@click.option("--observed-from", metavar="DATE", help="Earlier closings are not in the log.")
@click.option("--recent", metavar="SPAN", help="Use only what happened lately, e.g. 90D.")
@click.option("--expire", metavar="SPAN", help="Longer in one stage counts as lost, e.g. 1Y.")
@click.option("--period", default="1W", show_default=True, help="Period of the chain.")
@click.option(
    "--age-classes",
    type=int,
    default=8,
    show_default=True,
    help="Ages in a stage from this one on share one hazard.",
)
@click.option("--horizon", default="13W", show_default=True, help="How far to forecast.")
@click.option("--annual-discount-rate", type=float, default=0.10, show_default=True)
@click.option(
    "--bad",
    type=click.Choice(["error", "drop"]),
    default="error",
    show_default=True,
    help="What to do with deals whose dates are missing or contradict each other.",
)
@click.option("--time-format", metavar="FORMAT", help="Of dates that are not ISO, e.g. %d/%m/%Y.")
@click.option("--currency", default="", help="Put before money, e.g. USD or ¥.")
@page_options("funnel")
def funnel(
    events: Path,
    encoding: str | None,
    tables: Any,
    out: Path,
    formulas: Any,
    force: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """Write a sales-funnel page of EVENTS (CSV or Parquet) and its tables to a folder."""
    from custvalue.funnel import PRESETS, FunnelChain, from_deals
    from custvalue.report import make_funnel_report
    from custvalue.report._for_rooms import read_table

    given = {name: asked.pop(name) for name in ("start", "close", "outcome", "close_amount")}
    style = {name: asked.pop(name) for name in ("as_of", "by", "currency", "language")}
    texts = [asked["deal"], asked["stage"], asked["time"], *given.values()]
    texts.remove(given["close_amount"])
    lost = asked.pop("lost").split(",")
    stages = asked.pop("stages")
    settings: dict[str, Any] = {**asked, "lost": lost[0] if len(lost) == 1 else lost}
    settings["stages"] = stages if stages in PRESETS else stages.split(",")
    settings["amount"] = settings["amount"] or "amount"
    a_row_a_deal = any(given[name] for name in ("start", "close", "outcome"))
    need = [f"--{name}" for name in ("start", "close", "outcome") if not given[name]]
    if a_row_a_deal and need:
        raise click.UsageError(f"one row a deal needs {', '.join(need)} too.")
    with told_once():
        frame = read_table(events, texts=[name for name in texts if name], encoding=encoding)
        if a_row_a_deal:
            frame = from_deals(
                frame,
                deal=asked["deal"],
                **given,
                won=asked["won"] or "won",
                lost=settings["lost"],
                amount=asked["amount"],
                time_format=asked["time_format"],
                bad=asked["bad"],
            )
            settings |= {"deal": "deal", "stage": "stage", "time": "time", "amount": "amount"}
            settings |= {"stages": ["open"], "won": "won", "time_format": None}
            settings["lost"] = "lost" if len(lost) == 1 else lost
        made = make_funnel_report(frame, FunnelChain(**settings), source=events.name, **style)
        files = made.write(out, tables=tables, formulas=formulas, force=force)
    if not quiet:
        last_words(made.text, files)
