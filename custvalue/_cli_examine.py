"""The command ``custvalue examine``: what is odd about a log, before anything is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from custvalue._cli_campaign import not_there
from custvalue._cli_page import LANGUAGES, encoding_option, told_once

EXAMPLE = """\b
custvalue examine orders.csv
custvalue examine orders.csv --customer id --time date --amount paid --language zh --out odd.csv
"""


@click.command(epilog=EXAMPLE)
@click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--customer", metavar="COLUMN", help="Column with the customer id.")
@click.option("--time", metavar="COLUMN", help="Column with the date or time of an order.")
@click.option("--amount", metavar="COLUMN", help="Column with the money, or 'Quantity*Price'.")
@click.option("--as-of", metavar="DATE", help="End of observation; default: the last order.")
@click.option("--time-format", metavar="FORMAT", help="Of dates that are not ISO, e.g. %d/%m/%Y.")
@click.option("--time-zone", metavar="ZONE", help="Zone of the days, for times with an offset.")
@encoding_option
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of what is said.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the findings to FILE, .csv or .json.",
)
@click.option("--force", is_flag=True, help="Replace the file of --out.")
def examine(
    log: Path,
    encoding: str | None,
    language: Any,
    out: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    """Say what is odd about LOG (CSV or Parquet): in rows and money, and what to do about it.

    Columns that are not named are chosen by their names and by what they hold.
    """
    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise click.UsageError(f"--out {out} must end in .csv or .json.")
    not_there(out, force)
    from custvalue.data import examine as look
    from custvalue.report._for_rooms import read_as_written

    with told_once():
        found = look(read_as_written(log, encoding=encoding), **asked)
        if out is not None:
            _write(found, out, language)
    click.echo(found.text(language))
    click.echo("")
    click.echo(found.next_step(str(log), language))
    if out is not None:
        click.echo(f"wrote {out}")


def _write(found: Any, out: Path, language: Any) -> None:
    from custvalue._csv import write_csv
    from custvalue._files import whole_file

    with whole_file(out) as half:
        if out.suffix.lower() == ".csv":
            write_csv(found.table(language), half)
        else:
            text = json.dumps(found.to_dict(language), ensure_ascii=False, indent=2)
            half.write_text(text + "\n", encoding="utf-8")
