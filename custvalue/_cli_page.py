"""What every command that writes a page has alike: its last options, its notes, its last words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from custvalue._warn import heard
from custvalue._words import agree

# --estimator: names of `custvalue.evaluation.usual_parts`
ESTIMATORS = {
    "law": "law x own mean",
    "law-shrunk": "law x Gamma-Gamma",
    "chain": "Markov chain",
    "learner": "learner",
    "rate": "rate so far",
}
LANGUAGES, TABLES, FORMULAS = ("en", "zh"), ("csv", "parquet"), ("escape", "keep")


# of every command that reads, or writes, a CSV file
encoding_option = click.option(
    "--encoding",
    help="Of a CSV file; default: UTF-8, else GB 18030 where it is likely Chinese.",
)
formulas_option = click.option(
    "--formulas",
    type=click.Choice(FORMULAS),
    default="escape",
    show_default=True,
    help="Texts in CSV that a spreadsheet would run, such as an id =1+1: an apostrophe in "
    "front, or as they are.",
)


TRADES = ("shop", "grocery", "donations", "subscription", "b2b")


def with_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give a command several options, listed in this order."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# of every command that says what to do with a customer
playbook_options = with_options(
    click.option(
        "--trade",
        "of_trade",
        type=click.Choice(TRADES),
        help="Whose advice the page gives.  [default: shop]",
    ),
    click.option(
        "--playbook",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Your own advice (JSON, TOML or CSV): name of a segment, a stage or a grade of "
        "silence, and what to do. What it does not name, --trade says.",
    ),
)


def page_options(folder: str, *, encoding: bool = True) -> Callable[[Any], Any]:
    """Give a command the options of a page and its tables, in one order and wording.

    Parameters
    ----------
    folder : str
        Where the page goes unless ``--out`` says another.
    encoding : bool, default=True
        Whether the command has no other options that say how files are read.
    """
    return with_options(
        *([encoding_option] if encoding else []),
        click.option(
            "--language",
            type=click.Choice(LANGUAGES),
            default="en",
            show_default=True,
            help="Of the page.",
        ),
        click.option(
            "--tables",
            type=click.Choice(TABLES),
            default="csv",
            show_default=True,
            help="Kind of the table files.",
        ),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(folder),
            show_default=True,
            help="Folder to write to.",
        ),
        formulas_option,
        click.option(
            "--force",
            is_flag=True,
            help="Replace files in the folder that no such page wrote or that were changed since.",
        ),
        click.option("--quiet", is_flag=True, help="Write no summary and no progress."),
    )


def last_words(text: str, files: list[Path]) -> None:
    """Say the summary of a page, and which files were written."""
    click.echo(text)
    click.echo("wrote " + ", ".join(str(path) for path in files))


@contextmanager
def told_once() -> Iterator[None]:
    """Write each of the library's warnings to the terminal once, and nobody else's."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with heard() as told:
        try:
            yield
        finally:
            for text in dict.fromkeys(agree(one_line(str(one))) for one in told):
                click.echo(f"custvalue: note: {text}", err=True)


def one_line(text: str) -> str:
    """``text`` on one line."""
    return " ".join(part.strip() for part in text.splitlines() if part.strip())
