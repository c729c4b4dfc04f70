"""SQL of value models: a chain's value by state, and orders x spend x margin by customer."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from custvalue._typing import Floats, Ints
from custvalue._units import Span, days_per
from custvalue._warn import heard
from custvalue.distributed._sql_classes import MOST_CELLS, by_name
from custvalue.distributed._sql_purchase import (
    alive_into,
    future_lookup,
    history_score,
    if_all_were_alive,
    looked_up_into,
)
from custvalue.distributed._sql_text import Read, Score, Small, bin_of, digits, sql_text
from custvalue.exceptions import DataWarning, NotSupportedError, TimeUnitWarning
from custvalue.markov import ColumnStates, MarkovCLVEstimator, PanelStates
from custvalue.spend import GammaGamma, OwnMean
from custvalue.value import CustomerValue

# ---- a chain ------------------------------------------------------------------------------------


def chain_score(model: MarkovCLVEstimator, horizon: Span | None, unit: str | None) -> Score:
    """Value of each row's state; ``unit`` is that of a summary's silence, None of a panel's."""
    by_name(model, hasattr(model, "feature_names_in_"))
    if isinstance(model.margin, str):
        raise NotSupportedError(
            f"margin={model.margin!r} is a column of rows; give a number, and multiply in SQL."
        )
    score, sizes = Score(), []
    reader = model.discretizer_
    if isinstance(reader, PanelStates):
        score.reads |= {name: Read(name) for name in ("silence", "n_orders", "mean_value")}
        silence = "FLOOR(cv_silence)"
        if unit is not None:  # a summary's, in whole periods
            ratio = days_per(unit) / days_per(str(model.unit_))
            silence = f"FLOOR(cv_silence * {digits(ratio)} + 1e-9)"
        most = int(reader.recency_max)
        score.steps += [
            ("class_0", f"CAST(GREATEST(LEAST({silence}, {most}), 0) AS INTEGER)"),
            ("class_1", bin_of("cv_n_orders", reader.frequency_cuts_.tolist(), upto=False)),
            ("class_2", bin_of("cv_mean_value", reader.monetary_cuts_.tolist(), upto=False)),
        ]
        sizes = [most + 1, len(reader.frequency_cuts_) + 1, len(reader.monetary_cuts_) + 1]
    elif isinstance(reader, ColumnStates):
        names = list(reader.columns or ())
        by_name(model, bool(names))
        for j, (name, cuts, words) in enumerate(
            zip(names, reader.cuts_, reader.words_, strict=True)
        ):
            score.reads[f"in_{j}"] = Read(name, "number" if words is None else "text")
            place = bin_of(f"cv_in_{j}", cuts.tolist(), upto=False)
            if words is not None:
                cases = " ".join(f"WHEN {sql_text(w)} THEN {k}" for k, w in enumerate(words))
                place = f"CASE cv_in_{j} {cases} END"
                known = ", ".join(map(sql_text, words))
                score.reasons.append((f"unknown-words: {name}", f"cv_in_{j} NOT IN ({known})"))
            score.steps.append((f"class_{j}", place))
            sizes.append(len(cuts) + 1)
    else:
        raise NotSupportedError(
            f"states={type(reader).__name__} has no SQL; PanelStates, ColumnStates and names of "
            "columns have."
        )
    if math.prod(sizes) > MOST_CELLS:
        raise NotSupportedError(
            f"{math.prod(sizes):,} combinations of classes are more than a table in SQL has room "
            f"for ({MOST_CELLS:,}). Use fewer classes, or map the model over partitions with "
            "custvalue.distributed.predict."
        )
    cells = np.array(list(product(*(range(size) for size in sizes))), dtype=np.int64)
    cell = "0"
    for j, size in enumerate(sizes):
        cell = f"({cell}) * {size} + cv_class_{j}"
    score.steps.append(("cell", cell))
    values = _values(model, horizon)[_places(model, cells)]
    score.small = Small("cell", ("value",), tuple((i, float(v)) for i, v in enumerate(values)))
    score.columns["value"] = "cv_value"
    return score


def _values(model: MarkovCLVEstimator, horizon: Span | None) -> Floats:
    return np.asarray(model.forecast_.values(model.terms(horizon)))


