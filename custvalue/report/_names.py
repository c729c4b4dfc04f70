"""What the page says of names: how they were tested, what they rest on, and what to do first."""

from __future__ import annotations

from typing import Any

from custvalue.report._words import Words

WORTH = ("cannot lose", "at risk")
SOME = 5  # customers of a segment that is spoken of first
HARDLY = 0.03  # share that ordered after earlier dates, below which nobody is turned to first
UNLIKE = 0.15  # of the usual pace: a time ahead that differs by more is spoken of
MANY_NEW = 0.05  # share of the customers from which new ones are spoken of first


def segments_lead(names: dict[str, Any], w: Words) -> str:
    """Say what segments are cut by."""
    if names["cuts"] == "quintiles":
        return w(
            "Customers scored 1 to 5 on how recently, how often and how much they bought; a "
            "segment's name says its scores, that is, who comes before whom. Every customer is in "
            "exactly one segment."
        )
    if names["usual_gap"] is not None:
        return w(
            "Customers by how long they have been silent, in their own usual gaps between orders, "
            "by how often they ordered and how much they spent. Every customer is in exactly one "
            "segment."
        )
    return w(
        "Customers by how long they have been silent, how often they ordered and how much they "
        "spent. Every customer is in exactly one segment."
    )


def name_notes(names: dict[str, Any], w: Words) -> list[str]:
    """Say what a usual gap is, and how each name did at earlier dates."""
    notes = []
    if names["usual_gap"] is not None:
        notes.append(
            w(
                "A usual gap is the mean of the customer's own gaps between orders, drawn to that "
                "of customers with as many orders; one-time buyers have everybody's, {days}.",
                days=w.cell(names["usual_gap"], "days"),
            )
        )
    if names["dates"] and names["cuts"] == "quintiles":
        notes.append(
            w(
                "The names claim nothing of what customers will do; what those of each did was "
                "counted on the log's own past, on {dates}.",
                dates=w(", ").join(names["dates"]),
            )
        )
    elif names["dates"]:
        notes.append(
            w(
                "The names were tested on the log's own past, on {dates}, and held to the "
                "forecast; {n} did not hold and were taken together with others or renamed."
                if names["changed"] > 1
                else "The names were tested on the log's own past, on {dates}, and held to the "
                "forecast; {n} did not hold and was taken together with another or renamed.",
                dates=w(", ").join(names["dates"]),
                n=names["changed"],
            )
            if names["changed"]
            else w(
                "The names were tested on the log's own past, on {dates}, and held to the "
                "forecast; all of them hold.",
                dates=w(", ").join(names["dates"]),
            )
        )
    return notes + names["words"] + _season_ahead(names, w)


def _season_ahead(names: dict[str, Any], w: Words) -> list[str]:
    """Say so where chances of an order are of a busy or a slow time, and tests were not."""
    if abs(names["pace"] - 1.0) <= UNLIKE:
        return []
    return [
        w(
            "By the season of past years the {days} days ahead are slow, at {pace} of the usual "
            "pace: chances of an order in them are lower than what earlier dates saw."
            if names["pace"] < 1.0
            else "By the season of past years the {days} days ahead are busy, at {pace} of the "
            "usual pace: chances of an order in them are higher than what earlier dates saw.",
            days=w.cell(names["window"], "int"),
            pace=w.cell(names["pace"], "share"),
        )
    ]


def nobody_quiet(w: Words) -> str:
    """Say that nobody is quiet, and why that may be."""
    return w(
        "Nobody is called quiet: nobody was silent for long, or by earlier dates or the forecast "
        "such customers order about as often as the others."
    )


def quiet_rule(cuts: Any, w: Words) -> str:
    """Say when a customer is called quiet."""
    if isinstance(cuts, str):
        return w(
            "A customer is quiet who has been silent for more than three of the own usual gaps, "
            "where such customers ordered much less at earlier dates and by the forecast."
        )
    return w(
        "A customer is quiet who has been silent for longer than the cuts that were given allow, "
        "where such customers ordered much less at earlier dates and by the forecast."
    )


