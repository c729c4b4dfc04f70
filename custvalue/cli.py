"""Command line: parse, call public functions, print."""

from __future__ import annotations

import sys
import threading
import time as clock
import traceback
import types
import warnings
from pathlib import Path
from typing import Any, Self

import click

import custvalue
from custvalue._cli_campaign import campaign
from custvalue._cli_examine import examine
from custvalue._cli_explain import explain
from custvalue._cli_funnel import funnel
from custvalue._cli_log import (
    COLUMNS,
    check_there,
    every_log_option,
    policy_words,
    read_frame,
    reading_words,
    source_of,
)
from custvalue._cli_monthly import compare, fit, score, update
from custvalue._cli_page import (
    ESTIMATORS,
    last_words,
    one_line,
    page_options,
    playbook_options,
    told_once,
)
from custvalue._cli_survey import survey
from custvalue._warn import warn_caller
from custvalue.exceptions import CustvalueWarning

EXAMPLES = """\b
custvalue report --demo --out report/

\b
custvalue report orders.csv --customer customer_id --time date --amount amount \\
    --as-of 1997-09-30 --period 4W --horizon 52W \\
    --annual-discount-rate 0.10 --margin 0.3 --response 0.02 --contact-cost 0.40 --out report/
"""
# tables beside the log, each of which adds a section: option, and what makes such a table
GIVEN = {
    "growth": "growth_table",
    "profile": "profile_table",
    "markets": "market_table",
    "trade": "trade_profile(...).buyer_table()",
}
FLAGS = {"trade": "trade-records"}  # --trade is the trade that the playbook is for
# names of theirs that look like numbers stay as they are written
NAMES = ("segment", "category", "market", "buyer", "main_supplier")
DEMO_OFFER = {"margin": 0.3, "response": 0.05, "contact_cost": 0.5}
DEMO = {"customer": "customer_id", "time": "date", "amount": "amount"}


