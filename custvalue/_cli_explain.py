"""The command ``custvalue explain``: one customer's value, why, what moved, and what to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from custvalue._cli_campaign import not_there
from custvalue._cli_log import every_log_option, log_argument, read_frame
from custvalue._cli_page import ESTIMATORS, LANGUAGES, playbook_options, told_once

EXAMPLE = """\b
custvalue explain orders.csv --customer id --time date --amount paid --customer-id 1042 \\
    --since 2024-01-01 --language zh --out 1042.csv --picture 1042.svg
"""


@click.command(epilog=EXAMPLE)
@log_argument
@click.option("--customer-id", required=True, metavar="ID", help="Whom to explain.")
@every_log_option()
@click.option("--since", metavar="DATE", help="Say what moved since then, and by how much.")
@click.option("--horizon", default="52W", show_default=True, help="How far to forecast.")
@click.option(
    "--estimator",
    type=click.Choice(["best", *ESTIMATORS]),
    default="best",
    show_default=True,
    help="What forecasts: what the log's own past chooses, or one method, tested on it.",
)
@click.option(
    "--annual-discount-rate", type=float, default=0.10, show_default=True, help="0.10 is 10 %."
)
@click.option(
    "--margin", type=float, help="Share of spend that is profit; without it value is spend."
)
@playbook_options
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
    help="Write the table to FILE, .csv or .json.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw it to FILE, .svg or .png.",
)
@click.option("--force", is_flag=True, help="Replace the files of --out and --picture.")
def explain(
    log: tuple[str, ...],
    customer_id: str,
    since: str | None,
    horizon: str,
    estimator: str,
    annual_discount_rate: float,
    margin: float | None,
    as_of: str | None,
    language: Any,
    out: Path | None,
    picture: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    """Explain one customer of LOG: value, chance, range, why, what moved, what to do.

    The numbers and the advice are those of `custvalue report` with the same options.
    """
    for path, ends in ((out, (".csv", ".json")), (picture, (".svg", ".png"))):
        if path is not None and path.suffix.lower() not in ends:
            raise click.UsageError(f"{path} must end in {' or '.join(ends)}.")
        not_there(path, force)
    from custvalue._units import check_share
    from custvalue.data import TransactionLog
    from custvalue.evaluation import BestValue, explain_customer, usual_parts
    from custvalue.report._for_rooms import as_the_report_advises, playbook_of

    if margin is not None:
        check_share(margin, "margin", above=True)
    plays = playbook_of(asked.pop("playbook"), asked.pop("of_trade"))
    models = None
    if estimator != "best":
        models = {ESTIMATORS[estimator]: usual_parts()[ESTIMATORS[estimator]]}
    with told_once():
        frame, of_log = read_frame(log, asked)
        known = TransactionLog(frame, **of_log, as_of=as_of, unit="D", tell_end=True)
        model = BestValue(
            models,
            horizon=horizon,
            annual_discount_rate=annual_discount_rate,
            margin=1.0 if margin is None else margin,
            progress=sys.stderr.isatty(),
        ).fit(known)
        story = explain_customer(model, known, customer_id, since=since)
        story = as_the_report_advises(story, model, known, plays, language)
        if out is not None:
            _write(story, out, language)
        if picture is not None:
            _draw(story, picture, language)
    click.echo(story.text(language))
    click.echo("")
    table = story.table(language)
    click.echo(table.to_string(index=False, float_format=lambda value: f"{value:,.2f}"))
    files = [str(path) for path in (out, picture) if path is not None]
    if files:
        click.echo("wrote " + ", ".join(files))


def _write(story: Any, out: Path, language: Any) -> None:
    from custvalue._csv import write_csv
    from custvalue._files import whole_file

    with whole_file(out) as half:
        if out.suffix.lower() == ".csv":
            write_csv(story.table(language), half)
        else:
            text = json.dumps(story.to_dict(language), ensure_ascii=False, indent=2)
            half.write_text(text + "\n", encoding="utf-8")


def _draw(story: Any, picture: Path, language: Any) -> None:
    from custvalue._files import whole_file
    from custvalue.plotting import ContributionDisplay, svg_text

    of: Any = "value" if story.then is None else "change"
    figure = ContributionDisplay.from_story(story, of, language=language).figure_
    with whole_file(picture) as half:
        if picture.suffix.lower() == ".svg":  # letters stay text
            half.write_text(svg_text(figure, title=story.customer) + "\n", encoding="utf-8")
        else:
            figure.savefig(half)
