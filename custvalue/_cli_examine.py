"""The command ``custvalue examine``: what is odd about a log, before anything is made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from custvalue._cli_campaign import not_there
from custvalue._cli_log import (
    column_options,
    log_argument,
    reading_options,
    reading_words,
    said_words,
    source_of,
)
from custvalue._cli_page import LANGUAGES, told_once
from custvalue._warn import warn_caller
from custvalue.exceptions import DataWarning

EXAMPLE = """\b
custvalue examine orders.csv
custvalue examine orders.csv --customer id --time date --amount paid --language zh --out odd.csv
"""


@click.command(epilog=EXAMPLE)
@log_argument
@column_options(required=False)
@reading_options
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
    log: tuple[str, ...],
    language: Any,
    out: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    """Say what is odd about LOG: in rows and money, and what to do about it.

    LOG is any file a shop has, several files, a pattern, or the address of a database. Columns that
    are not named are chosen by their names and by what they hold; the last line is the command that
    makes a report.
    """
    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise click.UsageError(f"--out {out} must end in .csv or .json.")
    not_there(out, force)
    from custvalue.data import examine as look
    from custvalue.report._for_rooms import (
        COUNTED,
        FileWords,
        begins_with_rows,
        read_as_written,
    )

    words = reading_words(asked)
    how = FileWords(words["encoding"], words["names"], words["sheet"], words["query"])
    # numbers are read as what they count without being told
    form = None if words["time_format"] in COUNTED else words["time_format"]
    with told_once():
        frame = read_as_written(source_of(log), how)
        if how.names is None and begins_with_rows(frame):
            words["names"] = [f"column{i}" for i in range(1, frame.shape[1] + 1)]
            frame = read_as_written(source_of(log), replace(how, names=words["names"]))
            warn_caller(
                "the first line is a row and no header, so that columns are called "
                f"{', '.join(words['names'])}; give them names of their own in --names.",
                DataWarning,
            )
        found = look(
            frame,
            **asked,
            time_format=form,
            time_zone=words["time_zone"],
        )
        if out is not None:
            _write(found, out, language)
    click.echo(found.text(language))
    click.echo("")
    click.echo(found.next_step(log, language, **said_words(words)))
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
