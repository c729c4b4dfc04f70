"""SQL of the purchase laws: P(alive) and expected orders of every history."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from custvalue._kernels import legendre
from custvalue._typing import Floats, Values
from custvalue._units import Span, days_per, in_units
from custvalue._warn import heard
from custvalue.distributed._sql_lookup import Lookup, lookup_of
from custvalue.distributed._sql_text import Read, Score, digits, exp, total
from custvalue.exceptions import DataWarning, NotSupportedError, TimeUnitWarning
from custvalue.purchase import BGNBD, MBGNBD, NBD, ParetoNBD, PurchaseModel

CENTURY = 36_525.0  # days: how long a history can be
DROP = 42.0  # exp(-42) is below the last digit
NODES = (24, 32, 40, 48, 64, 96)
ENOUGH, WORST = 1e-11, 1e-9
LAWS = (BGNBD, MBGNBD, ParetoNBD, NBD)


def purchase_score(model: PurchaseModel, horizon: Span | None) -> Score:
    """P(alive), and expected orders within the horizon where one is given."""
    score = history_score(model)
    score.columns["alive"] = alive_into(score, model)
    asked = model.horizon if horizon is None else horizon
    if asked is not None:
        score.columns["expected_orders"] = _expected_into(score, model, asked)
    return score


def history_score(model: PurchaseModel) -> Score:
    """Read histories, refused as the laws refuse them."""
    if type(model) not in LAWS:
        raise NotSupportedError(
            f"{type(model).__name__} has no SQL; {', '.join(kind.__name__ for kind in LAWS)} have. "
            "Map it over partitions with custvalue.distributed.predict."
        )
    score = Score(reads={"x": Read("frequency"), "t_x": Read("recency"), "T": Read("T")})
    score.reasons += [
        ("frequency-not-a-count", "cv_x < 0 OR cv_x <> FLOOR(cv_x)"),
        ("negative-time", "cv_t_x < 0 OR cv_T < 0"),
        ("recency-exceeds-T", "cv_t_x > cv_T"),
        ("recency-without-repeat", "cv_x = 0 AND cv_t_x > 0"),
        ("repeat-without-recency", "cv_x > 0 AND cv_t_x = 0"),
    ]
    return score


def alive_into(score: Score, model: PurchaseModel) -> str:
    """Write P(alive), its steps added to the score."""
    if isinstance(model, NBD):
        return "1e0"
    r, alpha, *leave = (digits(v) for v in model.params_)
    if isinstance(model, ParetoNBD):
        return _alive_pareto_into(score, model)
    a, b = leave
    k = "cv_x" if isinstance(model, BGNBD) else "cv_x + 1"
    quiet = f"({r} + cv_x) * LN(1 + (cv_T - cv_t_x) / ({alpha} + cv_t_x))"
    one = f"1e0 / (1 + {a} / (GREATEST({k}, 1) - 1 + {b}) * {exp(quiet)})"
    return f"CASE WHEN cv_x = 0 THEN 1e0 ELSE {one} END" if isinstance(model, BGNBD) else one


def _alive_pareto_into(score: Score, model: ParetoNBD) -> str:
    """Write the integral over the time of leaving by Gauss's rule, its nodes in the text.

    In ``v = log(1 + u / small)`` the log of the integrand is concave; beyond ``stop`` it has
    dropped by 42 (see ``custvalue._kernels.log_two_powers``, of which this is the plain form).
    """
    r, alpha, s, beta = model.params_
    n, error = _nodes_for(model)
    small, large = (
        f"({digits(min(alpha, beta))} + cv_t_x)",
        f"({digits(max(alpha, beta))} + cv_t_x)",
    )
    orders, leaving = f"({digits(r)} + cv_x)", digits(s + 1.0)
    p, q = (orders, leaving) if alpha <= beta else (leaving, orders)
    steepest = f"LN(1 + cv_ratio * (EXP(LEAST(cv_drop / {q}, 3e2)) - 1))"
    power = f"(1 - {p}) * {{v}} * cv_stop - {q} * LN(1 + (EXP({{v}} * cv_stop) - 1) / cv_ratio)"
    parts = [
        f"{digits(w)} * {exp(power.format(v=digits(v)))}" for v, w in zip(*legendre(n), strict=True)
    ]
    own, life = f"({digits(alpha)} + cv_t_x)", f"({digits(beta)} + cv_t_x)"
    score.steps += [
        ("quiet", "cv_T - cv_t_x"),
        ("ratio", f"{large} / {small}"),
        ("end", f"LN(1 + cv_quiet / {small})"),
        ("drop", f"{digits(DROP)} + cv_end"),
        ("fall", f"CASE WHEN {p} > 1 THEN cv_drop / ({p} - 1) ELSE cv_end END"),
        ("stop", f"LEAST(cv_end, {steepest}, cv_fall)"),
        ("integral", total(parts)),
    ]
    power = (
        f"LN(GREATEST(cv_integral * cv_stop, 1e-300)) + LN({small}) + LN({digits(s)}) - LN({life})"
        f" + {orders} * LN(1 + cv_quiet / {own}) + {digits(s)} * LN(1 + cv_quiet / {life})"
    )
    score.steps.append(("odds", exp(power)))
    _within_into(score, model)
    score.notes.append(
        f"alive: an integral by {n} nodes, right to {error:.1g} for T up to {longest(model):,.6g}"
    )
    return "CASE WHEN cv_quiet = 0 THEN 1e0 ELSE 1e0 / (1 + cv_odds) END"


def _nodes_for(model: ParetoNBD) -> tuple[int, float]:
    """How many nodes P(alive) needs, and its largest error over histories of every kind."""
    r, alpha, s, beta = model.params_
    most = longest(model)
    rng = np.random.default_rng(0)
    x = np.concatenate([np.zeros(100), np.rint(10.0 ** rng.uniform(0, 3.5, 500))])
    T = most * 10.0 ** rng.uniform(-5.0, 0.0, len(x))
    T[::7] = most
    t_x = np.where(x > 0, T * (1.0 - 10.0 ** rng.uniform(-4.0, 0.0, len(x))), 0.0)
    t_x = np.where((x > 0) & (t_x <= 0.0), 1e-3 * T, t_x)
    wanted = model.law.prob_alive(r, alpha, s, beta, x, t_x, T)
    error = np.inf
    for n in NODES:
        error = float(np.abs(_alive_pareto(r, alpha, s, beta, x, t_x, T, n) - wanted).max())
        if error < ENOUGH:
            return n, error
    if not error < WORST:
        raise NotSupportedError(
            f"P(alive) of these parameters cannot be said in SQL to {WORST:g} (off by {error:.1g} "
            f"at {NODES[-1]} nodes). Map the model over partitions with "
            "custvalue.distributed.predict."
        )
    return NODES[-1], error


def _alive_pareto(
    r: float, alpha: float, s: float, beta: float, x: Floats, t_x: Floats, T: Floats, n: int
) -> Floats:
    """Work out what the text says."""
    small, large, quiet = min(alpha, beta) + t_x, max(alpha, beta) + t_x, T - t_x
    p, q = (r + x, s + 1.0 + 0.0 * x) if alpha <= beta else (s + 1.0 + 0.0 * x, r + x)
    ratio, end = large / small, np.log(1.0 + quiet / small)
    drop = DROP + end
    stop = np.minimum(end, np.log(1.0 + ratio * (np.exp(np.minimum(drop / q, 300.0)) - 1.0)))
    stop = np.minimum(stop, np.where(p > 1.0, drop / np.where(p > 1.0, p - 1.0, 1.0), end))
    v, w = legendre(n)
    inside = (1.0 - p)[:, None] * v * stop[:, None] - q[:, None] * np.log(
        1.0 + (np.exp(v * stop[:, None]) - 1.0) / ratio[:, None]
    )
    integral = np.exp(np.clip(inside, -600.0, 600.0)) @ w * stop
    power = np.log(np.maximum(integral, 1e-300)) + np.log(small) + np.log(s) - np.log(beta + t_x)
    power += (r + x) * np.log(1.0 + quiet / (alpha + t_x)) + s * np.log(1.0 + quiet / (beta + t_x))
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(power, -600.0, 600.0))))


def _expected_into(score: Score, model: PurchaseModel, horizon: Span) -> str:
    """Write expected orders: P(alive) times those of a customer who is alive."""
    t = float(_in_units(model, horizon))
    alive = score.columns["alive"]
    if isinstance(model, NBD):
        r, alpha = model.params_
        return f"({digits(r)} + cv_x) / ({digits(alpha)} + cv_T) * {digits(t)}"
    if t == 0.0:
        return "0e0"
    if isinstance(model, ParetoNBD):
        r, alpha, s, beta = model.params_
        end = f"({digits(beta)} + cv_T)"
        rate = f"({digits(r)} + cv_x) / ({digits(alpha)} + cv_T)"
        score.steps.append(("lived", f"LN(1 + {digits(t)} / {end})"))
        # (1 - exp(-g L)) / g with g = s - 1; near 0 by its first terms, for exp cancels there
        g = digits(s - 1.0)
        near = f"{g} * cv_lived"
        lived = (f"cv_lived * CASE WHEN ABS({near}) < 1e-4 "
                 f"THEN 1 - {near} / 2 + {near} * {near} / 6 - {near} * {near} * {near} / 24 "
                 f"ELSE (1 - {exp(f'-({near})')}) / ({near}) END")  # fmt: skip
        if s == 1.0:
            lived = "cv_lived"
        return f"({alive}) * {rate} * {end} * {lived}"
    living = if_all_were_alive(model)

    def orders(x: Floats, T: Floats) -> Floats:
        return living(x, T, lambda one, rows: one.predict(rows, horizon=horizon))

    lookup = future_lookup(model, orders, "expected orders", grows=True)
    return f"({alive}) * {looked_up_into(score, model, lookup, 'orders', 'expected_orders')}"


def _in_units(model: PurchaseModel, horizon: Span) -> float:
    return in_units(horizon, model.unit_, "horizon")


# ---- what any forecast of a living customer needs -----------------------------------------------


def if_all_were_alive(
    model: PurchaseModel,
) -> Callable[[Floats, Floats, Callable[[Any, Any], Floats]], Floats]:
    """Ask a model about customers of whom it is certain that they are alive at T."""

    def certain(*args: Values) -> Floats:
        return np.ones(np.broadcast(*args).shape)

    law = replace(model.law, prob_alive=certain, prob_alive_of_rows=None)
    one = copy.copy(model)
    one.__class__ = type("Alive", (type(model),), {"law": law})

    def asked(x: Floats, T: Floats, ask: Callable[[Any, Any], Floats]) -> Floats:
        rows = pd.DataFrame({"frequency": x, "recency": np.where(x > 0, T, 0.0), "T": T})
        with heard(DataWarning, TimeUnitWarning):  # of times far beyond those of the fit
            return ask(one, rows)

    return asked


def future_lookup(
    model: PurchaseModel, of: Callable[[Floats, Floats], Floats], what: str, *, grows: bool
) -> Lookup:
    """Fit a table to what is expected of a living customer."""
    params = model.params_._asdict()
    shift = min(params["alpha"], params.get("beta", np.inf))
    r = params["r"] if grows else None
    return lookup_of(
        of, shift=shift, grows=r, most=longest(model), counts=most_orders(model), what=what
    )


def looked_up_into(
    score: Score, model: PurchaseModel, lookup: Lookup, name: str, column: str
) -> str:
    """Write the looked-up value, its table and steps added to the score."""
    score.steps += [step for step in lookup.steps(name) if step not in score.steps]
    small = lookup.small(name)
    if score.small is not None:
        both = zip(score.small.rows, small.rows, strict=True)
        small = small._replace(
            columns=score.small.columns + small.columns,
            rows=tuple((*one, *other[1:]) for one, other in both),
        )
    score.small = small
    _within_into(score, model)
    if (
        many := ("frequency-beyond-the-table", f"cv_x > {digits(most_orders(model))}")
    ) not in score.reasons:
        score.reasons.append(many)
    score.notes.append(
        f"{column}: a table of {lookup.table.shape[1]} terms a count, right to "
        f"{lookup.error:.1g} of its value for T up to {longest(model):,.6g} and "
        f"{most_orders(model):,.0f} orders"
    )
    return lookup.value(name)


def _within_into(score: Score, model: PurchaseModel) -> None:
    reason = ("T-beyond-the-table", f"cv_T > {digits(longest(model))}")
    if reason not in score.reasons:
        score.reasons.append(reason)


def longest(model: PurchaseModel) -> float:
    """Longest history that is answered: a hundred years, or ample where the unit is not known."""
    if model.unit_ is not None:
        return CENTURY / days_per(model.unit_)
    seen = model.fitted_.report.facts.get("max_T", 0.0)
    return 1000.0 * max(seen, model.params_.alpha, getattr(model.params_, "beta", 0.0))


def most_orders(model: PurchaseModel) -> float:
    """Most repeat orders that are looked up: ten times what the fit saw, at least a thousand."""
    seen = model.fitted_.report.facts.get("max_frequency", 1_000.0)
    return min(max(10.0 * float(seen), 1_000.0), 100_000.0)
