"""The command ``custvalue campaign``: size of a test, who gets which offer, what it brought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from custvalue._cli_page import (
    LANGUAGES,
    encoding_option,
    formulas_option,
    told_once,
    with_options,
)

if TYPE_CHECKING:
    import pandas as pd

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PLAN = """\b
custvalue campaign plan last_year.csv --outcome spend --effect 3 --control-share 0.2
"""
OFFERS = """\b
custvalue campaign offers customers.csv --offers offers.csv --customer id --value expected \\
    --margin 0.3 --budget 5000 --capacity phone=300 --out list.csv
"""
MEASURE = """\b
custvalue campaign measure customers.csv --arm arm --control none --outcome spend \\
    --before forecast --group region --margin 0.3 --contact-cost 0.4 --out effect.csv
"""


language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of words and headings.",
)
# of a file of customers, and of words
file_options = with_options(
    click.option("--outcome", required=True, metavar="COLUMN", help="Spend; or 1 for ordered."),
    click.option("--confidence", type=float, default=0.95, show_default=True),
    encoding_option,
    language_option,
)
# of a table that is written
out_options = with_options(
    click.option(
        "--out",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="CSV",
        help="File for the table: effects by campaign and group, or the whole list.",
    ),
    formulas_option,
    click.option("--force", is_flag=True, help="Replace the file of --out."),
)


def not_there(out: Path | None, force: bool) -> None:
    if out is not None and out.exists() and not force:
        raise click.UsageError(f"{out} is there; --force replaces it.")
    if out is not None and not out.absolute().parent.is_dir():
        raise click.UsageError(f"the folder {str(out.parent)!r} of {out} does not exist; make it.")


@click.group()
def campaign() -> None:
    """Plan a test, choose offers, and measure what a campaign brought against a control group."""


@campaign.command(epilog=PLAN)
@click.argument("past", type=FILE)
@file_options
@click.option("--effect", type=float, help="Smallest mean effect a customer that is worth knowing.")
@click.option(
    "--customers",
    "n_customers",
    type=click.IntRange(2),
    metavar="N",
    help="All customers there are; default: those of PAST.",
)
@click.option("--power", type=float, default=0.8, show_default=True)
@click.option(
    "--control-share",
    type=float,
    default=0.5,
    show_default=True,
    help="Share of all customers that are held out.",
)
@click.option(
    "--correlation",
    type=float,
    default=0.0,
    show_default=True,
    help="Of what is known before with the outcome; `campaign measure` says it.",
)
@click.option("--campaigns", "n_campaigns", type=click.IntRange(1), default=1, show_default=True)
def plan(
    past: Path,
    outcome: str,
    encoding: str | None,
    language: Any,
    effect: float | None,
    n_customers: int | None,
    **asked: Any,
) -> None:
    """Say how many customers a test needs, and what it can show, from PAST outcomes.

    PAST (CSV or Parquet) has one row a customer: what each brought over a time as long as the
    campaign will be watched, 0 for nothing.
    """
    from custvalue._frames import float_vectors
    from custvalue.campaign import plan_test
    from custvalue.report._for_rooms import read_table

    with told_once():
        frame = read_table(past, encoding=encoding)
        (spent,) = float_vectors(frame, [outcome], caller=past.name)
        if effect is not None:
            click.echo(plan_test(spent, effect=effect, **asked).sentence(language))
        # what the customers who are there can show
        there = len(spent) if n_customers is None else n_customers
        click.echo(plan_test(spent, n_customers=there, **asked).sentence(language))


@campaign.command(epilog=OFFERS)
@click.argument("customers", type=FILE)
@click.option(
    "--offers", "offer_file", type=FILE, required=True, help="One row an offer; see above."
)
@click.option("--customer", metavar="COLUMN", help="Column with the customer id.")
@click.option("--response", metavar="NUMBER|COLUMN", help="Chance that a contact wins a customer.")
@click.option("--value", metavar="NUMBER|COLUMN", help="Value of who is won, before margin.")
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share that is kept.")
@click.option("--contact-cost", metavar="NUMBER|COLUMN", help="Of one contact.")
@click.option("--budget", type=float, metavar="MONEY", help="Of all contacts.")
@click.option(
    "--capacity",
    multiple=True,
    metavar="CHANNEL=CONTACTS",
    help="Most contacts by a channel; once for each.",
)
@click.option("--holdout", type=float, default=0.1, show_default=True, help="Share in control.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the control group's draw.")
@language_option
@encoding_option
@out_options
def offers(
    customers: Path,
    offer_file: Path,
    customer: str | None,
    capacity: tuple[str, ...],
    encoding: str | None,
    out: Path | None,
    formulas: Any,
    force: bool,
    **asked: Any,
) -> None:
    """Say who of CUSTOMERS (CSV or Parquet, one row a customer) gets which offer.

    The file of --offers has a row an offer: its name in "offer", and those of response, value,
    margin, contact_cost (each a number or a column of CUSTOMERS), channel and capacity that differ.
    Each customer gets one offer at most; a share of them is held out, to measure each offer by.
    """
    not_there(out, force)
    from custvalue._csv import write_csv
    from custvalue._frames import column
    from custvalue.exceptions import ContractProblem, DataContractError, no_column
    from custvalue.report._for_rooms import read_table
    from custvalue.silence import activation_plan, plan_totals

    rooms = [one.rpartition("=") for one in capacity]
    if not all(channel and room.isdigit() for channel, _, room in rooms):
        raise click.UsageError("--capacity is CHANNEL=CONTACTS, such as phone=300.")
    with told_once():
        frame = read_table(
            customers, texts=[] if customer is None else [customer], encoding=encoding
        )
        if customer is not None:
            if customer not in frame:
                raise DataContractError(no_column(customer, frame.columns, customers.name))
            twice = frame[customer].duplicated().to_numpy().nonzero()[0]
            if len(twice):
                raise DataContractError(
                    ContractProblem.at(
                        "duplicate-customer",
                        f"{customer!r} names customers who came before",
                        "One row a customer.",
                        twice,
                    )
                )
        plan = activation_plan(
            frame,
            asked.pop("value"),
            offers=read_table(offer_file, encoding=encoding),
            capacities={channel: int(room) for channel, _, room in rooms},
            customers=None if customer is None else column(frame, customer),
            grades=None,
            **asked,
        )
        said = [plan_totals(plan).round(4).to_string(index=False)]
        if out is not None:
            write_csv(plan, out, formulas=formulas)
            said.append(f"wrote {out}")
    click.echo("\n".join(said))


@campaign.command(epilog=MEASURE)
@click.argument("customers", type=FILE)
@file_options
@click.option("--arm", required=True, metavar="COLUMN", help="What each customer got.")
@click.option("--control", default="control", show_default=True, help="The arm that got nothing.")
@click.option("--customer", metavar="COLUMN", help="Column with the customer id: each comes once.")
@click.option(
    "--before",
    multiple=True,
    metavar="COLUMN",
    help="Known before the draw, best of all a forecast; once for each.",
)
@click.option("--per", metavar="COLUMN", help="Count that outcomes are divided by, e.g. orders.")
@click.option("--group", metavar="COLUMN", help="Also the effect in each group, e.g. a region.")
@click.option("--margin", type=float, default=1.0, show_default=True, help="Share that is kept.")
@click.option("--contact-cost", type=float, default=0.0, metavar="MONEY", help="Of one contact.")
@out_options
def measure(
    customers: Path,
    outcome: str,
    encoding: str | None,
    language: Any,
    arm: str,
    control: str,
    customer: str | None,
    before: tuple[str, ...],
    per: str | None,
    group: str | None,
    out: Path | None,
    formulas: Any,
    force: bool,
    **asked: Any,
) -> None:
    """Say what a campaign brought: CUSTOMERS (CSV or Parquet) has one row a customer.

    The arms must have been drawn at random. Customers who did not open or answer are in the file
    too, with what they brought.
    """
    not_there(out, force)
    from custvalue._csv import write_csv
    from custvalue.campaign import campaign_effect, covariate_balance
    from custvalue.campaign._for_rooms import CampaignEffects
    from custvalue.report._for_rooms import read_table

    texts = [name for name in (arm, customer, group) if name is not None]
    with told_once():
        frame = read_table(customers, texts=texts, encoding=encoding)
        numbers = [outcome, *before, *([per] if per is not None else [])]
        arms = _arms(frame, texts, numbers, arm, control, customers.name)
        if customer is not None:
            frame = frame.set_index(customer)
        none = frame[(frame[arm] == control).to_numpy()]
        treated = {name: frame[(frame[arm] == name).to_numpy()] for name in arms}

        def of(columns: Any) -> Any:
            """Give the columns of the treated, as one campaign or several, and of control."""
            sent = {name: rows[columns] for name, rows in treated.items()}
            return (sent if len(arms) > 1 else sent[arms[0]]), none[columns]

        found = campaign_effect(
            *of(outcome),
            before=of(list(before)) if before else None,
            per=of(per) if per is not None else None,
            groups=of(group) if group is not None else None,
            **asked,
        )
        said = [found.sentence(language)]
        if before:
            for name, rows in treated.items():
                balance = covariate_balance(rows[list(before)], none[list(before)])
                said.append(f"{name}: {balance.sentence(language)}")
        several = (
            found if isinstance(found, CampaignEffects) else CampaignEffects(((arms[0], found),))
        )
        table = several.table(language) if group is None else _by_group(several, language)
        if group is not None:
            said.append(table.to_string(index=False))
        if out is not None:
            write_csv(table, out, formulas=formulas)
            said.append(f"wrote {out}")
    click.echo("\n".join(said))


def _arms(
    frame: pd.DataFrame, texts: list[str], numbers: list[str], arm: str, control: str, file: str
) -> list[str]:
    """Arms beside control; everything that is wrong with the file is said together."""
    from custvalue._frames import float_vectors
    from custvalue.exceptions import ContractProblem, DataContractError, no_column

    problems = [no_column(name, frame.columns, file) for name in texts if name not in frame]
    try:
        float_vectors(frame, numbers, caller=file)
    except DataContractError as error:
        problems += error.problems
    arms: list[str] = []
    if arm in frame:
        gone = frame[arm].isna().to_numpy().nonzero()[0]
        arms = [str(name) for name in frame[arm].dropna().unique()]
        if len(gone):
            cure = "Who was in no arm does not belong in the file."
            text = f"{arm!r} has rows without an arm"
            problems.append(ContractProblem.at("missing-arm", text, cure, gone))
        listed = ", ".join(map(repr, arms[:10]))
        if control not in arms:
            cure = (
                "Name the control group with --control; without one there is a change, no effect."
            )
            text = f"no customer has {arm} {control!r}; there are {listed}"
            problems.append(ContractProblem("no-control", text, cure))
        elif len(arms) == 1:
            cure = "Customers who got the campaign belong in the file too."
            problems.append(ContractProblem("one-arm", f"every {arm} is {control!r}", cure))
    if problems:
        raise DataContractError(problems)
    return [name for name in arms if name != control]


def _by_group(found: Any, language: Any) -> pd.DataFrame:
    import pandas as pd

    tables = []
    for name, effect in found.items():
        table = effect.group_table(language)
        # the heading as the table of campaigns has it
        table.insert(0, str(found.table(language).columns[0]), name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
