"""What every command that reads a log has alike: its argument, columns, marks and policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from custvalue._cli_page import encoding_option, with_options

COLUMNS = ("customer", "time", "amount")
# words of `custvalue.report.read_log`
_READ = (
    "encoding", "decimal", "thousands", "names", "sheet", "query", "time_format", "time_zone",
    "currency_column", "rates",
)  # fmt: skip

log_argument = click.argument("log", nargs=-1, required=True, metavar="LOG...")


def _column(name: str, what: str, required: bool) -> Callable[[Any], Any]:
    return click.option(f"--{name}", required=required, metavar="COLUMN", help=what)


def column_options(*, required: bool) -> Callable[[Any], Any]:
    """Give a command the names of the columns, and the end of observation."""
    return with_options(
        _column("customer", "Column with the customer id.", required),
        _column("time", "Column with the date or time of an order.", required),
        _column("amount", "Column with the money, or 'Quantity*Price'.", required),
        click.option("--as-of", metavar="DATE", help="End of observation; default: last order."),
    )


# how a file is read, beside its columns
reading_options = with_options(
    encoding_option,
    click.option("--decimal", default=".", show_default=True, help="Mark in numbers: '.' or ','."),
    click.option("--thousands", help="Mark between thousands in numbers, e.g. ','."),
    click.option(
        "--names",
        metavar="NAME,...",
        help="Names of all columns, where the file has no header.",
    ),
    click.option("--sheet", metavar="NAME", help="Of a workbook; default: the first."),
    click.option(
        "--query", metavar="SQL", help="What to ask a database for; default: its only table."
    ),
    click.option(
        "--time-format",
        metavar="FORMAT",
        help="Of dates that are not ISO, e.g. %d/%m/%Y; unix, unix-ms or excel for numbers.",
    ),
    click.option("--time-zone", metavar="ZONE", help="Zone of the days, for times with an offset."),
)
# what rows count for
policy_options = with_options(
    click.option("--order", metavar="COLUMN", help="Column with the order id."),
    click.option(
        "--occasion",
        metavar="SPAN|order",
        default="1d",
        show_default=True,
        help="Rows that are one purchase: of a customer's day, or those of one order id (--order).",
    ),
    click.option("--currency-column", metavar="COLUMN", help="Column with the currency of a row."),
    click.option(
        "--rates",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="TABLE",
        help="File with currency and rate (and date): what one unit is worth in the currency "
        "wanted.",
    ),
    click.option(
        "--refunds",
        type=click.Choice(["error", "net_occasion", "net_order", "drop"]),
        default="error",
        show_default=True,
        help="What to do with negative amounts; net_order needs --order.",
    ),
    click.option(
        "--zero-amounts",
        type=click.Choice(["drop", "keep"]),
        help="What to do with rows of amount zero.  [default: drop]",
    ),
    click.option(
        "--duplicates",
        type=click.Choice(["keep", "drop", "error"]),
        default="keep",
        show_default=True,
        help="What to do with rows that repeat an earlier one.",
    ),
    click.option(
        "--invalid",
        type=click.Choice(["drop", "error"]),
        help="What to do with rows without a customer, a time or an amount; unless given, those "
        "with empty cells are left out, and cells that cannot be read are refused.",
    ),
)


def every_log_option(*, required: bool = True) -> Callable[[Any], Any]:
    """Give a command all that a log can be told, in one order and wording."""
    return with_options(column_options(required=required), reading_options, policy_options)


def check_there(log: Sequence[str]) -> None:
    """Refuse a file that is not there, before anything else is asked for."""
    for name in log:
        is_file = "://" not in name and not any(mark in name for mark in "*?[")
        if is_file and not Path(name).exists():
            raise click.UsageError(f"{name!r} does not exist.")


def source_of(log: Sequence[str]) -> Any:
    """Give what ``LOG...`` names to `read_log`: one source, or several."""
    return log[0] if len(log) == 1 else list(log)


def reading_words(asked: dict[str, Any]) -> dict[str, Any]:
    """Take what `read_log` is told, beside the columns, out of what was asked."""
    words = {name: asked.pop(name, None) for name in _READ}
    if words["names"] is not None:
        words["names"] = [name.strip() for name in words["names"].split(",")]
    return words


def policy_words(asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take policies out of what was asked.

    Returns
    -------
    for_file : dict
        What `read_log` does about them: orders, and cells that cannot be read.
    for_log : dict
        What the log does.
    """
    order, occasion, invalid = (asked.pop(name) for name in ("order", "occasion", "invalid"))
    refunds = asked.pop("refunds")
    if occasion == "order" and order is None:
        raise click.UsageError("--occasion order needs --order, the column with the order id.")
    if occasion == "order" and refunds == "net_order":
        raise click.UsageError(
            "--occasion order nets refunds within their order already; name what to do with those "
            "of whole orders by another --refunds."
        )
    for_file = {"invalid": invalid or "error"}
    if order is not None:
        for_file |= {"order": order}
    if occasion == "order":
        for_file |= {"occasion": "order"}
    for_log = {
        "occasion": "1d" if occasion == "order" else occasion,
        "refunds": refunds,
        "zero_amounts": asked.pop("zero_amounts") or "drop",
        "duplicates": asked.pop("duplicates"),
        "invalid": invalid or "drop",
    }
    if refunds == "net_order":
        for_log |= {"order": order}
    return for_file, for_log


def read_frame(
    log: Sequence[str], asked: dict[str, Any], **more: Any
) -> tuple[Any, dict[str, Any]]:
    """Read a log by what was asked, which is taken out of ``asked``.

    Returns
    -------
    frame : DataFrame
    of_log : dict
        Columns and policies, as `custvalue.TransactionLog` takes them.
    """
    from custvalue.report import read_log

    columns = {name: asked.pop(name) for name in COLUMNS}
    for_file, for_log = policy_words(asked)
    # what repeats "in every column" can be told from all of them alone
    whole = for_log["duplicates"] != "keep"
    words = reading_words(asked)
    frame = read_log(source_of(log), **columns, **words, **for_file, whole=whole, **more)
    return frame, {**columns, **for_log}


def said_words(words: Mapping[str, Any]) -> dict[str, str]:
    """Words of reading that differ from their defaults, as text."""
    said = {}
    for name, value in words.items():
        if value is not None and not (name == "decimal" and value == "."):
            said[name] = ",".join(value) if isinstance(value, list) else str(value)
    return said
