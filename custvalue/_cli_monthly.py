"""The commands of a month: ``custvalue fit | score | update | compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from custvalue._cli_campaign import not_there
from custvalue._cli_log import (
    COLUMNS,
    column_options,
    every_log_option,
    log_argument,
    policy_words,
    read_frame,
    reading_options,
    reading_words,
    said_words,
    source_of,
)
from custvalue._cli_page import ESTIMATORS, LANGUAGES, told_once

FIT = """\b
custvalue fit orders.csv --customer id --time date --amount paid --as-of 2024-05-31 \\
    --out model.json --summary summary.parquet
"""
SCORE = """\b
custvalue score summary.parquet --model model.json --out may.parquet
custvalue score orders.csv --model model.json --out may.parquet
"""
UPDATE = """\b
custvalue update summary.parquet june.csv --model model.json --as-of 2024-06-30 --batch june
"""
COMPARE = """\b
custvalue compare may.parquet june.parquet --model model.json --out changes.csv
"""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)

model_option = click.option(
    "--model", required=True, type=FILE, metavar="JSON", help="What custvalue fit wrote."
)
force_option = click.option("--force", is_flag=True, help="Replace files of these names.")


@click.command(epilog=FIT)
@log_argument
@every_log_option()
@click.option("--horizon", default="52W", show_default=True, help="How far every score looks.")
@click.option(
    "--estimator",
    type=click.Choice(["best", *ESTIMATORS]),
    default="law",
    show_default=True,
    help="What forecasts. law, law-shrunk and rate score a summary; the others need the log, as "
    "best does, which the log's own past chooses.",
)
@click.option(
    "--annual-discount-rate", type=float, default=0.10, show_default=True, help="0.10 is 10 %."
)
@click.option(
    "--margin", type=float, help="Share of spend that is profit; without it value is spend."
)
@click.option(
    "--out", type=OUT, default=Path("model.json"), show_default=True, metavar="JSON",
    help="File for the fitted model.",
)  # fmt: skip
@click.option(
    "--summary", type=OUT, metavar="PARQUET",
    help="File for the summary of the customers, which custvalue update goes on from.",
)  # fmt: skip
@force_option
def fit(
    log: tuple[str, ...],
    as_of: str | None,
    horizon: str,
    estimator: str,
    annual_discount_rate: float,
    margin: float | None,
    out: Path,
    summary: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    """Fit a value model on LOG once, and write it with all that is needed to use it again."""
    for path, end in ((out, ".json"), (summary, ".parquet")):
        if path is not None and path.suffix.lower() != end:
            raise click.UsageError(f"{path} must end in {end}.")
        not_there(path, force)
    from custvalue import monthly
    from custvalue.data import TransactionLog
    from custvalue.evaluation import BestValue, usual_parts
    from custvalue.monthly._for_rooms import write_table

    for_file, _ = policy_words(dict(asked))
    read = {**said_words(reading_words(dict(asked))), **for_file}
    model = None
    if estimator == "best":
        model = BestValue()
    elif ESTIMATORS[estimator] != ESTIMATORS["law"]:
        name = ESTIMATORS[estimator]
        model = BestValue({name: usual_parts()[name]})
    with told_once():
        frame, of_log = read_frame(log, asked)
        # gaps are kept for who goes on from the summary
        if summary is not None:
            of_log["carry"] = True
        known = TransactionLog(frame, **of_log, as_of=as_of, unit="D", tell_end=True)
        made = monthly.fit(
            known, model, horizon=horizon, annual_discount_rate=annual_discount_rate,
            margin=margin, read=read,
        )  # fmt: skip
        files = [made.write(out)]
        if summary is not None:
            files.append(write_table(known.summary("D"), summary))
    said = "; ".join(f"{use}: {word}" for use, word in made.verdict.items())
    click.echo(
        f"{made.n_customers:,} customers with {made.n_orders:,} orders to {made.as_of}; worth "
        f"{made.value:,.2f} over the next {horizon}"
    )
    click.echo(f"by its own past the forecast is good for: {said}")
    click.echo("wrote " + ", ".join(str(path) for path in files))


@click.command(epilog=SCORE)
@log_argument
@model_option
@column_options(required=False)
@reading_options
@click.option(
    "--out", type=OUT, default=Path("scores.parquet"), show_default=True, metavar="PARQUET",
    help="File for the scores.",
)  # fmt: skip
@force_option
def score(
    log: tuple[str, ...], model: Path, as_of: str | None, out: Path, force: bool, **asked: Any
) -> None:
    """Value every customer of LOG, or of a summary (Parquet), by a fitted model.

    Columns, marks and policies are those that custvalue fit was told, unless others are given.
    """
    if out.suffix.lower() != ".parquet":
        raise click.UsageError(f"{out} must end in .parquet.")
    not_there(out, force)
    from custvalue import monthly
    from custvalue.data import TransactionLog
    from custvalue.monthly._for_rooms import read_parquet, says_of_itself

    made = monthly.Artefact.open(model)
    with told_once():
        table: Any = None
        if len(log) == 1 and Path(log[0]).suffix.lower() == ".parquet":
            known = read_parquet(log[0])
            if says_of_itself(known):
                table = known
                if as_of is not None:
                    raise click.UsageError("a summary has its own as-of date; leave --as-of out.")
        if table is None:
            frame, of_log = _as_fitted(made, log, asked)
            table = TransactionLog(frame, **of_log, as_of=as_of, unit="D", tell_end=True)
        scores = monthly.score(made, table)
        monthly.write_scores(scores, out)
    counts = scores["status"].value_counts()
    said = ", ".join(f"{name} {n:,}" for name, n in counts.items())
    click.echo(f"{len(scores):,} customers worth {scores['value'].sum():,.2f}: {said}")
    click.echo(f"wrote {out}")


@click.command(epilog=UPDATE)
@click.argument("summary", type=FILE)
@log_argument
@model_option
@column_options(required=False)
@reading_options
@click.option(
    "--batch", metavar="NAME",
    help="Name of these rows; a batch that is in the summary already changes nothing.",
)  # fmt: skip
@click.option(
    "--out", type=OUT, metavar="PARQUET",
    help="File for the new summary; default: SUMMARY itself, once the new one is whole.",
)  # fmt: skip
@force_option
def update(
    summary: Path,
    log: tuple[str, ...],
    model: Path,
    as_of: str | None,
    batch: str | None,
    out: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    """Append the new rows of LOG to SUMMARY: what a summary of all rows would be.

    Columns, marks and policies are those that custvalue fit was told, unless others are given.
    """
    if out is not None and out.resolve() != summary.resolve():
        if out.suffix.lower() != ".parquet":
            raise click.UsageError(f"{out} must end in .parquet.")
        not_there(out, force)
    from custvalue import monthly
    from custvalue.data import update_summary
    from custvalue.monthly._for_rooms import read_parquet, write_table

    made = monthly.Artefact.open(model)
    with told_once():
        old = read_parquet(summary)
        frame, of_log = _as_fitted(made, log, asked)
        new = update_summary(old, frame, **of_log, as_of=as_of, batch=batch)
        if new is old:
            click.echo(f"batch {batch!r} is in {summary} already; nothing was changed")
            return
        where = write_table(new, out or summary)
    click.echo(f"{len(frame):,} rows appended: {len(old):,} customers are now {len(new):,}")
    click.echo(f"wrote {where}")


@click.command(epilog=COMPARE)
@click.argument("then", type=FILE)
@click.argument("now", type=FILE)
@click.option(
    "--model", type=FILE, metavar="JSON",
    help="What THEN was scored by: holds the forecast to what came.",
)  # fmt: skip
@click.option(
    "--new-model", type=FILE, metavar="JSON",
    help="What NOW was scored by, where the model was fitted again.",
)  # fmt: skip
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True,
    help="Of what is said.",
)  # fmt: skip
@click.option(
    "--out", type=OUT, metavar="FILE",
    help="File for the customers and what moved them (.csv, .parquet), or for all of it (.json).",
)  # fmt: skip
@force_option
def compare(
    then: Path,
    now: Path,
    model: Path | None,
    new_model: Path | None,
    language: Any,
    out: Path | None,
    force: bool,
) -> None:
    """Compare two files of scores: what came, who moved and why, what drifted, and what to do."""
    ends = (".csv", ".parquet", ".json")
    if out is not None and out.suffix.lower() not in ends:
        raise click.UsageError(f"{out} must end in {', '.join(ends)}.")
    not_there(out, force)
    from custvalue import monthly

    known, anew = (
        None if one is None else monthly.Artefact.open(one) for one in (model, new_model)
    )
    with told_once():
        found = monthly.compare(
            monthly.read_scores(then), monthly.read_scores(now), artefact=known, refitted=anew
        )
        if out is not None:
            _write(found, out, language)
    click.echo(found.text(language))
    click.echo("")
    table = found.bridge(language)
    click.echo(table.to_string(index=False, float_format=lambda value: f"{value:,.2f}"))
    if out is not None:
        click.echo(f"wrote {out}")


def _as_fitted(made: Any, log: tuple[str, ...], asked: dict[str, Any]) -> Any:
    """Read a log as the artefact's was, but for what is given otherwise."""
    from custvalue.report import read_log

    words = said_words(reading_words(asked))
    of_log = {**made.log, **{name: asked[name] for name in COLUMNS if asked[name] is not None}}
    read: dict[str, Any] = {**made.read, **words}
    if isinstance(read.get("names"), str):
        read["names"] = read["names"].split(",")
    columns = {name: of_log[name] for name in COLUMNS}
    whole = of_log.get("duplicates", "keep") != "keep"
    more = [of_log["order"]] if of_log.get("order") and "order" not in read else []
    return read_log(source_of(log), **columns, **read, more=more, whole=whole), of_log


def _write(found: Any, out: Path, language: Any) -> None:
    from custvalue._csv import write_csv
    from custvalue._files import whole_file

    with whole_file(out) as half:
        if out.suffix.lower() == ".json":
            text = json.dumps(found.to_dict(language), ensure_ascii=False, indent=2, default=str)
            half.write_text(text + "\n", encoding="utf-8")
        elif out.suffix.lower() == ".csv":
            write_csv(found.customers, half, ids=[found.customer])
        else:
            found.customers.to_parquet(half, index=False)