class Progress:
    """Steps on a terminal, shown once the work has lasted two seconds.

    Nothing is written where the stream is no terminal, or where the work is short.
    """

    def __init__(self, stream: Any, *, after: float = 2.0) -> None:
        self._stream = stream
        self._shown = False
        self._text = ""
        self._lock = threading.Lock()
        self._began = clock.monotonic()
        self._timer = threading.Timer(after, self._show) if stream.isatty() else None

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._shown:
                self._stream.write("\r\x1b[K")
                self._stream.flush()
            self._shown = False
            self._timer = None

    def __call__(self, step: str, done: int, total: int) -> None:
        """Say that step ``done`` of ``total`` begins."""
        with self._lock:
            self._text = f"[{done}/{total}] {step}"
            if self._shown:
                self._write()

    def _show(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._shown = True
                self._write()

    def _write(self) -> None:
        seconds = clock.monotonic() - self._began
        self._stream.write(f"\r\x1b[K{self._text} ({seconds:.0f} s)")
        self._stream.flush()


def given_tables(command: Any) -> Any:
    """Give a command one option for each table that adds a section to the report."""
    for name, maker in reversed(GIVEN.items()):
        command = click.option(
            f"--{FLAGS.get(name, name)}",
            name,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="TABLE",
            help=f"File with what custvalue.market's {maker} returns: adds a section.",
        )(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(custvalue.__version__, prog_name="custvalue")
@click.option("--debug", is_flag=True, help="On an error, show where in the program it arose.")
def main(debug: bool) -> None:
    """Work out customer value from a transaction log: who is worth what, and who is quiet."""


@main.command(epilog=EXAMPLES)
@click.argument("log", nargs=-1, metavar="[LOG]...")
@click.option(
    "--demo",
    is_flag=True,
    help="Use the CDNOW log (23,570 customers) instead of LOG; unless given, margin 0.3, "
    "response 0.05 and contact cost 0.5 are assumed.",
)
@every_log_option(required=False)
@click.option("--period", default="4W", show_default=True, help="Period of moves and spend.")
@click.option("--horizon", default="52W", show_default=True, help="How far to forecast.")
@click.option(
    "--estimator",
    type=click.Choice(["best", *(name for name in ESTIMATORS if name != "rate")]),  # no chances
    default="best",
    show_default=True,
    help="What forecasts: what the log's own past chooses, or one method, tested on it.",
)
@click.option(
    "--forecast",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MODEL",
    help="A forecast that `custvalue fit` wrote: it is asked of LOG and not fitted again.",
)
@click.option(
    "--cuts",
    type=click.Choice(["cycle", "quintiles"]),
    help="Where silence is cut into segments: at multiples of the customer's usual gap, or at "
    "fifths.  [default: cycle]",
)
@click.option(
    "--recency-cuts",
    metavar="DAYS,...",
    help="Where silence is cut instead: two to four, in days or spans, e.g. 30,90,180.",
)
@click.option(
    "--stage-windows",
    default="learn",
    show_default=True,
    metavar="SPANS",
    help="How long customers stay new and established (from, to) and core, e.g. 2M,4M,3M,1Y,1Y; "
    "'source' is just these, 'learn' learns them.",
)
@click.option(
    "--annual-discount-rate", type=float, default=0.10, show_default=True, help="0.10 is 10 %."
)
@click.option(
    "--margin",
    metavar="SHARE|COLUMN",
    help="Share of spend that is profit, or the column that has it; without this, --cost and "
    "--profit value is spend.",
)
@click.option("--cost", metavar="COLUMN", help="Column with the cost of a row: value is profit.")
@click.option(
    "--profit", metavar="COLUMN", help="Column with the profit of a row; losses are losses."
)
@click.option(
    "--response",
    type=float,
    metavar="SHARE",
    help="Chance that a contact wins back a quiet customer who would not have come anyway, "
    "0.02 is 2 %: writes the table campaign, with a control group.",
)
@click.option(
    "--measured",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TABLE",
    help="What `custvalue campaign measure --out` wrote of a past campaign, outcome 1 for ordered: "
    "its effect is the response, its interval is shown.",
)
@click.option("--contact-cost", type=float, metavar="MONEY", help="Of one contact.")
@click.option("--budget", type=float, metavar="MONEY", help="Most that all contacts may cost.")
@click.option(
    "--holdout",
    type=float,
    default=0.1,
    show_default=True,
    help="Share of those worth a contact that is held out as a control group.",
)
@click.option(
    "--earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PARQUET",
    help="Earlier scores, as custvalue score wrote them: a section on what changed since.",
)
@click.option(
    "--earlier-model",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="JSON",
    help="What --earlier was scored by, as custvalue fit wrote it.",
)
@click.option("--currency", default="", help="Put before money, e.g. USD or ¥.")
@click.option("--title", help="Of the page.")
@click.option(
    "--by",
    metavar="COLUMN",
    help="Column that tells of the customer, such as a region: a section with its groups to choose "
    "from, and their tables.",
)
@playbook_options
@click.option(
    "--contracts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TABLE",
    help="Subscriptions, a row a contract: adds a section.",
)
@click.option(
    "--contract-columns",
    default="customer=customer,start=start,end=end,money=money",
    show_default=True,
    metavar="NAMES",
    help="Columns of --contracts: customer, start, end, money.",
)
@click.option(
    "--contract-period", default="M", show_default=True, help="Period that their money is for."
)
@given_tables
@page_options("report", encoding=False)
def report(
    log: tuple[str, ...],
    demo: bool,
    out: Path,
    tables: Any,
    formulas: Any,
    force: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """Write a customer-value report of LOG and its tables to a folder.

    LOG is any file a shop has (CSV, Excel, JSON lines, Parquet, also compressed), several of them,
    a pattern such as 'orders-*.csv', a database file, or the address of a database.
    """
    encoding = asked["encoding"]
    if demo == bool(log):
        raise click.UsageError("name a LOG file, or --demo, and not both.")
    if demo:
        asked.update({name: asked[name] or column for name, column in DEMO.items()})
        for name in ("cost", "profit"):
            if asked[name]:
                raise click.UsageError(f"the demo's log has no column for --{name}.")
        for name, value in DEMO_OFFER.items():
            if name != "response" or asked["measured"] is None:
                asked[name] = value if asked[name] is None else asked[name]
        # free orders are orders in the literature on this log
        asked["zero_amounts"] = asked["zero_amounts"] or "keep"
        asked["as_of"] = asked["as_of"] or "1998-06-30"
        asked["currency"] = asked["currency"] or "USD"
    asked["margin"] = _number_or_column(asked["margin"])
    check_there(log)
    lost = [f"--{name}" for name in DEMO if not asked[name]]
    if lost:
        raise click.UsageError(f"say which columns to read: {', '.join(lost)} missing.")

    from custvalue.evaluation import usual_parts
    from custvalue.report import make_report
    from custvalue.report._for_rooms import (
        Report,
        cuts_of_text,
        playbook_of,
        read_table,
        source_name,
    )

    asked["playbook"] = playbook_of(asked["playbook"], asked.pop("of_trade"))
    cuts, silences = asked.pop("cuts"), asked.pop("recency_cuts")
    if cuts is not None and silences is not None:
        raise click.UsageError("--cuts and --recency-cuts say the same thing: give one of them.")
    asked["cuts"] = cuts or "cycle" if silences is None else cuts_of_text(silences)
    estimator = asked.pop("estimator")
    if estimator != "best":
        name = ESTIMATORS[estimator]
        asked["models"] = {name: usual_parts()[name]}
    if asked["forecast"] is not None:
        asked["forecast"] = _fitted(asked["forecast"], estimator)

    if not force:
        Report.check_folder(out)  # before the work, not after it

    of_contracts = {name: asked.pop(name) for name in ("contract_columns", "contract_period")}
    with told_once(), Progress(sys.stderr if not quiet else _Nowhere()) as progress:
        progress("read the log", 0, 0)
        if asked["contracts"] is not None:
            asked["contracts"] = _contracts(asked, **of_contracts)
        if not log:
            from custvalue.datasets import load_cdnow

            frame, source = load_cdnow(), "CDNOW"
            reading_words(asked)
            of_log = {name: asked.pop(name) for name in COLUMNS}
            of_log |= policy_words(asked)[1]
        else:
            ways = [asked[way] for way in ("margin", "cost", "profit")]
            money = [name for name in ways if isinstance(name, str)]
            texts = [asked["by"]] if asked["by"] else []
            frame, of_log = read_frame(log, asked, money=money, texts=texts)
            source = source_name(source_of(log))
        asked["changed"] = _changed(frame, of_log, asked)
        if asked["measured"] is not None:
            asked["measured"] = read_table(asked["measured"], encoding=encoding)
        for name in GIVEN:
            if asked[name] is not None:
                asked[name] = read_table(
                    asked[name], texts=_names_in_both_languages(), encoding=encoding
                )
        made = make_report(frame, source=source, progress=progress, **of_log, **asked)
        for note in made.facts["notes_on_rows"]:
            warn_caller(note, CustvalueWarning)
        files = made.write(out, tables=tables, formulas=formulas, force=force)
    if not quiet:
        last_words(made.summary_text(), files)


def _changed(frame: Any, of_log: dict[str, Any], asked: dict[str, Any]) -> Any:
    """Compare earlier scores with those that their own model gives today."""
    earlier, model = asked.pop("earlier"), asked.pop("earlier_model")
    if earlier is None and model is None:
        return None
    if earlier is None or model is None:
        raise click.UsageError("--earlier and --earlier-model go together: scores and their model.")
    from custvalue import monthly
    from custvalue.data import TransactionLog

    made, then = monthly.Artefact.open(model), monthly.read_scores(earlier)
    log = TransactionLog(frame, **of_log, as_of=asked["as_of"], unit="D", tell_end=True)
    return monthly.compare(then, monthly.score(made, log), artefact=made)


def _fitted(path: Path, estimator: str) -> Any:
    """Forecast in a file that ``custvalue fit`` wrote, with the name of the file where it is none.

    Raises
    ------
    UsageError
        If a method is named as well, or the file has a model that no past has proven.
    """
    from custvalue.evaluation import BestValue
    from custvalue.monthly import Artefact

    if estimator != "best":
        raise click.UsageError("--forecast is fitted already: leave out --estimator.")
    model = Artefact.open(path).model
    if not isinstance(model, BestValue):
        raise click.UsageError(
            f"--forecast {path} has a {type(model).__name__}, which no earlier date has tested; "
            "give a file that `custvalue fit` wrote (a BestValue)."
        )
    return model


def _contracts(asked: dict[str, Any], contract_columns: str, contract_period: str) -> Any:
    """Read a file of subscriptions."""
    from custvalue.contracts import SubscriptionTable
    from custvalue.report._for_rooms import read_table

    known = ("customer", "start", "end", "money")
    columns: dict[str, Any] = dict(pair.partition("=")[::2] for pair in contract_columns.split(","))
    if set(columns) - set(known) or not set(columns) >= {"customer", "start", "money"}:
        raise click.UsageError(
            f"--contract-columns {contract_columns!r} must say customer=...,start=...,end=...,"
            "money=... (end only where there is one)."
        )
    texts = [columns[name] for name in ("customer", "start", "end") if name in columns]
    frame = read_table(asked["contracts"], texts=texts, encoding=asked["encoding"])
    return SubscriptionTable(
        frame, **columns, period=contract_period, as_of=asked["as_of"], future="open"
    )


def _number_or_column(text: Any) -> float | str | None:
    """Read a margin: a number where it is one, else the name of a column."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return str(text)


def _names_in_both_languages() -> list[str]:
    from custvalue._words import MARKET

    return [MARKET.name(name, language) for name in NAMES for language in ("en", "zh")]


main.add_command(campaign)
main.add_command(compare)
main.add_command(examine)
main.add_command(explain)
main.add_command(fit)
main.add_command(funnel)
main.add_command(score)
main.add_command(survey)
main.add_command(update)


class _Nowhere:
    """A stream that shows nothing."""

    def isatty(self) -> bool:
        return False


def run() -> int:
    """Run the command line: 0 done, 2 wrong usage or bad input, with one line of error.

    An error of any other kind is a fault of the program: it is 1, with its traceback.
    """
    debug = "--debug" in sys.argv[1:]
    if not (debug or sys.warnoptions):  # ours are told by _told_once; the process is ours alone
        warnings.simplefilter("ignore")
    try:
        main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.Abort:
        click.echo("custvalue: stopped.", err=True)
        return 130
    except click.ClickException as error:
        click.echo(f"custvalue: {error.format_message()}", err=True)
        return 2
    except (ValueError, OSError, ModuleNotFoundError) as error:
        # every error for bad input is a ValueError (DataContractError, TimeUnitError, ...), but
        # not every ValueError is one for bad input: --debug tells them apart
        if debug:
            traceback.print_exc()
        else:
            click.echo(f"custvalue: {one_line(str(error))}", err=True)
        return 2
    return 0
