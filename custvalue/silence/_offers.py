"""The offers of a plan: what each costs, brings, and how many of it there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._frames import column, column_names, is_frame, missing_ids, same_rows
from custvalue._kernels import Limit
from custvalue._typing import Floats
from custvalue._units import check_share
from custvalue._warn import warn_caller
from custvalue.campaign import ResponseModel, UpliftModel
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    DataWarning,
    first_ids,
    nearest,
)

PER_CUSTOMER = ("response", "value", "margin", "contact_cost")
FIELDS = (*PER_CUSTOMER, "channel", "capacity", "arm")


@dataclass(frozen=True, eq=False)
class Offers:
    """Offers as numbers: arrays have a row a customer and a column an offer."""

    names: tuple[str, ...]
    channels: tuple[str, ...]
    response: Floats
    value: Floats
    margin: Floats
    cost: Floats
    limits: tuple[Limit, ...]


def read_offers(
    scores: Any,
    offers: Any,
    usual: Mapping[str, Any],
    known: Any,
    capacities: Mapping[str, int] | None,
) -> Offers:
    """Read offers; None is one without a name.

    Parameters
    ----------
    scores : frame or array-like
    offers : mapping, frame or None
    usual : mapping
        What holds for every offer that does not say otherwise.
    known : frame or array-like
        What models and names of columns are read from.
    capacities : mapping of channel to int, or None
    """
    said = {"": {}} if offers is None else _as_said(offers)
    problems = _problems(said, usual, capacities, alone=offers is None)
    if problems:
        raise DataContractError(problems)
    names = tuple(said)
    asked = [{**usual, **said[n]} for n in names]
    told = _told(asked, known)
    read = [_read(scores, n, its, known, told) for n, its in zip(names, asked, strict=True)]
    answers = [isinstance({**usual, **x}["response"], ResponseModel) for x in said.values()]
    if any(answers):
        warn_caller(
            "the plan rests on who answers: some would have come anyway, so its gains are an upper "
            "limit. What a contact adds is learned from a random control group (UpliftModel).",
            DataWarning,
        )
    response, value, margin, cost = (np.column_stack(each) for each in zip(*read, strict=True))
    channels = tuple(str(x.get("channel", name)) for name, x in said.items())
    of_channel = np.array(channels)
    limits = [
        Limit(np.arange(len(names)) == k, int(x["capacity"]))
        for k, x in enumerate(said.values())
        if "capacity" in x
    ]
    limits += [Limit(of_channel == c, int(room)) for c, room in (capacities or {}).items()]
    return Offers(names, channels, response, value, margin, cost, tuple(limits))


def _as_said(offers: Any) -> dict[str, dict[str, Any]]:
    """Offers by name, each with what it says; an empty cell says nothing."""
    if is_frame(offers):
        names = column_names(offers) or []
        if "offer" not in names:
            raise DataContractError(
                ContractProblem(
                    "missing-column",
                    f"offers has no column 'offer'; it has {', '.join(map(repr, names))}",
                    "One row an offer, its name in 'offer'.",
                )
            )
        columns = {name: _cells(column(offers, name)) for name in names}
        listed = [str(name) for name in columns.pop("offer")]
        twice = [k for k, name in enumerate(listed) if name in listed[:k]]
        if twice:
            raise DataContractError(
                ContractProblem.at(
                    "duplicate-offer",
                    f"offers has {listed[twice[0]]!r} more than once",
                    "Name each offer once; the same offer by two channels is two offers.",
                    twice,
                )
            )
        rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
        offers = dict(zip(listed, rows if columns else ({} for _ in listed), strict=True))
    if not isinstance(offers, Mapping) or not all(isinstance(x, Mapping) for x in offers.values()):
        raise ValueError(
            "offers must be a mapping of a name to what differs, such as {'letter': "
            "{'contact_cost': 0.5}}, or a table with a column 'offer'."
        )
    return {
        str(name): {str(key): x for key, x in its.items() if x is not None}
        for name, its in offers.items()
    }


def _cells(values: npt.NDArray[Any]) -> list[Any]:
    """Cells of a column of offers, None where nothing stands."""
    gone = missing_ids(values)
    return [None if g or x == "" else x for x, g in zip(values.tolist(), gone, strict=True)]


def _problems(
    said: Mapping[str, Mapping[str, Any]],
    usual: Mapping[str, Any],
    capacities: Mapping[str, int] | None,
    alone: bool,
) -> list[ContractProblem]:
    problems = []
    if not said:
        problems.append(ContractProblem("no-offers", "offers is empty", "Name one at least."))
    for name, its in said.items():
        where = "the plan" if alone else f"offer {name!r}"
        for field in its:
            if field not in FIELDS:
                cure = f"An offer has {', '.join(FIELDS)}.{nearest(field, FIELDS)}"
                problems.append(ContractProblem("unknown-field", f"{where} has {field!r}", cure))
        for field in ("response", "margin", "contact_cost"):
            if its.get(field, usual[field]) is None:
                cure = f"Pass {field}=" + ("." if alone else ", for all offers or in this one.")
                problems.append(ContractProblem(f"no-{field}", f"{where} has no {field}", cure))
        if "capacity" in its:
            problems += _room(f"capacity of {where}", its["capacity"])
    channels = [str(its.get("channel", name)) for name, its in said.items()]
    for channel, room in (capacities or {}).items():
        if channel not in channels:
            problems.append(
                ContractProblem(
                    "unknown-channel",
                    f"capacities has {channel!r}; no offer goes by this channel",
                    f"Channels are {', '.join(map(repr, dict.fromkeys(channels)))}."
                    + nearest(channel, channels),
                )
            )
        problems += _room(f"capacities[{channel!r}]", room)
    return problems


def _room(what: str, room: Any) -> list[ContractProblem]:
    try:
        fine = float(room) >= 0 and float(room) == int(room)
    except (TypeError, ValueError, OverflowError):
        fine = False
    cure = "A capacity is a whole number of contacts, 0 or more; leave it out where there is none."
    return [] if fine else [ContractProblem("capacity", f"{what} is {room!r}", cure)]


def _told(offers: list[dict[str, Any]], known: Any) -> dict[int, Floats]:
    """Ask each model once, also where several offers are arms of it."""
    models = {id(its["response"]): its["response"] for its in offers if "response" in its}
    return {
        key: model.predict(known) if isinstance(model, UpliftModel) else model.predict_chance(known)
        for key, model in models.items()
        if isinstance(model, (ResponseModel, UpliftModel))
    }


def _read(
    scores: Any, name: str, its: Mapping[str, Any], known: Any, told: dict[int, Floats]
) -> tuple[Floats, ...]:
    """Response, value, margin and cost of one offer, a number a customer each."""
    of = f" of offer {name!r}" if name else ""
    given = {field: _column(its.get(field), known, field + of) for field in PER_CUSTOMER}
    model = given["response"]
    least = 0.0
    if isinstance(model, (ResponseModel, UpliftModel)):
        least = -1.0 if isinstance(model, UpliftModel) else 0.0
        given["response"], given["value"] = _learned(
            model, told[id(model)], known, given["value"], its.get("arm", name), of
        )
    elif given["value"] is None:
        raise ValueError(f"value{of}=None needs a model that tells money as response=.")
    n = len(scores)
    limits = {"response": (least, 1.0), "value": (-np.inf, np.inf)}
    found = tuple(
        _spread(
            same_rows(scores, given[field], field), n, field + of, *limits.get(field, (0.0, np.inf))
        )
        for field in PER_CUSTOMER
    )
    check_share(found[2], "margin" + of)
    return found


def _column(x: Any, known: Any, what: str) -> Any:
    """Read a text as the name of a column, or as a number."""
    if not isinstance(x, str):
        return x
    names = (column_names(known) if is_frame(known) else None) or []
    if x in names:
        return column(known, x)
    try:
        return float(x)
    except ValueError:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"{what} is {x!r}: no number and no column of the customers",
                f"Columns are {', '.join(map(repr, names[:12])) or 'not named'}."
                + nearest(x, names),
            )
        ) from None


def _learned(
    model: ResponseModel | UpliftModel,
    found: Floats,
    known: Any,
    value: Any,
    arm: Any,
    of: str,
) -> tuple[Any, Any]:
    """Response and value as a model tells them."""
    if isinstance(model, ResponseModel):
        return found, model.predict_amount(known) if value is None else value
    if found.ndim > 1:
        arms = {str(code): k for k, code in enumerate(model.arms)}
        if str(arm) not in arms:
            cure = (
                "name each offer as its arm, or say it by arm="
                if of
                else "plan them by offers=, or one of them: pass its column of predict(X)"
            )
            raise ValueError(f"response={of} is a model of the arms {list(model.arms)!r}; {cure}.")
        found = found[:, arms[str(arm)]]
    if model.learned_.shares_of_outcome:
        if value is None:
            raise ValueError(
                f"response={of} is a model of orders: say by value= what one is worth."
            )
        return found, value
    if value is not None:
        raise ValueError(f"response={of} is a model of money: pass value=None, it tells the value.")
    return 1.0, found


def _spread(x: float | npt.ArrayLike, n: int, name: str, low: float, high: float) -> Floats:
    given = np.asarray(x, dtype=np.float64)
    if given.shape not in ((), (n,)):
        raise ValueError(f"{name} has shape {given.shape}; scores has {n:,} rows.")
    values = np.broadcast_to(given, (n,))
    bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
    if bad.any():
        limits = f"between {low:g} and {high:g}" if np.isfinite(high) else f"at least {low:g}"
        limits = "finite" if np.isinf(low) else f"finite and {limits}"
        raise ValueError(
            f"{name} must be {limits}; {int(bad.sum()):,} rows are not, first: "
            f"{', '.join(first_ids(np.flatnonzero(bad)))}."
        )
    return np.asarray(values)
