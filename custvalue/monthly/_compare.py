"""Two months of scores: what came of the forecast, who moved and why, and whether to fit again."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from custvalue._frames import TableFacts, column_names, facts_of, places_of, with_facts
from custvalue._peers import PARTS, Peers, histories_in
from custvalue._typing import Floats
from custvalue._units import same_unit
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    TimeUnitError,
    first_ids,
    no_column,
)
from custvalue.metrics import calibration_table
from custvalue.monthly._artefact import Artefact
from custvalue.monthly._comparison import (
    GONE,
    NEW,
    STAYED,
    Came,
    WhatChanged,
    advice_of,
)
from custvalue.monthly._inputs import INPUTS, Shares
from custvalue.monthly._scores import KEPT, KIND

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.9


def compare(
    then: pd.DataFrame,
    now: pd.DataFrame,
    *,
    artefact: Artefact | None = None,
    refitted: Artefact | None = None,
) -> WhatChanged:
    """Compare the scores of two dates: what came, who moved and why, what has drifted.

    Parameters
    ----------
    then, now : DataFrame
        What `score` gave at an earlier and a later date.
    artefact : Artefact, optional
        The one that made ``then``. With it the forecast is held to what came, and drift is measured
        from the customers that it was fitted on; without it from those of ``then``.
    refitted : Artefact, optional
        The one that made ``now``, where the model was fitted again in between: what the new model
        says otherwise of the same customers is then a part of its own (``model``).

    Returns
    -------
    WhatChanged

    Raises
    ------
    DataContractError
        If a table holds no scores, lacks columns or has a customer twice; if ``now`` is not after
        ``then``; if horizon or rate differ, or an artefact is not the one that made its scores.
    TimeUnitError
        If the units of time differ.

    Notes
    -----
    The change of who is in both is shared out by customers who are alike in orders, silence and
    spend, as `custvalue.explain_customer` does, measured on the customers of ``now``; the parts of
    a customer add up to the change of the value, and all customers' to that of the total.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> before = log.until("1998-03-31")
    >>> made = cv.monthly.fit(before, horizon="26W")
    >>> then, now = (cv.monthly.score(made, one.summary("D")) for one in (before, log))
    >>> found = cv.monthly.compare(then, now, artefact=made)
    >>> found.days, found.advice, round(found.came.ratio, 2)
    (91, 'refit', 0.67)
    >>> bridge = found.bridge().set_index("part")["value"]
    >>> bool(abs(bridge[:-1].sum() - bridge["value now"]) < 1e-6)
    True
    """
    told = [_checked(one, name) for one, name in ((then, "then"), (now, "now"))]
    days = _check_pair(*told)
    for made, facts, name in ((artefact, told[0], "artefact"), (refitted, told[1], "refitted")):
        if made is not None:
            _check_maker(made, facts, name)
    anew = told[0].extra["artefact"] != told[1].extra["artefact"]
    customer = told[0].customer
    ids = pd.Index(now[customer])
    at = places_of(then[customer].to_numpy(), now[customer].to_numpy())
    known = now["value"].notna().to_numpy()
    gone = then[~then[customer].isin(ids).to_numpy()]
    moved = _moves(then, now, at, known, told, refitted if anew else None)
    rows = pd.DataFrame({customer: now[customer].to_numpy(), **moved})
    lost = gone["value"].fillna(0.0).to_numpy()
    if len(gone):
        more = pd.DataFrame({customer: gone[customer].to_numpy(), "move": GONE, "value_then": lost,
                             "value_now": 0.0, "change": -lost})  # fmt: skip
        rows = pd.concat([rows, more], ignore_index=True)
    numbers = [name for name in rows.columns if name not in (customer, "move")]
    rows[numbers] = rows[numbers].fillna(0.0)
    came = None if artefact is None else _came(artefact, then, now, at, days)
    drift = _drift(then, now, artefact)
    far = float((now["status"] == "out_of_training_range").mean()) if len(now) else 0.0
    advice, reasons = advice_of(came, drift, far)
    return WhatChanged(
        customer=customer,
        then=told[0].as_of[:10],
        now=told[1].as_of[:10],
        days=days,
        horizon=str(told[0].extra["horizon"]),
        customers=rows.sort_values("change", key=lambda v: -v.abs(), kind="stable",
                                   ignore_index=True),
        came=came,
        drift=drift,
        advice=advice,
        reasons=reasons,
        fitted_anew=anew,
        left_out=int((~known).sum()),
    )  # fmt: skip


def _moves(
    then: pd.DataFrame,
    now: pd.DataFrame,
    at: Any,
    known: Any,
    told: Sequence[TableFacts],
    refitted: Artefact | None,
) -> dict[str, Any]:
    """Columns of everybody who is there now: the change, and its parts."""
    value = now["value"].fillna(0.0).to_numpy(dtype=np.float64)
    there = at >= 0
    before = np.zeros(len(now))
    before[there] = then["value"].fillna(0.0).to_numpy(dtype=np.float64)[at[there]]
    model = np.zeros(len(now))
    if refitted is not None and there.any():
        rows = _as_summary(then.iloc[at[there]], told[0])
        good = then["value"].notna().to_numpy()[at[there]]
        said = np.where(good, 0.0, before[there])
        if refitted.reads_summary and good.any():
            said[good] = refitted.model.predict(_as_summary(rows[good], told[0]))
            model[there] = said - before[there]
    parts = np.zeros((len(now), len(PARTS)))
    both = there & known
    if both.any():
        here = histories_in(now[known])
        assert here is not None
        peers = Peers.learned(here, value[known])
        now_parts = np.zeros((len(now), len(PARTS)))
        now_parts[known] = peers.parts(here, value[known])
        past = histories_in(then.iloc[at[both]])
        assert past is not None
        parts[both] = now_parts[both] - peers.parts(past, (before + model)[both])
    change = value - before
    # of rows that have no value on one side all is told as one
    rest = change - model - parts.sum(axis=1)
    parts[:, -1] += np.where(there, rest, 0.0)
    move = np.where(there, STAYED, NEW)
    orders = now["n_orders"].to_numpy(dtype=np.float64).copy()
    spent = now["total_value"].to_numpy(dtype=np.float64).copy()
    orders[there] -= then["n_orders"].to_numpy(dtype=np.float64)[at[there]]
    spent[there] -= then["total_value"].to_numpy(dtype=np.float64)[at[there]]
    return {
        "move": move,
        "value_then": before,
        "value_now": value,
        "change": change,
        **{name: parts[:, j] for j, name in enumerate(PARTS)},
        "model": model,
        "orders_since": orders,
        "spent_since": spent,
    }


def _came(
    artefact: Artefact, then: pd.DataFrame, now: pd.DataFrame, at: Any, days: int
) -> Came | None:
    """Hold what was expected of the customers of then, for the days between, to what came."""
    if not artefact.reads_summary:
        return None
    facts = facts_of(then)
    assert facts is not None
    place = np.full(len(then), -1)
    place[at[at >= 0]] = np.flatnonzero(at >= 0)
    use = (place >= 0) & then["value"].notna().to_numpy()
    if not use.any():
        return None
    rows = _as_summary(then[use], facts)
    plain: Any = copy.copy(artefact.model).set_params(
        annual_discount_rate=0.0, margin=1.0, contact_cost=0.0
    )
    opened = plain.open(rows)
    said = np.asarray(plain.predict(opened, f"{days}D"), dtype=np.float64)
    total = plain.predict_total(opened, f"{days}D", level=LEVEL)
    after = now["total_value"].to_numpy(dtype=np.float64)[place[use]]
    came: Floats = after - rows["total_value"].to_numpy(dtype=np.float64)
    orders = now["n_orders"].to_numpy(dtype=np.float64)[place[use]] - rows["n_orders"].to_numpy()
    ends = [float(total[name].iloc[0]) if name in total else float("nan")
            for name in ("lower", "upper")]  # fmt: skip
    return Came(
        customers=int(use.sum()),
        said=float(said.sum()),
        came=float(came.sum()),
        low=ends[0],
        high=ends[1],
        buyers=int((orders > 0).sum()),
        groups=calibration_table(came, said),
    )


def _drift(then: pd.DataFrame, now: pd.DataFrame, artefact: Artefact | None) -> pd.DataFrame:
    """Measure how far every input, and the forecast, has moved."""
    names = [*INPUTS, "value"]
    before = (
        {name: Shares.learned(then[name].to_numpy()) for name in names}
        if artefact is None
        else artefact.shares
    )
    found = [before[name].stability(now[name].to_numpy()) for name in names if name in before]
    return pd.DataFrame({"variable": [n for n in names if n in before], "stability": found})


def _as_summary(rows: pd.DataFrame, facts: TableFacts) -> pd.DataFrame:
    """Rows of scores as the summary that they were made of."""
    table = rows[[facts.customer, *KEPT]].reset_index(drop=True)
    table.attrs = {}
    return with_facts(table, TableFacts("summary", facts.customer, facts.unit, facts.as_of))


def _checked(scores: Any, name: str) -> TableFacts:
    facts = facts_of(scores) if isinstance(scores, pd.DataFrame) else None
    if facts is None or facts.kind != KIND:
        held = "no table of scores" if facts is None else f"a {facts.kind}"
        raise DataContractError(
            ContractProblem(
                "no-scores", f"{name} is {held}", "Give what custvalue.monthly.score returned."
            )
        )
    have = column_names(scores) or []
    problems = [
        no_column(one, have, name, "Give what custvalue.monthly.score returned.")
        for one in (facts.customer, *KEPT, "value", "status")
        if one not in have
    ]
    if problems:
        raise DataContractError(problems)
    lost = {"artefact", "horizon", "annual_discount_rate"} - set(facts.extra)
    if lost:
        raise DataContractError(
            ContractProblem("table-facts", f"{name} does not say its {', '.join(sorted(lost))}",
                            "Give what custvalue.monthly.score returned.")
        )  # fmt: skip
    twice = scores[facts.customer].duplicated().to_numpy()
    if twice.any():
        raise DataContractError(
            ContractProblem(
                "duplicate-customer", f"{name} has customers in more than one row",
                "Scores have one row a customer; were two tables put together?",
                int(twice.sum()), first_ids(scores[facts.customer][twice]),
            )
        )  # fmt: skip
    return facts


def _check_pair(then: TableFacts, now: TableFacts) -> int:
    """Check that two tables of scores can be compared; return the days between them."""
    if not same_unit(then.unit, now.unit):
        raise TimeUnitError(f"then is in {then.unit}, now in {now.unit}: score both in one unit.")
    problems: list[ContractProblem] = []
    days = int(
        (np.datetime64(now.as_of[:10], "D") - np.datetime64(then.as_of[:10], "D")).astype(int)
    )
    if days <= 0:
        problems.append(
            ContractProblem(
                "as-of-order",
                f"now is of {now.as_of[:10]}, which is not after then, {then.as_of[:10]}",
                "Give the earlier scores first.",
            )
        )
    problems += [
        ContractProblem(
            "other-terms",
            f"then was scored with {name}={then.extra[name]!r}, now with {now.extra[name]!r}",
            "Values of other terms are other quantities; score both alike.",
        )
        for name in ("horizon", "annual_discount_rate")
        if then.extra[name] != now.extra[name]
    ]
    if then.customer != now.customer:
        problems.append(
            ContractProblem(
                "other-customers",
                f"then has customers in {then.customer!r}, now in {now.customer!r}",
                "Rename one.",
            )
        )
    if problems:
        raise DataContractError(problems)
    return days


def _check_maker(made: Artefact, facts: TableFacts, name: str) -> None:
    if made.name != facts.extra["artefact"]:
        which = "then" if name == "artefact" else "now"
        raise DataContractError(
            ContractProblem(
                "other-artefact",
                f"{name} is {made.name}, fitted as of {made.as_of}, but {which} was scored by "
                f"{facts.extra['artefact']}",
                "Give the artefact that made the scores.",
            )
        )