def _places(model: MarkovCLVEstimator, cells: Ints) -> Ints:
    """State of each combination of classes: its own, or the nearest that was seen."""
    return np.asarray(model.state_list_.find(cells)[0])


# ---- orders x spend x margin --------------------------------------------------------------------


def customer_value_score(model: CustomerValue, horizon: Span | None) -> Score:
    """P(alive) times what a living customer brings: looked-up orders x spend x margin."""
    terms = model.terms(horizon)
    purchases = model.purchases_
    score = history_score(purchases)
    price, share = _price_into(score, model), _share_into(score, model)
    alive = alive_into(score, purchases)
    living = if_all_were_alive(purchases)
    settings = model.get_params(deep=False) | {"horizon": horizon or model.horizon, "orders": "all"}
    settings |= {"margin": 1.0, "contact_cost": 0.0}
    del settings["purchases"], settings["spend"]

    def asked(x: Floats, T: Floats, **more: Any) -> Floats:
        return living(x, T, lambda one, rows: _of_unit_spend(one, rows, settings | more))

    orders = future_lookup(purchases, asked, "discounted orders", grows=True)
    found = looked_up_into(score, purchases, orders, "orders", "value")
    cost = 0.0
    if not isinstance(terms.contact_cost, dict) and terms.contact_cost != 0.0:
        cost = float(terms.contact_cost)

        def kept(x: Floats, T: Floats) -> Floats:
            return -asked(x, T, margin=0.0, contact_cost=cost)  # what is paid while they stay

        paid = future_lookup(purchases, kept, "contact costs", grows=False)
        cost_text = looked_up_into(score, purchases, paid, "paid", "value (contact costs)")
    score.steps.append(("alive", alive))
    text = f"{found} * {price} * {share}"
    score.columns["alive"] = "cv_alive"
    score.columns["value"] = f"cv_alive * ({text}{f' - {cost_text}' if cost else ''})"
    return score


def _of_unit_spend(purchases: Any, rows: Any, settings: dict[str, Any]) -> Floats:
    table = rows.assign(n_orders=rows["frequency"] + 1.0, mean_value=1.0)
    spend = OwnMean.from_params(p=1.0, mean=1.0)
    with heard(DataWarning, TimeUnitWarning):
        return CustomerValue.from_fitted(purchases, spend, **settings).predict(table)


def _price_into(score: Score, model: CustomerValue) -> str:
    spend = model.spend_
    if model.orders == "all":
        n, mean = Read("n_orders"), Read("mean_value")
    else:
        n, mean = Read("frequency"), Read("monetary_value", may_lack=True)
    score.reads |= {"n": n, "mean": mean}
    score.reasons.append(("no-spend", "cv_n > 0 AND (cv_mean IS NULL OR cv_mean < 0)"))
    if isinstance(spend, OwnMean) and model.orders == "all":
        return f"CASE WHEN cv_n > 0 THEN cv_mean ELSE {digits(spend.params_.mean)} END"
    if isinstance(spend, GammaGamma) and spend.statistic == "mean":
        p, q, gamma = spend.params_
        least = 1.0 if model.orders == "all" else 0.0
        if p * least + q > 1.0:
            own = "CASE WHEN cv_n > 0 THEN cv_n * cv_mean ELSE 0e0 END"
            return (f"{digits(p)} * ({digits(gamma)} + {own}) / "
                    f"({digits(p)} * cv_n + {digits(q)} - 1)")  # fmt: skip
    raise NotSupportedError(
        f"spend={spend!r} with orders={model.orders!r} has no SQL; the mean of GammaGamma, and "
        "OwnMean of all orders, have."
    )


def _share_into(score: Score, model: CustomerValue) -> str:
    if isinstance(model.margin, str):
        score.reads["margin"] = Read(model.margin)
        return "cv_margin"
    if model.margin is not None:
        return digits(float(model.margin))
    group, weight = model.forecast_.margin, model.forecast_.margin_weight
    if not math.isfinite(weight):
        return digits(group)
    score.reads |= {"profit": Read("total_profit"), "total": Read("total_value")}
    score.reads |= {"all": Read("n_orders")}
    own = f"CASE WHEN cv_total > 0 THEN cv_profit / cv_total ELSE {digits(group)} END"
    return f"(cv_all * ({own}) + {digits(weight * group)}) / (cv_all + {digits(weight)})"
