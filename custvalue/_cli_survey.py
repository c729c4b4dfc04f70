"""The command ``custvalue survey``: a file of ratings in, a page about perceived value out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from custvalue._cli_page import last_words, page_options, told_once

EXAMPLE = """\b
custvalue survey ratings.csv --scale 1 5 --benefit taste --benefit speed --sacrifice value \\
    --brand rest --respondent id --outcome pref --weights derived --focal Subway --out survey/
"""


@click.command(epilog=EXAMPLE)
@click.argument("ratings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--scale",
    nargs=2,
    type=float,
    required=True,
    metavar="LOW HIGH",
    help="Lowest and highest answer that could be given; never guessed.",
)
@click.option(
    "--benefit",
    "benefits",
    multiple=True,
    required=True,
    metavar="COLUMN",
    help="Column with answers about what customers get; once for each.",
)
@click.option(
    "--sacrifice",
    "sacrifices",
    multiple=True,
    required=True,
    metavar="COLUMN",
    help="Column with answers about what customers give, such as the price; once for each.",
)
@click.option("--brand", default="brand", show_default=True, metavar="COLUMN", help="Brand rated.")
@click.option("--respondent", metavar="COLUMN", help="Who answered; default: each row another.")
@click.option("--wave", metavar="COLUMN", help="Wave of the survey, where there are several.")
@click.option("--outcome", metavar="COLUMN", help="Overall value, satisfaction or preference.")
@click.option(
    "--weights",
    type=click.Choice(["equal", "derived"]),
    default="equal",
    show_default=True,
    help="Of the attributes; derived shares out what explains the outcome.",
)
@click.option(
    "--quality-weight",
    type=float,
    metavar="SHARE",
    help="Weight of benefits against sacrifices, 0.5 is equal; default: learned from the outcome.",
)
@click.option(
    "--sacrifices-are",
    type=click.Choice(["satisfaction", "burden"]),
    default="satisfaction",
    show_default=True,
    help="Whether more is better in answers about sacrifices, or worse.",
)
@click.option(
    "--not-applicable",
    multiple=True,
    type=float,
    metavar="CODE",
    help="Code of no answer, such as 0 on a scale from 1 to 5; once for each.",
)
@click.option("--focal", metavar="BRAND", help="The brand that is 'we'.")
@click.option("--against", metavar="BRAND", help="Whom to compare with; default: all others.")
@click.option("--title", help="Of the page.")
@page_options("survey")
def survey(
    ratings: Path,
    benefits: tuple[str, ...],
    sacrifices: tuple[str, ...],
    focal: str | None,
    against: str | None,
    title: str | None,
    encoding: str | None,
    language: Any,
    tables: Any,
    formulas: Any,
    out: Path,
    quiet: bool,
    force: bool,
    **asked: Any,
) -> None:
    """Write a page about perceived value from RATINGS, one row a respondent and brand."""
    if against is not None and focal is None:
        raise click.UsageError("--against needs --focal: name the brand that is compared.")
    from custvalue.report import make_survey_report, read_log
    from custvalue.survey import PerceivedValue

    attributes = [*benefits, *sacrifices]
    more = [*attributes[1:], *(asked[name] for name in ("wave", "outcome") if asked[name])]
    # ids and brands stay as they are written, as in a log; answers are numbers
    who = asked["respondent"] or asked["brand"]
    columns = {"customer": who, "time": asked["brand"], "amount": attributes[0]}
    with told_once():
        frame = read_log(ratings, **columns, more=more, encoding=encoding)
        value = PerceivedValue(benefits=benefits, sacrifices=sacrifices, **asked).fit(frame)
        made = make_survey_report(
            value,
            focal=focal,
            against=against,
            language=language,
            title=title,
            source=ratings.name,
        )
        files = made.write(out, tables=tables, formulas=formulas, force=force)
    if not quiet:
        last_words("\n".join(made.summary), files)