def stage_notes(stages: dict[str, Any], w: Words) -> list[str]:
    """Say what the stages rest on, and whether upgrades can be spoken of."""
    windows = stages["windows"]
    notes = [
        w(
            "Problem: established, and quiet now. Exited: quiet, with a chance of an order below 5 "
            "% within the forecast's horizon. Still on trial: too few orders for longer than usual."
        )
    ]
    if stages["tested"]["dates"]:
        notes.append(
            w(
                "The stages were tested on the log's own past: what share of those who stood there "
                "on {date} ordered within the {days} days after it. Who was gone by then is told "
                "by a forecast of the whole log, which is kinder to that name than a new date.",
                date=stages["tested"]["dates"][0],
                days=w.cell(stages["tested"]["days"], "int"),
            )
        )
    notes += stages["tested"]["words"]
    low, high = (w.cell(days, "days") for days in windows["new"])
    if windows["fit"] and not stages["upgrades"]:
        notes.append(
            w(
                "Upgrades are not spoken of: most customers have been in their stage for longer "
                "than its window, and stay there."
            )
        )
    if not windows["fit"]:
        return [
            *notes,
            w(
                "Upgrades are not spoken of: too few customers came that far, or they took another "
                "time than the window of {low} to {high}.",
                low=low,
                high=high,
            ),
        ]
    if windows["learned"]:
        notes.append(
            w(
                "Windows are learned: half of the customers with {n} orders or more took {low} to "
                "{high} from the first to their order number {n}.",
                n=windows["orders"][0],
                low=low,
                high=high,
            )
        )
    return notes


def _hopeless(row: dict[str, Any]) -> bool:
    """Whether earlier dates saw customers of a segment, and hardly any who came back."""
    return row["ordered"] is not None and row["ordered"] < HARDLY


def first_to_do(facts: dict[str, Any], w: Words) -> str:
    """Say whom to turn to first: those who were worth it and are silent, else those who came last.

    Parameters
    ----------
    facts : dict
        What the page says.
    words : Words
    """
    large = [row for row in facts["segments"] if row["customers"] >= SOME]
    rows = {row["segment"]: row for row in large}
    days, dates = f"{facts['names']['days']:g}", len(facts["names"]["dates"])
    # whoever came back hardly ever is not the first to spend on, whatever they were worth
    silent = [rows[name] for name in WORTH if name in rows and not _hopeless(rows[name])]
    if silent:
        row = max(silent, key=lambda one: one["value"])
        text = w(
            "Turn first to “{segment}”: {n} customers who ordered {orders} times each and brought "
            "{past} of all spend, silent for {silence} now.",
            segment=w.name(row["segment"]),
            n=w.cell(row["customers"], "int"),
            orders=w.cell(row["orders_each"], "number"),
            past=w.cell(row["value_share"], "share"),
            silence=w.cell(row["silence"], "days"),
        )
    elif "new customers" in rows and rows["new customers"]["customer_share"] >= MANY_NEW:
        row = rows["new customers"]
        text = w(
            "Turn first to “{segment}”: {n} placed their only order about {silence} ago; bring the "
            "second.",
            segment=w.name(row["segment"]),
            n=w.cell(row["customers"], "int"),
            silence=w.cell(row["silence"], "days"),
        )
    else:
        row = max(large or facts["segments"], key=lambda one: one["value"])
        text = w(
            "Keep “{segment}”: {n} customers who brought {past} of all spend.",
            segment=w.name(row["segment"]),
            n=w.cell(row["customers"], "int"),
            past=w.cell(row["value_share"], "share"),
        )
    if not dates or row["ordered"] is None or row["ordered"] != row["ordered"]:
        return text
    return (
        text
        + w(" ")
        + w(
            "Of such customers {share} ordered within {days} days, at {dates} earlier dates."
            if dates > 1
            else "Of such customers {share} ordered within {days} days, at an earlier date.",
            share=w.cell(row["ordered"], "share"),
            days=days,
            dates=dates,
        )
    )
